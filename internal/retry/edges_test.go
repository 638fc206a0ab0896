package retry

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// inTurn gives each attempt a transport of its own; the last one is repeated.
func inTurn(transports ...http.RoundTripper) http.RoundTripper {
	n := -1
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		n++
		return transports[min(n, len(transports)-1)].RoundTrip(r)
	})
}

// TestAttemptsAreJudgedByThemselves: what a transport reported of one attempt
// says nothing about the next.
func TestAttemptsAreJudgedByThemselves(t *testing.T) {
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
		{"no connection, then silence", "POST", []http.RoundTripper{reports{asked: 1}, silent}, 2, Lost, true},
		{"body read, then no connection", "POST", []http.RoundTripper{refusesWhatItRead, reports{asked: 1}, reports{1, 1, 200, nil}}, 3, Succeeded, false},
		{"sent twice, then once", "GET", []http.RoundTripper{reports{2, 2, 503, http2}, reports{1, 1, 200, http2}}, 3, Succeeded, false},
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

// TestRepeatedPostStaysUnknown: that net/http sent a POST again, over HTTP/2,
// takes no doubt away.
func TestRepeatedPostStaysUnknown(t *testing.T) {
	t.Parallel()
	http2 := overHTTP2(t)
	synctest.Test(t, func(t *testing.T) {
		c := run(t.Context(), t, "POST", reports{2, 2, 0, http2})
		defer c.Release()
		assert.Equal(t, []any{2, Lost, true}, []any{c.Attempts, c.Outcome, c.Uncertain})
	})
}

// endless takes one connection after the other until it is stopped.
type endless struct {
	conn  net.Conn
	taken *int
}

func (e endless) RoundTrip(r *http.Request) (*http.Response, error) {
	trace := httptrace.ContextClientTrace(r.Context())
	for r.Context().Err() == nil && *e.taken < 100 {
		*e.taken++
		trace.GetConn("x:1")
		trace.GotConn(httptrace.GotConnInfo{Conn: e.conn})
	}
	return nil, errors.New("stopped")
}

// TestEndlessRepetitionIsStopped: over HTTP/2 net/http repeats a request as often
// as the policy leaves attempts, and no more. A transport of another kind has two
// connections for itself.
func TestEndlessRepetitionIsStopped(t *testing.T) {
	t.Parallel()
	http2 := overHTTP2(t)
	failed := reports{1, 1, 503, http2}
	for _, row := range []struct {
		name     string
		before   []http.RoundTripper
		bare     bool
		taken    int
		attempts int
	}{
		{"at the first attempt of 3", nil, true, 4, 3},
		{"at the second attempt of 3", []http.RoundTripper{failed}, true, 3, 3},
		{"at the third attempt of 3", []http.RoundTripper{failed, failed}, true, 2, 3},
		{"at the third attempt of 3, by another transport", []http.RoundTripper{failed, failed}, false, 4, 5},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				taken := 0
				rt := inTurn(append(row.before, endless{http2, &taken})...)
				if row.bare {
					transport := &http.Transport{Protocols: new(http.Protocols)}
					transport.RegisterProtocol("https", rt)
					rt = transport
				}
				c := New(Policy{MaxAttempts: 3, MinWait: 1, MaxWait: 1, AttemptTimeout: time.Minute, Budget: NoBudget}, 1<<10).Do(t.Context(), &Request{
					Method: "DELETE", URL: &url.URL{Scheme: "https", Host: "api.example.com"}, Header: http.Header{}, Transport: rt,
				}, noHooks{})
				defer c.Release()
				assert.Equal(t, row.taken, taken, "the last one is taken, and not used")
				assert.Equal(t, row.attempts, c.Attempts)
				assert.Equal(t, errResentTooOften, c.Err)
			})
		})
	}
}
