package retry

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestBackoffDoublesUpToMaxWait also proves that both ends of a range are reached
// and that no attempt overflows it.
func TestBackoffDoublesUpToMaxWait(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ min, max, attempts, bound int64 }{
		{10, 1000, 1, 20}, {10, 1000, 2, 40}, {10, 1000, 6, 640}, {10, 1000, 7, 1000}, {10, 1000, 1000, 1000}, {10, 10, 1, 10}, {1, math.MaxInt64, 1 << 20, math.MaxInt64}, {7, 13, 1, 13},
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
