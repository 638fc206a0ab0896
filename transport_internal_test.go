package losant

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
	assert.Equal(t, []time.Duration{90 * time.Second, 10 * time.Second, time.Second}, []time.Duration{transport.IdleConnTimeout, transport.TLSHandshakeTimeout, transport.ExpectContinueTimeout})
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
