package retry

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// post sends a POST with a body.
func post(ctx context.Context, t *testing.T, c *Client, rawURL string, transport http.RoundTripper) *Result {
	t.Helper()
	target, err := url.Parse(rawURL)
	require.NoError(t, err)
	return c.Do(ctx, &Request{Method: http.MethodPost, URL: target, Header: http.Header{}, Body: []byte(`{"role":"view"}`), Transport: transport, Statuses: []int{200}}, noHooks{})
}

// writeCounter is a connection that counts its writes.
type writeCounter struct {
	net.Conn
	writes *atomic.Int32
}

func (c writeCounter) Write(data []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(data)
}

// TestHeaderAndBodyLeaveInOneWrite: once a server is known to speak HTTP/1, a
// request with a body takes one system call and usually one packet.
func TestHeaderAndBodyLeaveInOneWrite(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer server.Close()
	var writes atomic.Int32
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return writeCounter{conn, &writes}, err
	}}
	defer transport.CloseIdleConnections()
	c := New(Policy{MaxAttempts: 1, AttemptTimeout: time.Minute, Budget: NoBudget}, 1<<10, nil)
	for range 3 {
		writes.Store(0)
		result := post(t.Context(), t, c, server.URL, transport)
		require.NoError(t, result.Err)
		result.Release()
	}
	assert.Equal(t, int32(1), writes.Load())
}

// TestRegisteredProtocolThatReadTheBodyIsUncertain: a transport that is registered
// for a scheme reports nothing, so a body that it has read may have been sent.
func TestRegisteredProtocolThatReadTheBodyIsUncertain(t *testing.T) {
	t.Parallel()
	calls := 0
	transport := stock(roundTripper(func(r *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, r.Body)
		if calls++; calls == 1 {
			return &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, Body: http.NoBody}, nil
		}
		return nil, errors.New("the connection was lost")
	}))
	c := New(Policy{MaxAttempts: 1, AttemptTimeout: time.Minute, Budget: NoBudget}, 1<<10, nil)
	first := post(t.Context(), t, c, "https://api.example.com", transport)
	defer first.Release()
	require.NoError(t, first.Err)
	second := post(t.Context(), t, c, "https://api.example.com", transport)
	defer second.Release()
	assert.Equal(t, []any{Lost, true}, []any{second.Outcome, second.Uncertain})
}

// failing is a connection whose writes fail once broken is set. It writes nothing then.
type failing struct {
	net.Conn
	broken *atomic.Bool
}

func (c failing) Write(data []byte) (int, error) {
	if c.broken.Load() {
		return 0, &net.OpError{Op: "write", Err: errors.New("broken pipe")}
	}
	return c.Conn.Write(data)
}

// TestIdleConnectionThatFailsBeforeTheFirstByte proves that a POST is then sent on
// another connection, and that its outcome is certain if there is none.
func TestIdleConnectionThatFailsBeforeTheFirstByte(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		dial error // of the second connection
		want []any
	}{
		"another connection": {nil, []any{1, Succeeded, false, int32(2)}},
		"no other":           {errDial, []any{1, NotSent, false, int32(1)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				_, _ = io.Copy(io.Discard, r.Body)
			}))
			defer server.Close()
			var broken atomic.Bool
			transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				if !broken.Load() {
					conn, err := new(net.Dialer).DialContext(ctx, network, address)
					return failing{conn, &broken}, err
				}
				if row.dial != nil {
					return nil, row.dial
				}
				return new(net.Dialer).DialContext(ctx, network, address)
			}}
			defer transport.CloseIdleConnections()
			c := New(Policy{MaxAttempts: 1, AttemptTimeout: time.Minute, Budget: NoBudget}, 1<<10, nil)
			first := post(t.Context(), t, c, server.URL, transport)
			defer first.Release()
			require.NoError(t, first.Err)
			broken.Store(true)
			second := post(t.Context(), t, c, server.URL, transport)
			defer second.Release()
			assert.Equal(t, row.want, []any{second.Attempts, second.Outcome, second.Uncertain, requests.Load()})
		})
	}
}

type upload struct{ canReopen bool }

func (upload) Open() (io.Reader, error) { return strings.NewReader("body"), nil }
func (u upload) CanReopen() bool        { return u.canReopen }
func (upload) Size() int64              { return 4 }

// TestUploadThatWasReadIsReopenedOnlyAfterAProof: after a read, a retry needs proof
// that nothing was done, and a body that can be reopened, whatever the safety of the
// request.
func TestUploadThatWasReadIsReopenedOnlyAfterAProof(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		safety    Safety
		canReopen bool
		first     int // the first status; then 200
		attempts  int
	}{
		"refused":                    {Unsafe, true, 429, 2},
		"refused, and read once":     {Unsafe, false, 429, 1},
		"failed":                     {Idempotent, true, 503, 1},
		"a safe request that failed": {Safe, true, 503, 1},
		"a safe request, read once":  {Safe, false, 429, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requests := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if requests++; requests == 2 { // the first shows that the server speaks HTTP/1
					w.WriteHeader(row.first)
				}
			}))
			defer server.Close()
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			c := New(Policy{MaxAttempts: 3, MinWait: 1, MaxWait: 1, AttemptTimeout: time.Minute, Budget: NoBudget}, 1<<10, nil)
			post(t.Context(), t, c, server.URL, transport).Release()
			target, err := url.Parse(server.URL)
			require.NoError(t, err)
			r := request(http.MethodPost, transport)
			r.URL, r.Safety, r.Upload = target, row.safety, upload{row.canReopen}
			result := c.Do(t.Context(), r, noHooks{})
			defer result.Release()
			assert.Equal(t, row.attempts, result.Attempts)
		})
	}
}

// TestBodyReadByOtherTransportMayHaveBeenSentAfterHTTP1: the body is tracked, too,
// once a server is known to speak HTTP/1.
func TestBodyReadByOtherTransportMayHaveBeenSentAfterHTTP1(t *testing.T) {
	t.Parallel()
	c := New(Policy{MaxAttempts: 1, AttemptTimeout: time.Minute, Budget: NoBudget}, 1<<10, nil)
	c.overHTTP1.Store(true)
	result := post(t.Context(), t, c, "https://api.example.com", roundTripper(func(r *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, r.Body)
		return reports{asked: 1, err: errDial}.RoundTrip(r)
	}))
	defer result.Release()
	assert.Equal(t, []any{Lost, true}, []any{result.Outcome, result.Uncertain})
}
