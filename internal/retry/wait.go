package retry

import (
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// retryAfter reads the Retry-After field of an answer, in seconds or as any
// HTTP date (RFC 9110, section 10.2.3). A date that has passed is zero; a
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
	return max(0, date.Sub(now)), true
}

// wait returns how long to wait after the last attempt of a call, which may be
// too long: as the answer asks where it can be heeded, and otherwise a backoff.
func (p Policy) wait(a *answer, attempts int) time.Duration {
	if a.HasRetryAfter && (a.StatusCode == http.StatusTooManyRequests || a.StatusCode == http.StatusServiceUnavailable) {
		return max(a.RetryAfter, p.MinWait)
	}
	return p.backoff(attempts)
}

// backoff returns a random wait before the attempt that follows the given
// number of attempts: at least MinWait, at most MaxWait, and below a bound
// that starts at twice MinWait and doubles with each attempt.
func (p Policy) backoff(attempts int) time.Duration {
	bound := p.MinWait
	for range attempts {
		if bound > p.MaxWait/2 {
			bound = p.MaxWait
			break
		}
		bound *= 2
	}
	//nolint:gosec // it spreads load and guards no secret
	return p.MinWait + rand.N(bound-p.MinWait+1)
}
