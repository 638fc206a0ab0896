package retry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

var (
	errTooLarge = errors.New("the answer is larger than allowed")
	errNoResult = errors.New("the transport returned neither an answer nor an error")

	// errResent stands for a request that net/http sent again by itself: a GET
	// whose kept-alive connection was closed and, over HTTP/2, any request without
	// a body, without limit.
	errResent         = errors.New("the transport lost the connection and sent the request again")
	errResentTooOften = errors.New("the connection was lost again and again")
)

// attempt sends the request once and reads the answer to its end.
func (x *call) attempt(req *http.Request) {
	started, ctx := time.Now(), req.Context()
	x.answer, x.unstarted = answer{}, false
	p, req := watch(req, x.transport, x.Safety, x.policy.AttemptTimeout, x.policy.MaxAttempts-x.Attempts)
	defer p.stop()
	req.Header = x.header
	resp, err := x.transport.RoundTrip(req) //nolint:bodyclose // receive closes it
	if resp == nil && err == nil {
		err = errNoResult
	}
	if err != nil {
		x.Outcome = outcomeOfError(err, p.maybeSent())
	} else {
		err = x.receive(resp)
	}
	switch {
	case err == nil:
	case ctx.Err() != nil:
		err, x.Interrupted = contextError(ctx), true
	case p.exhausted.Load():
		err = errResentTooOften
	case p.expired.Load():
		err = fmt.Errorf("no whole answer within %v: %w", x.policy.AttemptTimeout, context.DeadlineExceeded)
	default:
		err = x.hooks.Redact(err)
	}
	x.record(err, time.Since(started), int(p.resent.Load()))
	x.hooks.Attempted(ctx, x.Attempts, x.last)
	if x.Outcome == Unauthorized {
		x.hooks.Unauthorized()
	}
}

// record notes how an attempt ended, and the times that net/http sent it again.
func (x *call) record(err error, took time.Duration, resent int) {
	x.Err = err
	x.Uncertain = x.Uncertain || x.Safety != Safe && rules[x.Outcome].uncertain || x.Safety == Idempotent && resent > 0
	wait := x.wait
	for range resent {
		x.Record = append(x.Record, Attempt{Err: errResent, Wait: wait})
		wait = 0
	}
	x.last = Attempt{StatusCode: x.StatusCode, Err: err, Duration: took, Wait: wait}
	x.Record = append(x.Record, x.last)
	x.Attempts = len(x.Record)
}

// receive reads and classifies an answer. Its error is about the body.
func (x *call) receive(resp *http.Response) error {
	x.StatusCode, x.Header, x.Outcome = resp.StatusCode, resp.Header, outcomeOfStatus(resp.StatusCode)
	x.RetryAfter, x.HasRetryAfter = retryAfter(resp.Header, time.Now())
	if resp.Body == nil {
		return nil
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return nil // the body is the connection, which never ends
	}
	err := x.read(resp)
	if err != nil && x.Outcome == Succeeded {
		x.Outcome = Truncated
		if errors.Is(err, errTooLarge) {
			x.Outcome = Unreadable
		}
	}
	return err
}

func (x *call) read(resp *http.Response) error {
	if resp.ContentLength > x.maxBytes {
		return fmt.Errorf("%w: %d bytes, at most %d", errTooLarge, resp.ContentLength, x.maxBytes)
	}
	if x.buffer == nil {
		x.buffer = buffers.Get().(*bytes.Buffer)
	}
	x.buffer.Reset()
	_, err := x.buffer.ReadFrom(io.LimitReader(resp.Body, x.maxBytes+1))
	x.Body = x.buffer.Bytes()
	switch {
	case err != nil:
		return err
	case int64(len(x.Body)) > x.maxBytes:
		x.Body = x.Body[:x.maxBytes]
		return fmt.Errorf("%w: more than %d bytes", errTooLarge, x.maxBytes)
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
