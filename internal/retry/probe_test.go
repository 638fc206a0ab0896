package retry

import (
	"context"
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

// inTurn gives each attempt a transport of its own; the last one is used again.
func inTurn(transports ...http.RoundTripper) http.RoundTripper {
	n := -1
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		n++
		return transports[min(n, len(transports)-1)].RoundTrip(r)
	})
}

var errDial = &net.OpError{Op: "dial", Err: errors.New("refused")}

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

// TestRepeatedPostStaysUnknown: that a transport sent a POST twice takes no doubt
// away.
func TestRepeatedPostStaysUnknown(t *testing.T) {
	t.Parallel()
	http2 := overHTTP2(t)
	synctest.Test(t, func(t *testing.T) {
		c := run(t.Context(), t, "POST", reports{asked: 2, connected: 2, conn: http2})
		defer c.Release()
		assert.Equal(t, []any{2, Lost, true}, []any{c.Attempts, c.Outcome, c.Uncertain})
	})
}

// endless sends the request again and again until it is stopped.
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

// TestRepetitionsByTheTransportAreLimited: at most 8 a call, all of them counted.
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
					transport := &http.Transport{Protocols: new(http.Protocols)}
					transport.RegisterProtocol("https", rt)
					rt = transport
				}
				client := New(Policy{MaxAttempts: 3, MinWait: 1, MaxWait: 1, AttemptTimeout: time.Minute, Budget: NoBudget}, 1<<10, nil)
				client.overHTTP1.Store(true)
				c := client.Do(t.Context(), &Request{
					Method: "GET", URL: &url.URL{Scheme: "https", Host: "api.example.com"}, Header: http.Header{}, Transport: rt, Statuses: []int{200},
				}, noHooks{})
				defer c.Release()
				assert.Equal(t, row.attempts, c.Attempts)
				assert.Equal(t, errRepeatedTooOften, c.Err)
			})
		})
	}
}

// TestRepetitionsOverHTTP2AreTakenOver: net/http's own transport repeats a GET at
// once over HTTP/2. It is stopped, and a retry with a wait follows.
func TestRepetitionsOverHTTP2AreTakenOver(t *testing.T) {
	t.Parallel()
	for _, conn := range []net.Conn{overHTTP2(t), nil} { // with TLS and without
		synctest.Test(t, func(t *testing.T) {
			started := time.Now()
			transport := &http.Transport{Protocols: new(http.Protocols)}
			transport.RegisterProtocol("https", reports{asked: 2, connected: 2, conn: conn, silent: true})
			c := New(Policy{MaxAttempts: 3, MinWait: time.Second, MaxWait: time.Second, AttemptTimeout: time.Minute, Budget: NoBudget}, 1<<10, nil).Do(t.Context(), &Request{
				Method: "GET", URL: &url.URL{Scheme: "https", Host: "api.example.com"}, Header: http.Header{}, Transport: transport, Statuses: []int{200},
			}, noHooks{})
			defer c.Release()
			assert.Equal(t, []any{9, Unprocessed, errRefused}, []any{c.Attempts, c.Outcome, c.Err})
			assert.Equal(t, 8*time.Second, time.Since(started))
		})
	}
}

// TestConnectionsThatNothingIsWrittenOnAreLimited: a transport that never gets to
// write is stopped, too, and then nothing was sent.
func TestConnectionsThatNothingIsWrittenOnAreLimited(t *testing.T) {
	t.Parallel()
	taken := 0
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.RegisterProtocol("https", roundTripper(func(r *http.Request) (*http.Response, error) {
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

// TestTimedOutOnAFreshConnection: a 408 proves that no complete request was
// received only if the last connection had been idle.
func TestTimedOutOnAFreshConnection(t *testing.T) {
	t.Parallel()
	for reused, want := range map[bool][]any{true: {3, Deferred, false}, false: {1, Failed, true}} {
		synctest.Test(t, func(t *testing.T) {
			transport := &http.Transport{Protocols: new(http.Protocols)}
			transport.RegisterProtocol("https", roundTripper(func(r *http.Request) (*http.Response, error) {
				trace := httptrace.ContextClientTrace(r.Context())
				trace.GetConn("x:1")
				trace.GotConn(httptrace.GotConnInfo{Reused: true})
				trace.GetConn("x:1")
				trace.GotConn(httptrace.GotConnInfo{Reused: reused})
				trace.WroteHeaders()
				return &http.Response{StatusCode: http.StatusRequestTimeout, ProtoMajor: 1, Close: true, Body: http.NoBody}, nil
			}))
			c := run(t.Context(), t, "POST", transport)
			defer c.Release()
			assert.Equal(t, want, []any{c.Attempts, c.Outcome, c.Uncertain})
		})
	}
}

// TestCancelledBeforeTheHeader: over HTTP/2, net/http may write the header just
// after the context ended. Only a request that has waited for a stream is certain.
func TestCancelledBeforeTheHeader(t *testing.T) {
	t.Parallel()
	http2 := overHTTP2(t)
	for waited, unknown := range map[time.Duration]bool{0: true, 19 * time.Millisecond: true, 21 * time.Millisecond: false} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			transport := &http.Transport{Protocols: new(http.Protocols)}
			transport.RegisterProtocol("https", roundTripper(func(r *http.Request) (*http.Response, error) {
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

// TestRewoundBodyCountsAsRead: it is not tracked.
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
