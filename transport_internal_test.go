package losant

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestTransportSettings: what no test can observe in reasonable time.
func TestTransportSettings(t *testing.T) {
	t.Parallel()
	transport := newTransport(1 << 20)
	assert.NotNil(t, transport.Proxy)
	assert.NotNil(t, transport.DialContext)
	assert.True(t, transport.ForceAttemptHTTP2)
	assert.Equal(t, 10*time.Second, transport.HTTP2.SendPingTimeout)
	assert.Equal(t, 5*time.Second, transport.HTTP2.PingTimeout)
	assert.Equal(t, []int{64, 64}, []int{transport.MaxConnsPerHost, transport.MaxIdleConnsPerHost})
	assert.Equal(t, int64(1<<20), transport.MaxResponseHeaderBytes)
	assert.Equal(t, []time.Duration{90 * time.Second, 10 * time.Second, time.Second}, []time.Duration{transport.IdleConnTimeout, transport.TLSHandshakeTimeout, transport.ExpectContinueTimeout})
}
