// Package retry sends an HTTP request, and sends it again while a retry cannot
// repeat a side effect.
//
// go-retryablehttp runs the loop: it rewinds the body, counts and sleeps. This
// package makes the decisions: [Client.Do] gives each call a
// retryablehttp.Client of its own, whose functions are methods of that call.
//
// The life of a call, from top to bottom:
//
//	Do            builds the request and starts the loop    client.go
//	RoundTrip     is one turn of the loop                   client.go
//	attempt       sends the request and reads the response  attempt.go
//	watch         observes what the transport does          probe.go
//	outcomeOf…    classifies the result                     outcome.go
//	checkRetry    decides whether a retry follows           client.go
//	wait          says after how long                       wait.go
package retry

import (
	"bytes"
	"context"
	"io"
	"math"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// maxRepeats limits two things for each call: the retries of requests that the server
// did not process, and the requests that the transport sent again by itself. net/http
// needs up to 6 of them with an HTTP/2 server that permits few streams.
const maxRepeats = 8

// Client sends requests according to a [Policy]. It is safe for concurrent use.
type Client struct {
	policy    Policy
	maxBytes  int64
	closeIdle func() // closes idle connections; nil if the transport is not the client's own
	budget    budget
	overHTTP1 atomic.Bool // the last response came over HTTP/1
}

// New returns a Client that reads at most maxBytes of a response. The policy
// must come from [Policy.Complete]. closeIdle closes the idle connections of the
// transport; nil leaves them open.
func New(policy Policy, maxBytes int64, closeIdle func()) *Client {
	c := &Client{policy: policy, maxBytes: maxBytes, closeIdle: closeIdle}
	c.budget.fill(policy.Budget)
	return c
}

// Request is what a call sends.
type Request struct {
	Method      string
	URL         *url.URL
	Header      http.Header // of the first attempt; see [Hooks.Prepare]
	Body        []byte      // nil: none
	Upload      Upload      // a body that is read while it is sent, instead of Body
	Safety      Safety      // of sending the request twice; by default OfMethod
	Statuses    []int       // the 2xx that are successes; any other is Unreadable
	Stream      bool        // return the body of a success without reading it
	MaxAttempts int         // 0: as the policy says
	MaxBytes    int64       // of the response, if more than the Client says
	Record      bool        // keep a record of every attempt
	Transport   http.RoundTripper
}

// Upload is a body that is read while it is sent.
type Upload interface {
	// Open returns the body from its beginning. After a read from an earlier
	// one, it is called only if CanReopen.
	Open() (io.Reader, error)
	CanReopen() bool
	Size() int64 // in bytes; -1: unknown
}

// Hooks lets the owner of a call take part in it. The methods are called on the
// goroutine of [Client.Do], one at a time.
type Hooks interface {
	// Prepare returns the header of the next attempt. It must not change that of
	// the last one, which the transport may still be writing.
	Prepare(last http.Header) (http.Header, error)
	// Unauthorized is called after every 401.
	Unauthorized()
	// Renew reports, after the first 401, whether there are other credentials. With an
	// error it reports false.
	Renew() (bool, error)
	// Redact removes secrets from an error of the transport.
	Redact(err error) error
	// RetryAfter reads the wait that a 429 without a Retry-After field asks for
	// in its body.
	RetryAfter(body []byte) (time.Duration, bool)
	// Attempted is called after every attempt.
	Attempted(ctx context.Context, number int, a Attempt)
	// Retrying is called before the wait for another attempt.
	Retrying(ctx context.Context, number int, last Attempt, wait time.Duration)
}

// Result is how a call ended.
type Result struct {
	response

	Safety    Safety
	Attempts  int           // requests handed to the transport, or sent again by it
	Record    []Attempt     // one per request, if asked for
	Uncertain bool          // the request may have had its effect, in any of its attempts
	Stream    io.ReadCloser // the body of a success, if asked for

	buffer *bytes.Buffer
}

// response is the part of a Result that is about the last attempt.
type response struct {
	Outcome       Outcome // NotSent before the first attempt
	StatusCode    int     // 0: no response
	Header        http.Header
	Body          []byte        // as far as it was read; valid until Release
	RetryAfter    time.Duration // what the server asked for
	HasRetryAfter bool
	Err           error // why there is no complete response, or no further attempt
	Interrupted   bool  // the caller's context ended during the attempt

	reused   bool // the attempt used a connection that had been idle
	timedOut bool // AttemptTimeout ended the attempt
}

// Attempt is the record of one request.
type Attempt struct {
	StatusCode int           // 0: no response
	Err        error         // why there is no complete response
	Duration   time.Duration // until the response was read
	Wait       time.Duration // before it was sent
}

// call is one call in progress.
type call struct {
	*Client
	Result

	req    *Request
	header http.Header // of the next attempt; http.Client would copy it
	hooks  Hooks
	loop   retryablehttp.Client
	http   http.Client   // what the loop sends through: the call itself
	shown  http.Response // what they see of a response

	limited io.LimitedReader // the body of the response

	last      Attempt
	wait      time.Duration // before the next attempt
	tries     int           // attempts that count against MaxAttempts
	refusals  int           // attempts whose request the server did not process
	repeats   int           // requests that the transport sent again by itself
	exhausted bool          // the transport reached the limit of its repetitions
	bodyRead  bool          // the last attempt read a part of the Upload
	renewed   bool          // Renew was called
	paid      bool          // the budget was charged for a retry
	unstarted bool          // that retry has not begun
}

// Do sends req until an attempt is final. It never returns nil, and its Result
// must be released.
func (c *Client) Do(ctx context.Context, req *Request, hooks Hooks) *Result {
	x := &call{Client: c, req: req, header: req.Header, hooks: hooks}
	x.Safety = req.Safety
	if x.Safety == OfMethod {
		x.Safety = safetyOf(req.Method)
	}
	x.http.Transport = x
	x.loop = retryablehttp.Client{
		HTTPClient:   &x.http,
		Logger:       nil,           // its default writes URLs to stderr
		RetryMax:     math.MaxInt32, // checkRetry decides
		CheckRetry:   x.checkRetry,  // it sets Backoff and PrepareRetry when they are needed
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	defer func() { // also when a hook panics
		if x.unstarted {
			x.budget.refund(retryCost)
		}
	}()
	resp, err := x.loop.Do(x.newRequest(ctx))
	if err == nil {
		_ = resp.Body.Close()
	} else if ctx.Err() != nil {
		x.Err = ContextError(ctx)
	}
	return &x.Result
}

func (x *call) newRequest(ctx context.Context) *retryablehttp.Request {
	r := &retryablehttp.Request{Request: (&http.Request{
		Method: x.req.Method, URL: x.req.URL, Host: x.req.URL.Host, Header: noHeader,
	}).WithContext(ctx)}
	switch {
	case x.req.Upload != nil:
		_ = r.SetBody(x.req.Upload.Open) // opens it, and reads nothing
		r.ContentLength = x.req.Upload.Size()
	case x.req.Body != nil:
		_ = r.SetBody(x.req.Body) // never fails for a []byte
	}
	r.GetBody = nil // see probe.go
	return r
}

// RoundTrip makes one attempt. http.Client and go-retryablehttp see only its status,
// so that they have no Location to follow, no body to drain and no connection to
// close.
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
		return false, nil
	}
	if !x.mayRetry() {
		return false, nil
	}
	if ctx.Err() != nil {
		x.Err = ContextError(ctx)
		return false, nil
	}
	x.loop.Backoff = func(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return x.wait }
	x.loop.PrepareRetry = x.prepareRetry
	if x.Outcome == Unauthorized {
		return x.renew(ctx), nil
	}
	wait, ok := x.policy.wait(&x.response, x.tries+x.refusals, untilDeadline(ctx))
	if !ok || !x.pay() {
		return false, nil
	}
	x.wait = wait
	if x.closeIdle != nil && (x.timedOut && x.reused || x.StatusCode == http.StatusMisdirectedRequest) {
		x.closeIdle() // the other idle connections may lead to the same peer
	}
	x.hooks.Retrying(ctx, x.Attempts, x.last, x.wait)
	return true, nil
}

// mayRetry reports whether the rules and the limits permit another attempt.
func (x *call) mayRetry() bool {
	maxAttempts := x.policy.MaxAttempts
	if x.req.MaxAttempts > 0 {
		maxAttempts = x.req.MaxAttempts
	}
	rule := rules[x.Outcome]
	switch {
	case !rule.retry[x.Safety], x.exhausted:
		return false
	case x.bodyRead && (rule.uncertain || !x.req.Upload.CanReopen()):
		return false
	case x.Outcome == Unprocessed:
		return maxAttempts > 1 && x.refusals <= maxRepeats
	default:
		return x.tries < maxAttempts
	}
}

// renew decides whether an attempt follows a 401: at most once in a call.
func (x *call) renew(ctx context.Context) bool {
	if x.renewed {
		x.refund()
		return false
	}
	x.renewed, x.wait = true, 0
	renewed, err := x.hooks.Renew()
	if err != nil {
		x.Err = err
	}
	if !renewed {
		x.refund()
		return false
	}
	x.hooks.Retrying(ctx, x.Attempts, x.last, 0)
	return true
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
