package losant_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// serveHTTP2 serves over HTTP/2 with at most the given number of streams on a
// connection, and returns a transport for it.
func serveHTTP2(t *testing.T, streams int, handler http.Handler) (*httptest.Server, *http.Transport) {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.EnableHTTP2 = true
	s.Config.ErrorLog = silentLog
	s.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: streams}
	s.StartTLS()
	t.Cleanup(s.Close)
	transport := &http.Transport{
		TLSClientConfig:   s.Client().Transport.(*http.Transport).TLSClientConfig.Clone(),
		ForceAttemptHTTP2: true,
		MaxConnsPerHost:   64,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return s, transport
}

// TestFewStreams: a server that permits few streams refuses most of what arrives
// at once. Nothing that it refused is of unknown outcome, or handled twice.
func TestFewStreams(t *testing.T) {
	t.Parallel()
	for _, streams := range []int{1, 10, 50} {
		for _, goroutines := range []int{64, 250} {
			for _, action := range actions {
				t.Run(fmt.Sprintf("%d streams/%d goroutines/%s", streams, goroutines, action.name), func(t *testing.T) {
					t.Parallel()
					var handled atomic.Int32
					s, transport := serveHTTP2(t, streams, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						handled.Add(1)
						succeed(w, r)
					}))
					client := newClient(t, s.URL, losant.WithHTTPClient(&http.Client{Transport: transport}), losant.WithRetryPolicy(losant.RetryPolicy{MinWait: 10 * time.Millisecond, MaxWait: time.Second}))
					var group sync.WaitGroup
					var failed atomic.Int32
					for range goroutines {
						group.Go(func() {
							if err := action.call(t.Context(), client, ref); err != nil {
								failed.Add(1)
								assert.NotErrorIs(t, err, losant.ErrOutcomeUnknown)
							}
						})
					}
					group.Wait()
					if streams > 1 {
						assert.Zero(t, failed.Load())
					}
					assert.Equal(t, int32(goroutines)-failed.Load(), handled.Load())
				})
			}
		}
	}
}

// TestIdleConnectionsOverHTTP2: a server that closes them while requests are on
// their way leaves none of unknown outcome.
func TestIdleConnectionsOverHTTP2(t *testing.T) {
	t.Parallel()
	var handled atomic.Int32
	s, transport := serveHTTP2(t, 100, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handled.Add(1)
		succeed(w, r)
	}))
	s.Config.IdleTimeout = 2 * time.Millisecond
	client := newClient(t, s.URL, losant.WithHTTPClient(&http.Client{Transport: transport}))
	for range 300 {
		require.NoError(t, resend.call(t.Context(), client, ref))
		<-time.After(1800 * time.Microsecond) // the race with the server's timer cannot be had on a fake clock
	}
	assert.Equal(t, int32(300), handled.Load())
}

// TestNotSent: what fails before anything is written is certain, and no action
// may have happened.
func TestNotSent(t *testing.T) {
	t.Parallel()
	s := serve(t, succeed)
	broken := &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return nil, errors.New("no proxy today") }}
	past, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for _, action := range actions {
		err := action.call(t.Context(), newClient(t, s.URL, losant.WithHTTPClient(&http.Client{Transport: broken})), ref)
		requireError(t, err)
		assert.Contains(t, err.Error(), "no proxy today")
		err = action.call(past, newClient(t, s.URL), ref)
		requireError(t, err)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	assert.Zero(t, s.arrived.Load())
}

// TestBlockedWrite: over HTTP/2, a header that is stuck in a full connection may
// still arrive.
func TestBlockedWrite(t *testing.T) {
	t.Parallel()
	for _, overHTTP1 := range []bool{false, true} {
		var blocked atomic.Bool
		s, transport := serveHTTP2(t, 10, http.HandlerFunc(succeed))
		transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			return &blockedConn{Conn: conn, blocked: &blocked, closed: make(chan struct{})}, err
		}
		if overHTTP1 {
			transport.ForceAttemptHTTP2 = false
			transport.TLSClientConfig.NextProtos = []string{"http/1.1"}
		}
		client := newClient(t, s.URL, losant.WithHTTPClient(&http.Client{Transport: transport}))
		require.NoError(t, get.call(t.Context(), client, ref))
		blocked.Store(true)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		requireError(t, resend.call(ctx, client, ref), "ErrOutcomeUnknown")
	}
}

type blockedConn struct {
	net.Conn
	blocked *atomic.Bool
	once    sync.Once
	closed  chan struct{}
}

func (c *blockedConn) Write(data []byte) (int, error) {
	if c.blocked.Load() {
		<-c.closed
		return 0, net.ErrClosed
	}
	return c.Conn.Write(data)
}

func (c *blockedConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

func (c *blockedConn) SetWriteDeadline(time.Time) error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

// TestCertificateDemanded: in TLS 1.3 the client learns after its handshake that
// the server demands a certificate. That is certain, and does not pass.
func TestCertificateDemanded(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"http/1.1", "h2"} {
		own := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate
		t.Cleanup(own.Close)
		config := own.TLS.Clone()
		config.ClientAuth, config.MinVersion, config.NextProtos = tls.RequireAndVerifyClientCert, tls.VersionTLS13, []string{protocol}
		address := acceptRaw(t, func(conn net.Conn, _ *bufio.Reader) {
			_ = tls.Server(conn, config).HandshakeContext(t.Context())
			_, _ = io.Copy(io.Discard, conn) // so that the alert is not lost with the connection
		})
		for _, action := range actions {
			transport := own.Client().Transport.(*http.Transport).Clone()
			transport.ForceAttemptHTTP2 = true
			err := action.call(t.Context(), newClient(t, "https://"+address, losant.WithHTTPClient(&http.Client{Transport: transport})), ref)
			assert.Equal(t, 1, requireError(t, err).Attempts)
			assert.Contains(t, err.Error(), "certificate required")
		}
	}
}

// failover sends over the second transport what the first did not send.
type failover struct{ first, second http.RoundTripper }

func (f failover) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := f.first.RoundTrip(r)
	if err != nil {
		return f.second.RoundTrip(r)
	}
	return resp, err
}

// TestFailover: a transport that may have sent the request in a way that it does
// not report leaves the outcome unknown; one that wraps net/http's does not.
func TestFailover(t *testing.T) {
	t.Parallel()
	refused := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	}}
	silent := roundTripper(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })
	for _, action := range actions[1:] {
		err := action.call(t.Context(), newClient(t, "http://localhost", losant.WithHTTPClient(&http.Client{Transport: failover{refused, silent}})), ref)
		requireError(t, err, "ErrOutcomeUnknown")
		wrapped := roundTripper(func(r *http.Request) (*http.Response, error) { return refused.RoundTrip(r) })
		err = action.call(t.Context(), newClient(t, "http://localhost", losant.WithHTTPClient(&http.Client{Transport: wrapped})), ref)
		assert.Equal(t, 4, requireError(t, err).Attempts)
	}
}

// acceptRaw serves each connection by hand.
func acceptRaw(t *testing.T, handle func(conn net.Conn, reader *bufio.Reader)) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var group sync.WaitGroup
	t.Cleanup(group.Wait)
	t.Cleanup(func() { _ = listener.Close() })
	group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() {
				defer func() { _ = conn.Close() }()
				handle(conn, bufio.NewReader(conn))
			})
		}
	})
	return listener.Addr().String()
}
