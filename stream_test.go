package losant_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

var streaming = losant.Request{Method: "GET", Path: []string{"stream"}}

// events responds with an event stream.
func events(text string) handler {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		_, _ = io.WriteString(w, text)
	}
}

// collect returns the events of a stream, and the error at its end.
func collect(stream *losant.EventStream) (all []losant.Event, err error) {
	for event, err := range stream.Events() {
		if err != nil {
			return all, err
		}
		all = append(all, event)
	}
	return all, nil
}

// TestEventsFollowTheHTMLStandard covers the format of its section 9.2.
func TestEventsFollowTheHTMLStandard(t *testing.T) {
	t.Parallel()
	event := func(kind, data, id string) losant.Event { return losant.Event{Type: kind, Data: []byte(data), ID: id} }
	for text, want := range map[string][]losant.Event{
		"data: a\n\n":                             {event("message", "a", "")},
		"\ufeffdata:a\r\n\r\ndata:  b\r\r":        {event("message", "a", ""), event("message", " b", "")},
		"data: a\ndata\ndata: c\n\n":              {event("message", "a\n\nc", "")},
		"data: a\r\ndata: b\r\n\r\n":              {event("message", "a\nb", "")},
		"data: a\rdata: b\r\r\ndata: c\n\n":       {event("message", "a\nb", ""), event("message", "c", "")},
		"event: x\nid: 1\ndata: a\n\ndata: b\n\n": {event("x", "a", "1"), event("message", "b", "1")},
		": comment\n\nevent: no data\n\ndata\n\n": {event("message", "", "")},
		"id: a\x00b\nid\nunknown: x\ndata: a\n\n": {event("message", "a", "")},
		"data: cut off":                           nil,
		"data: cut off\n":                         nil,
		"data: \U0001F600\n\n":                    {event("message", "\U0001F600", "")},
	} {
		s := serve(t, events(text))
		stream, err := losant.Stream(t.Context(), newClient(t, s.URL), streaming)
		require.NoError(t, err)
		all, err := collect(stream)
		require.NoError(t, err)
		assert.Equal(t, want, all, "%q", text)
		require.NoError(t, stream.Close())
	}
	s := serve(t, events("retry: 1500\ndata: a\n\nretry: x\ndata: b\n\nretry: 4294967295\ndata: c\n\nretry: 4294967296\ndata: d\n\n"))
	stream, err := losant.Stream(t.Context(), newClient(t, s.URL), streaming)
	require.NoError(t, err)
	defer func() { _ = stream.Close() }()
	all, err := collect(stream)
	require.NoError(t, err)
	const longest = 4294967295 * time.Millisecond
	for n, want := range []time.Duration{1500 * time.Millisecond, 1500 * time.Millisecond, longest, longest} {
		assert.Equal(t, want, all[n].Retry)
	}
}

// TestStreamIsOpenedLikeAnyCall covers the request, the retries and the errors.
func TestStreamIsOpenedLikeAnyCall(t *testing.T) {
	t.Parallel()
	s := serve(t, status(503), cut, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "text/event-stream", r.Header.Get("Accept"))
		assert.Equal(t, "Bearer "+canary, r.Header.Get("Authorization"))
		assert.Equal(t, "a=1", r.URL.RawQuery)
		events("data: a\n\n")(w, r)
	})
	request := streaming
	request.Query = map[string][]string{"a": {"1"}}
	var response losant.Response
	stream, err := losant.Stream(t.Context(), newClient(t, s.URL), request, losant.WithResponse(&response))
	require.NoError(t, err)
	defer func() { _ = stream.Close() }()
	assert.Len(t, response.Attempts, 3)
	for _, row := range []struct {
		response  handler
		sentinels []string
	}{
		{status(404), []string{"ErrNotFound"}},
		{status(401), []string{"ErrUnauthorized"}},
		{body(`{"id":"x"}`), []string{"ErrInvalidResponse"}},
		{status(204), []string{"ErrInvalidResponse"}},
		{cut, nil},
	} {
		_, err := losant.Stream(t.Context(), newClient(t, serve(t, row.response).URL), streaming)
		requireError(t, err, row.sentinels...)
	}
	bodyless := roundTripper(func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: http.StatusOK}, nil })
	_, err = losant.Stream(t.Context(), through(t, bodyless), streaming)
	requireError(t, err, "ErrInvalidResponse")
	for _, unmade := range []*losant.Client{nil, {}} {
		_, err = losant.Stream(t.Context(), unmade, streaming)
		requireError(t, err, "ErrInvalidArgument")
	}
	_, err = losant.Stream(t.Context(), newClient(t, s.URL), losant.Request{})
	requireError(t, err, "ErrInvalidArgument")
}

// openStream opens a stream at a server that plays one response.
func openStream(t *testing.T, response handler, opts ...losant.Option) *losant.EventStream {
	t.Helper()
	stream, err := losant.Stream(t.Context(), newClient(t, serve(t, response).URL, opts...), streaming)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, stream.Close()) })
	return stream
}

func TestBrokenStreamEndsWithAnError(t *testing.T) {
	t.Parallel()
	all, err := collect(openStream(t, func(w http.ResponseWriter, _ *http.Request) {
		conn := hijack(w)
		_, _ = fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: a\n\n\r\n")
		_ = conn.Close()
	}))
	assert.Len(t, all, 1)
	requireError(t, err, "ErrInvalidResponse")
}

// TestMaxResponseBytesLimitsEachEvent also proves that it does not limit the stream.
func TestMaxResponseBytesLimitsEachEvent(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"data: " + strings.Repeat("x", 95), strings.Repeat("data: x\n", 20), strings.Repeat("unknown\n", 20),
		strings.Repeat("data: x\n: a comment\n", 60),
	} {
		all, err := collect(openStream(t, events("data: a\n\n"+text+"\n\n"), losant.WithMaxResponseBytes(100)))
		assert.Len(t, all, 1)
		assert.Contains(t, requireError(t, err, "ErrInvalidResponse").Error(), "WithMaxResponseBytes")
	}
	for text, want := range map[string]int{
		strings.Repeat(": keep-alive\n\n", 100) + "data: a\n\n":    1,
		strings.Repeat(": keep-alive\n", 100) + "data: a\n\n":      1,
		strings.Repeat("data: a\n: keep-alive\n", 20) + "\n":       1,
		strings.Repeat("data: "+strings.Repeat("x", 94)+"\n\n", 2): 2,
	} {
		all, err := collect(openStream(t, events(text), losant.WithMaxResponseBytes(100)))
		require.NoError(t, err)
		assert.Len(t, all, want)
	}
}

func TestIterationOfAStreamCanStop(t *testing.T) {
	t.Parallel()
	stream := openStream(t, events("data: a\n\ndata: b\n\n"))
	for event, err := range stream.Events() {
		require.NoError(t, err)
		assert.Equal(t, "a", string(event.Data))
		break
	}
}

// TestCallerEndsAStreamWithoutAnError covers Close and the context of the call.
func TestCallerEndsAStreamWithoutAnError(t *testing.T) {
	t.Parallel()
	endless := func(w http.ResponseWriter, r *http.Request) {
		events("data: a\n\n")(w, r)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	for _, byContext := range []bool{true, false} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stream, err := losant.Stream(ctx, newClient(t, serve(t, endless).URL), streaming)
		require.NoError(t, err)
		n := 0
		for _, err := range stream.Events() {
			require.NoError(t, err)
			n++
			if byContext {
				cancel()
			} else {
				require.NoError(t, stream.Close())
			}
		}
		assert.Equal(t, 1, n)
		require.NoError(t, stream.Close())
	}
}

func TestOpenStreamHasNoTimeLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reader, writer := io.Pipe()
		client := through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: withContext{reader, r.Context()}}, nil
		}), losant.WithRetryPolicy(losant.RetryPolicy{}))
		go func() {
			time.Sleep(24 * time.Hour) // in fake time
			_, _ = io.WriteString(writer, "data: a\n\n")
			_ = writer.Close()
		}()
		stream, err := losant.Stream(t.Context(), client, streaming)
		require.NoError(t, err)
		all, err := collect(stream)
		require.NoError(t, err)
		assert.Len(t, all, 1)
		require.NoError(t, stream.Close())
	})
}

// withContext is a body that ends with the context of its request.
type withContext struct {
	io.ReadCloser
	ctx context.Context //nolint:containedctx // as net/http's own bodies
}

func (b withContext) Read(data []byte) (int, error) {
	n, err := b.ReadCloser.Read(data)
	if b.ctx.Err() != nil {
		return 0, b.ctx.Err()
	}
	return n, err
}
