package losant

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/losant-community/losant-rest-go/internal/retry"
)

// TestSettingsOfTheDefaultTransport covers what no test can observe in reasonable
// time. The proxy of the environment has a test in internal/faults.
func TestSettingsOfTheDefaultTransport(t *testing.T) {
	t.Parallel()
	transport := newTransport(1 << 20)
	assert.NotNil(t, transport.Proxy)
	assert.NotNil(t, transport.DialContext)
	assert.True(t, transport.ForceAttemptHTTP2)
	assert.Equal(t, []int{64, 64}, []int{transport.MaxConnsPerHost, transport.MaxIdleConnsPerHost})
	assert.Equal(t, int64(1<<20), transport.MaxResponseHeaderBytes)
	assert.Equal(t, int64(16<<10), newTransport(1).MaxResponseHeaderBytes)
	assert.Equal(t, []time.Duration{90 * time.Second, 10 * time.Second, time.Second}, []time.Duration{transport.IdleConnTimeout, transport.TLSHandshakeTimeout, transport.ExpectContinueTimeout})
}

// TestRefusalOfAProxyHasItsHeader, which can say how long to wait.
func TestRefusalOfAProxyHasItsHeader(t *testing.T) {
	t.Parallel()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(proxy.Close)
	address, err := url.Parse(proxy.URL)
	require.NoError(t, err)
	transport := newTransport(1 << 20)
	transport.Proxy = http.ProxyURL(address)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example.com", http.NoBody)
	require.NoError(t, err)
	_, err = transport.RoundTrip(request)
	var refusal *retry.ProxyError
	require.ErrorAs(t, err, &refusal)
	assert.Equal(t, http.StatusServiceUnavailable, refusal.StatusCode)
	assert.Equal(t, "7", refusal.Header.Get("Retry-After"))
}

// TestDeadHTTP2ConnectionIsClosedAfter15Seconds covers a server that responds to
// nothing, not even to a ping.
func TestDeadHTTP2ConnectionIsClosedAfter15Seconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, server) }()
		go func() { _, _ = server.Write([]byte{0, 0, 0, 4, 0, 0, 0, 0, 0}) }() // SETTINGS
		transport := newTransport(1 << 20)
		transport.DialContext = func(context.Context, string, string) (net.Conn, error) { return client, nil }
		transport.Protocols = new(http.Protocols)
		transport.Protocols.SetUnencryptedHTTP2(true)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://api.example.com", http.NoBody)
		require.NoError(t, err)
		started := time.Now()
		_, err = transport.RoundTrip(request)
		require.Error(t, err)
		assert.Equal(t, 15*time.Second, time.Since(started)) // in fake time
		_ = server.Close()
	})
}
