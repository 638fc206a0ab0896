package retry

import (
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
		assert.Equal(t, want, SafetyOf(method), method)
	}
}

func TestOutcomeOfStatus(t *testing.T) {
	t.Parallel()
	want := map[int]Outcome{401: Unauthorized, 429: Throttled, 408: Failed, 501: Refused, 505: Refused}
	for status := range 1000 {
		expected, special := want[status]
		switch {
		case special:
		case status < 200:
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
		assert.Equal(t, expected, outcomeOfStatus(status), status)
	}
}

func TestOutcomeOfError(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		err       error
		permanent bool
	}{
		{io.EOF, false},
		{context.DeadlineExceeded, false},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, false},
		{&net.DNSError{IsTemporary: true}, false},
		{&net.DNSError{IsTimeout: true}, false},
		{&net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}, true},
		{fmt.Errorf("x: %w", &tls.CertificateVerificationError{Err: errors.New("expired")}), true},
		{tls.RecordHeaderError{}, true},
		{&net.OpError{Op: "remote error", Err: errors.New("tls: handshake failure")}, true},
	} {
		assert.Equal(t, Lost, outcomeOfError(row.err, true), "%v", row.err)
		want := NotSent
		if row.permanent {
			want = Unsendable
		}
		assert.Equal(t, want, outcomeOfError(row.err, false), "%v", row.err)
	}
}

// TestRules states the table of attempts in words: r may be repeated, u leaves
// the outcome unknown; in the order safe, idempotent, unsafe.
func TestRules(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[Outcome]string{
		NotSent: "r r r", Unsendable: "- - -", Lost: "r ru u", Succeeded: "- - -", Truncated: "r u u", Unreadable: "- u u",
		Unauthorized: "r r r", Throttled: "r r r", Failed: "r ru u", Refused: "- - -",
	} {
		got := []string{}
		for _, effect := range []Safety{Safe, Idempotent, Unsafe} {
			cell := ""
			if rules[outcome].retry[effect] {
				cell += "r"
			}
			if rules[outcome].uncertain && effect != Safe {
				cell += "u"
			}
			if cell == "" {
				cell = "-"
			}
			got = append(got, cell)
		}
		assert.Equal(t, want, strings.Join(got, " "), outcome)
	}
	assert.Len(t, rules, 10)
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
			wait := p.backoff(int(row.attempts))
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
func (noHooks) Attempted(context.Context, int, Attempt)               {}
func (noHooks) Retrying(context.Context, int, Attempt, time.Duration) {}

// run makes a call by a method through a transport.
func run(ctx context.Context, t *testing.T, method string, rt http.RoundTripper) *Result {
	t.Helper()
	c := New(Policy{MaxAttempts: 3, MinWait: time.Second, MaxWait: time.Second, AttemptTimeout: time.Minute, Budget: NoBudget}, 1<<10)
	return c.Do(ctx, &Request{
		Method: method, URL: &url.URL{Scheme: "https", Host: "api.example.com", Path: "/"}, Header: http.Header{}, Body: []byte("body"), Transport: rt,
	}, noHooks{})
}

// reports is what a transport says of an attempt.
type reports struct {
	asked, connected, status int
	conn                     net.Conn
}

func (r reports) RoundTrip(req *http.Request) (*http.Response, error) {
	trace := httptrace.ContextClientTrace(req.Context())
	for range r.asked {
		trace.GetConn("x:1")
	}
	for range r.connected {
		trace.GotConn(httptrace.GotConnInfo{Conn: r.conn})
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if r.status == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return &http.Response{StatusCode: r.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}, nil
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

// TestWhatATransportReports: only a transport that asked for a connection and
// got none has proved that nothing was sent; one that took several has sent
// the request several times.
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
		{"nothing", "POST", reports{0, 0, 0, nil}, 1, Lost, true},
		{"asked in vain", "POST", reports{1, 0, 0, nil}, 3, NotSent, false},
		{"connected", "POST", reports{1, 1, 0, nil}, 1, Lost, true},
		{"connected twice over HTTP/2, then refused", "DELETE", reports{2, 2, 404, http2}, 2, Refused, true},
		{"connected twice over HTTP/1, then refused", "DELETE", reports{2, 2, 404, nil}, 1, Refused, false},
		{"connected twice over HTTP/2, then refused, reading", "GET", reports{2, 2, 404, http2}, 2, Refused, false},
		{"connected twice over HTTP/1, reading, for a need of its own", "GET", reports{2, 2, 503, nil}, 3, Failed, false},
		{"connected twice over HTTP/2, then success", "DELETE", reports{2, 2, 200, http2}, 2, Succeeded, true},
		{"no end of connections", "DELETE", reports{1000, 1000, 0, http2}, 3, Lost, true},
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
				if row.reports.connected == 1000 {
					assert.Equal(t, errResentTooOften, c.Err)
				}
			})
		})
	}
}

// TestSilentPrimary: a transport that is not net/http's own, and that failed to
// connect, may have sent the body it read in a way that it does not report.
func TestSilentPrimary(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := run(t.Context(), t, "POST", roundTripper(func(r *http.Request) (*http.Response, error) {
			_, _ = io.Copy(io.Discard, r.Body)
			return reports{asked: 1}.RoundTrip(r)
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
	require.ErrorIs(t, contextError(ctx), context.Canceled)
	require.ErrorIs(t, contextError(ctx), reason)
	plain, stop := context.WithCancel(t.Context())
	stop()
	assert.Equal(t, context.Canceled, contextError(plain))
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
