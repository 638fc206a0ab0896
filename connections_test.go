package losant_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// counted starts a server that counts its connections.
func counted(t *testing.T, script ...handler) (*server, *atomic.Int32) {
	t.Helper()
	s, opened := &server{}, &atomic.Int32{}
	s.Server = httptest.NewUnstartedServer(s.handler(script))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s, opened
}

// TestUsersPoolStaysOpen is necessary because go-retryablehttp closes the idle
// connections of a pool after every failure, although others may share the pool.
func TestUsersPoolStaysOpen(t *testing.T) {
	t.Parallel()
	for name, code := range map[string]int{"exhausted": 503, "not retried": 404, "cancelled in the wait": 503} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, opened := counted(t, status(code))
			transport := &closeCounter{Transport: &http.Transport{}}
			t.Cleanup(transport.Transport.CloseIdleConnections)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			policy, logger := quick, slog.New(slog.DiscardHandler)
			if name == "cancelled in the wait" {
				policy = losant.RetryPolicy{MinWait: time.Hour, MaxWait: time.Hour}
				logger = slog.New(onRecord{slog.DiscardHandler, "losant: retry", func() { time.AfterFunc(10*time.Millisecond, cancel) }})
			}
			client := newClient(t, s.URL, losant.WithHTTPClient(&http.Client{Transport: transport}), losant.WithRetryPolicy(policy), losant.WithLogger(logger))
			started := time.Now()
			require.Error(t, get.call(ctx, client, ref))
			if name == "cancelled in the wait" {
				assert.GreaterOrEqual(t, time.Since(started), 10*time.Millisecond, "the call ended before the wait")
			}
			client.CloseIdleConnections()
			assert.Zero(t, transport.closed.Load())
			assert.Equal(t, int32(1), opened.Load(), "the attempts use the same connection")
		})
	}
}

// onRecord calls a function when a message is logged.
type onRecord struct {
	slog.Handler
	message string
	call    func()
}

func (h onRecord) Enabled(context.Context, slog.Level) bool { return true }

func (h onRecord) Handle(_ context.Context, r slog.Record) error {
	if r.Message == h.message {
		h.call()
	}
	return nil
}

type closeCounter struct {
	*http.Transport
	closed atomic.Int32
}

func (c *closeCounter) CloseIdleConnections() { c.closed.Add(1) }

// closing is a body that calls then when it is closed.
type closing struct {
	io.ReadCloser
	then func()
}

func (c *closing) Close() error {
	err := c.ReadCloser.Close()
	c.then()
	return err
}

// TestLargeResponsesKeepTheConnection is necessary because go-retryablehttp reads
// no more than 4 KiB of a response before it retries.
func TestLargeResponsesKeepTheConnection(t *testing.T) {
	t.Parallel()
	s, opened := counted(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write(bytes.Repeat([]byte("x"), 1<<20))
	})
	requireError(t, get.call(t.Context(), newClient(t, s.URL), ref), "ErrServer")
	assert.Equal(t, int32(4), s.arrived.Load())
	assert.Equal(t, int32(1), opened.Load())
}

func TestEveryBodyIsClosedOnce(t *testing.T) {
	t.Parallel()
	for _, script := range [][]handler{
		{succeed}, {status(404)}, {status(503)}, {status(302, "Location", "/x")}, {breakOff}, {cut, status(500), succeed}, {body("<html>")},
		{body(strings.Repeat("x", 1<<16))}, {switchProtocols}, {status(304)},
	} {
		for _, action := range actions {
			s := serve(t, script...)
			transport := &bodyCounter{RoundTripper: &http.Transport{DisableKeepAlives: true}}
			_ = action.call(t.Context(), newClient(t, s.URL, losant.WithHTTPClient(&http.Client{Transport: transport}), losant.WithMaxResponseBytes(1<<10)), ref)
			assert.Equal(t, transport.opened.Load(), transport.closed.Load())
		}
	}
}

type bodyCounter struct {
	http.RoundTripper
	opened, closed atomic.Int32
}

func (c *bodyCounter) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.RoundTripper.RoundTrip(r)
	if err == nil {
		c.opened.Add(1)
		resp.Body = &closing{ReadCloser: resp.Body, then: func() { c.closed.Add(1) }}
	}
	return resp, err
}

// TestStaleConnectionIsNoRequest covers connections that the server closes between
// calls. A request of which nothing was written is not counted.
func TestStaleConnectionIsNoRequest(t *testing.T) {
	t.Parallel()
	const calls = 200
	s := serve(t, status(404))
	client := newClient(t, s.URL)
	for range calls {
		var response losant.Response
		err := remove.call(t.Context(), client, ref, losant.WithResponse(&response))
		require.ErrorIs(t, err, losant.ErrNotFound)
		if len(response.Attempts) == 1 {
			require.NotErrorIs(t, err, losant.ErrOutcomeUnknown)
		}
		for _, attempt := range response.Attempts[:len(response.Attempts)-1] {
			require.NotContains(t, attempt.Err.Error(), "sent the request again")
		}
		s.CloseClientConnections()
	}
	assert.Equal(t, int32(calls), s.arrived.Load())
}

func TestDefaultTransportReusesConnections(t *testing.T) {
	t.Parallel()
	const goroutines = 64
	s, opened := counted(t, succeed)
	client := newClient(t, s.URL)
	round := func() {
		var group sync.WaitGroup
		for range goroutines {
			group.Go(func() {
				for range 5 {
					assert.NoError(t, get.call(t.Context(), client, ref))
				}
			})
		}
		group.Wait()
	}
	round()
	after := opened.Load()
	round()
	round()
	assert.LessOrEqual(t, opened.Load()-after, int32(goroutines), "connections are reused")
	before := opened.Load()
	client.CloseIdleConnections()
	require.NoError(t, get.call(t.Context(), client, ref))
	assert.Equal(t, before+1, opened.Load(), "CloseIdleConnections closed them")
}

// TestDefaultTransportOpens64Connections makes 64 calls that wait for each other.
// That it opens no more is in TestSettingsOfTheDefaultTransport.
func TestDefaultTransportOpens64Connections(t *testing.T) {
	t.Parallel()
	const goroutines = 64
	var arrived atomic.Int32
	all := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if arrived.Add(1) == goroutines {
			close(all)
		}
		select {
		case <-all:
			succeed(w, r)
		case <-r.Context().Done():
		}
	})
	policy := quick
	policy.MaxAttempts, policy.AttemptTimeout = 1, 30*time.Second
	client := newClient(t, s.URL, losant.WithRetryPolicy(policy))
	var group sync.WaitGroup
	for range goroutines {
		group.Go(func() { assert.NoError(t, get.call(t.Context(), client, ref)) })
	}
	group.Wait()
}

func TestDefaultTransportOffersHTTP2(t *testing.T) {
	t.Parallel()
	offered := make(chan []string, 1)
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = silentLog
	s.TLS = &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		offered <- slices.Clone(hello.SupportedProtos)
		return nil, nil //nolint:nilnil // the server keeps its configuration
	}}
	s.StartTLS()
	t.Cleanup(s.Close)
	requireError(t, get.call(t.Context(), newClient(t, s.URL), ref)) // its certificate is not trusted
	assert.Contains(t, <-offered, "h2")
}

func TestProxyDoesNotGetTheToken(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, http.MethodConnect, r.Method)
		assert.Empty(t, r.Header.Get("Authorization"))
		http.Error(w, "no", http.StatusBadGateway)
	})
	proxy, err := url.Parse(s.URL)
	require.NoError(t, err)
	transport := &http.Transport{Proxy: http.ProxyURL(proxy)}
	t.Cleanup(transport.CloseIdleConnections)
	err = resend.call(t.Context(), newClient(t, "https://api.example.com", losant.WithHTTPClient(&http.Client{Transport: transport})), ref)
	assert.Equal(t, 4, requireError(t, err).Attempts)
}

// TestRetryAfter421OpensAConnection, because the other idle connections may lead to
// the same wrong server.
func TestRetryAfter421OpensAConnection(t *testing.T) {
	t.Parallel()
	var both sync.WaitGroup
	both.Add(2)
	together := func(w http.ResponseWriter, r *http.Request) {
		both.Done()
		both.Wait() // so that each needs a connection
		succeed(w, r)
	}
	s, opened := counted(t, together, together, status(421), succeed)
	client := newClient(t, s.URL)
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() { assert.NoError(t, get.call(t.Context(), client, ref)) })
	}
	group.Wait()
	require.NoError(t, get.call(t.Context(), client, ref))
	assert.Equal(t, int32(3), opened.Load())
	assert.Equal(t, int32(4), s.arrived.Load())
}
