package losant_test

import (
	"context"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// outage returns a client that gets 503 for the attempts that fails selects, and a
// count of all attempts.
func outage(t *testing.T, policy losant.RetryPolicy, fails func(attempt int) bool) (*losant.Client, *int) {
	t.Helper()
	attempts := new(int)
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		*attempts++
		if fails(*attempts) {
			return httpmock.NewStringResponse(503, ""), nil
		}
		return invited(r)
	})
	return newClient(t, "https://api.example.com", losant.WithHTTPClient(&http.Client{Transport: transport}), losant.WithRetryPolicy(policy)), attempts
}

func TestBudgetLimitsTheTrafficInAnOutage(t *testing.T) {
	t.Parallel()
	const calls = 2000
	for _, row := range []struct{ budget, attempts int }{
		{0, calls + 500/5},
		{50, calls + 50/5},
		{4, calls},
		{losant.NoBudget, 4 * calls},
	} {
		t.Run(strconv.Itoa(row.budget), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				policy := losant.RetryPolicy{Budget: row.budget}
				client, attempts := outage(t, policy, func(int) bool { return true })
				for range calls {
					requireError(t, get.call(t.Context(), client, ref), "ErrServer")
				}
				assert.Equal(t, row.attempts, *attempts)
			})
		})
	}
}

func TestSuccessesRefillTheBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fails := func(int) bool { return true }
		client, attempts := outage(t, losant.RetryPolicy{}, func(attempt int) bool { return fails(attempt) })
		for range 1000 {
			require.Error(t, get.call(t.Context(), client, ref))
		}
		require.Equal(t, 1000+100, *attempts)
		fails = func(int) bool { return false }
		for range 3 * 5 {
			require.NoError(t, get.call(t.Context(), client, ref))
		}
		*attempts = 0
		fails = func(attempt int) bool { return attempt%30 < 3 } // three attempts in a row
		for range 2000 {
			require.NoError(t, get.call(t.Context(), client, ref))
		}
	})
}

// TestRetryThatDidNotBeginIsRefunded also covers the largest budget.
func TestRetryThatDidNotBeginIsRefunded(t *testing.T) {
	t.Parallel()
	for _, budget := range []int{5, math.MaxInt} {
		synctest.Test(t, func(t *testing.T) {
			fails := func(int) bool { return true }
			client, attempts := outage(t, losant.RetryPolicy{Budget: budget}, func(attempt int) bool { return fails(attempt) })
			for range 100 {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Millisecond, cancel)
				require.ErrorIs(t, get.call(ctx, client, ref), context.Canceled)
			}
			require.Equal(t, 100, *attempts)
			fails = func(attempt int) bool { return attempt == 101 }
			require.NoError(t, get.call(t.Context(), client, ref))
			require.NoError(t, get.call(t.Context(), client, ref))
		})
	}
}

// TestRetryThatSucceedsIsRefunded also proves that a retry after a 401 is free.
func TestRetryThatSucceedsIsRefunded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, _ := outage(t, losant.RetryPolicy{Budget: 5}, func(attempt int) bool { return attempt%2 == 1 })
		for range 100 {
			require.NoError(t, get.call(t.Context(), client, ref))
		}
	})
	s := serve(t, accept("fresh-token"))
	source := &rotating{tokens: []string{"stale-token", "fresh-token"}}
	require.NoError(t, get.call(t.Context(), newClient(t, s.URL, losant.WithTokenSource(source), losant.WithRetryPolicy(losant.RetryPolicy{Budget: 1})), ref))
}

// TestPricesOfTheRetryBudget proves that a budget begins with 500 tokens, that a
// retry costs 5, and that a first attempt with a final response adds 1.
func TestPricesOfTheRetryBudget(t *testing.T) {
	t.Parallel()
	for name, once := range map[string]httpmock.Responder{"success": invited, "refusal": says(404), "refused token": says(401)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				attempts, next := 0, says(503)
				client := through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
					attempts++
					return next(r)
				}), losant.WithRetryPolicy(losant.RetryPolicy{MaxAttempts: 2}))
				call := func(response httpmock.Responder) int {
					attempts, next = 0, response
					_ = get.call(t.Context(), client, ref)
					return attempts
				}
				for range 500 / 5 {
					require.Equal(t, 2, call(says(503)))
				}
				for range 4 {
					require.Equal(t, 1, call(once))
				}
				require.Equal(t, 1, call(says(503)), "4 tokens are too few")
				require.Equal(t, 1, call(once))
				require.Equal(t, 2, call(says(503)), "5 tokens are enough")
				require.Equal(t, 1, call(says(503)), "no token is left")
			})
		})
	}
}

// TestOnlyA429WithAWaitIsFree: with a budget too small for a retry, only the server
// that sets the pace is asked again.
func TestOnlyA429WithAWaitIsFree(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		response httpmock.Responder
		attempts int
	}{
		"429 with Retry-After":    {says(429, "Retry-After", "1"), 4},
		"429 without Retry-After": {says(429), 1},
		"503 with Retry-After":    {says(503, "Retry-After", "1"), 1},
		"503 without Retry-After": {says(503), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, api := scripted(t, losant.RetryPolicy{Budget: 4}, test.response)
				require.Error(t, get.call(t.Context(), client, ref))
				assert.Equal(t, test.attempts, api.GetTotalCallCount())
			})
		})
	}
}

func TestErrorNamesTheEmptyBudget(t *testing.T) {
	t.Parallel()
	client, _ := scripted(t, losant.RetryPolicy{Budget: 4}, says(503))
	e := requireError(t, get.call(t.Context(), client, ref), "ErrServer")
	assert.Equal(t, 1, e.Attempts)
	assert.Contains(t, e.Error(), "RetryPolicy.Budget")

	client = through(t, roundTripper(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }), losant.WithRetryPolicy(losant.RetryPolicy{Budget: 4}))
	err := get.call(t.Context(), client, ref)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.ErrorContains(t, err, "RetryPolicy.Budget")
}

func TestPanicRefundsTheRetry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		source := losant.TokenSourceFunc(func(context.Context) (string, error) {
			if calls++; calls%2 == 0 && calls <= 220 {
				panic("between attempts")
			}
			return canary, nil
		})
		client := newClient(t, "https://api.example.com", losant.WithTokenSource(source), losant.WithRetryPolicy(losant.RetryPolicy{}),
			losant.WithHTTPClient(&http.Client{Transport: roundTripper(says(503))}))
		for range 110 {
			assert.Panics(t, func() { _ = get.call(t.Context(), client, ref) })
		}
		assert.Equal(t, 4, requireError(t, get.call(t.Context(), client, ref), "ErrServer").Attempts)
	})
}

func TestBudgetLimitsTheDials(t *testing.T) {
	t.Parallel()
	var dials atomic.Int32
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		dials.Add(1)
		return nil, &net.OpError{Op: "dial", Err: httpmock.NoResponderFound}
	}}
	client := newClient(t, "https://api.example.com", losant.WithHTTPClient(&http.Client{Transport: transport}))
	assert.Equal(t, int64(64*10), calls(t, client, 10))
	assert.Equal(t, int32(64*10+500/5), dials.Load()) // one for each call, and what the retry budget allows
}
