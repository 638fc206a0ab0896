package retry

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"sync"
	"time"
)

var (
	errTooLarge = errors.New("the response is too large")
	errNoResult = errors.New("the transport returned neither a response nor an error")

	// errRepeated stands for a request that the transport sent again by itself,
	// such as a GET whose kept-alive connection was closed.
	errRepeated         = errors.New("the transport lost the connection and sent the request again")
	errRefused          = errors.New("the server refused to process the request, or reset it (HTTP/2)")
	errRepeatedTooOften = errors.New("the connection was lost too often")
)

// attempt sends the request once and reads the response to its end.
func (x *call) attempt(req *http.Request) {
	started, ctx := time.Now(), req.Context()
	x.response, x.unstarted = response{}, false
	p, req := x.watch(req)
	resp, err := x.req.Transport.RoundTrip(req) //nolint:bodyclose // receive closes it
	if resp == nil && err == nil {
		err = errNoResult
	}
	x.reused = p.reused.Load()
	if err != nil {
		p.settle(req.Context())
		err = p.explain(err)
		x.fail(err, p)
	} else {
		err = x.receive(resp, p)
	}
	if x.Stream == nil {
		p.stop()
	}
	x.timedOut = p.expired.Load()
	x.bodyRead = p.upload && p.body.read.Load()
	if err != nil {
		err = x.reason(ctx, err, p)
	}
	x.record(err, time.Since(started), p)
	x.hooks.Attempted(ctx, x.Attempts, x.last)
	if x.Outcome == Unauthorized {
		x.hooks.Unauthorized()
	}
}

// fail records an attempt without a response.
func (x *call) fail(err error, p *probe) {
	x.Outcome = outcomeOfError(err, p)
	var refusal *ProxyError
	if errors.As(err, &refusal) {
		x.RetryAfter, x.HasRetryAfter = retryAfter(refusal.Header, time.Now())
	}
}

// reason says why an attempt ended with err.
func (x *call) reason(ctx context.Context, err error, p *probe) error {
	switch {
	case ctx.Err() != nil:
		x.Interrupted = true
		return ContextError(ctx)
	case p.exhausted.Load():
		x.exhausted = true
		return errRepeatedTooOften
	case p.refused.Load():
		return errRefused
	case x.timedOut:
		return fmt.Errorf("no complete response within %v (RetryPolicy.AttemptTimeout): %w", p.timeout, context.DeadlineExceeded)
	default:
		return x.hooks.Redact(err)
	}
}

// record records the result of an attempt, and the requests that the transport sent
// again by itself.
func (x *call) record(err error, took time.Duration, p *probe) {
	repeats := max(0, p.requests()-1)
	x.Err = err
	x.last = Attempt{StatusCode: x.StatusCode, Err: err, Duration: took, Wait: x.wait}
	if x.Safety != Safe {
		x.Uncertain = x.Uncertain || rules[x.Outcome].uncertain || repeats > 0
	}
	if x.Outcome == Unprocessed {
		x.refusals++
	} else {
		x.tries++
	}
	x.repeats += repeats
	x.Attempts += 1 + repeats
	if !x.req.Record {
		return
	}
	for range repeats {
		x.Record = append(x.Record, Attempt{Err: errRepeated, Wait: x.last.Wait})
		x.last.Wait = 0
	}
	x.Record = append(x.Record, x.last)
}

// receive reads and classifies a response. Its error is about the body.
func (x *call) receive(resp *http.Response, p *probe) error {
	// A transport that reports no connection may be one that is registered for the scheme.
	if overHTTP1 := resp.ProtoMajor == 1 && p.got.Load() > 0; overHTTP1 != x.overHTTP1.Load() {
		x.overHTTP1.Store(overHTTP1)
	}
	x.StatusCode, x.Header, x.Outcome = resp.StatusCode, resp.Header, outcomeOfStatus(resp.StatusCode, x.req.Statuses)
	if resp.StatusCode == http.StatusRequestTimeout && resp.Close && p.idle.Load() {
		// No complete request was received (RFC 9110, section 15.5.9): the server
		// closed a connection that had been idle while the request was on its way.
		x.Outcome = Deferred
	}
	x.RetryAfter, x.HasRetryAfter = retryAfter(resp.Header, time.Now())
	if resp.Body == nil {
		return nil
	}
	if x.req.Stream && x.Outcome == Succeeded && p.timer.Stop() {
		x.Stream = &stream{resp.Body, p}
		return nil
	}
	defer func() { _ = resp.Body.Close() }()
	switch resp.StatusCode {
	case http.StatusSwitchingProtocols:
		return nil // the body is the connection, which never ends
	case http.StatusMisdirectedRequest:
		return nil // net/http closes a connection whose body was not read, so that the retry takes another one
	}
	err := x.read(resp)
	if err != nil && x.Outcome == Succeeded {
		x.Outcome = Truncated
		if errors.Is(err, errTooLarge) || errors.Is(err, gzip.ErrHeader) {
			x.Outcome = Unreadable
		}
	}
	if x.StatusCode == http.StatusTooManyRequests && !x.HasRetryAfter {
		x.RetryAfter, x.HasRetryAfter = x.hooks.RetryAfter(x.Body)
	}
	return err
}

// stream is the body of a response that is read while it arrives. Only the
// context of the call limits its time.
type stream struct {
	io.ReadCloser
	probe *probe
}

func (s *stream) Close() error {
	defer s.probe.stop()
	return s.ReadCloser.Close()
}

func (x *call) read(resp *http.Response) error {
	maxBytes := min(max(x.maxBytes, x.req.MaxBytes), math.MaxInt64-1)
	if resp.ContentLength > maxBytes {
		return fmt.Errorf("%w: it has %d bytes, and the limit is %d", errTooLarge, resp.ContentLength, maxBytes)
	}
	if x.buffer == nil {
		x.buffer = buffers.Get().(*bytes.Buffer)
	}
	x.buffer.Reset()
	x.limited = io.LimitedReader{R: resp.Body, N: maxBytes + 1}
	_, err := x.buffer.ReadFrom(&x.limited)
	x.Body = x.buffer.Bytes()
	switch {
	case err != nil:
		return err
	case int64(len(x.Body)) > maxBytes:
		x.Body = x.Body[:maxBytes]
		return fmt.Errorf("%w: it has more than %d bytes", errTooLarge, maxBytes)
	case endsWithConnection(resp) && isCutOff(x.Body):
		return io.ErrUnexpectedEOF
	}
	return nil
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Release ends the use of the Body.
func (r *Result) Release() {
	const large = 64 << 10 // not worth keeping
	if r.buffer != nil && r.buffer.Cap() <= large {
		buffers.Put(r.buffer)
	}
	r.buffer, r.Body = nil, nil
}

// isCutOff reports whether body is the beginning of a JSON value.
func isCutOff(body []byte) bool {
	var value json.RawMessage
	return errors.Is(json.NewDecoder(bytes.NewReader(body)).Decode(&value), io.ErrUnexpectedEOF)
}

// endsWithConnection reports whether the end of the connection is all that marks
// the end of the body, so that a broken one looks complete.
func endsWithConnection(resp *http.Response) bool {
	return resp.ContentLength < 0 && resp.Close && len(resp.TransferEncoding) == 0 && !resp.Uncompressed
}

// ContextError says why ctx ended, and matches both its error and its cause.
func ContextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}
