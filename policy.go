package losant

import "time"

// RetryPolicy says how many attempts a call makes, and how long it waits between
// them. A zero field takes its default.
//
// Requests are retried only if a retry cannot repeat a side effect:
//
//   - Every request is retried if it is certain that the API did not act on it: if
//     no connection could be made, if an HTTP/2 server did not process the request
//     (RFC 9113, section 8.7), after the statuses 421, 425 and 429, and after a 408
//     on a connection that had been idle.
//   - A GET is also retried after a lost connection, a timeout, a response that was
//     cut off, and the statuses 408, 460, 499 and 5xx, except those named below.
//   - A DELETE or PUT is retried like a GET, but not after a 2xx response that was
//     cut off.
//   - Every request is retried once after a 401, if the [TokenSource] has another
//     token.
//
// Anything else is final, such as 3xx, any other 4xx, 501, 505 to 508, 510 and
// 511, a certificate that does not verify, and a host that does not exist.
//
// Each wait is random, between MinWait and a bound that begins at twice MinWait and
// doubles up to MaxWait. If the API says how long to wait, in a Retry-After header or
// in the message of a 429, the wait is that long, at least MinWait, and some jitter
// longer. If that exceeds MaxWait or the deadline of the context, the call returns at
// once, with RetryAfter set in its [*Error]. A random wait that would exceed the
// deadline does not begin, either.
//
// All calls of a client share a budget. Every retry takes 5 from it. A retry that
// ends in a success, or in a status after which nothing is retried, returns its 5. A
// call that ends so at its first attempt adds 1. While the API is down, the budget
// runs empty, and each call makes one attempt, so that the client does not multiply
// its traffic. Two kinds of retries are free, because the server sets their pace:
// after a 429 that says how long to wait, and after a request that an HTTP/2 server
// did not process.
//
// Requests that an HTTP/2 server did not process are retried up to 8 times a call, in
// addition to MaxAttempts, unless MaxAttempts is 1. net/http itself sends a request
// again when a kept-alive connection turns out to be closed: a GET, or any request of
// which nothing was written. It does so up to 8 times a call, even if MaxAttempts is
// 1. All of them count in [Error.Attempts].
//
// A negative field, or a MinWait above the MaxWait, is [ErrInvalidArgument]. If
// only one of the two is set, the other's default is adjusted to fit.
type RetryPolicy struct {
	MaxAttempts    int           // attempts per call, at most; default 4; 1 means never retry
	MinWait        time.Duration // shortest wait between two attempts; default 500 ms
	MaxWait        time.Duration // longest backoff, and the longest wait that the API may ask for; default 30 s
	AttemptTimeout time.Duration // limit for obtaining a connection, and again for the complete response; default 30 s; the context limits the call
	Budget         int           // for the retries of all calls, each of which takes 5; default 500; NoBudget: without limit
}

// NoBudget as the Budget of a [RetryPolicy] disables the shared retry budget:
// every call may use all its attempts.
const NoBudget = -1
