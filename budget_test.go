package losant_test

import (
	"context"
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

// outage answers 503 to the calls and attempts that a function picks.
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

// TestBudgetInAnOutage: when nothing succeeds any more, a client does not
// multiply its traffic; without a budget it does.
func TestBudgetInAnOutage(t *testing.T) {
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
				if row.budget != losant.NoBudget {
					assert.Less(t, float64(*attempts), 1.2*calls)
				}
			})
		})
	}
}

// TestBudgetRecovers: successes fill it again, so that single failures are
// retried as often as the policy says, for ever.
func TestBudgetRecovers(t *testing.T) {
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

// TestBudgetOfCancelledCalls: a retry that was never begun costs nothing, and a
// budget without reason is one.
func TestBudgetOfCancelledCalls(t *testing.T) {
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

// TestBudgetPaysBack: a retry that succeeds costs nothing in the end, and
// another token after a 401 never does.
func TestBudgetPaysBack(t *testing.T) {
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
