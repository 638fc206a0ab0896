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
	"crypto/tls"
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

var (
	errTooLarge = errors.New("the answer is larger than allowed")
	errNeither  = errors.New("the transport returned neither an answer nor an error")

	// errRepeated stands for a request that net/http sent again by itself: a GET
	// whose kept-alive connection was closed, and over HTTP/2 any request without
	// a body, even after some resets by the server, and without end.
	errRepeated         = errors.New("the transport lost the connection and sent the request again")
	errRepeatedTooOften = errors.New("the connection was lost again and again")
)

// Attempt is the record of one request sent.
type Attempt struct {
	StatusCode int           // 0: no answer
	Err        error         // why there is no answer, or no whole one
	Duration   time.Duration // until the answer was read
	Wait       time.Duration // slept before it
}

// Hooks are what a [Loop] asks of its user. The context is the one given to
// [Loop.Do]. Attempted and Retrying may be nil.
type Hooks struct {
	// Transport supplies the transport of an attempt.
	Transport func() http.RoundTripper
	// Prepare readies the call for another attempt: it may replace Header, but
	// not change it, since the last attempt may still be writing it.
	Prepare func(context.Context) error
	// Rejected is told of every 401.
	Rejected func(context.Context)
	// Renew reports, after a 401, whether other credentials are at hand.
	Renew func(context.Context) (bool, error)
	// Redact returns an error of a transport without its secrets.
	Redact func(context.Context, error) error
	// Attempted is told of every attempt once it has ended.
	Attempted func(context.Context, Attempt)
	// Retrying is told of every attempt that another one will follow.
	Retrying func(ctx context.Context, last Attempt, wait time.Duration)
}

// Loop runs the attempts of calls. It is safe for concurrent use.
type Loop struct {
	policy   Policy
	maxBytes int64
	hooks    Hooks
	budget   budget
	client   *retryablehttp.Client
}

// New returns a Loop that reads at most maxBytes of each answer. The policy is
// a complete one.
func New(policy Policy, maxBytes int64, hooks Hooks) *Loop {
	l := &Loop{policy: policy, maxBytes: min(maxBytes, math.MaxInt64-1), hooks: hooks}
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
	context.Context // the caller's, with the trace

	Method     string
	URL        *url.URL
	Header     http.Header
	Content    []byte // the body of the requests; nil: none
	Effect     Effect
	KeepRecord bool // in Record

	Attempts     int           // requests handed to the transport, or repeated by it
	Record       []Attempt     // of each of them, if KeepRecord
	Outcome      Outcome       // of the last attempt; NotSent before the first
	StatusCode   int           // 0: it had no answer
	AnswerHeader http.Header   // of its answer
	Body         []byte        // of its answer; valid until Release
	Failure      error         // why there is no answer or no whole one, or no further attempt
	RetryAfter   time.Duration // what its answer asked to wait
	Asked        bool          // whether it asked at all
	Ended        bool          // the caller's context cut the attempt short
	Unknown      bool          // the effect may have happened, whatever the last attempt says

	buffer      *bytes.Buffer
	limited     io.LimitedReader
	renewed     bool
	paid        bool // for an attempt, out of the budget
	owed        bool // the attempt that was paid for
	last        Attempt
	nextAttempt time.Duration // wait before it
	empty       http.Response
	transport
}

// transport is what an attempt learns of what the transport does. Its hooks may
// be called by other goroutines, and late.
type transport struct {
	bare      bool // a *http.Transport itself, which hides nothing
	trace     httptrace.ClientTrace
	asked     atomic.Int32 // how often it asked for a connection
	connected atomic.Int32 // how often it got one
	repeated  atomic.Int32 // how often it sent the request again
	bodyRead  atomic.Bool  // whether it read the body of the request
	most      atomic.Int32 // how many connections it may use
	limit     atomic.Pointer[attemptLimit]
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
func (c *Call) Start(ctx context.Context) {
	c.trace.GetConn = func(string) { c.asked.Add(1) }
	c.trace.GotConn = c.gotConn
	c.Context = httptrace.WithClientTrace(ctx, &c.trace)
	c.Effect = EffectOf(c.Method)
}

// maybeSent reports whether the attempt may have sent anything. A transport
// that never asked for a connection reports nothing, which proves nothing; and
// one that is not net/http's own may have sent the body it read elsewhere.
func (c *Call) maybeSent() bool {
	return c.asked.Load() == 0 || c.connected.Load() > 0 || !c.bare && c.bodyRead.Load()
}

// unsent is the header that http.Client sees, which copies it. The attempts have
// the call's own.
var unsent = http.Header{}

// Do runs the attempts of the call in ctx. The result stands in the call.
func (l *Loop) Do(ctx context.Context) {
	c := callIn(ctx)
	req := &http.Request{Method: c.Method, URL: c.URL, Host: c.URL.Host, Header: unsent}
	r := &retryablehttp.Request{Request: req.WithContext(ctx)}
	if c.Content != nil {
		_ = r.SetBody(c.Content) // a []byte is never refused
		r.GetBody = nil          // over HTTP/2 net/http takes it as leave to send a POST again
	}
	resp, err := l.client.Do(r)
	if err == nil {
		_ = resp.Body.Close()
	}
	if err != nil && ctx.Err() != nil {
		c.Failure = contextError(ctx)
	}
	if c.owed {
		l.budget.refund(retryCost)
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
	started := time.Now()
	limited, cancel := context.WithCancel(ctx)
	defer cancel()
	t := &attemptLimit{cancel: cancel, timeout: l.policy.AttemptTimeout}
	t.timer = time.AfterFunc(t.timeout, t.expire)
	defer t.timer.Stop()
	rt := l.hooks.Transport()
	c.begin(rt, t, l.policy.MaxAttempts)
	req = req.WithContext(limited)
	req.Header = c.Header
	if req.Body != nil && !c.bare {
		req.Body = &noticed{req.Body, &c.bodyRead}
	}
	resp, err := rt.RoundTrip(req) //nolint:bodyclose // receive closes it
	switch {
	case err == nil && resp == nil:
		err = errNeither
		fallthrough
	case err != nil:
		c.Outcome = outcomeOfError(err, c.maybeSent())
	default:
		err = c.receive(resp, l.maxBytes)
	}
	switch {
	case err == nil:
	case ctx.Err() != nil:
		err, c.Ended = contextError(ctx), true
	case t.repeated.Load():
		err = errRepeatedTooOften
	case t.expired.Load():
		err = fmt.Errorf("no whole answer within %v: %w", l.policy.AttemptTimeout, context.DeadlineExceeded)
	default:
		err = l.hooks.Redact(ctx, err)
	}
	c.end(err, time.Since(started))
	if l.hooks.Attempted != nil {
		l.hooks.Attempted(ctx, c.last)
	}
	if c.Outcome == Unauthorized {
		l.hooks.Rejected(ctx)
	}
}

// noticed is a body that tells whether it was read.
type noticed struct {
	io.ReadCloser
	read *atomic.Bool
}

func (n *noticed) Read(p []byte) (int, error) {
	n.read.Store(true)
	return n.ReadCloser.Read(p)
}

// begin forgets the attempt before.
func (c *Call) begin(rt http.RoundTripper, limit *attemptLimit, maxAttempts int) {
	c.most.Store(int32(min(maxAttempts-c.Attempts, math.MaxInt16))) //nolint:gosec // it fits
	c.Attempts++
	c.StatusCode, c.AnswerHeader, c.Body, c.Failure, c.RetryAfter, c.Asked = 0, nil, nil, nil, 0, false
	_, c.bare = rt.(*http.Transport)
	c.asked.Store(0)
	c.connected.Store(0)
	c.repeated.Store(0)
	c.bodyRead.Store(false)
	c.owed = false
	c.limit.Store(limit)
}

// attemptLimit bounds an attempt, in time and in requests.
type attemptLimit struct {
	cancel   context.CancelFunc
	timeout  time.Duration
	timer    *time.Timer
	expired  atomic.Bool
	repeated atomic.Bool // too often
}

func (t *attemptLimit) expire() {
	t.expired.Store(true)
	t.cancel()
}

// gotConn counts the requests that net/http sends again by itself: it takes
// another connection for each. Over HTTP/1 those that are not safe were not
// written at all. Over HTTP/2 it goes on without end, so it is stopped.
func (c *Call) gotConn(info httptrace.GotConnInfo) {
	n := c.connected.Add(1)
	limit := c.limit.Load()
	if n == 1 {
		// The wait for a free connection must not leave the request too little.
		limit.timer.Reset(limit.timeout)
		return
	}
	secure, ok := info.Conn.(*tls.Conn)
	if !ok || secure.ConnectionState().NegotiatedProtocol != "h2" {
		if c.bare && c.Effect == Safe {
			c.repeated.Add(1)
		}
		return
	}
	most := c.most.Load()
	if !c.bare {
		const auxiliary = 2 // for what a transport needs itself, such as a token
		most = max(most, 1+auxiliary)
	}
	if n > most {
		limit.repeated.Store(true)
		limit.cancel()
		return
	}
	c.repeated.Add(1)
}

// end notes how the attempt ended.
func (c *Call) end(err error, took time.Duration) {
	c.Failure = err
	c.Unknown = c.Unknown || c.Effect != Safe && rules[c.Outcome].unknown
	for range c.repeated.Load() {
		c.Attempts++
		c.Unknown = c.Unknown || c.Effect == Idempotent
		c.note(Attempt{Err: errRepeated, Wait: c.nextAttempt})
		c.nextAttempt = 0
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
	c.RetryAfter, c.Asked = retryAfter(resp.Header, time.Now())
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
	case errors.Is(err, errTooLarge):
		c.Outcome = Unreadable
	default:
		c.Outcome = Truncated
	}
	return err
}

func (c *Call) read(resp *http.Response, maxBytes int64) error {
	if resp.ContentLength > maxBytes {
		return fmt.Errorf("%w: %d bytes, at most %d", errTooLarge, resp.ContentLength, maxBytes)
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
		return fmt.Errorf("%w: more than %d bytes", errTooLarge, maxBytes)
	case endsWithConnection(resp) && isCutOff(c.Body):
		return io.ErrUnexpectedEOF
	}
	return nil
}

// isCutOff reports whether body is the beginning of a JSON value.
func isCutOff(body []byte) bool {
	var value json.RawMessage
	return errors.Is(json.NewDecoder(bytes.NewReader(body)).Decode(&value), io.ErrUnexpectedEOF)
}

// endsWithConnection reports whether only the end of the connection marks the
// end of the answer, so that a broken one looks whole.
func endsWithConnection(resp *http.Response) bool {
	return resp.ContentLength < 0 && resp.Close && len(resp.TransferEncoding) == 0 && !resp.Uncompressed
}

// again is the CheckRetry of go-retryablehttp.
func (l *Loop) again(ctx context.Context, _ *http.Response, _ error) (bool, error) {
	c := callIn(ctx)
	if c.Outcome == Succeeded || c.Outcome == Refused {
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
		again := l.renew(ctx, c)
		if !again {
			l.refund(c)
		}
		return again, nil
	}
	c.nextAttempt = l.policy.wait(c)
	if deadline, ok := ctx.Deadline(); c.nextAttempt > l.policy.MaxWait || ok && c.nextAttempt >= time.Until(deadline) {
		return false, nil
	}
	if !l.budget.take() {
		return false, nil
	}
	c.paid, c.owed = true, true
	if l.hooks.Retrying != nil {
		l.hooks.Retrying(ctx, c.last, c.nextAttempt)
	}
	return true, nil
}

// refund pays a retry back that got an answer: it was worth its cost.
func (l *Loop) refund(c *Call) {
	if c.paid {
		l.budget.refund(retryCost)
	} else {
		l.budget.refund(answerRefund)
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
	c.nextAttempt = 0
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
