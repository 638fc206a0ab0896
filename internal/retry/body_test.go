package retry

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
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
	transport := &http.Transport{}
	transport.RegisterProtocol("https", roundTripper(func(r *http.Request) (*http.Response, error) {
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
