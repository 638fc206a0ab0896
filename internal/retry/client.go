// Package retry sends an HTTP request, and sends it again while that can do no
// harm.
//
// go-retryablehttp runs the loop: it rewinds the body, counts, and sleeps. This
// package makes its decisions: [Client.Do] gives each call a retryablehttp.Client
// of its own, whose functions are methods of that call.
package retry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// Client sends requests according to a [Policy]. It is safe for concurrent use.
type Client struct {
	policy   Policy
	maxBytes int64
	budget   budget
}

// New returns a Client that reads at most maxBytes of each answer. The policy
// must come from [Policy.Complete].
func New(policy Policy, maxBytes int64) *Client {
	c := &Client{policy: policy, maxBytes: min(maxBytes, math.MaxInt64-1)}
	c.budget.fill(policy.Budget)
	return c
}

// Request is what a call sends.
type Request struct {
	Method    string
	URL       *url.URL
	Header    http.Header // of the first attempt; see [Hooks.Prepare]
	Body      []byte      // nil: none
	Transport http.RoundTripper
}

// Hooks lets the owner of a call take part in it. The methods are called on the
// goroutine of [Client.Do], one at a time.
type Hooks interface {
	// Prepare returns the header of the next attempt. It must not change that of
	// the last one, which the transport may still be writing.
	Prepare(last http.Header) (http.Header, error)
	// Unauthorized is called after every 401.
	Unauthorized()
	// Renew reports, after the first 401, whether there are other credentials.
	Renew() (bool, error)
	// Redact removes secrets from an error of the transport.
	Redact(err error) error
	// Attempted is called after every attempt.
	Attempted(ctx context.Context, number int, a Attempt)
	// Retrying is called before the wait for another attempt.
	Retrying(ctx context.Context, number int, last Attempt, wait time.Duration)
}

// Result is how a call ended.
type Result struct {
	answer

	Safety    Safety    // of the method
	Attempts  int       // requests handed to the transport, or sent again by it
	Record    []Attempt // one per attempt
	Uncertain bool      // an attempt may have had its effect, whatever the last one says

	buffer *bytes.Buffer
}

// answer is the part of a Result that is about the last attempt.
type answer struct {
	Outcome       Outcome // NotSent before the first attempt
	StatusCode    int     // 0: no answer
	Header        http.Header
	Body          []byte        // as far as it was read; valid until Release
	RetryAfter    time.Duration // what the server asked for
	HasRetryAfter bool
	Err           error // why there is no complete answer, or no further attempt
	Interrupted   bool  // the caller's context ended during the attempt
}

// Attempt is the record of one request.
type Attempt struct {
	StatusCode int           // 0: no answer
	Err        error         // why there is no complete answer
	Duration   time.Duration // until the answer was read
	Wait       time.Duration // before it was sent
}

// call is one call in progress.
type call struct {
	*Client
	Result

	transport http.RoundTripper
	header    http.Header // of the next attempt; http.Client would copy it
	hooks     Hooks
	loop      retryablehttp.Client
	http      http.Client   // what the loop sends through: the call itself
	shown     http.Response // what they see of an answer

	last      Attempt
	wait      time.Duration // before the next attempt
	renewed   bool          // Renew was called
	paid      bool          // the budget was charged for a retry
	unstarted bool          // that retry has not begun
}

// Do sends req until an attempt is final. It never returns nil, and its Result
// must be released.
func (c *Client) Do(ctx context.Context, req *Request, hooks Hooks) *Result {
	x := &call{Client: c, transport: req.Transport, header: req.Header, hooks: hooks}
	x.Safety = SafetyOf(req.Method)
	x.http.Transport = x
	x.loop = retryablehttp.Client{
		HTTPClient:   &x.http,
		Logger:       nil, // its default writes URLs to stderr
		RetryMax:     c.policy.MaxAttempts - 1,
		CheckRetry:   x.checkRetry,
		Backoff:      func(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return x.wait },
		PrepareRetry: x.prepareRetry,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	r := &retryablehttp.Request{Request: (&http.Request{
		Method: req.Method, URL: req.URL, Host: req.URL.Host, Header: noHeader,
	}).WithContext(ctx)}
	if req.Body != nil {
		_ = r.SetBody(req.Body) // never fails for a []byte
		r.GetBody = nil         // or net/http would send a POST again over HTTP/2
	}
	resp, err := x.loop.Do(r)
	if err == nil {
		_ = resp.Body.Close()
	} else if ctx.Err() != nil {
		x.Err = contextError(ctx)
	}
	if x.unstarted {
		c.budget.refund(retryCost)
	}
	return &x.Result
}

// RoundTrip makes one attempt. http.Client and go-retryablehttp see its status
// alone: they have no Location to follow, no body to drain, and no connections
// to close.
func (x *call) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	x.attempt(req)
	x.shown = http.Response{StatusCode: x.StatusCode, Body: http.NoBody, Request: req}
	return &x.shown, nil
}

// checkRetry decides whether another attempt follows, and after which wait.
func (x *call) checkRetry(ctx context.Context, _ *http.Response, _ error) (bool, error) {
	if x.Outcome == Succeeded || x.Outcome == Refused {
		x.refund()
	}
	if x.Attempts >= x.policy.MaxAttempts || !rules[x.Outcome].retry[x.Safety] {
		return false, nil
	}
	if ctx.Err() != nil {
		x.Err = contextError(ctx)
		return false, nil
	}
	if x.Outcome == Unauthorized {
		return x.renew(ctx), nil
	}
	x.wait = x.policy.wait(&x.answer, x.Attempts)
	if deadline, ok := ctx.Deadline(); x.wait > x.policy.MaxWait || ok && x.wait >= time.Until(deadline) {
		return false, nil
	}
	if !x.budget.take() {
		return false, nil
	}
	x.paid, x.unstarted = true, true
	x.hooks.Retrying(ctx, x.Attempts, x.last, x.wait)
	return true, nil
}

// renew decides whether an attempt follows a 401: at most once in a call.
func (x *call) renew(ctx context.Context) bool {
	if x.renewed {
		x.refund()
		return false
	}
	x.renewed, x.wait = true, 0
	again, err := x.hooks.Renew()
	if err != nil {
		x.Err = err
	}
	if err != nil || !again {
		x.refund()
		return false
	}
	x.hooks.Retrying(ctx, x.Attempts, x.last, 0)
	return true
}

// refund credits the budget after an answer: a retry that led to one was worth
// its cost.
func (x *call) refund() {
	if x.paid {
		x.budget.refund(retryCost)
	} else {
		x.budget.refund(answerRefund)
	}
}

func (x *call) prepareRetry(*http.Request) error {
	header, err := x.hooks.Prepare(x.header)
	if err != nil {
		x.Err = err
		return err
	}
	x.header = header
	return nil
}

var noHeader = http.Header{}

// contextError says why ctx ended, and matches both its error and its cause.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}
