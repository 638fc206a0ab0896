package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// pool is a server to which the client has idle connections.
type pool struct {
	*rawServer
	client *losant.Client
}

// newPool fills the pool of the default transport with size connections. Requests
// that arrive on them go to fail. Requests on other connections succeed.
func newPool(t *testing.T, size int, a action, policy losant.RetryPolicy, fail func(conn *net.TCPConn)) (*pool, error) {
	t.Helper()
	var (
		started, waiting atomic.Int32 // connections before the fault; requests to warm up
		full             = make(chan struct{})
	)
	s := serveRaw(t, func(s *rawServer, n int32, conn *net.TCPConn, reader *bufio.Reader) {
		for s.receive(reader) {
			switch before := started.Load(); {
			case before == 0:
				if int(waiting.Add(1)) == size {
					close(full)
				}
				select {
				case <-full:
				case <-time.After(10 * time.Second):
				}
			case n <= before:
				fail(conn)
				return
			}
			succeedRaw(conn, a)
		}
	})
	client := newClient(t, s.base, losant.WithRetryPolicy(policy))
	err := callAtOnce(t.Context(), client, a, size)
	s.arrived.Store(0)
	started.Store(s.conns.Load())
	return &pool{s, client}, err
}

var quick = losant.RetryPolicy{MinWait: time.Millisecond, MaxWait: 5 * time.Millisecond}

// TestTimeoutOnAnIdleConnectionEmptiesThePool covers peers that no longer respond,
// as after the loss of a node or of the state of a NAT. The client takes a new
// connection after one timeout.
func TestTimeoutOnAnIdleConnectionEmptiesThePool(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 4, 8} {
		for n, a := range actions() {
			t.Run(fmt.Sprintf("%d connections/%s", size, a.name), func(t *testing.T) {
				t.Parallel()
				play := func(timeout time.Duration) string {
					policy := quick
					policy.AttemptTimeout = timeout
					p, err := newPool(t, size, a, policy, func(conn *net.TCPConn) { _, _ = io.Copy(io.Discard, conn) })
					if err != nil {
						return err.Error()
					}
					var response losant.Response
					err = a.call(t.Context(), p.client, losant.WithResponse(&response))
					r := ended(err, response)
					r.arrived = int(p.arrived.Load())
					return r.String()
				}
				want := [...]string{get: okAfterRetry, remove: okAfterRetry, resend: timeoutPost}[n]
				found := play(shortTimeout)
				if found != want { // on a slow machine
					found = play(longTimeout)
				}
				assert.Equal(t, want, found)
			})
		}
	}
}

// TestRepetitionsOnIdleConnectionsAreLimited covers a server that resets each of 64
// idle connections when the next request arrives. net/http repeats a Get on one
// after the other.
func TestRepetitionsOnIdleConnectionsAreLimited(t *testing.T) {
	t.Parallel()
	const size = 64
	for _, maxAttempts := range []int{1, 4} {
		for n, a := range actions() {
			t.Run(fmt.Sprintf("%d attempts/%s", maxAttempts, a.name), func(t *testing.T) {
				t.Parallel()
				policy := quick
				policy.MaxAttempts = maxAttempts
				p, err := newPool(t, size, a, policy, func(conn *net.TCPConn) { _ = conn.SetLinger(0) })
				require.NoError(t, err)
				var response losant.Response
				err = a.call(t.Context(), p.client, losant.WithResponse(&response))
				r := ended(err, response)
				r.arrived = int(p.arrived.Load())
				assert.LessOrEqual(t, r.arrived, r.attempts, "every repetition counts as an attempt")
				assert.LessOrEqual(t, r.attempts, [...]int{get: 9, remove: maxAttempts, resend: 1}[n])
				assert.Equal(t, n != get, r.isUnknown(), r)
			})
		}
	}
}

// TestMisdirectedRequestEmptiesThePool covers four idle connections to a server that
// responds with 421. The retry takes a new connection, not the next idle one.
func TestMisdirectedRequestEmptiesThePool(t *testing.T) {
	t.Parallel()
	for _, a := range actions() {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			p, err := newPool(t, 4, a, quick, func(conn *net.TCPConn) {
				const body = `{"type": "Misdirected", "message": "another server"}`
				_, _ = io.WriteString(conn, responseHeader(421, len(body))+body)
			})
			require.NoError(t, err)
			var response losant.Response
			err = a.call(t.Context(), p.client, losant.WithResponse(&response))
			r := ended(err, response)
			r.arrived = int(p.arrived.Load())
			assert.Equal(t, okAfterRetry, r.String())
		})
	}
}
