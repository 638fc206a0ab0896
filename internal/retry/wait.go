package retry

import (
	"context"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// retryAfter reads the Retry-After field of a response, in seconds or as any
// HTTP date (RFC 9110, section 10.2.3). A date is read against the Date of the
// response, so that the clocks need not agree. A date that has passed is zero; a
// number too large for a Duration is the longest one.
func retryAfter(h http.Header, now time.Time) (wait time.Duration, ok bool) {
	value := strings.Trim(h.Get("Retry-After"), " \t")
	if value == "" {
		return 0, false
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > math.MaxInt64/int64(time.Second) {
			return math.MaxInt64, true
		}
		return time.Duration(seconds) * time.Second, true
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	if sent, err := http.ParseTime(h.Get("Date")); err == nil {
		now = sent
	}
	return max(0, date.Sub(now)), true
}

// wait returns how long to wait after the given number of attempts, the last of
// which got r. If r asks for a wait, it is that long and some jitter longer, so that
// callers that were told the same do not return together. Otherwise it is a backoff.
// It reports false if r asks for more than MaxWait, or if the deadline is before the
// end of the wait.
func (p Policy) wait(r *response, attempts int, left time.Duration) (time.Duration, bool) {
	if !r.HasRetryAfter {
		wait := p.backoff(attempts)
		return wait, wait < left
	}
	spread := p.bound(attempts) - p.MinWait
	asked := max(r.RetryAfter, p.MinWait)
	if asked > p.MaxWait || asked >= left {
		return asked, false
	}
	return asked + random(min(spread, (left-asked)/2)), true
}

// untilDeadline returns the time until the deadline of ctx.
func untilDeadline(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return math.MaxInt64
	}
	return time.Until(deadline)
}

// backoff returns a random wait after the given number of attempts.
func (p Policy) backoff(attempts int) time.Duration {
	return p.MinWait + random(p.bound(attempts)-p.MinWait)
}

// bound is the longest backoff after the given number of attempts: it begins at
// twice MinWait, and doubles up to MaxWait.
func (p Policy) bound(attempts int) time.Duration {
	bound := p.MinWait
	for range attempts {
		if bound > p.MaxWait/2 {
			return p.MaxWait
		}
		bound *= 2
	}
	return bound
}

// random returns a duration from 0 to bound.
func random(bound time.Duration) time.Duration {
	return rand.N(bound + 1) //nolint:gosec // it spreads load and guards no secret
}
