package losant_test

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// scripted answers from memory, so that a test can run on a fake clock. The
// last answer is repeated.
func scripted(t *testing.T, policy losant.RetryPolicy, script ...httpmock.Responder) (*losant.Client, *httpmock.MockTransport) {
	t.Helper()
	transport := httpmock.NewMockTransport()
	transport.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		return script[min(transport.GetTotalCallCount(), len(script))-1](r)
	})
	return newClient(t, "https://api.example.com", losant.WithHTTPClient(&http.Client{Transport: transport}), losant.WithRetryPolicy(policy)), transport
}

func says(code int, header ...string) httpmock.Responder {
	return func(*http.Request) (*http.Response, error) {
		resp := httpmock.NewStringResponse(code, `{"type":"T","message":"the API's words"}`)
		for n := 0; n < len(header); n += 2 {
			resp.Header.Set(header[n], header[n+1])
		}
		return resp, nil
	}
}

var invited = httpmock.NewStringResponder(200, inviteJSON)

// TestBackoff: waits lie between MinWait and a bound that doubles, differ from
// call to call, and their defaults are as documented.
func TestBackoff(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		policy losant.RetryPolicy
		min    time.Duration
		bounds []time.Duration
	}{
		{"defaults", losant.RetryPolicy{}, 500 * time.Millisecond, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}},
		{"bounded", losant.RetryPolicy{MaxAttempts: 7, MinWait: time.Second, MaxWait: 5 * time.Second}, time.Second, []time.Duration{2e9, 4e9, 5e9, 5e9, 5e9, 5e9}},
		{"none to choose", losant.RetryPolicy{MinWait: time.Second, MaxWait: time.Second}, time.Second, []time.Duration{1e9, 1e9, 1e9}},
		{"only a short MaxWait", losant.RetryPolicy{MaxWait: time.Millisecond}, time.Millisecond, []time.Duration{1e6, 1e6, 1e6}},
		{"only a long MinWait", losant.RetryPolicy{MinWait: time.Minute}, time.Minute, []time.Duration{60e9, 60e9, 60e9}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				different := map[time.Duration]bool{}
				for range 50 {
					client, _ := scripted(t, row.policy, says(503))
					var response losant.Response
					started := time.Now()
					requireError(t, get.call(t.Context(), client, ref, losant.WithResponse(&response)), "ErrServer")
					var waited time.Duration
					for n, attempt := range response.Attempts[1:] {
						assert.GreaterOrEqual(t, attempt.Wait, row.min)
						assert.LessOrEqual(t, attempt.Wait, row.bounds[n])
						waited += attempt.Wait
						different[attempt.Wait] = true
					}
					assert.Len(t, response.Attempts, len(row.bounds)+1)
					assert.Equal(t, waited, time.Since(started), "what it says it waited, it waited")
				}
				if row.bounds[len(row.bounds)-1] > row.min {
					assert.Greater(t, len(different), 50, "jitter")
				}
			})
		})
	}
}

// TestRetryAfter: seconds and dates are waited for on every status that is
// retried, within MinWait and MaxWait, and some more; anything else is ignored.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	policy := losant.RetryPolicy{MinWait: time.Second, MaxWait: 40 * time.Second}
	const backoff, atOnce = -1, 0
	for _, row := range []struct {
		value string
		wait  time.Duration // or backoff; atOnce: no second attempt
		asked time.Duration
	}{
		{"0", time.Second, 0},
		{"1", time.Second, time.Second},
		{"39", 39 * time.Second, 39 * time.Second},
		{" 40\t", 40 * time.Second, 40 * time.Second},
		{"41", atOnce, 41 * time.Second},
		{"3600", atOnce, time.Hour},
		{"9223372036", atOnce, 9223372036 * time.Second},
		{"9223372037", atOnce, math.MaxInt64},
		{"18446744074", atOnce, math.MaxInt64},
		{"99999999999999999999999", atOnce, math.MaxInt64},
		{"-1", backoff, 0},
		{"+5", backoff, 0},
		{"1.5", backoff, 0},
		{"1e3", backoff, 0},
		{"soon", backoff, 0},
		{"", backoff, 0},
		{"٣", backoff, 0},
		{time.Date(2000, 1, 1, 0, 0, 30, 0, time.UTC).Format(http.TimeFormat), 30 * time.Second, 30 * time.Second},
		{time.Date(2000, 1, 1, 0, 0, 30, 0, time.UTC).Format("Monday, 02-Jan-06 15:04:05 GMT"), 30 * time.Second, 30 * time.Second},
		{time.Date(2000, 1, 1, 0, 0, 30, 0, time.UTC).Format(time.ANSIC), 30 * time.Second, 30 * time.Second},
		{time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC).Format(http.TimeFormat), time.Second, 0},
		{time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC).Format(http.TimeFormat), atOnce, 24 * time.Hour},
		{time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC).Format(http.TimeFormat), atOnce, math.MaxInt64},
		{"Sat, 01 Jan 2000 00:00:30 +0200", backoff, 0},
	} {
		for _, code := range []int{429, 503, 500, 408} {
			t.Run(strconv.Itoa(code)+"/"+row.value, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					client, transport := scripted(t, policy, says(code, "Retry-After", row.value), invited)
					var response losant.Response
					started := time.Now()
					err := get.call(t.Context(), client, ref, losant.WithResponse(&response))
					if row.wait == atOnce {
						var e *losant.Error
						require.ErrorAs(t, err, &e)
						assert.Equal(t, row.asked, e.RetryAfter)
						assert.Equal(t, code, e.StatusCode)
						assert.Equal(t, "the API's words", e.Message)
						assert.Equal(t, 1, transport.GetTotalCallCount())
						assert.Zero(t, time.Since(started))
						return
					}
					require.NoError(t, err)
					wait := response.Attempts[1].Wait
					shortest := max(row.wait, policy.MinWait)
					assert.GreaterOrEqual(t, wait, shortest)
					assert.LessOrEqual(t, wait, shortest+time.Second, "the backoff")
				})
			})
		}
	}
}

// TestRetryAfterOnRefusal: it is told even where it is not waited for.
func TestRetryAfterOnRefusal(t *testing.T) {
	t.Parallel()
	client, _ := scripted(t, quick, says(403, "Retry-After", "7"))
	assert.Equal(t, 7*time.Second, requireError(t, get.call(t.Context(), client, ref), "ErrForbidden").RetryAfter)
}

// TestDeadline: a wait that the context would cut short is not begun.
func TestDeadline(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name       string
		answer     httpmock.Responder
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
				client, transport := scripted(t, losant.RetryPolicy{}, row.answer, invited)
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

// TestCancelledWait: a context that ends during a wait keeps the last answer,
// and the doubt about the outcome.
func TestCancelledWait(t *testing.T) {
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

// TestCancelledBefore: nothing is sent on behalf of a context that has ended.
func TestCancelledBefore(t *testing.T) {
	t.Parallel()
	for _, action := range actions {
		s := serve(t, succeed)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		e := requireError(t, action.call(ctx, newClient(t, s.URL), ref))
		require.ErrorIs(t, e, context.Canceled)
		assert.Zero(t, e.Attempts)
		assert.Zero(t, s.arrived.Load())

		client, transport := scripted(t, quick, invited)
		requireError(t, action.call(ctx, client, ref))
		assert.Zero(t, transport.GetTotalCallCount(), "not even with a transport that does not look at the context")
	}
}

// TestCancelledDuring: a context that ends while the answer is awaited.
func TestCancelledDuring(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		action
		sentinels []string
	}{{get, nil}, {remove, []string{"ErrOutcomeUnknown"}}, {resend, []string{"ErrOutcomeUnknown"}}} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				cancel()
				silence(w, r)
			})
			e := requireError(t, row.call(ctx, newClient(t, s.URL), ref), row.sentinels...)
			require.ErrorIs(t, e, context.Canceled)
			assert.Equal(t, 1, e.Attempts)
			assert.Equal(t, int32(1), s.arrived.Load())
		})
		t.Run(row.name+"/in the body", func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusOK)
				_ = http.NewResponseController(w).Flush()
				time.AfterFunc(5*time.Millisecond, cancel)
				silence(w, r)
			})
			e := requireError(t, row.call(ctx, newClient(t, s.URL), ref), row.sentinels...)
			require.ErrorIs(t, e, context.Canceled)
			assert.Equal(t, 1, e.Attempts)
		})
	}
}

// TestAttemptTimeout: an attempt has its time, and so has the next.
func TestAttemptTimeout(t *testing.T) {
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
