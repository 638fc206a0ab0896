package retry

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Policy limits the attempts of a call. A zero field takes its default.
type Policy struct {
	MaxAttempts    int
	MinWait        time.Duration
	MaxWait        time.Duration
	AttemptTimeout time.Duration
	Budget         int
}

// NoBudget is the Budget that is not limited.
const NoBudget = -1

// Complete fills in the defaults. It returns an error if fields contradict each
// other.
func (p Policy) Complete() (Policy, error) {
	if p.MaxAttempts < 0 || p.MinWait < 0 || p.MaxWait < 0 || p.AttemptTimeout < 0 || p.Budget < NoBudget {
		return Policy{}, errors.New("the retry policy has a negative field")
	}
	if p.MinWait > 0 && p.MaxWait > 0 && p.MinWait > p.MaxWait {
		return Policy{}, fmt.Errorf("the retry policy has a MinWait of %v above its MaxWait of %v", p.MinWait, p.MaxWait)
	}
	defaultTo(&p.MaxAttempts, 4)
	defaultTo(&p.AttemptTimeout, 30*time.Second)
	defaultTo(&p.Budget, 500)
	p.Budget = min(p.Budget, math.MaxInt32) // so that adding a refund does not overflow
	// A default is adjusted to the field that was set.
	defaultTo(&p.MaxWait, max(30*time.Second, p.MinWait))
	defaultTo(&p.MinWait, min(500*time.Millisecond, p.MaxWait))
	return p, nil
}

func defaultTo[T int | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}
