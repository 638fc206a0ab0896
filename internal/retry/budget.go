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

// pay charges the budget for a retry, or reports that there is too little left.
// Where the server sets the pace, a retry is free: after a request that it did
// not look at, and after a 429 that names a wait.
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

// refund credits the budget after a final response: a retry that led to one was
// worth its cost.
func (x *call) refund() {
	if x.paid {
		x.budget.refund(retryCost)
	} else {
		x.budget.refund(responseRefund)
	}
}

// budget is a token bucket that all calls of a Client share. It begins full.
type budget struct {
	size int64 // below zero: without bound
	left atomic.Int64
}

func (b *budget) fill(size int) {
	b.size = int64(size)
	b.left.Store(b.size)
}

// take pays for a retry, or reports that there is too little left.
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

// refund gives tokens back, up to the size.
func (b *budget) refund(tokens int64) {
	for {
		left := b.left.Load()
		if left >= b.size {
			return
		}
		if b.left.CompareAndSwap(left, min(left+tokens, b.size)) {
			return
		}
	}
}
