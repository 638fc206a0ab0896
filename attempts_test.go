package losant_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// expected is how a call ends: the requests that arrived at the server, and
// the sentinels of the error; nil: success.
type expected struct {
	arrived   int32
	sentinels []string
}

func success(arrived int32) expected { return expected{arrived: arrived} }

func failure(arrived int32, sentinels ...string) expected {
	return expected{arrived, append([]string{}, sentinels...)}
}

func (e expected) check(t *testing.T, s *server, err error) {
	t.Helper()
	if e.sentinels == nil {
		require.NoError(t, err)
	} else {
		requireError(t, err, e.sentinels...)
	}
	assert.Equal(t, e.arrived, s.arrived.Load(), "requests arrived")
}

// TestAttempts is the table of attempts, for everything that a server does
// with a request that arrived.
func TestAttempts(t *testing.T) {
	t.Parallel()
	type row struct {
		name                string
		script              []answer
		get, remove, resend expected
	}
	rows := []row{
		{
			name: "connection cut, then success", script: []answer{cut, succeed},
			get: success(2), remove: success(2), resend: failure(1, "ErrOutcomeUnknown"),
		},
		{
			name: "connection cut always", script: []answer{cut},
			get: failure(4), remove: failure(4, "ErrOutcomeUnknown"), resend: failure(1, "ErrOutcomeUnknown"),
		},
		{
			name: "silence, then success", script: []answer{silence, succeed},
			get: success(2), remove: success(2), resend: failure(1, "ErrOutcomeUnknown"),
		},
		{
			name: "429, then success", script: []answer{status(429), succeed},
			get: success(2), remove: success(2), resend: success(2),
		},
		{
			name: "429 always", script: []answer{status(429)},
			get: failure(4, "ErrRateLimited"), remove: failure(4, "ErrRateLimited"), resend: failure(4, "ErrRateLimited"),
		},
		{
			name: "success whose body breaks off, then success", script: []answer{breakOff, succeed},
			get: success(2), remove: failure(1, "ErrInvalidResponse", "ErrOutcomeUnknown"), resend: failure(1, "ErrInvalidResponse", "ErrOutcomeUnknown"),
		},
		{
			name: "success whose body breaks off always", script: []answer{breakOff},
			get: failure(4, "ErrInvalidResponse"), remove: failure(1, "ErrInvalidResponse", "ErrOutcomeUnknown"), resend: failure(1, "ErrInvalidResponse", "ErrOutcomeUnknown"),
		},
		{
			name: "success that cannot be understood", script: []answer{body("<html>"), succeed},
			get: failure(1, "ErrInvalidResponse"), remove: failure(1, "ErrInvalidResponse", "ErrOutcomeUnknown"), resend: failure(1, "ErrInvalidResponse", "ErrOutcomeUnknown"),
		},
		{
			name: "not found after a server error", script: []answer{status(500), status(404)},
			get: failure(2, "ErrNotFound"), remove: failure(2, "ErrNotFound", "ErrOutcomeUnknown"), resend: failure(1, "ErrServer", "ErrOutcomeUnknown"),
		},
		{
			name: "not found after a cut connection", script: []answer{cut, status(404)},
			get: failure(2, "ErrNotFound"), remove: failure(2, "ErrNotFound", "ErrOutcomeUnknown"), resend: failure(1, "ErrOutcomeUnknown"),
		},
		{
			name: "an unknown outcome stays unknown, whatever the last attempt says", script: []answer{cut, status(429), status(403)},
			get: failure(3, "ErrForbidden"), remove: failure(3, "ErrForbidden", "ErrOutcomeUnknown"), resend: failure(1, "ErrOutcomeUnknown"),
		},
		{
			name: "a refusal leaves nothing unknown", script: []answer{status(429), status(404)},
			get: failure(2, "ErrNotFound"), remove: failure(2, "ErrNotFound"), resend: failure(2, "ErrNotFound"),
		},
		{
			name: "429, then a server error", script: []answer{status(429), status(502), succeed},
			get: success(3), remove: success(3), resend: failure(2, "ErrServer", "ErrOutcomeUnknown"),
		},
		{
			name: "switching protocols", script: []answer{switchProtocols},
			get: failure(1, "ErrInvalidResponse"), remove: failure(1, "ErrInvalidResponse", "ErrOutcomeUnknown"), resend: failure(1, "ErrInvalidResponse", "ErrOutcomeUnknown"),
		},
		{
			name: "status 600", script: []answer{status(600)},
			get: failure(1, "ErrInvalidResponse"), remove: failure(1, "ErrInvalidResponse", "ErrOutcomeUnknown"), resend: failure(1, "ErrInvalidResponse", "ErrOutcomeUnknown"),
		},
	}
	for _, code := range []int{408, 460, 499, 500, 502, 503, 504, 520, 599} {
		sentinel := []string{"ErrServer"}
		if code < 500 {
			sentinel = nil
		}
		unknown := append([]string{"ErrOutcomeUnknown"}, sentinel...)
		rows = append(rows, row{
			name: strconv.Itoa(code) + ", then success", script: []answer{status(code), succeed},
			get: success(2), remove: success(2), resend: failure(1, unknown...),
		}, row{
			name: strconv.Itoa(code) + " always", script: []answer{status(code)},
			get: failure(4, sentinel...), remove: failure(4, unknown...), resend: failure(1, unknown...),
		})
	}
	for code, sentinel := range map[int]string{
		300: "", 301: "", 302: "", 307: "", 308: "",
		400: "ErrBadRequest", 401: "ErrUnauthorized", 402: "", 403: "ErrForbidden", 404: "ErrNotFound", 405: "",
		409: "ErrConflict", 410: "ErrGone", 412: "", 413: "", 422: "", 451: "", 501: "ErrServer", 505: "ErrServer", 511: "ErrServer",
	} {
		refused := failure(1, sentinel)
		if sentinel == "" {
			refused = failure(1)
		}
		rows = append(rows, row{
			name: strconv.Itoa(code), script: []answer{status(code, "Location", "/elsewhere"), succeed},
			get: refused, remove: refused, resend: refused,
		})
	}
	for code, sentinels := range map[int][]string{
		202: {"ErrInvalidResponse"}, 205: {"ErrInvalidResponse"}, 206: {"ErrInvalidResponse"}, 299: {"ErrInvalidResponse"}, 303: {}, 304: {"ErrInvalidResponse"},
		506: {"ErrServer"}, 507: {"ErrServer"}, 508: {"ErrServer"}, 510: {"ErrServer"},
	} {
		unknown := failure(1, append([]string{"ErrOutcomeUnknown"}, sentinels...)...)
		rows = append(rows, row{
			name: strconv.Itoa(code), script: []answer{status(code, "Location", "/elsewhere"), succeed},
			get: failure(1, sentinels...), remove: unknown, resend: unknown,
		})
	}
	for _, code := range []int{425, 421} {
		rows = append(rows, row{
			name: strconv.Itoa(code) + ", then success", script: []answer{status(code), succeed},
			get: success(2), remove: success(2), resend: success(2),
		}, row{
			name: strconv.Itoa(code) + " always", script: []answer{status(code)},
			get: failure(4), remove: failure(4), resend: failure(4),
		})
	}
	for _, row := range rows {
		for _, test := range []struct {
			action
			expected
		}{{get, row.get}, {remove, row.remove}, {resend, row.resend}} {
			t.Run(row.name+"/"+test.name, func(t *testing.T) {
				t.Parallel()
				s := serve(t, row.script...)
				policy := quick
				if row.name == "silence, then success" || row.name == "switching protocols" {
					policy.AttemptTimeout = 100 * time.Millisecond
				}
				err := test.call(t.Context(), newClient(t, s.URL, losant.WithRetryPolicy(policy)), ref)
				test.check(t, s, err)
			})
		}
	}
}

func switchProtocols(w http.ResponseWriter, _ *http.Request) {
	conn := hijack(w)
	defer func() { _ = conn.Close() }()
	_, _ = conn.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"))
	_, _ = conn.Read(make([]byte, 1)) // until the client goes
}

// dialer fails the first dials with the errors given.
type dialer struct {
	errors []error
	dials  atomic.Int32
}

func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	n := int(d.dials.Add(1))
	if n <= len(d.errors) {
		return nil, &net.OpError{Op: "dial", Net: network, Err: d.errors[n-1]}
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

// TestAttemptsThatSendNothing is the part of the table in which no request
// arrives: every action is attempted again, unless it is hopeless.
func TestAttemptsThatSendNothing(t *testing.T) {
	t.Parallel()
	refused := errors.New("connection refused")
	temporary := &net.DNSError{Err: "server misbehaving", Name: "api", IsTemporary: true}
	notFound := &net.DNSError{Err: "no such host", Name: "api", IsNotFound: true}
	for _, row := range []struct {
		name   string
		errors []error
		dials  int32
		expected
	}{
		{"refused dial", []error{refused, refused}, 3, success(1)},
		{"refused dial always", []error{refused, refused, refused, refused}, 4, failure(0)},
		{"temporary DNS failure", []error{temporary, temporary}, 3, success(1)},
		{"no such host", []error{notFound}, 1, failure(0)},
	} {
		for _, action := range actions {
			t.Run(row.name+"/"+action.name, func(t *testing.T) {
				t.Parallel()
				s := serve(t, succeed)
				d := &dialer{errors: row.errors}
				transport := &http.Transport{DialContext: d.DialContext}
				t.Cleanup(transport.CloseIdleConnections)
				var response losant.Response
				err := action.call(t.Context(), newClient(t, s.URL, losant.WithHTTPClient(&http.Client{Transport: transport})), ref, losant.WithResponse(&response))
				row.check(t, s, err)
				assert.Equal(t, row.dials, d.dials.Load())
				require.Len(t, response.Attempts, int(row.dials))
				for n, attempt := range response.Attempts[:min(len(row.errors), int(row.dials))] {
					assert.ErrorIs(t, attempt.Err, row.errors[n])
					assert.Zero(t, attempt.StatusCode)
				}
				if err != nil {
					assert.ErrorIs(t, err, row.errors[len(row.errors)-1])
					assert.Equal(t, int(row.dials), requireError(t, err).Attempts)
				}
			})
		}
	}
}

// abrupt is a listener whose first connections end before the TLS handshake.
type abrupt struct {
	net.Listener
	left atomic.Int32
}

func (l *abrupt) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil && l.left.Add(-1) >= 0 {
		_ = conn.Close()
	}
	return conn, err
}

func TestAttemptsOverTLS(t *testing.T) {
	t.Parallel()
	for _, action := range actions {
		t.Run("handshake cut off/"+action.name, func(t *testing.T) {
			t.Parallel()
			s := &server{}
			s.Server = httptest.NewUnstartedServer(s.handler([]answer{succeed}))
			listener := &abrupt{Listener: s.Listener}
			listener.left.Store(2)
			s.Listener = listener
			s.Config.ErrorLog = silentLog
			s.StartTLS()
			t.Cleanup(s.Close)
			require.NoError(t, action.call(t.Context(), newClient(t, s.URL, losant.WithHTTPClient(s.Client())), ref))
			assert.Equal(t, int32(1), s.arrived.Load())
			assert.Negative(t, listener.left.Load(), "the handshake was cut off twice")
		})
		t.Run("certificate of nobody/"+action.name, func(t *testing.T) {
			t.Parallel()
			s := &server{}
			s.Server = httptest.NewUnstartedServer(s.handler([]answer{succeed}))
			s.Config.ErrorLog = silentLog
			s.StartTLS()
			t.Cleanup(s.Close)
			err := action.call(t.Context(), newClient(t, s.URL), ref)
			e := requireError(t, err)
			assert.Equal(t, 1, e.Attempts)
			var certificate *tls.CertificateVerificationError
			require.ErrorAs(t, err, &certificate)
			assert.Zero(t, s.arrived.Load())
		})
		t.Run("no TLS at all/"+action.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, succeed)
			e := requireError(t, action.call(t.Context(), newClient(t, "https"+s.URL[len("http"):]), ref))
			assert.Equal(t, 1, e.Attempts)
			assert.Zero(t, s.arrived.Load())
		})
	}
}

// TestSilentTransport: a transport that reports no connections may have sent
// anything, even if its error looks like that of a dial.
func TestSilentTransport(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		action
		calls     int
		sentinels []string
	}{
		{get, 4, nil},
		{remove, 4, []string{"ErrOutcomeUnknown"}},
		{resend, 1, []string{"ErrOutcomeUnknown"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			transport := httpmock.NewMockTransport()
			transport.RegisterNoResponder(httpmock.NewErrorResponder(&net.OpError{Op: "dial", Err: errors.New("refused")}))
			err := test.call(t.Context(), newClient(t, "https://api.example.com", losant.WithHTTPClient(&http.Client{Transport: transport})), ref)
			e := requireError(t, err, test.sentinels...)
			assert.Equal(t, test.calls, e.Attempts)
			assert.Equal(t, test.calls, transport.GetTotalCallCount())
		})
	}
}

// nothing is a transport that breaks its contract.
type nothing struct{}

func (nothing) RoundTrip(*http.Request) (*http.Response, error) { return nil, nil }

func TestTransportWithNeitherAnswerNorError(t *testing.T) {
	t.Parallel()
	err := resend.call(t.Context(), newClient(t, "https://api.example.com", losant.WithHTTPClient(&http.Client{Transport: nothing{}})), ref)
	requireError(t, err, "ErrOutcomeUnknown")
}

func TestMaxAttempts(t *testing.T) {
	t.Parallel()
	for _, most := range []int{1, 2, 7} {
		for _, action := range actions {
			t.Run(strconv.Itoa(most)+"/"+action.name, func(t *testing.T) {
				t.Parallel()
				s := serve(t, status(429))
				policy := quick
				policy.MaxAttempts = most
				e := requireError(t, action.call(t.Context(), newClient(t, s.URL, losant.WithRetryPolicy(policy)), ref), "ErrRateLimited")
				assert.Equal(t, most, e.Attempts)
				assert.Equal(t, int32(most), s.arrived.Load())
			})
		}
	}
}

// TestKeepAliveConnectionClosedWhileIdle: the next call simply takes another.
func TestKeepAliveConnectionClosedWhileIdle(t *testing.T) {
	t.Parallel()
	for _, action := range actions {
		t.Run(action.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, succeed)
			closed := make(chan struct{})
			transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, network, address)
				return &watched{Conn: conn, closed: closed}, err
			}}
			t.Cleanup(transport.CloseIdleConnections)
			client := newClient(t, s.URL, losant.WithHTTPClient(&http.Client{Transport: transport}))
			require.NoError(t, action.call(t.Context(), client, ref))
			s.CloseClientConnections()
			<-closed
			require.NoError(t, action.call(t.Context(), client, ref))
			assert.Equal(t, int32(2), s.arrived.Load())
		})
	}
}

// watched tells when net/http has given up a connection.
type watched struct {
	net.Conn
	closed chan struct{}
	once   atomic.Bool
}

func (c *watched) Close() error {
	err := c.Conn.Close()
	if c.once.CompareAndSwap(false, true) {
		select {
		case <-c.closed:
		default:
			close(c.closed)
		}
	}
	return err
}

// rotating is a token source that replaces a token once it was invalidated.
type rotating struct {
	tokens      []string
	invalidated []string
}

func (r *rotating) Token(context.Context) (string, error) { return r.tokens[0], nil }

func (r *rotating) InvalidateToken(token string) {
	r.invalidated = append(r.invalidated, token)
	if r.tokens[0] == token && len(r.tokens) > 1 {
		r.tokens = r.tokens[1:]
	}
}

// accept answers with success to one token only.
func accept(token string) answer {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer "+token {
			succeed(w, r)
			return
		}
		status(401)(w, r)
	}
}

func TestUnauthorized(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name        string
		tokens      []string
		invalidated []string
		expected
	}{
		{"another token", []string{"stale-token", "fresh-token"}, []string{"stale-token"}, success(2)},
		{"another token, as bad", []string{"stale-token", "worse-token", "fresh-token"}, []string{"stale-token", "worse-token"}, failure(2, "ErrUnauthorized")},
		{"the same token", []string{"stale-token"}, []string{"stale-token"}, failure(1, "ErrUnauthorized")},
		{"a token that can't be sent", []string{"stale-token", "a\nb"}, []string{"stale-token"}, failure(1, "ErrUnauthorized")},
	} {
		for _, action := range actions {
			t.Run(row.name+"/"+action.name, func(t *testing.T) {
				t.Parallel()
				s := serve(t, accept("fresh-token"))
				source := &rotating{tokens: row.tokens}
				err := action.call(t.Context(), newClient(t, s.URL, losant.WithTokenSource(source)), ref)
				row.check(t, s, err)
				assert.Equal(t, row.invalidated, source.invalidated)
			})
		}
	}
	t.Run("not beyond MaxAttempts", func(t *testing.T) {
		t.Parallel()
		s := serve(t, accept("fresh-token"))
		policy := quick
		policy.MaxAttempts = 1
		source := &rotating{tokens: []string{"stale-token", "fresh-token"}}
		err := get.call(t.Context(), newClient(t, s.URL, losant.WithTokenSource(source), losant.WithRetryPolicy(policy)), ref)
		failure(1, "ErrUnauthorized").check(t, s, err)
		assert.Equal(t, []string{"stale-token"}, source.invalidated, "but the source learns of it, for the next call")
	})
	t.Run("after a wait, at once", func(t *testing.T) {
		t.Parallel()
		s := serve(t, status(503), accept("fresh-token"))
		source := &rotating{tokens: []string{"stale-token", "fresh-token"}}
		var response losant.Response
		require.NoError(t, get.call(t.Context(), newClient(t, s.URL, losant.WithTokenSource(source)), ref, losant.WithResponse(&response)))
		require.Len(t, response.Attempts, 3)
		assert.Positive(t, response.Attempts[1].Wait)
		assert.Zero(t, response.Attempts[2].Wait)
	})
	t.Run("the source sees the context of the caller", func(t *testing.T) {
		t.Parallel()
		s := serve(t, status(503), accept("fresh-token"))
		type key struct{}
		n := 0
		source := losant.TokenSourceFunc(func(ctx context.Context) (string, error) {
			_, ours := losant.OperationFromContext(ctx)
			assert.False(t, ours)
			assert.Equal(t, "value", ctx.Value(key{}))
			n++
			return []string{"stale-token", "stale-token", "fresh-token"}[n-1], nil
		})
		require.NoError(t, get.call(context.WithValue(t.Context(), key{}, "value"), newClient(t, s.URL, losant.WithTokenSource(source)), ref))
		assert.Equal(t, 3, n)
	})
	t.Run("a source that fails when asked again", func(t *testing.T) {
		t.Parallel()
		s := serve(t, status(401))
		broken, calls := errors.New("vault is sealed"), 0
		source := losant.TokenSourceFunc(func(context.Context) (string, error) {
			calls++
			if calls > 1 {
				return "", broken
			}
			return "stale-token", nil
		})
		err := get.call(t.Context(), newClient(t, s.URL, losant.WithTokenSource(source)), ref)
		failure(1, "ErrUnauthorized").check(t, s, err)
		assert.ErrorIs(t, err, broken)
	})
	t.Run("a source without memory is asked once per attempt", func(t *testing.T) {
		t.Parallel()
		s := serve(t, status(401), status(503), accept("token-3"))
		calls := 0
		source := losant.TokenSourceFunc(func(context.Context) (string, error) {
			calls++
			return "token-" + strconv.Itoa(calls), nil
		})
		require.NoError(t, get.call(t.Context(), newClient(t, s.URL, losant.WithTokenSource(source)), ref))
		assert.Equal(t, 3, calls)
	})
	t.Run("a source that fails before a retry keeps the API's answer", func(t *testing.T) {
		t.Parallel()
		s := serve(t, status(503))
		broken, calls := errors.New("vault is sealed"), 0
		source := losant.TokenSourceFunc(func(context.Context) (string, error) {
			calls++
			if calls > 1 {
				return "", broken
			}
			return "some-token", nil
		})
		err := get.call(t.Context(), newClient(t, s.URL, losant.WithTokenSource(source)), ref)
		failure(1, "ErrServer").check(t, s, err)
		assert.ErrorIs(t, err, broken)
	})
}
