package retry

import (
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBudgetIsATokenBucket(t *testing.T) {
	t.Parallel()
	var b budget
	b.fill(11)
	assert.True(t, b.take())
	assert.True(t, b.take())
	assert.False(t, b.take(), "1 token is left")
	b.refund(responseRefund)
	assert.False(t, b.take())
	b.refund(3)
	assert.True(t, b.take())
	b.refund(1000)
	assert.Equal(t, int64(11), b.left.Load(), "the budget holds no more than its size")

	b.fill(NoBudget)
	for range 1000 {
		assert.True(t, b.take())
	}
	b.refund(1000)
	assert.Equal(t, int64(-1), b.left.Load())

	b.fill(4)
	assert.False(t, b.take(), "the budget is too small for a retry")
}

// TestConcurrentUseOfABudgetIsExact proves that no token is spent twice or lost.
func TestConcurrentUseOfABudgetIsExact(t *testing.T) {
	t.Parallel()
	var b budget
	b.fill(1000 * retryCost)
	var group sync.WaitGroup
	taken := make([]int, 16)
	for n := range taken {
		group.Go(func() {
			for b.take() {
				taken[n]++
			}
		})
	}
	group.Wait()
	total := 0
	for _, n := range taken {
		total += n
	}
	assert.Equal(t, 1000, total)
	for range 16 {
		group.Go(func() {
			for range 500 {
				b.refund(responseRefund)
			}
		})
	}
	group.Wait()
	assert.Equal(t, int64(1000*retryCost), b.left.Load())
}

// TestLargestBudgetHasRoomForARefund proves that a full budget does not overflow.
func TestLargestBudgetHasRoomForARefund(t *testing.T) {
	t.Parallel()
	policy, err := Policy{Budget: math.MaxInt}.Complete()
	require.NoError(t, err)
	var b budget
	b.fill(policy.Budget)
	b.refund(retryCost)
	assert.True(t, b.take())
}

// TestSecond401IsAFinalResponse proves that it credits the budget.
func TestSecond401IsAFinalResponse(t *testing.T) {
	t.Parallel()
	client := New(Policy{MaxAttempts: 3, AttemptTimeout: time.Minute, Budget: 10}, 1<<10, nil)
	client.budget.left.Store(4)
	c := client.Do(t.Context(), request("GET", reports{status: 401}), hooks{renew: func() (bool, error) { return true, nil }})
	defer c.Release()
	assert.Equal(t, []any{2, Unauthorized}, []any{c.Attempts, c.Outcome})
	assert.Equal(t, int64(4+responseRefund), client.budget.left.Load())
}

// TestRefusedRequestIsRetriedWithoutABudget covers HTTP/2 streams that the server
// refuses. It sets the pace then.
func TestRefusedRequestIsRetriedWithoutABudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refused := reports{asked: 1, connected: 1, err: errStreamRefused}
		client := New(Policy{MaxAttempts: 2, MinWait: time.Second, MaxWait: time.Second, AttemptTimeout: time.Minute, Budget: 1}, 1<<10, nil)
		c := client.Do(t.Context(), request("POST", refused), noHooks{})
		defer c.Release()
		assert.Equal(t, 1+maxRepeats, c.Attempts)
	})
}
