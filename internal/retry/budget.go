package retry

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
)

// The prices of a budget are those of the AWS SDKs' standard mode.
const (
	retryCost      = 5 // of every attempt but the first
	responseRefund = 1 // to a call whose first attempt gets a final response
)

var errNoBudget = errors.New("not retried: the retry budget is empty (RetryPolicy.Budget)")

// pay charges the budget for a retry, or reports false if too little is left. A retry
// is free where the server sets the pace: after a request that it did not process, and
// after a 429 that says how long to wait.
func (x *call) pay() bool {
	if x.Outcome == Unprocessed || x.StatusCode == http.StatusTooManyRequests && x.HasRetryAfter {
		return true
	}
	if !x.budget.take() {
		if x.Err == nil {
			x.Err = errNoBudget
		} else {
			x.Err = fmt.Errorf("%w; %w", x.Err, errNoBudget)
		}
		return false
	}
	x.paid, x.unstarted = true, true
	return true
}

// refund credits the budget after a final response. A retry that led to one gets its
// cost back.
func (x *call) refund() {
	if x.paid {
		x.budget.refund(retryCost)
	} else {
		x.budget.refund(responseRefund)
	}
}

// budget is a token bucket that all calls of a Client share. It begins full.
type budget struct {
	size int64 // NoBudget: not limited
	left atomic.Int64
}

func (b *budget) fill(size int) {
	b.size = int64(size)
	b.left.Store(b.size)
}

// take charges for a retry, or reports false if too little is left.
func (b *budget) take() bool {
	if b.size == NoBudget {
		return true
	}
	for {
		left := b.left.Load()
		if left < retryCost {
			return false
		}
		if b.left.CompareAndSwap(left, left-retryCost) {
			return true
		}
	}
}

// refund adds tokens, up to the size.
func (b *budget) refund(tokens int64) {
	for {
		left := b.left.Load()
		if b.left.CompareAndSwap(left, min(left+tokens, b.size)) {
			return
		}
	}
}
