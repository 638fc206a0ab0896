package losant_test

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// scripted returns a client whose responses come from memory, so that a test can
// use a fake clock. The last response is repeated.
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

func TestBackoffIsRandomWithinADoublingBound(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		policy losant.RetryPolicy
		min    time.Duration
		bounds []time.Duration
	}{
		{"defaults", losant.RetryPolicy{}, 500 * time.Millisecond, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}},
		{"bounded", losant.RetryPolicy{MaxAttempts: 7, MinWait: time.Second, MaxWait: 5 * time.Second}, time.Second, []time.Duration{2e9, 4e9, 5e9, 5e9, 5e9, 5e9}},
		{"MinWait equal to MaxWait", losant.RetryPolicy{MinWait: time.Second, MaxWait: time.Second}, time.Second, []time.Duration{1e9, 1e9, 1e9}},
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
					assert.Equal(t, waited, time.Since(started), "the recorded waits")
				}
				if row.bounds[len(row.bounds)-1] > row.min {
					assert.Greater(t, len(different), 50, "jitter")
				}
			})
		})
	}
}

// TestRetryAfterSetsTheWait covers seconds and dates, which apply to every status
// that is retried, and values that are neither, which are ignored.
func TestRetryAfterSetsTheWait(t *testing.T) {
	t.Parallel()
	policy := losant.RetryPolicy{MinWait: time.Second, MaxWait: 40 * time.Second}
	const backoff, none = -1, 0
	for _, row := range []struct {
		value string
		wait  time.Duration // or backoff; none: there is no second attempt
		asked time.Duration
	}{
		{"0", time.Second, 0},
		{"1", time.Second, time.Second},
		{"39", 39 * time.Second, 39 * time.Second},
		{" 40\t", 40 * time.Second, 40 * time.Second},
		{"41", none, 41 * time.Second},
		{"3600", none, time.Hour},
		{"9223372036", none, 9223372036 * time.Second},
		{"9223372037", none, math.MaxInt64},
		{"18446744074", none, math.MaxInt64},
		{"99999999999999999999999", none, math.MaxInt64},
		{"9223372036854775808", none, math.MaxInt64},
		{"007", 7 * time.Second, 7 * time.Second},
		{"-1", backoff, 0},
		{"0x1", backoff, 0},
		{"1 2", backoff, 0},
		{"1,2", backoff, 0},
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
		{time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC).Format(http.TimeFormat), none, 24 * time.Hour},
		{time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC).Format(http.TimeFormat), none, math.MaxInt64},
		{"Sat, 01 Jan 2000 00:00:30 CET", backoff, 0},
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
					if row.wait == none {
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

func TestRetryAfterIsInTheErrorWithoutARetry(t *testing.T) {
	t.Parallel()
	client, _ := scripted(t, quick, says(403, "Retry-After", "7"))
	assert.Equal(t, 7*time.Second, requireError(t, get.call(t.Context(), client, ref), "ErrForbidden").RetryAfter)
}

// TestRetryAfterInTheErrorIsOfTheLastResponse covers a last attempt without a
// response, and a value that is invalid.
func TestRetryAfterInTheErrorIsOfTheLastResponse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, _ := scripted(t, losant.RetryPolicy{MaxAttempts: 2}, says(503, "Retry-After", "7"), httpmock.NewErrorResponder(io.ErrUnexpectedEOF))
		e := requireError(t, get.call(t.Context(), client, ref))
		assert.Equal(t, 2, e.Attempts)
		assert.Zero(t, e.RetryAfter)
	})
	client, _ := scripted(t, quick, says(403, "Retry-After", "soon"))
	assert.Zero(t, requireError(t, get.call(t.Context(), client, ref), "ErrForbidden").RetryAfter)
}

// Test250CallsWithRetryAfterAllSucceed proves that such retries do not draw on the
// budget, and that they do not all come at once.
func Test250CallsWithRetryAfterAllSucceed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		seen := 0
		retried := []time.Time{}
		client := through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			if seen++; seen <= 250 {
				return says(429, "Retry-After", "1")(r)
			}
			retried = append(retried, time.Now())
			return invited(r)
		}), losant.WithRetryPolicy(losant.RetryPolicy{}))
		started := time.Now()
		var group sync.WaitGroup
		for range 250 {
			group.Go(func() { assert.NoError(t, resend.call(t.Context(), client, ref)) })
		}
		group.Wait()
		require.Len(t, retried, 250)
		first, last := retried[0].Sub(started), retried[249].Sub(started)
		assert.GreaterOrEqual(t, first, time.Second)
		assert.Greater(t, last-first, 300*time.Millisecond, "the retries are spread")
	})
}

// TestCallsBeyondTheRateLimitAllSucceed covers the API, which sends no Retry-After.
// Its message says how long to wait, in complete seconds. The documented limit is
// 30 states of a device in 15 seconds.
func TestCallsBeyondTheRateLimitAllSucceed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var requests int
		var accepted []time.Time
		client := through(t, roundTripper(func(*http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			requests++
			const limit, window = 30, 15 * time.Second
			if len(accepted) >= limit {
				if left := window - time.Since(accepted[len(accepted)-limit]); left > 0 {
					message := fmt.Sprintf(`{"type":"RateLimit","message":"Over rate limit, request throttled. Retry in %d seconds"}`, int(left.Seconds()))
					return &http.Response{StatusCode: http.StatusTooManyRequests, Body: io.NopCloser(strings.NewReader(message))}, nil
				}
			}
			accepted = append(accepted, time.Now())
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(`{"success":true}`))}, nil
		}), losant.WithRetryPolicy(losant.RetryPolicy{}))
		var group sync.WaitGroup
		for n := range 60 {
			group.Go(func() {
				time.Sleep(time.Duration(n) * 10 * time.Millisecond) // in fake time
				_, err := losant.Call[losant.NoContent](t.Context(), client, losant.Request{Method: "POST", Path: []string{"state"}, Require: []string{"success"}})
				assert.NoError(t, err)
			})
		}
		group.Wait()
		assert.Len(t, accepted, 60)
		assert.LessOrEqual(t, requests, 100)
	})
}

func TestRetryAfterIsReadFromTheMessageOfA429(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]time.Duration{
		"Over rate limit, request throttled. Retry in 3 seconds": 4 * time.Second,
		"Retry in 0 seconds": time.Second, "retry in 1 second": 2 * time.Second,
		"Retry in -1 seconds": 0, "Retry in 99999999999 seconds": 0, "Retry soon": 0,
	} {
		client, _ := scripted(t, losant.RetryPolicy{MaxAttempts: 1}, httpJSON(429, `{"message":"`+message+`"}`))
		assert.Equal(t, want, requireError(t, get.call(t.Context(), client, ref), "ErrRateLimited").RetryAfter, message)
	}
	client, _ := scripted(t, losant.RetryPolicy{MaxAttempts: 1}, httpJSON(503, `{"message":"Retry in 3 seconds"}`))
	assert.Zero(t, requireError(t, get.call(t.Context(), client, ref), "ErrServer").RetryAfter)
}

func httpJSON(code int, text string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: code, Body: io.NopCloser(strings.NewReader(text))}, nil
	}
}
