package losant

import (
	"bytes"
	"net/http"
	"time"

	"github.com/losant-community/losant-rest-go/internal/retry"
)

// Response is the last response of a call; see [WithResponse]. Header and Body are
// unchanged: if the server repeats the token in them, it is there.
type Response struct {
	StatusCode int         // of the last attempt; 0: no response
	Header     http.Header // of the last response
	Body       []byte      // of the last response, as far as it was read
	Attempts   []Attempt   // one per request, in order
}

// Attempt is one request of a call.
type Attempt struct {
	StatusCode int           // 0: no response
	Err        error         // why there is no complete response
	Duration   time.Duration // until the response was read
	Wait       time.Duration // before this attempt
}

// fill copies the result of a call, because its body will be reused. The errors of
// the attempts are copied without tokens.
func (x *exchange) fill(c *retry.Result) {
	for _, r := range x.options.responses {
		attempts := make([]Attempt, len(c.Record))
		for n, attempt := range c.Record {
			attempts[n] = Attempt(attempt)
			attempts[n].Err = x.tokens.shield(attempt.Err)
		}
		*r = Response{StatusCode: c.StatusCode, Header: c.Header.Clone(), Body: bytes.Clone(c.Body), Attempts: attempts}
	}
}
