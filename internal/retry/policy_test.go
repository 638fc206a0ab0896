package retry

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDefaultsOfAPolicy proves that a default yields to the field that was set.
func TestDefaultsOfAPolicy(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ given, want Policy }{
		{Policy{}, Policy{MaxAttempts: 4, MinWait: 500 * time.Millisecond, MaxWait: 30 * time.Second, AttemptTimeout: 30 * time.Second, Budget: 500}},
		{Policy{MinWait: time.Minute}, Policy{MaxAttempts: 4, MinWait: time.Minute, MaxWait: time.Minute, AttemptTimeout: 30 * time.Second, Budget: 500}},
		{Policy{MaxWait: time.Millisecond}, Policy{MaxAttempts: 4, MinWait: time.Millisecond, MaxWait: time.Millisecond, AttemptTimeout: 30 * time.Second, Budget: 500}},
		{Policy{Budget: NoBudget}, Policy{MaxAttempts: 4, MinWait: 500 * time.Millisecond, MaxWait: 30 * time.Second, AttemptTimeout: 30 * time.Second, Budget: NoBudget}},
	} {
		policy, err := row.given.Complete()
		require.NoError(t, err)
		assert.Equal(t, row.want, policy)
	}
}
