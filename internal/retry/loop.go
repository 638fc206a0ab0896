// Package retry sends an HTTP request, and again while that can do no harm.
//
// go-retryablehttp runs the loop; this package decides. Its [Loop] reads and
// classifies every answer itself, below the http.Client, which is shown an empty
// one: so nothing that http.Client or go-retryablehttp does with a redirect, an
// error or a body can lose an answer, repeat a request or close a connection.
package retry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// ErrTooLarge is the [Call.Failure] of an answer with more bytes than allowed.
var ErrTooLarge = errors.New("the answer is larger than allowed")

// errRepeated stands for a request that net/http sent again by itself. It does
// so with a GET whose kept-alive connection was closed, and over HTTP/2 with
// any request without a body, even after some resets by the server; that it
// took another connection is all that shows.
var errRepeated = errors.New("the transport lost the connection and sent the request again")

// Policy bounds the attempts of a call. Every field is positive, but for a
// Budget below zero, which is none; and MinWait is not above MaxWait.
type Policy struct {
	MaxAttempts    int
	MinWait        time.Duration
	MaxWait        time.Duration
	AttemptTimeout time.Duration
	Budget         int
}

// Attempt is the record of one request sent.
type Attempt struct {
	StatusCode int           // 0: no answer
	Err        error         // why there is no answer, or no whole one
	Duration   time.Duration // until the answer was read
	Wait       time.Duration // slept before it
}

// Hooks are what a [Loop] asks of its user. The context is the one given to
// [Loop.Do]. All but Renew and Prepare may be nil.
type Hooks struct {
	// Prepare readies the call for another attempt: it may replace Header, but
	// not change it, since the last attempt may still be writing it.
	Prepare func(context.Context) error
	// Renew reports, after a 401, whether other credentials are at hand.
	Renew func(context.Context) (bool, error)
	// Attempted is told of every attempt once it has ended.
	Attempted func(context.Context, Attempt)
	// Retrying is told of every attempt that another one will follow.
	Retrying func(ctx context.Context, last Attempt, wait time.Duration)
}

// Loop runs the attempts of calls. It is safe for concurrent use.
type Loop struct {
	policy    Policy
	transport http.RoundTripper
	maxBytes  int64
	hooks     Hooks
	budget    budget
	client    *retryablehttp.Client
}

// New returns a Loop that sends each attempt through transport and reads at
// most maxBytes of each answer.
func New(transport http.RoundTripper, policy Policy, maxBytes int64, hooks Hooks) *Loop {
	l := &Loop{policy: policy, transport: transport, maxBytes: min(maxBytes, math.MaxInt64-1), hooks: hooks}
	l.budget.fill(policy.Budget)
	l.client = &retryablehttp.Client{
		HTTPClient:   &http.Client{Transport: attempts{l}},
		Logger:       nil, // the default one writes URLs to stderr
		RetryMax:     policy.MaxAttempts - 1,
		CheckRetry:   l.again,
		Backoff:      wait,
		PrepareRetry: l.prepare,
	}
	return l
}

// Call is the state of one call: what is to be sent, then how the last attempt
// ended. It is a part of the call's context, where the Loop finds it.
type Call struct {
	context.Context // the caller's

	Effect     Effect
	Header     http.Header // of the requests
	KeepRecord bool        // in Record

	Attempts     int           // requests handed to the transport
	Record       []Attempt     // of each of them, if KeepRecord
	Outcome      Outcome       // of the last attempt
	StatusCode   int           // 0: it had no answer
	AnswerHeader http.Header   // of its answer
	Body         []byte        // of its answer; valid until Release
	Failure      error         // why there is no answer or no whole one, or no further attempt
	RetryAfter   time.Duration // what its answer asked to wait
	Unknown      bool          // the effect may have happened, whatever the last attempt says

	buffer      *bytes.Buffer
	limited     io.LimitedReader
	trace       httptrace.ClientTrace
	asked       atomic.Int32 // how often the transport asked for a connection
	connected   atomic.Int32 // how often it got one
	renewed     bool
	last        Attempt
	nextAttempt time.Duration // wait before it
	paid        bool          // for the last attempt, out of the budget
	empty       http.Response
}

type callKey struct{}

// Value makes the call findable in its own context.
func (c *Call) Value(key any) any {
	if key == (callKey{}) {
		return c
	}
	return c.Context.Value(key)
}

func callIn(ctx context.Context) *Call { return ctx.Value(callKey{}).(*Call) }

// Start begins a call on behalf of ctx.
func (c *Call) Start(ctx context.Context, effect Effect) {
	c.trace.GetConn = func(string) { c.asked.Add(1) }
	c.trace.GotConn = func(httptrace.GotConnInfo) { c.connected.Add(1) }
	c.Context = httptrace.WithClientTrace(ctx, &c.trace)
	c.Effect = effect
}

// maybeSent reports whether the attempt may have sent anything. A transport
// that never asked for a connection reports nothing, which proves nothing.
func (c *Call) maybeSent() bool { return c.asked.Load() == 0 || c.connected.Load() > 0 }

// unsent is the header that http.Client sees, which copies it. The attempts have
// the call's own.
var unsent = http.Header{}

// Do runs the attempts of the call in ctx. The result stands in the call.
func (l *Loop) Do(ctx context.Context, method string, target *url.URL, body []byte) {
	req := &http.Request{Method: method, URL: target, Host: target.Host, Header: unsent}
	r := &retryablehttp.Request{Request: req.WithContext(ctx)}
	if body != nil {
		_ = r.SetBody(body) // a []byte is never refused
		r.GetBody = nil     // over HTTP/2 net/http takes it as leave to send a POST again
	}
	resp, err := l.client.Do(r)
	if err == nil {
		_ = resp.Body.Close()
	}
	if err != nil && ctx.Err() != nil {
		callIn(ctx).Failure = contextError(ctx)
	}
}

// Release ends the use of the call's Body.
func (c *Call) Release() {
	const large = 64 << 10 // not worth keeping for the next answer
	if c.buffer != nil && c.buffer.Cap() <= large {
		buffers.Put(c.buffer)
	}
	c.buffer, c.Body = nil, nil
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// attempts is the transport that go-retryablehttp sees. What comes of an
// attempt stands in the call, which is reached through the empty answer.
type attempts struct{ *Loop }

func (l attempts) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	c := callIn(ctx)
	if ctx.Err() == nil {
		l.attempt(ctx, c, req)
	}
	c.empty = http.Response{Request: req, Body: http.NoBody}
	return &c.empty, nil
}

// attempt sends req once and reads the answer to its last byte.
func (l *Loop) attempt(ctx context.Context, c *Call, req *http.Request) {
	c.begin()
	started := time.Now()
	limited := ctx
	if deadline, ok := ctx.Deadline(); !ok || deadline.Sub(started) > l.policy.AttemptTimeout {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, l.policy.AttemptTimeout)
		defer cancel()
	}
	req = req.WithContext(limited)
	req.Header = c.Header
	resp, err := l.transport.RoundTrip(req) //nolint:bodyclose // receive closes it
	switch {
	case err != nil:
		c.Outcome = outcomeOfError(err, c.maybeSent())
	case resp == nil:
		err = errors.New("the transport returned neither an answer nor an error")
		c.Outcome = outcomeOfError(err, c.maybeSent())
	default:
		err = c.receive(resp, l.maxBytes)
	}
	switch {
	case err == nil:
	case ctx.Err() != nil:
		err = contextError(ctx)
	case limited.Err() != nil:
		err = fmt.Errorf("no whole answer within %v: %w", l.policy.AttemptTimeout, context.DeadlineExceeded)
	}
	c.end(err, time.Since(started))
	if l.hooks.Attempted != nil {
		l.hooks.Attempted(ctx, c.last)
	}
}

// begin forgets the attempt before.
func (c *Call) begin() {
	c.Attempts++
	c.StatusCode, c.AnswerHeader, c.Body, c.Failure, c.RetryAfter = 0, nil, nil, nil, 0
	c.asked.Store(0)
	c.connected.Store(0)
}

// end notes how the attempt ended.
func (c *Call) end(err error, took time.Duration) {
	c.Failure = err
	c.Unknown = c.Unknown || c.Effect != Safe && rules[c.Outcome].unknown
	for range c.connected.Load() - 1 {
		c.Attempts++
		c.Unknown = c.Unknown || c.Effect == Idempotent
		c.note(Attempt{Err: errRepeated})
	}
	c.last = Attempt{StatusCode: c.StatusCode, Err: err, Duration: took, Wait: c.nextAttempt}
	c.note(c.last)
}

func (c *Call) note(a Attempt) {
	if c.KeepRecord {
		c.Record = append(c.Record, a)
	}
}

// receive reads and classifies an answer. Its error is about the body.
func (c *Call) receive(resp *http.Response, maxBytes int64) error {
	c.StatusCode, c.AnswerHeader = resp.StatusCode, resp.Header
	c.RetryAfter, _ = After(resp.Header, time.Now())
	c.Outcome = outcomeOfStatus(resp.StatusCode)
	if resp.Body == nil {
		return nil
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return nil // its body is the connection, which never ends
	}
	err := c.read(resp, maxBytes)
	switch {
	case c.Outcome != Succeeded || err == nil:
	case errors.Is(err, ErrTooLarge):
		c.Outcome = Unreadable
	default:
		c.Outcome = Truncated
	}
	return err
}

func (c *Call) read(resp *http.Response, maxBytes int64) error {
	if resp.ContentLength > maxBytes {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, resp.ContentLength, maxBytes)
	}
	if c.buffer == nil {
		c.buffer = buffers.Get().(*bytes.Buffer)
	}
	c.buffer.Reset()
	c.limited = io.LimitedReader{R: resp.Body, N: maxBytes + 1}
	_, err := c.buffer.ReadFrom(&c.limited)
	c.Body = c.buffer.Bytes()
	switch {
	case err != nil:
		return err
	case int64(len(c.Body)) > maxBytes:
		c.Body = c.Body[:maxBytes]
		return fmt.Errorf("%w: more than %d bytes", ErrTooLarge, maxBytes)
	case endsWithConnection(resp) && bytes.HasPrefix(bytes.TrimSpace(c.Body), []byte("{")) && !json.Valid(c.Body):
		return io.ErrUnexpectedEOF
	}
	return nil
}

// endsWithConnection reports whether only the end of the connection marks the
// end of the answer, so that a broken one looks whole.
func endsWithConnection(resp *http.Response) bool {
	return resp.ContentLength < 0 && resp.Close && len(resp.TransferEncoding) == 0 && !resp.Uncompressed
}

// again is the CheckRetry of go-retryablehttp.
func (l *Loop) again(ctx context.Context, _ *http.Response, _ error) (bool, error) {
	c := callIn(ctx)
	if c.Outcome == Succeeded {
		l.refund(c)
	}
	if c.Attempts >= l.policy.MaxAttempts || !rules[c.Outcome].again[c.Effect] {
		return false, nil
	}
	if ctx.Err() != nil {
		c.Failure = contextError(ctx)
		return false, nil
	}
	if c.Outcome == Unauthorized {
		return l.renew(ctx, c), nil
	}
	c.nextAttempt = l.policy.wait(c.Attempts, c.StatusCode, c.AnswerHeader)
	if deadline, ok := ctx.Deadline(); c.nextAttempt > l.policy.MaxWait || ok && c.nextAttempt >= time.Until(deadline) {
		return false, nil
	}
	c.paid = l.budget.take()
	if !c.paid {
		return false, nil
	}
	if l.hooks.Retrying != nil {
		l.hooks.Retrying(ctx, c.last, c.nextAttempt)
	}
	return true, nil
}

// refund pays a retry back that succeeded: it was worth its cost.
func (l *Loop) refund(c *Call) {
	if c.paid {
		l.budget.refund(retryCost)
	} else {
		l.budget.refund(successRefund)
	}
}

// renew decides about the one attempt that may follow a 401.
func (l *Loop) renew(ctx context.Context, c *Call) bool {
	if c.renewed {
		return false
	}
	c.renewed = true
	renewed, err := l.hooks.Renew(ctx)
	if err != nil {
		c.Failure = err
		return false
	}
	c.nextAttempt, c.paid = 0, false
	if renewed && l.hooks.Retrying != nil {
		l.hooks.Retrying(ctx, c.last, 0)
	}
	return renewed
}

// wait is the Backoff of go-retryablehttp.
func wait(_, _ time.Duration, _ int, empty *http.Response) time.Duration {
	return callIn(empty.Request.Context()).nextAttempt
}

func (l *Loop) prepare(req *http.Request) error {
	err := l.hooks.Prepare(req.Context())
	if err != nil {
		callIn(req.Context()).Failure = err
	}
	return err
}

// contextError says why ctx ended, matching both its error and its cause.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}
