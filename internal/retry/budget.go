package retry

import "sync/atomic"

// The prices of a budget are those of the AWS SDKs' standard mode.
const (
	retryCost    = 5 // of every attempt but the first
	answerRefund = 1 // to a call that is answered at its first attempt
)

// budget is a token bucket that all calls of a Loop share. It begins full.
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
