package retry

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestBudget(t *testing.T) {
	t.Parallel()
	var b budget
	b.fill(11)
	assert.True(t, b.take())
	assert.True(t, b.take())
	assert.False(t, b.take(), "1 is left, which is less than a retry costs")
	b.refund(responseRefund)
	assert.False(t, b.take())
	b.refund(3)
	assert.True(t, b.take())
	b.refund(1000)
	assert.Equal(t, int64(11), b.left.Load(), "it holds no more than it began with")

	b.fill(NoBudget)
	for range 1000 {
		assert.True(t, b.take())
	}
	b.refund(1000)
	assert.Equal(t, int64(-1), b.left.Load())

	b.fill(4)
	assert.False(t, b.take(), "too small for any retry")
}

// TestBudgetConcurrently: no token is spent twice, none is lost.
func TestBudgetConcurrently(t *testing.T) {
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
