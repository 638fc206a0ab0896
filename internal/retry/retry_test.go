package retry

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSafetyOf(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]Safety{
		"GET": Safe, "HEAD": Safe, "OPTIONS": Safe, "DELETE": Idempotent, "PUT": Idempotent, "POST": Unsafe, "PATCH": Unsafe, "": Unsafe, "get": Unsafe, "QUERY": Unsafe,
	} {
		assert.Equal(t, want, safetyOf(method), method)
	}
}

func TestOutcomeOfStatus(t *testing.T) {
	t.Parallel()
	want := map[int]Outcome{
		401: Unauthorized, 429: Deferred, 425: Deferred, 421: Deferred, 408: Failed, 499: Failed, 460: Failed, 501: Refused, 505: Refused, 511: Refused,
		303: Inconclusive, 304: Unreadable, 506: Inconclusive, 507: Inconclusive, 508: Inconclusive, 510: Inconclusive,
	}
	for status := range 1000 {
		expected, special := want[status]
		switch {
		case special:
		case status < 200, status < 300 && status != 200 && status != 204:
			expected = Unreadable
		case status < 300:
			expected = Succeeded
		case status < 500:
			expected = Refused
		case status < 600:
			expected = Failed
		default:
			expected = Unreadable
		}
		assert.Equal(t, expected, outcomeOfStatus(status, []int{200, 204}), status)
	}
}

func TestOutcomeOfError(t *testing.T) {
	t.Parallel()
	remote := func(alert tls.AlertError) error {
		return &net.OpError{Op: "remote error", Err: errors.New(alert.Error())}
	}
	for _, row := range []struct {
		err  error
		want Outcome
	}{
		{io.EOF, NotSent},
		{context.DeadlineExceeded, NotSent},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, NotSent},
		{&net.DNSError{IsTemporary: true}, NotSent},
		{&net.DNSError{IsTimeout: true}, NotSent},
		{&net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}, Unsendable},
		{fmt.Errorf("x: %w", &tls.CertificateVerificationError{Err: errors.New("expired")}), Unsendable},
		{tls.RecordHeaderError{}, Unsendable},
		{remote(40), Unsendable},  // handshake_failure
		{remote(42), Unsendable},  // bad_certificate
		{remote(116), Unsendable}, // certificate_required
		{remote(80), NotSent},     // internal_error
		{remote(50), NotSent},     // decode_error
		{&net.OpError{Op: "local error", Err: errors.New(tls.AlertError(40).Error())}, NotSent},
		{errors.New("Proxy Authentication Required"), Unsendable},
		{errors.New("Forbidden"), Unsendable},
		{errors.New("Too Many Requests"), NotSent},
		{&ProxyError{StatusCode: 407}, Unsendable},
		{&ProxyError{StatusCode: 503}, NotSent},
	} {
		assert.Equal(t, row.want, outcomeOfError(row.err, &probe{stock: true}), "%v", row.err)
		written := &probe{stock: true}
		written.wrote.Store(1)
		written.got.Store(1)
		written.reused.Store(true)
		assert.Equal(t, Lost, outcomeOfError(row.err, written), "%v", row.err)
	}
}

// TestRules states the table of attempts in words: r may be repeated, u leaves
// the outcome unknown; in the order safe, idempotent, unsafe.
func TestRules(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[Outcome]string{
		NotSent: "r r r", Unsendable: "- - -", Unprocessed: "r r r", Lost: "r ru u", Succeeded: "- - -", Truncated: "r u u", Unreadable: "- u u",
		Unauthorized: "r r r", Deferred: "r r r", Failed: "r ru u", Inconclusive: "- u u", Refused: "- - -",
	} {
		got := []string{}
		for _, safety := range []Safety{Safe, Idempotent, Unsafe} {
			cell := ""
			if rules[outcome].retry[safety] {
				cell += "r"
			}
			if rules[outcome].uncertain && safety != Safe {
				cell += "u"
			}
			if cell == "" {
				cell = "-"
			}
			got = append(got, cell)
		}
		assert.Equal(t, want, strings.Join(got, " "), outcome)
	}
	assert.Len(t, rules, 12)
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"0": 0, "7": 7 * time.Second, "007": 7 * time.Second, "9223372036": 9223372036 * time.Second, "9223372037": math.MaxInt64, "9223372036854775808": math.MaxInt64,
		"Thu, 01 Jan 2026 00:01:00 GMT": time.Minute, "Thu, 01 Jan 1970 00:00:00 GMT": 0, "Thursday, 01-Jan-26 00:01:00 GMT": time.Minute, "Thu Jan  1 00:01:00 2026": time.Minute,
	} {
		got, ok := retryAfter(http.Header{"Retry-After": {value, "99"}}, now)
		assert.True(t, ok, value)
		assert.Equal(t, want, got, value)
	}
	for _, value := range []string{"", " ", "-1", "+1", "1.0", "1e1", "0x1", "1 2", "1,2", "٣", "tomorrow", "Thu, 01 Jan 2026 00:01:00 CET"} {
		_, ok := retryAfter(http.Header{"Retry-After": {value}}, now)
		assert.False(t, ok, value)
	}
	_, ok := retryAfter(nil, now)
	assert.False(t, ok)
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ min, max, attempts, bound int64 }{
		{10, 1000, 1, 20}, {10, 1000, 2, 40}, {10, 1000, 6, 640}, {10, 1000, 7, 1000}, {10, 1000, 1000, 1000}, {10, 10, 1, 10}, {1, math.MaxInt64, 1 << 20, math.MaxInt64}, {7, 13, 1, 13},
	} {
		p := Policy{MinWait: time.Duration(row.min), MaxWait: time.Duration(row.max)}
		lowest, highest := time.Duration(math.MaxInt64), time.Duration(0)
		for range 2000 {
			wait, _ := p.wait(&response{}, int(row.attempts), math.MaxInt64)
			lowest, highest = min(lowest, wait), max(highest, wait)
		}
		assert.GreaterOrEqual(t, lowest, time.Duration(row.min))
		assert.LessOrEqual(t, highest, time.Duration(row.bound))
		if row.bound <= 100 {
			assert.Equal(t, []time.Duration{time.Duration(row.min), time.Duration(row.bound)}, []time.Duration{lowest, highest}, "both ends are reached")
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// noHooks leaves every call alone.
type noHooks struct{}

func (noHooks) Prepare(last http.Header) (http.Header, error)         { return last, nil }
func (noHooks) Unauthorized()                                         {}
func (noHooks) Renew() (bool, error)                                  { return false, nil }
func (noHooks) Redact(err error) error                                { return err }
func (noHooks) RetryAfter([]byte) (time.Duration, bool)               { return 0, false }
func (noHooks) Attempted(context.Context, int, Attempt)               {}
func (noHooks) Retrying(context.Context, int, Attempt, time.Duration) {}

// run makes a call by a method through a transport.
func run(ctx context.Context, t *testing.T, method string, rt http.RoundTripper) *Result {
	t.Helper()
	c := New(Policy{MaxAttempts: 3, MinWait: time.Second, MaxWait: time.Second, AttemptTimeout: time.Minute, Budget: NoBudget}, 1<<10, nil)
	return c.Do(ctx, &Request{
		Method: method, URL: &url.URL{Scheme: "https", Host: "api.example.com", Path: "/"}, Header: http.Header{}, Body: []byte("body"), Transport: rt, Statuses: []int{200}, Record: true,
	}, noHooks{})
}

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

// TestWhatATransportReports: a transport that is not net/http's own proves that
// nothing was sent only if it asked for a connection in vain, and if its error is
// one of connecting.
func TestWhatATransportReports(t *testing.T) {
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
		{"nothing", "POST", reports{}, 1, Lost, true},
		{"asked in vain", "POST", reports{asked: 1, err: errDial}, 3, NotSent, false},
		{"asked in vain, and wrapped", "POST", reports{asked: 1, err: fmt.Errorf("x: %w", errDial)}, 3, NotSent, false},
		{"asked in vain, in a joined error", "POST", reports{asked: 1, err: errors.Join(io.EOF, errDial)}, 1, Lost, true},
		{"asked in vain, and lost", "POST", reports{asked: 1}, 1, Lost, true},
		{"failed to connect without asking", "POST", reports{err: errDial}, 1, Lost, true},
		{"connected", "POST", reports{asked: 1, connected: 1}, 1, Lost, true},
		{"connected twice, then refused", "DELETE", reports{asked: 2, connected: 2, status: 404, conn: http2}, 2, Refused, true},
		{"connected twice, then refused, reading", "GET", reports{asked: 2, connected: 2, status: 404, conn: http2}, 2, Refused, false},
		{"connected twice, then success", "DELETE", reports{asked: 2, connected: 2, status: 200, conn: http2}, 2, Succeeded, true},
		{"refused over HTTP/2", "POST", reports{asked: 1, connected: 1, err: errors.New("stream error: stream ID 1; REFUSED_STREAM; received from peer")}, 9, Unprocessed, false},
		{"refused over HTTP/2, after another try", "POST", reports{asked: 2, connected: 2, err: errors.New("stream error: stream ID 1; REFUSED_STREAM; received from peer")}, 2, Lost, true},
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

// TestUnprocessed: only the exact words of net/http are proof. A server can put
// any words into other errors.
func TestUnprocessed(t *testing.T) {
	t.Parallel()
	refused := "stream error: stream ID 17; REFUSED_STREAM; received from peer"
	goAway := "http2: Transport received Server's graceful shutdown GOAWAY"
	after := func(words string) string {
		return "http2: Transport: cannot retry err [" + words + "] after Request.Body was written; define Request.GetBody to avoid this error"
	}
	for words, want := range map[string]bool{
		refused: true, goAway: true, after(refused): true, after(goAway): true, "net/http: cannot rewind body after connection loss": true, "http2: client conn not usable": true,

		"http2: Transport received GOAWAY from server ErrCode:ENHANCE_YOUR_CALM": true,

		"stream error: stream ID 17; PROTOCOL_ERROR; received from peer":                                                false,
		after("stream error: stream ID 17; PROTOCOL_ERROR; received from peer"):                                         false,
		"stream error: stream ID 17; REFUSED_STREAM":                                                                    false,
		"malformed HTTP status code \"" + refused + "\"":                                                                false,
		"net/http: HTTP/1.x transport connection broken: " + refused:                                                    false,
		`http2: server sent GOAWAY and closed the connection; LastStreamID=1, ErrCode=NO_ERROR, debug="` + goAway + `"`: false,
		"stream error: stream ID ; INTERNAL_ERROR; x; REFUSED_STREAM; received from peer":                               false,
	} {
		assert.Equal(t, want, unprocessed(errors.New(words)), words)
		assert.Equal(t, want, unprocessed(fmt.Errorf("x: %w", errors.New(words))), words)
	}
}

// TestSilentPrimary: a transport that is not net/http's own, and that failed to
// connect, may have sent the body it read in a way that it does not report.
func TestSilentPrimary(t *testing.T) {
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

// TestBodyIsWholeInEveryAttempt: go-retryablehttp rewinds it.
func TestBodyIsWholeInEveryAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bodies := ""
		c := run(t.Context(), t, "GET", roundTripper(func(r *http.Request) (*http.Response, error) {
			data, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			require.NoError(t, r.Body.Close())
			bodies += string(data) + "."
			assert.Equal(t, int64(4), r.ContentLength)
			return &http.Response{StatusCode: http.StatusServiceUnavailable}, nil
		}))
		defer c.Release()
		assert.Equal(t, "body.body.body.", bodies)
		assert.Equal(t, http.StatusServiceUnavailable, c.StatusCode, "an answer without a body is one")
	})
}

// TestContextError: both what ended and why can be matched.
func TestContextError(t *testing.T) {
	t.Parallel()
	reason := errors.New("reason")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	require.ErrorIs(t, ContextError(ctx), context.Canceled)
	require.ErrorIs(t, ContextError(ctx), reason)
	plain, stop := context.WithCancel(t.Context())
	stop()
	assert.Equal(t, context.Canceled, ContextError(plain))
}

// TestBufferIsNotShared: what a call has read stays while another one reads.
func TestBufferIsNotShared(t *testing.T) {
	t.Parallel()
	answer := func(text string) roundTripper {
		return func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(text))}, nil
		}
	}
	first := run(t.Context(), t, "GET", answer("first"))
	second := run(t.Context(), t, "GET", answer("second"))
	assert.Equal(t, "first", string(first.Body))
	assert.Equal(t, "second", string(second.Body))
	first.Release()
	first.Release()
	second.Release()
	assert.Nil(t, first.Body)
}
