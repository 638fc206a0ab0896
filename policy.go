package losant

import "time"

// RetryPolicy says how often and how patiently a call is attempted. A zero field
// takes its default.
//
// Requests are retried only if a retry cannot repeat a side effect:
//
//   - every request, if it is certain that the API did not act on it: no
//     connection could be made, the server did not look at the request (RFC 9113,
//     section 8.7), or its status is 429, 425 or 421, or a 408 on a connection that
//     had been idle
//   - a Get also after a lost connection, a time-out, a response that was cut off,
//     and the statuses 408, 460, 499 and 5xx
//   - a Delete likewise, but not after a 2xx response that was cut off
//   - every request once after a 401, if the [TokenSource] has another token
//
// Anything else is final, such as 3xx, any other 4xx, 501, 505 to 508, 510 and
// 511, a certificate that does not verify, and a host that does not exist.
//
// The waits between attempts grow exponentially, with full jitter. If the API
// says how long to wait, in a Retry-After header or in the message of a 429, the
// wait is that long, at least MinWait, and some jitter longer. A wait that would
// exceed MaxWait or the deadline of the context is not begun: the call returns an
// [*Error] with RetryAfter set.
//
// All calls of a client share a budget of tokens for retries: each costs 5, a call
// that succeeds or is refused at its first attempt refunds 1, and a retry that
// leads to a response refunds its 5. In a lasting outage the budget is soon empty,
// calls fail at their first attempt, and the client does not multiply its traffic.
// A retry after a 429 that says how long to wait is free, because the API sets the
// pace, and so is one of a request that the server did not look at.
//
// Requests that an HTTP/2 server did not look at are retried up to 8 times a call,
// besides MaxAttempts, unless that is 1. net/http itself sends a Get again when a
// kept-alive connection turns out to be closed: up to 8 times a call, even if
// MaxAttempts is 1. All of them count in [Error.Attempts].
//
// A negative field, or a MinWait above the MaxWait, is [ErrInvalidArgument]. If
// only one of the two is set, the other's default is adjusted to fit.
type RetryPolicy struct {
	MaxAttempts    int           // attempts per call, at most; default 4; 1 means never retry
	MinWait        time.Duration // shortest wait between two attempts; default 500 ms
	MaxWait        time.Duration // longest backoff, and the longest wait that the API may ask for; default 30 s
	AttemptTimeout time.Duration // limit for obtaining a connection, and again for the complete response; default 30 s; the context limits the call
	Budget         int           // tokens for retries, shared by all calls; default 500; NoBudget: without limit
}

// NoBudget as the Budget of a [RetryPolicy] disables the shared retry budget:
// every call may use all its attempts.
const NoBudget = -1
