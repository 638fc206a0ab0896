package retry

import (
	"context"
	"errors"
	"io"
	"net/http"
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

// run makes a call by a method through a transport.
func run(ctx context.Context, t *testing.T, method string, rt http.RoundTripper) *Result {
	t.Helper()
	c := New(Policy{MaxAttempts: 3, MinWait: time.Second, MaxWait: time.Second, AttemptTimeout: time.Minute, Budget: NoBudget}, 1<<10, nil)
	return c.Do(ctx, &Request{
		Method: method, URL: &url.URL{Scheme: "https", Host: "api.example.com", Path: "/"}, Header: http.Header{}, Body: []byte("body"), Transport: rt, Statuses: []int{200}, Record: true,
	}, noHooks{})
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
