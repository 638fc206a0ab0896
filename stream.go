package losant

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/losant-community/losant-rest-go/internal/retry"
)

// Event is one event of an [EventStream].
type Event struct {
	Type  string        // "message" if the server names none
	Data  []byte        // its lines are joined with "\n"
	ID    string        // the last one that the stream sent, in this event or before
	Retry time.Duration // how long to wait before a reconnect; 0 if the server has not said it yet
}

// EventStream is a stream of server-sent events, as the HTML standard defines
// them. It must be closed.
type EventStream struct {
	x        *exchange
	result   *retry.Result
	maxBytes int64
	closed   atomic.Bool
}

// Stream opens an event stream, with the same checks, token, retries, errors and
// options as [Call]. If the Content-Type of the response is not text/event-stream,
// the error matches [ErrInvalidResponse].
//
// RetryPolicy.AttemptTimeout limits only the opening. An open stream lasts until the
// server or the caller ends it, or until ctx ends. It has no limit in bytes, but each
// event has that of [WithMaxResponseBytes]. A stream is not reopened when it ends.
//
// The parameters _actions, _links and _embedded are not sent.
func Stream(ctx context.Context, client *Client, r Request, opts ...RequestOption) (*EventStream, error) {
	described := r.request()
	if client == nil || client.retry == nil {
		return nil, invalid(described.operation, errNotMade)
	}
	described.stream, described.statuses = true, []int{http.StatusOK}
	x, err := client.newExchange(ctx, described, opts)
	if err != nil {
		return nil, err
	}
	result := client.retry.Do(context.WithValue(ctx, operationKey{}, &x.operation), &x.request, x)
	x.fill(result)
	if result.Outcome != retry.Succeeded {
		defer result.Release()
		return nil, newError(x, result, nil)
	}
	if result.Stream == nil { // the transport returned no body, or the time ended at this moment
		return nil, newError(x, result, errors.New("the response has no body"))
	}
	s := &EventStream{x: x, result: result, maxBytes: max(x.request.MaxBytes, client.maxResponseBytes)}
	if mediaType, _, _ := mime.ParseMediaType(result.Header.Get("Content-Type")); mediaType != "text/event-stream" {
		_ = s.Close()
		return nil, newError(x, result, fmt.Errorf("the response is not an event stream, but %q", mediaType))
	}
	return s, nil
}

// Close ends the stream. It may be called at any time, from any goroutine.
func (s *EventStream) Close() error {
	s.closed.Store(true)
	return s.result.Stream.Close()
}

// Events returns the events as they arrive. The iteration ends without an error
// when the server ends the stream, when the context of the stream ends, and after
// Close. If the connection breaks, or if an event exceeds the limit of
// [WithMaxResponseBytes], the last element has an error that matches
// [ErrInvalidResponse]. The events can be ranged over only once.
func (s *EventStream) Events() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		reader := &eventReader{lines: bufio.NewReader(s.result.Stream), maxBytes: s.maxBytes}
		for {
			event, err := reader.next()
			switch {
			case err == nil:
				if !yield(event, nil) {
					return
				}
			case errors.Is(err, io.EOF), s.x.tokens.ctx.Err() != nil, s.closed.Load():
				return
			default:
				yield(Event{}, newError(s.x, s.result, s.x.Redact(err)))
				return
			}
		}
	}
}

// eventReader parses a stream as section 9.2 of the HTML standard says.
type eventReader struct {
	lines    *bufio.Reader
	begun    bool // the byte order mark was passed
	afterCR  bool // a "\n" that follows belongs to the last line
	left     int64
	maxBytes int64
	id       string
	retry    time.Duration
}

// next returns the next event that has data.
func (r *eventReader) next() (Event, error) {
	var event Event
	var data bytes.Buffer
	hasData := false
	r.left = r.maxBytes
	for {
		line, err := r.line()
		if err != nil {
			return Event{}, err
		}
		if len(line) == 0 {
			if hasData {
				event.Type, event.ID, event.Retry = cmp.Or(event.Type, "message"), r.id, r.retry
				event.Data = bytes.TrimSuffix(data.Bytes(), []byte("\n"))
				return event, nil
			}
			event, r.left = Event{}, r.maxBytes
			continue
		}
		field, value, _ := strings.Cut(string(line), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "":
			r.left = max(r.left, r.maxBytes-int64(data.Len())) // a comment, which keeps the connection alive
		case "event":
			event.Type = value
		case "data":
			hasData = true
			data.WriteString(value + "\n")
		case "id":
			if !strings.Contains(value, "\x00") {
				r.id = value
			}
		case "retry":
			if milliseconds, err := strconv.ParseUint(value, 10, 32); err == nil {
				r.retry = time.Duration(milliseconds) * time.Millisecond
			}
		}
	}
}

// line returns the next line, which ends with "\r\n", "\n" or "\r".
func (r *eventReader) line() ([]byte, error) {
	if !r.begun {
		r.begun = true
		if mark, err := r.lines.Peek(3); err == nil && string(mark) == "\ufeff" {
			_, _ = r.lines.Discard(3)
		}
	}
	var line []byte
	for {
		b, err := r.lines.ReadByte()
		if err != nil {
			return nil, err // what is left without an end of line is no line
		}
		afterCR := r.afterCR
		r.afterCR = b == '\r'
		if b == '\n' && afterCR {
			continue
		}
		if b == '\n' || b == '\r' {
			return line, nil
		}
		if r.left--; r.left < 0 {
			return nil, fmt.Errorf("an event exceeds %d bytes (WithMaxResponseBytes)", r.maxBytes)
		}
		line = append(line, b)
	}
}
