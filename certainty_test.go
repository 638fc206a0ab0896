package losant_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"syscall"
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

// TestBlockedWriteMayHaveBeenSent covers a header that is stuck in a full
// connection. It may still arrive.
func TestBlockedWriteMayHaveBeenSent(t *testing.T) {
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
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaderField: func(string, []string) {
			time.AfterFunc(20*time.Millisecond, cancel) // while the transport writes
		}})
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

// TestErrorNamesTheRequiredCertificate covers TLS 1.3, where the client learns only
// after its handshake that the server requires a certificate. Writing the request
// then fails with an error that does not say so.
func TestErrorNamesTheRequiredCertificate(t *testing.T) {
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

// TestAlertIsFoundAfterAFailedWrite covers TLS 1.3, where net/http can report that
// writing failed, although the alert that explains it has arrived.
func TestAlertIsFoundAfterAFailedWrite(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.HandlerFunc(succeed))
	s.Config.ErrorLog = silentLog
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS13}
	s.StartTLS()
	t.Cleanup(s.Close)
	for _, action := range actions {
		var done atomic.Bool
		transport := s.Client().Transport.(*http.Transport).Clone()
		transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			done.Store(false)
			conn, err := new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
			return &unwritableConn{Conn: conn, handshakeDone: &done, received: make(chan struct{}), closed: make(chan struct{})}, err
		}
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{TLSHandshakeDone: func(tls.ConnectionState, error) { done.Store(true) }})
		err := action.call(ctx, newClient(t, s.URL, losant.WithHTTPClient(&http.Client{Transport: transport})), ref)
		assert.Equal(t, 1, requireError(t, err).Attempts, action.name)
		assert.Contains(t, err.Error(), "certificate required")
	}
}

// unwritableConn fails every write after the handshake. Reads return when the
// connection is closed.
type unwritableConn struct {
	net.Conn
	handshakeDone         *atomic.Bool
	receivedOnce, closing sync.Once
	received, closed      chan struct{}
}

func (c *unwritableConn) Read(data []byte) (int, error) {
	n, err := c.Conn.Read(data)
	if c.handshakeDone.Load() {
		c.receivedOnce.Do(func() { close(c.received) })
		<-c.closed
	}
	return n, err
}

func (c *unwritableConn) Write(data []byte) (int, error) {
	if !c.handshakeDone.Load() {
		return c.Conn.Write(data)
	}
	<-c.received
	return 0, &net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE}
}

func (c *unwritableConn) Close() error {
	c.closing.Do(func() { close(c.closed) })
	return c.Conn.Close()
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
