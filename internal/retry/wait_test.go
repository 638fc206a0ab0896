package retry

import (
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestBackoffDoublesUpToMaxWait also proves that both ends of a range are reached
// and that no attempt overflows it.
func TestBackoffDoublesUpToMaxWait(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ min, max, attempts, bound int64 }{
		{10, 1000, 1, 20}, {10, 1000, 2, 40}, {10, 1000, 6, 640}, {10, 1000, 7, 1000}, {10, 1000, 1000, 1000}, {10, 10, 1, 10}, {1, math.MaxInt64, 1 << 20, math.MaxInt64}, {7, 13, 1, 13}, {6, 13, 1, 12},
	} {
		p := Policy{MinWait: time.Duration(row.min), MaxWait: time.Duration(row.max)}
		lowest, highest := time.Duration(math.MaxInt64), time.Duration(0)
		for range 2000 {
			wait, _ := p.wait(&response{}, int(row.attempts), math.MaxInt64)
			lowest, highest = min(lowest, wait), max(highest, wait)
		}
		assert.GreaterOrEqual(t, lowest, time.Duration(row.min))
		assert.LessOrEqual(t, highest, time.Duration(row.bound))
		if row.bound <= 100 {
			assert.Equal(t, []time.Duration{time.Duration(row.min), time.Duration(row.bound)}, []time.Duration{lowest, highest}, "both ends are reached")
		}
	}
}

func TestWaitEndsBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	p := Policy{MinWait: time.Second, MaxWait: time.Second}
	_, ok := p.wait(&response{}, 1, time.Second)
	assert.False(t, ok, "the deadline is the end of the wait")
	_, ok = p.wait(&response{}, 1, time.Second+1)
	assert.True(t, ok)
}

// TestJitterLeavesHalfOfTheTimeToTheDeadline, so that the attempt has some.
func TestJitterLeavesHalfOfTheTimeToTheDeadline(t *testing.T) {
	t.Parallel()
	p := Policy{MinWait: 1, MaxWait: time.Hour}
	longest := time.Duration(0)
	for range 2000 {
		wait, ok := p.wait(&response{RetryAfter: time.Second, HasRetryAfter: true}, 1000, 3*time.Second)
		assert.True(t, ok)
		longest = max(longest, wait)
	}
	assert.LessOrEqual(t, longest, 2*time.Second)
	assert.Greater(t, longest, 1900*time.Millisecond)
}

// TestRetryAfterThatIsInvalidOrHasPassed: the first does not make a retry free of the
// budget.
func TestRetryAfterThatIsInvalidOrHasPassed(t *testing.T) {
	t.Parallel()
	_, ok := retryAfter(http.Header{"Retry-After": {"soon"}}, time.Now())
	assert.False(t, ok)
	wait, ok := retryAfter(http.Header{"Retry-After": {"Thu, 01 Jan 1970 00:00:00 GMT"}}, time.Now())
	assert.Equal(t, []any{time.Duration(0), true}, []any{wait, ok})
}
