package retry

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// reports is what a transport reports of an attempt.
type reports struct {
	asked, connected, status int
	conn                     net.Conn
	err                      error // instead of a status; by default io.ErrUnexpectedEOF
	silent                   bool  // it stops writing once the context has ended
}

func (r reports) RoundTrip(req *http.Request) (*http.Response, error) {
	trace := httptrace.ContextClientTrace(req.Context())
	for range r.asked {
		trace.GetConn("x:1")
	}
	for range r.connected {
		trace.GotConn(httptrace.GotConnInfo{Conn: r.conn})
		if !r.silent || req.Context().Err() == nil {
			trace.WroteHeaders()
		}
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if r.status == 0 {
		return nil, cmp.Or[error](r.err, io.ErrUnexpectedEOF)
	}
	major := 2
	if r.conn == nil {
		major = 1
	}
	return &http.Response{StatusCode: r.status, ProtoMajor: major, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

// overHTTP2 returns a connection on which HTTP/2 was negotiated.
func overHTTP2(t *testing.T) net.Conn {
	t.Helper()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	config := server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	config.NextProtos = []string{"h2"}
	conn, err := (&tls.Dialer{Config: config}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// inTurn gives each attempt its own transport. The last one is repeated.
func inTurn(transports ...http.RoundTripper) http.RoundTripper {
	n := -1
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		n++
		return transports[min(n, len(transports)-1)].RoundTrip(r)
	})
}

var (
	errDial          = &net.OpError{Op: "dial", Err: errors.New("refused")}
	errStreamRefused = errors.New("stream error: stream ID 1; REFUSED_STREAM; received from peer")
)

// TestOtherTransportIsCertainOnlyIfItFailedToConnect covers transports that are not net/http's own. Nothing
// was certainly sent only if they got no connection and return an error of
// connecting.
func TestOtherTransportIsCertainOnlyIfItFailedToConnect(t *testing.T) {
	t.Parallel()
	http2 := overHTTP2(t)
	for _, row := range []struct {
		name     string
		method   string
		reports  reports
		attempts int
		outcome  Outcome
		unknown  bool
	}{
		{"no report", "POST", reports{}, 1, Lost, true},
		{"no connection", "POST", reports{asked: 1, err: errDial}, 3, NotSent, false},
		{"no connection, and wrapped", "POST", reports{asked: 1, err: fmt.Errorf("x: %w", errDial)}, 3, NotSent, false},
		{"no connection, in a joined error", "POST", reports{asked: 1, err: errors.Join(io.EOF, errDial)}, 1, Lost, true},
		{"no connection, and lost", "POST", reports{asked: 1}, 1, Lost, true},
		{"failed to connect without asking", "POST", reports{err: errDial}, 1, Lost, true},
		{"one connection", "POST", reports{asked: 1, connected: 1}, 1, Lost, true},
		{"two connections, then refused", "DELETE", reports{asked: 2, connected: 2, status: 404, conn: http2}, 2, Refused, true},
		{"two connections, then refused, reading", "GET", reports{asked: 2, connected: 2, status: 404, conn: http2}, 2, Refused, false},
		{"two connections, then success", "DELETE", reports{asked: 2, connected: 2, status: 200, conn: http2}, 2, Succeeded, true},
		{"refused over HTTP/2", "POST", reports{asked: 1, connected: 1, err: errStreamRefused}, 9, Unprocessed, false},
		{"refused over HTTP/2, after a repetition", "POST", reports{asked: 2, connected: 2, err: errStreamRefused}, 2, Lost, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := run(t.Context(), t, row.method, row.reports)
				defer c.Release()
				assert.Equal(t, row.attempts, c.Attempts)
				assert.Len(t, c.Record, row.attempts)
				assert.Equal(t, row.outcome, c.Outcome)
				assert.Equal(t, row.unknown, c.Uncertain)
			})
		})
	}
}

// TestBodyReadByOtherTransportMayHaveBeenSent covers a transport that is not net/http's own and that failed
// to connect. It may have sent the body that it read without a report.
func TestBodyReadByOtherTransportMayHaveBeenSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := run(t.Context(), t, "POST", roundTripper(func(r *http.Request) (*http.Response, error) {
			_, _ = io.Copy(io.Discard, r.Body)
			return reports{asked: 1, err: errDial}.RoundTrip(r)
		}))
		defer c.Release()
		assert.Equal(t, []any{1, Lost, true}, []any{c.Attempts, c.Outcome, c.Uncertain})
	})
}

// TestOtherTransportThatSentAndThenFailedToConnect proves that the last error does not
// hide the request that left before.
func TestOtherTransportThatSentAndThenFailedToConnect(t *testing.T) {
	t.Parallel()
	c := run(t.Context(), t, "POST", roundTripper(func(r *http.Request) (*http.Response, error) {
		_, _ = reports{asked: 1, connected: 1}.RoundTrip(r)
		return reports{asked: 1, err: errDial}.RoundTrip(r)
	}))
	defer c.Release()
	assert.Equal(t, []any{1, Lost, true}, []any{c.Attempts, c.Outcome, c.Uncertain})
}

// TestEachAttemptHasItsOwnReports proves that the reports about one attempt do not
// count for the next.
func TestEachAttemptHasItsOwnReports(t *testing.T) {
	t.Parallel()
	http2 := overHTTP2(t)
	silent := roundTripper(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })
	refusesWhatItRead := roundTripper(func(r *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, r.Body)
		return reports{asked: 1, connected: 1, status: 429}.RoundTrip(r)
	})
	for _, row := range []struct {
		name     string
		method   string
		script   []http.RoundTripper
		attempts int
		outcome  Outcome
		unknown  bool
	}{
		{"no connection, then silence", "POST", []http.RoundTripper{reports{asked: 1, err: errDial}, silent}, 2, Lost, true},
		{"body read, then no connection", "POST", []http.RoundTripper{refusesWhatItRead, reports{asked: 1, err: errDial}, reports{asked: 1, connected: 1, status: 200}}, 3, Succeeded, false},
		{"sent twice, then once", "GET", []http.RoundTripper{reports{asked: 2, connected: 2, status: 503, conn: http2}, reports{asked: 1, connected: 1, status: 200, conn: http2}}, 3, Succeeded, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := run(t.Context(), t, row.method, inTurn(row.script...))
				defer c.Release()
				assert.Equal(t, []any{row.attempts, row.outcome, row.unknown}, []any{c.Attempts, c.Outcome, c.Uncertain})
				assert.Len(t, c.Record, row.attempts)
			})
		})
	}
}

// TestOutcomeOfRepeatedPostIsUnknown covers a transport that sent a POST twice and
// got no response.
func TestOutcomeOfRepeatedPostIsUnknown(t *testing.T) {
	t.Parallel()
	http2 := overHTTP2(t)
	synctest.Test(t, func(t *testing.T) {
		c := run(t.Context(), t, "POST", reports{asked: 2, connected: 2, conn: http2})
		defer c.Release()
		assert.Equal(t, []any{2, Lost, true}, []any{c.Attempts, c.Outcome, c.Uncertain})
	})
}

// endless repeats the request until it is stopped.
type endless struct {
	conn  net.Conn
	taken *int
}

func (e endless) RoundTrip(r *http.Request) (*http.Response, error) {
	trace := httptrace.ContextClientTrace(r.Context())
	for r.Context().Err() == nil && *e.taken < 200 {
		*e.taken++
		trace.GetConn("x:1")
		trace.GotConn(httptrace.GotConnInfo{Conn: e.conn})
		trace.WroteHeaders() // as over HTTP/1, where it comes too late to stop it
	}
	return nil, errors.New("stopped")
}

// TestRepetitionsByTheTransportAreLimited proves a limit of 8 for a call, and that
// each repetition counts as an attempt.
func TestRepetitionsByTheTransportAreLimited(t *testing.T) {
	t.Parallel()
	http2 := overHTTP2(t)
	failed := reports{asked: 1, connected: 1, status: 503}
	twice := reports{asked: 2, connected: 2, status: 503}
	for _, row := range []struct {
		name     string
		before   []http.RoundTripper
		conn     net.Conn
		stock    bool
		attempts int
	}{
		{"HTTP/1", nil, nil, true, 9},
		{"another transport", nil, nil, false, 9},
		{"another transport over HTTP/2", nil, http2, false, 9},
		{"at the second attempt", []http.RoundTripper{failed}, nil, true, 10},
		{"at the third attempt", []http.RoundTripper{failed, failed}, nil, true, 11},
		{"after some in the first attempt", []http.RoundTripper{twice}, nil, true, 10},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				taken := 0
				rt := inTurn(append(row.before, endless{row.conn, &taken})...)
				if row.stock {
					rt = stock(rt)
				}
				client := New(Policy{MaxAttempts: 3, MinWait: 1, MaxWait: 1, AttemptTimeout: time.Minute, Budget: NoBudget}, 1<<10, nil)
				client.overHTTP1.Store(true)
				c := client.Do(t.Context(), request("GET", rt), noHooks{})
				defer c.Release()
				assert.Equal(t, row.attempts, c.Attempts)
				assert.Equal(t, errRepeatedTooOften, c.Err)
			})
		})
	}
}

// TestRepetitionsOverHTTP2AreRetriesWithWaits proves that net/http's own transport
// is stopped when it repeats a GET at once over HTTP/2.
func TestRepetitionsOverHTTP2AreRetriesWithWaits(t *testing.T) {
	t.Parallel()
	http2 := overHTTP2(t)
	for name, row := range map[string]struct {
		conn  net.Conn
		http1 bool // responses came over HTTP/1 so far
	}{"with TLS": {http2, false}, "without TLS": {nil, false}, "after HTTP/1": {http2, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				started := time.Now()
				client := New(inSeconds, 1<<10, nil)
				client.overHTTP1.Store(row.http1)
				c := client.Do(t.Context(), request("GET", stock(reports{asked: 2, connected: 2, conn: row.conn, silent: true})), noHooks{})
				defer c.Release()
				assert.Equal(t, []any{9, Unprocessed, errRefused}, []any{c.Attempts, c.Outcome, c.Err})
				assert.Equal(t, 8*time.Second, time.Since(started))
			})
		})
	}
}

// TestUnwrittenConnectionsAreLimited covers a transport that takes connections and
// never writes. Nothing was sent then.
func TestUnwrittenConnectionsAreLimited(t *testing.T) {
	t.Parallel()
	taken := 0
	transport := stock(roundTripper(func(r *http.Request) (*http.Response, error) {
		trace := httptrace.ContextClientTrace(r.Context())
		for r.Context().Err() == nil && taken < 1000 {
			taken++
			trace.GetConn("x:1")
			trace.GotConn(httptrace.GotConnInfo{})
		}
		return nil, r.Context().Err()
	}))
	c := run(t.Context(), t, "POST", transport)
	defer c.Release()
	assert.Equal(t, maxUnwritten+1, taken)
	assert.Equal(t, []any{1, NotSent, false}, []any{c.Attempts, c.Outcome, c.Uncertain})
}

// Test408IsCertainOnlyOnAnIdleConnection covers a transport that takes two
// connections. Only the last one counts.
func Test408IsCertainOnlyOnAnIdleConnection(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status        int
		reused, close bool
		want          []any
	}{
		"on an idle connection that closes": {408, true, true, []any{3, Deferred, false}},
		"on an idle connection that stays":  {408, true, false, []any{1, Failed, true}},
		"on a new connection":               {408, false, true, []any{1, Failed, true}},
		"503 on an idle connection":         {503, true, true, []any{1, Failed, true}},
		"404 on an idle connection":         {404, true, true, []any{1, Refused, false}},
		"200 on an idle connection":         {200, true, true, []any{1, Succeeded, false}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				transport := stock(roundTripper(func(r *http.Request) (*http.Response, error) {
					trace := httptrace.ContextClientTrace(r.Context())
					trace.GetConn("x:1")
					trace.GotConn(httptrace.GotConnInfo{Reused: true})
					trace.GetConn("x:1")
					trace.GotConn(httptrace.GotConnInfo{Reused: test.reused})
					trace.WroteHeaders()
					return &http.Response{StatusCode: test.status, ProtoMajor: 1, Close: test.close, Body: http.NoBody}, nil
				}))
				c := run(t.Context(), t, "POST", transport)
				defer c.Release()
				assert.Equal(t, test.want, []any{c.Attempts, c.Outcome, c.Uncertain})
			})
		})
	}
}

// TestCancelledBeforeTheHeaderIsWritten covers HTTP/2, where net/http may write the
// header just after the context ends. Only a request that waited for a stream was
// certainly not sent.
func TestCancelledBeforeTheHeaderIsWritten(t *testing.T) {
	t.Parallel()
	http2 := overHTTP2(t)
	for waited, unknown := range map[time.Duration]bool{0: true, 19 * time.Millisecond: true, 21 * time.Millisecond: false} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			transport := stock(roundTripper(func(r *http.Request) (*http.Response, error) {
				trace := httptrace.ContextClientTrace(r.Context())
				trace.GetConn("x:1")
				trace.GotConn(httptrace.GotConnInfo{Conn: http2})
				time.Sleep(waited) // in fake time
				cancel()
				return nil, context.Canceled
			}))
			c := run(ctx, t, "POST", transport)
			defer c.Release()
			assert.Equal(t, unknown, c.Uncertain, waited)
		})
	}
}

// TestRewoundBodyCountsAsRead is necessary because reads of such a body are not
// tracked.
func TestRewoundBodyCountsAsRead(t *testing.T) {
	t.Parallel()
	p := &probe{stock: true}
	p.body.probe = p
	assert.True(t, p.unreadBody())
	_, err := p.rewind([]byte("x"))
	assert.NoError(t, err)
	assert.False(t, p.unreadBody())
	p.http2.Store(true)
	_, err = p.rewind(nil)
	assert.Equal(t, errHTTP2, err)
}

// TestRepetitionsOfEarlierAttemptsLeaveOneRequest covers a transport that has sent
// the request more often than a call may repeat it, before the server responds 503.
func TestRepetitionsOfEarlierAttemptsLeaveOneRequest(t *testing.T) {
	t.Parallel()
	often := roundTripper(func(r *http.Request) (*http.Response, error) {
		for range 2 * maxRepeats {
			httptrace.ContextClientTrace(r.Context()).WroteHeaders()
		}
		return reports{status: 503}.RoundTrip(r)
	})
	for name, row := range map[string]struct {
		next     reports
		attempts int
		outcome  Outcome
	}{
		"one request":  {reports{connected: 1, status: 200}, 2*maxRepeats + 1, Succeeded},
		"two requests": {reports{connected: 2, status: 200, silent: true}, 2*maxRepeats + 1, Lost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := run(t.Context(), t, "GET", inTurn(often, row.next))
				defer c.Release()
				assert.Equal(t, []any{row.attempts, row.outcome}, []any{c.Attempts, c.Outcome})
			})
		})
	}
}

// TestHeaderBeingWrittenCounts covers the time between the first field of the header
// and the report that it was written.
func TestHeaderBeingWrittenCounts(t *testing.T) {
	t.Parallel()
	http2 := overHTTP2(t)
	for name, row := range map[string]struct {
		http1 bool // responses came over HTTP/1 so far
		conn  net.Conn
		field bool // the transport begins to write
		again bool // it takes another connection
		want  Outcome
	}{
		"over HTTP/2, not begun":                          {false, http2, false, false, NotSent},
		"over HTTP/2":                                     {false, http2, true, false, Lost},
		"over HTTP/2, and another connection":             {false, http2, true, true, Lost},
		"over HTTP/1, not begun":                          {false, nil, false, false, NotSent},
		"over HTTP/1":                                     {false, nil, true, false, Lost},
		"over HTTP/1, and another connection":             {false, nil, true, true, NotSent},
		"over HTTP/2 after HTTP/1, where no report comes": {true, http2, false, false, Lost},
		"over HTTP/1 after HTTP/1":                        {true, nil, false, false, NotSent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := New(Policy{MaxAttempts: 1, AttemptTimeout: time.Minute, Budget: NoBudget}, 1<<10, nil)
			client.overHTTP1.Store(row.http1)
			c := client.Do(t.Context(), request("POST", stock(roundTripper(func(r *http.Request) (*http.Response, error) {
				trace := httptrace.ContextClientTrace(r.Context())
				trace.GetConn("x:1")
				trace.GotConn(httptrace.GotConnInfo{Conn: row.conn})
				if row.field {
					trace.WroteHeaderField("Accept", nil)
				}
				if row.again {
					trace.GetConn("x:1")
				}
				return nil, io.ErrUnexpectedEOF
			}))), noHooks{})
			defer c.Release()
			assert.Equal(t, row.want, c.Outcome)
		})
	}
}

// TestSettleWaitsOnlyForAWriteThatMayBegin proves when a request whose context ended
// counts as sent.
func TestSettleWaitsOnlyForAWriteThatMayBegin(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		change func(*probe)
		begun  bool
		waited time.Duration
	}{
		"over HTTP/2":                {func(*probe) {}, true, 0},
		"over an unknown protocol":   {func(p *probe) { p.http2.Store(false) }, true, 0},
		"over HTTP/2 after HTTP/1":   {func(p *probe) { p.overHTTP1 = true }, true, 0},
		"over HTTP/1":                {func(p *probe) { p.overHTTP1 = true; p.http2.Store(false) }, false, 0},
		"without a connection":       {func(p *probe) { p.got.Store(0) }, false, 0},
		"stopped":                    {func(p *probe) { p.exhausted.Store(true) }, false, 0},
		"without a body":             {func(p *probe) { p.body.probe = nil }, false, 0},
		"written":                    {func(p *probe) { p.wrote.Store(1) }, false, 0},
		"just before a moment ends":  {func(*probe) { time.Sleep(20*time.Millisecond - 1) }, true, 0},
		"after a moment on a stream": {func(*probe) { time.Sleep(20 * time.Millisecond) }, false, 5 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				p := &probe{}
				p.body.probe = p
				p.trace.WroteHeaderField = func(string, []string) {}
				p.got.Store(1)
				p.http2.Store(true)
				p.since.Store(time.Now().UnixNano())
				row.change(p)
				p.settle(ctx)
				assert.False(t, p.begun.Load(), "the context has not ended")
				cancel()
				started := time.Now()
				p.settle(ctx)
				assert.Equal(t, []any{row.begun, row.waited}, []any{p.begun.Load(), time.Since(started)})
			})
		})
	}
}

// TestAlertExplainsAFailedWrite covers a server that demands a certificate. In TLS 1.3,
// its alert comes after the handshake of the client, which may write first.
func TestAlertExplainsAFailedWrite(t *testing.T) {
	t.Parallel()
	failedWrite := &net.OpError{Op: "write", Err: errors.New("broken pipe")}
	noHTTP2 := errors.New("http2: client conn could not be established")
	for name, row := range map[string]struct {
		change func(*probe)
		err    error
		want   bool
	}{
		"over HTTP/1":                {func(*probe) {}, failedWrite, true},
		"over HTTP/2":                {func(p *probe) { p.http2.Store(true) }, noHTTP2, true},
		"over HTTP/2, in use":        {func(p *probe) { p.http2.Store(true) }, failedWrite, false},
		"another error":              {func(*probe) {}, io.ErrUnexpectedEOF, false},
		"a source that may fail":     {func(p *probe) { p.upload = true }, failedWrite, false},
		"on an idle connection":      {func(p *probe) { p.reused.Store(true) }, failedWrite, false},
		"without TLS":                {func(p *probe) { p.secure.Store(nil) }, failedWrite, false},
		"on an idle one over HTTP/2": {func(p *probe) { p.http2.Store(true); p.reused.Store(true) }, noHTTP2, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &probe{stock: true}
			p.got.Store(1)
			p.secure.Store(rejected(t, tls.RequireAnyClientCert))
			row.change(p)
			err := p.explain(row.err)
			assert.Equal(t, row.want, isAlert(err, certificateAlerts), err)
			if !row.want {
				assert.Equal(t, row.err, err)
			}
		})
	}
	t.Run("no alert", func(t *testing.T) {
		t.Parallel()
		p := &probe{stock: true}
		p.got.Store(1)
		p.secure.Store(rejected(t, tls.NoClientCert))
		assert.Equal(t, failedWrite, p.explain(failedWrite))
	})
}

// rejected returns a connection to a server that closes it after the handshake, with
// an alert if it demands a certificate.
func rejected(t *testing.T, demand tls.ClientAuthType) *tls.Conn {
	t.Helper()
	certified := httptest.NewUnstartedServer(http.NotFoundHandler())
	certified.TLS = &tls.Config{ClientAuth: demand, MinVersion: tls.VersionTLS13}
	certified.Config.ErrorLog = log.New(io.Discard, "", 0)
	certified.Config.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		if conn.(*tls.Conn).HandshakeContext(ctx) == nil {
			_ = conn.Close()
		}
		return ctx
	}
	certified.StartTLS()
	t.Cleanup(certified.Close)
	config := certified.Client().Transport.(*http.Transport).TLSClientConfig
	conn, err := (&tls.Dialer{Config: config}).DialContext(t.Context(), "tcp", certified.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn.(*tls.Conn)
}
