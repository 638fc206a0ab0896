package retry

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzRetryAfter proves that no wait that begins is shorter than MinWait or than
// Retry-After, or longer than MaxWait or the time to the deadline.
func FuzzRetryAfter(f *testing.F) {
	for _, value := range []string{"", "0", "1", "-1", "3600", "9223372036", "9223372037", "99999999999999999999", "1e9", "Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"} {
		f.Add(value, 429, 1, int64(time.Second), int64(time.Minute))
		f.Add(value, 503, 1000, int64(1), int64(1<<62))
	}
	f.Fuzz(func(t *testing.T, value string, status, attempts int, shortest, longest int64) {
		if shortest <= 0 || longest < shortest || attempts < 1 {
			return // the policy is invalid
		}
		p := Policy{MinWait: time.Duration(shortest), MaxWait: time.Duration(longest)}
		asked, ok := retryAfter(http.Header{"Retry-After": {value}}, time.Now())
		require.GreaterOrEqual(t, asked, time.Duration(0))
		wait, begun := p.wait(&response{StatusCode: status, RetryAfter: asked, HasRetryAfter: ok}, attempts, time.Hour)
		if begun {
			require.GreaterOrEqual(t, wait, p.MinWait)
			require.GreaterOrEqual(t, wait, asked)
			require.LessOrEqual(t, asked, p.MaxWait)
			require.Less(t, wait, time.Hour, "the deadline")
		}
	})
}
