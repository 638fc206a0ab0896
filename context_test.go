package losant_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

func TestNoWaitBeginsThatExceedsTheDeadline(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name       string
		response   httpmock.Responder
		deadline   time.Duration
		retryAfter time.Duration
	}{
		{"Retry-After", says(429, "Retry-After", "5"), 4 * time.Second, 5 * time.Second},
		{"Retry-After, just", says(429, "Retry-After", "5"), 5 * time.Second, 5 * time.Second},
		{"backoff", says(503), 400 * time.Millisecond, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, transport := scripted(t, losant.RetryPolicy{}, row.response, invited)
				ctx, cancel := context.WithTimeout(t.Context(), row.deadline)
				defer cancel()
				started := time.Now()
				err := get.call(ctx, client, ref)
				var e *losant.Error
				require.ErrorAs(t, err, &e)
				assert.Zero(t, time.Since(started))
				assert.Equal(t, row.retryAfter, e.RetryAfter)
				assert.Equal(t, "the API's words", e.Message)
				assert.NotZero(t, e.StatusCode)
				require.NoError(t, ctx.Err())
				assert.NotErrorIs(t, err, context.DeadlineExceeded, "the context has not ended")
				assert.Equal(t, 1, transport.GetTotalCallCount())
			})
		})
	}
}

// TestCancelledWaitKeepsTheResponse also proves that an unknown outcome stays
// unknown, and that the cause of the cancellation is reachable.
func TestCancelledWaitKeepsTheResponse(t *testing.T) {
	t.Parallel()
	cause := errors.New("the user closed the tab")
	for _, row := range []struct {
		action
		sentinels []string
	}{{get, []string{"ErrServer"}}, {remove, []string{"ErrServer", "ErrOutcomeUnknown"}}} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, transport := scripted(t, losant.RetryPolicy{MinWait: time.Minute, MaxWait: time.Hour}, says(503, "Retry-After", "600"), invited)
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(cause) })
				started := time.Now()
				e := requireError(t, row.call(ctx, client, ref), row.sentinels...)
				assert.Equal(t, time.Second, time.Since(started))
				require.ErrorIs(t, e, context.Canceled)
				require.ErrorIs(t, e, cause)
				assert.Equal(t, 503, e.StatusCode)
				assert.Equal(t, 10*time.Minute, e.RetryAfter)
				assert.Contains(t, e.Message, "the API's words")
				assert.Equal(t, 1, transport.GetTotalCallCount())
			})
		})
	}
}

// TestNothingIsSentAfterTheContextEnded covers net/http's own transport, and one
// that does not look at the context.
func TestNothingIsSentAfterTheContextEnded(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	expired, stop := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer stop()
	for ctx, want := range map[context.Context]error{cancelled: context.Canceled, expired: context.DeadlineExceeded} {
		for _, action := range actions {
			s := serve(t, succeed)
			e := requireError(t, action.call(ctx, newClient(t, s.URL), ref))
			require.ErrorIs(t, e, want)
			assert.Zero(t, e.Attempts)
			assert.Zero(t, s.arrived.Load())

			client, transport := scripted(t, quick, invited)
			requireError(t, action.call(ctx, client, ref))
			assert.Zero(t, transport.GetTotalCallCount())
		}
	}
}

func TestContextThatEndsAfterTheResponseChangesNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	client := through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		resp, err := says(404)(r)
		resp.Body = &closing{ReadCloser: resp.Body, then: cancel}
		return resp, err
	}))
	e := requireError(t, get.call(ctx, client, ref), "ErrNotFound")
	require.ErrorIs(t, ctx.Err(), context.Canceled)
	require.NotErrorIs(t, e, context.Canceled)
	assert.Equal(t, "the API's words", e.Message)
}

// TestCancelledResponseIsNotInvalid: the API did nothing wrong.
func TestCancelledResponseIsNotInvalid(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	client := through(t, roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: &cancelling{iotest.ErrReader(io.ErrUnexpectedEOF), cancel}}, nil
	}))
	e := requireError(t, get.call(ctx, client, ref))
	require.ErrorIs(t, e, context.Canceled)
	assert.Equal(t, 200, e.StatusCode)
}

func TestEachAttemptHasItsOwnTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		client, _ := scripted(t, losant.RetryPolicy{MinWait: time.Second, MaxWait: time.Second}, hang)
		started := time.Now()
		e := requireError(t, get.call(t.Context(), client, ref))
		assert.Equal(t, 4*30*time.Second+3*time.Second, time.Since(started))
		require.ErrorIs(t, e, context.DeadlineExceeded)
		assert.Equal(t, "no complete response within 30s (RetryPolicy.AttemptTimeout): context deadline exceeded", e.Message)
		assert.Equal(t, 4, e.Attempts)

		ctx, cancel := context.WithTimeout(t.Context(), 45*time.Second)
		defer cancel()
		started = time.Now()
		e = requireError(t, get.call(ctx, client, ref))
		assert.Equal(t, 45*time.Second, time.Since(started))
		assert.Equal(t, "context deadline exceeded", e.Message)
		assert.Equal(t, 2, e.Attempts)
	})
}

// TestWaitForAConnectionDoesNotShortenTheAttempt proves that AttemptTimeout begins
// anew with the connection.
func TestWaitForAConnectionDoesNotShortenTheAttempt(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		wait, response time.Duration
		sentinels      []string // nil: success
	}{
		{20 * time.Second, 20 * time.Second, nil},
		{0, 29 * time.Second, nil},
		{20 * time.Second, 31 * time.Second, []string{"ErrOutcomeUnknown"}},
		{31 * time.Second, 0, []string{"ErrOutcomeUnknown"}}, // a transport of this kind may have sent it elsewhere
	} {
		synctest.Test(t, func(t *testing.T) {
			transport := roundTripper(func(r *http.Request) (*http.Response, error) {
				trace := httptrace.ContextClientTrace(r.Context())
				trace.GetConn("api.example.com:443")
				for _, step := range []struct {
					takes time.Duration
					then  func()
				}{{row.wait, func() { trace.GotConn(httptrace.GotConnInfo{}) }}, {row.response, func() {}}} {
					select {
					case <-time.After(step.takes):
						step.then()
					case <-r.Context().Done():
						return nil, r.Context().Err()
					}
				}
				return invited(r)
			})
			err := resend.call(t.Context(), newClient(t, "https://api.example.com", losant.WithHTTPClient(&http.Client{Transport: transport}), losant.WithRetryPolicy(losant.RetryPolicy{MaxAttempts: 1})), ref)
			if row.sentinels == nil {
				require.NoError(t, err)
			} else {
				requireError(t, err, row.sentinels...)
				require.ErrorIs(t, err, context.DeadlineExceeded)
			}
		})
	}
}
