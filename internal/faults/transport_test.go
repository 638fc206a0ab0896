package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	losant "github.com/losant-community/losant-rest-go"
)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func dialRefused(context.Context, string, string) (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
}

// TestFailoverTransportMayHaveSent covers a transport that tries one server, which
// refuses the connection, and then another, which receives the request and does not
// respond.
func TestFailoverTransportMayHaveSent(t *testing.T) {
	t.Parallel()
	for n, a := range actions() {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			s := serveRaw(t, func(s *rawServer, _ int32, _ *net.TCPConn, reader *bufio.Reader) { s.receive(reader) })
			first := &http.Transport{DialContext: dialRefused}
			second := &http.Transport{}
			t.Cleanup(second.CloseIdleConnections)
			failover := roundTripper(func(r *http.Request) (*http.Response, error) {
				_, err := first.RoundTrip(r.Clone(r.Context()))
				if r.GetBody != nil {
					r.Body, _ = r.GetBody()
				}
				response, err2 := second.RoundTrip(r)
				if err2 != nil {
					return nil, errors.Join(err, err2)
				}
				return response, nil
			})
			var response losant.Response
			client := newClient(t, s.base, losant.WithHTTPClient(&http.Client{Transport: failover}), losant.WithRetryPolicy(quick))
			err := a.call(t.Context(), client, losant.WithResponse(&response))
			r := ended(err, response)
			assert.Equal(t, n != get, r.isUnknown(), err)
			assert.LessOrEqual(t, int(s.arrived.Load()), [...]int{get: 4, remove: 4, resend: 1}[n])
		})
	}
}

// TestRefusedDialThroughAWrapperIsNotSent covers a transport that only passes
// requests on, as those for tracing do.
func TestRefusedDialThroughAWrapperIsNotSent(t *testing.T) {
	t.Parallel()
	for _, a := range actions() {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			refusing := &http.Transport{DialContext: dialRefused}
			wrapper := roundTripper(func(r *http.Request) (*http.Response, error) { return refusing.RoundTrip(r.Clone(r.Context())) })
			var response losant.Response
			client := newClient(t, "http://localhost", losant.WithHTTPClient(&http.Client{Transport: wrapper}), losant.WithRetryPolicy(quick))
			err := a.call(t.Context(), client, losant.WithResponse(&response))
			r := ended(err, response)
			assert.Equal(t, unsent, r.String())
		})
	}
}

// TestCallThatWaitsForAConnectionIsNotSent covers a deadline that passes while
// another call uses the only connection.
func TestCallThatWaitsForAConnectionIsNotSent(t *testing.T) {
	t.Parallel()
	for _, a := range actions() {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			release := make(chan struct{})
			arrived := make(chan struct{})
			s := serveRaw(t, func(s *rawServer, _ int32, conn *net.TCPConn, reader *bufio.Reader) {
				for s.receive(reader) {
					arrived <- struct{}{}
					<-release
					succeedRaw(conn, a)
				}
			})
			transport := &http.Transport{MaxConnsPerHost: 1}
			t.Cleanup(transport.CloseIdleConnections)
			client := newClient(t, s.base, losant.WithHTTPClient(&http.Client{Transport: transport}))
			first := make(chan error)
			go func() { first <- a.call(context.Background(), client) }()
			<-arrived
			var response losant.Response
			err := a.call(expiresWhileWaiting(), client, losant.WithResponse(&response))
			r := ended(err, response)
			close(release)
			assert.NoError(t, <-first)
			assert.Equal(t, "0 of 1, DeadlineExceeded", r.String(), err)
			assert.EqualValues(t, 1, s.arrived.Load())
		})
	}
}

// proxyEnvironment is the proxy of the environment; see TestMain.
type proxyEnvironment struct{ scripts sync.Map } // *proxyScript by the host of a test

type proxyScript struct {
	responses []string // to CONNECT
	connects  atomic.Int32
}

var environment proxyEnvironment

func (p *proxyEnvironment) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	value, ok := p.scripts.Load(r.URL.Hostname())
	if r.Method != http.MethodConnect || !ok {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	script := value.(*proxyScript)
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", nth(script.responses, script.connects.Add(1)))
	_ = conn.Close()
}

// TestDefaultTransportUsesTheProxyOfTheEnvironment also proves that the status and
// the Retry-After of a refused CONNECT count.
func TestDefaultTransportUsesTheProxyOfTheEnvironment(t *testing.T) {
	t.Parallel()
	const (
		throttled   = "429 Too Many Requests\r\nRetry-After: 1"
		unavailable = "503 Service Unavailable\r\nRetry-After: 1"
		forbidden   = "403 Forbidden"
	)
	for n, test := range []struct {
		name     string
		script   []string
		connects int32
		waits    time.Duration
	}{
		{"403", []string{forbidden}, 1, 0},
		{"407", []string{"407 Proxy Authentication Required"}, 1, 0},
		{"502", []string{"502 Bad Gateway"}, 4, 0},
		{"429 with Retry-After, then 403", []string{throttled, forbidden}, 2, time.Second},
		{"503 with Retry-After, then 403", []string{unavailable, forbidden}, 2, time.Second},
		{"429 with Retry-After above MaxWait", []string{"429 Too Many Requests\r\nRetry-After: 1000"}, 1, 0},
	} {
		for _, a := range actions() {
			t.Run(test.name+"/"+a.name, func(t *testing.T) {
				t.Parallel()
				name := strings.ToLower(fmt.Sprintf("%s%d.losant.test", a.name, n))
				script := &proxyScript{responses: test.script}
				environment.scripts.Store(name, script)
				client := newClient(t, "https://"+name, losant.WithRetryPolicy(losant.RetryPolicy{MinWait: time.Millisecond, MaxWait: 5 * time.Second}))
				started := time.Now()
				var response losant.Response
				err := a.call(t.Context(), client, losant.WithResponse(&response))
				r := ended(err, response)
				assert.Equal(t, fmt.Sprintf("0 of %d, error", test.connects), r.String(), err)
				assert.Equal(t, test.connects, script.connects.Load())
				assert.GreaterOrEqual(t, time.Since(started), test.waits)
			})
		}
	}
}
