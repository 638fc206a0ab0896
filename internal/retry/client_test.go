package retry

import (
	"context"
	"errors"
	"io"
	"net/http"
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

// hooks are those that a test needs.
type hooks struct {
	noHooks
	renew     func() (bool, error)
	attempted func()
}

func (h hooks) Renew() (bool, error) {
	if h.renew == nil {
		return h.noHooks.Renew()
	}
	return h.renew()
}

func (h hooks) Attempted(context.Context, int, Attempt) {
	if h.attempted != nil {
		h.attempted()
	}
}

// inSeconds waits exactly a second before each retry.
var inSeconds = Policy{MaxAttempts: 3, MinWait: time.Second, MaxWait: time.Second, AttemptTimeout: time.Minute, Budget: NoBudget}

// request returns a request without a body.
func request(method string, rt http.RoundTripper) *Request {
	return &Request{
		Method: method, URL: &url.URL{Scheme: "https", Host: "api.example.com", Path: "/"}, Header: http.Header{}, Transport: rt, Statuses: []int{200}, Record: true,
	}
}

// run makes a call with a body through a transport.
func run(ctx context.Context, t *testing.T, method string, rt http.RoundTripper) *Result {
	t.Helper()
	r := request(method, rt)
	r.Body = []byte("body")
	return New(inSeconds, 1<<10, nil).Do(ctx, r, noHooks{})
}

// stock returns net/http's own transport, which leaves requests to rt.
func stock(rt http.RoundTripper) *http.Transport {
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.RegisterProtocol("https", rt)
	return transport
}

// TestBodyIsCompleteInEveryAttempt proves that go-retryablehttp rewinds the body.
func TestBodyIsCompleteInEveryAttempt(t *testing.T) {
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
		assert.Equal(t, http.StatusServiceUnavailable, c.StatusCode, "a response without a body is a response")
	})
}

// TestContextErrorMatchesErrorAndCause proves that errors.Is finds both.
func TestContextErrorMatchesErrorAndCause(t *testing.T) {
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

// TestContextThatEndsAfterAResponse proves that the error says why no retry follows.
func TestContextThatEndsAfterAResponse(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	c := New(inSeconds, 1<<10, nil).Do(ctx, request("GET", reports{status: 503}), hooks{attempted: cancel})
	defer c.Release()
	assert.Equal(t, []any{1, 503, context.Canceled}, []any{c.Attempts, c.StatusCode, c.Err})
}

// TestWaitGrowsWithRefusedRequests proves that they count like other attempts.
func TestWaitGrowsWithRefusedRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refused := reports{asked: 1, connected: 1, err: errStreamRefused}
		policy := inSeconds
		policy.MaxWait = time.Hour
		c := New(policy, 1<<10, nil).Do(t.Context(), request("GET", refused), noHooks{})
		defer c.Release()
		require.Len(t, c.Record, 1+maxRepeats)
		assert.Greater(t, c.Record[maxRepeats].Wait, time.Second, "the bound is 256 s")
	})
}

// TestMaxAttemptsOfOneMeansOneRequest also holds for a request that was not processed.
func TestMaxAttemptsOfOneMeansOneRequest(t *testing.T) {
	t.Parallel()
	policy := inSeconds
	policy.MaxAttempts = 1
	refused := reports{asked: 1, connected: 1, err: errStreamRefused}
	c := New(policy, 1<<10, nil).Do(t.Context(), request("GET", refused), noHooks{})
	defer c.Release()
	assert.Equal(t, []any{1, Unprocessed}, []any{c.Attempts, c.Outcome})
}

// TestTimeoutOnAnIdleConnectionClosesTheOthers, since they may lead to the same dead
// peer. One on a new connection says nothing about them.
func TestTimeoutOnAnIdleConnectionClosesTheOthers(t *testing.T) {
	t.Parallel()
	for reused, want := range map[bool]int{true: 1, false: 0} {
		synctest.Test(t, func(t *testing.T) {
			hangs := roundTripper(func(r *http.Request) (*http.Response, error) {
				httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{Reused: reused})
				<-r.Context().Done()
				return nil, r.Context().Err()
			})
			closed := 0
			policy := inSeconds
			policy.MaxAttempts = 2
			c := New(policy, 1<<10, func() { closed++ }).Do(t.Context(), request("GET", hangs), noHooks{})
			defer c.Release()
			assert.Equal(t, []any{2, want}, []any{c.Attempts, closed}, reused)
		})
	}
}

// TestCloseOfAStreamEndsItsRequest proves that it also returns the error of the body.
func TestCloseOfAStreamEndsItsRequest(t *testing.T) {
	t.Parallel()
	var sent *http.Request
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		sent = r
		return &http.Response{StatusCode: http.StatusOK, Body: failingClose{http.NoBody}}, nil
	})
	r := request("GET", transport)
	r.Stream = true
	c := New(inSeconds, 1<<10, nil).Do(t.Context(), r, noHooks{})
	defer c.Release()
	require.NoError(t, sent.Context().Err())
	require.ErrorIs(t, c.Stream.Close(), io.ErrClosedPipe)
	assert.ErrorIs(t, sent.Context().Err(), context.Canceled)
}

type failingClose struct{ io.ReadCloser }

func (failingClose) Close() error { return io.ErrClosedPipe }

// TestBodyIsValidUntilRelease proves that calls do not share a buffer.
func TestBodyIsValidUntilRelease(t *testing.T) {
	t.Parallel()
	response := func(text string) roundTripper {
		return func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(text))}, nil
		}
	}
	first := run(t.Context(), t, "GET", response("first"))
	second := run(t.Context(), t, "GET", response("second"))
	assert.Equal(t, "first", string(first.Body))
	assert.Equal(t, "second", string(second.Body))
	first.Release()
	first.Release()
	second.Release()
	assert.Nil(t, first.Body)
}
