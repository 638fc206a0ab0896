package losant_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// TestLoggerGetsAttemptsAndRetries: one Debug record per attempt, one Warn record
// per retry.
func TestLoggerGetsAttemptsAndRetries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		logger := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))
		slow := func(r *http.Request) (*http.Response, error) {
			time.Sleep(3 * time.Second)
			return says(503, "Retry-After", "7")(r)
		}
		silent, _ := scripted(t, losant.RetryPolicy{}, slow, says(404))
		logged := through(t, mock(httpmock.Responder(slow).Then(nothing{}.RoundTrip).Then(says(404))), losant.WithLogger(logger),
			losant.WithRetryPolicy(losant.RetryPolicy{MinWait: time.Second, MaxWait: 7 * time.Second}))
		require.Error(t, get.call(t.Context(), silent, ref))
		require.Empty(t, out.String(), "nothing is logged by default")
		require.Error(t, get.call(t.Context(), logged, ref))
		records := []map[string]any{}
		for line := range strings.Lines(out.String()) {
			var record map[string]any
			require.NoError(t, json.Unmarshal([]byte(line), &record))
			for key, want := range map[string]any{"operation": "InstanceOrgInvite.Get", "method": "GET", "path": pathTemplate} {
				assert.Equal(t, want, record[key])
				delete(record, key)
			}
			records = append(records, record)
		}
		second := 1e9
		require.Len(t, records, 5)
		assert.GreaterOrEqual(t, records[1]["wait"], 7*second)
		assert.GreaterOrEqual(t, records[3]["wait"], second)
		delete(records[1], "wait")
		delete(records[3], "wait")
		const neither = "the transport returned neither a response nor an error"
		assert.Equal(t, []map[string]any{
			{"level": "DEBUG", "msg": "losant: attempt", "status": 503.0, "duration": 3 * second, "attempt": 1.0},
			{"level": "WARN", "msg": "losant: retry", "status": 503.0, "duration": 3 * second, "attempt": 1.0},
			{"level": "DEBUG", "msg": "losant: attempt", "status": 0.0, "duration": 0.0, "attempt": 2.0, "error": neither},
			{"level": "WARN", "msg": "losant: retry", "status": 0.0, "duration": 0.0, "attempt": 2.0, "error": neither},
			{"level": "DEBUG", "msg": "losant: attempt", "status": 404.0, "duration": 0.0, "attempt": 3.0},
		}, records)
	})
}

// TestLogHasNoIDs: nor any other argument, although the error of a transport that is
// itself an HTTP client quotes the URL.
func TestLogHasNoIDs(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	client := through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: io.ErrUnexpectedEOF}
	}), losant.WithLogger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	requireError(t, get.call(t.Context(), client, ref))
	_, err := client.InstanceOrgInvites.Get(t.Context(), invitesRef, losant.InstanceOrgInvitesQuery{FilterField: "email", Filter: "person@example.com"})
	requireError(t, err)
	_, err = losant.Call[any](t.Context(), client, losant.Request{Method: "GET", Path: []string{"users", "secret person@example.com"}})
	requireError(t, err)
	assert.NotContains(t, out.String(), "person")
	assert.Contains(t, out.String(), "unexpected EOF")
	assert.NotContains(t, out.String(), ref.InviteID)
}

// TestLogHasNoPartOfTheURL: a transport may quote any part of the URL, in any form,
// and nothing else.
func TestLogHasNoPartOfTheURL(t *testing.T) {
	t.Parallel()
	request := losant.Request{
		Method: "GET", Path: []string{"users", "Ada Lovelace", "devices", id},
		Query: url.Values{"who": {"Grace Hopper"}, "mail": {"grace@example.com"}, "_x": {"true"}},
	}
	for name, quote := range map[string]func(*http.Request) string{
		"Path":           func(r *http.Request) string { return r.URL.Path },
		"EscapedPath":    func(r *http.Request) string { return r.URL.EscapedPath() },
		"RawQuery":       func(r *http.Request) string { return r.URL.RawQuery },
		"RequestURI":     func(r *http.Request) string { return r.URL.RequestURI() },
		"URL":            func(r *http.Request) string { return r.URL.String() },
		"decoded query":  func(r *http.Request) string { return fmt.Sprint(r.URL.Query()) },
		"quoted":         func(r *http.Request) string { return fmt.Sprintf("%q %q", r.URL.Path, r.URL.Query()) },
		"a segment":      func(*http.Request) string { return "no user Ada Lovelace here" },
		"an id":          func(*http.Request) string { return "no device " + id + " here" },
		"an id in upper": func(*http.Request) string { return "no device " + strings.ToUpper(id) },
		"another id":     func(*http.Request) string { return "64B0F5D29C3A7E0012AB34CD/64b0f5d29c3a7e0012ab34cd" },
		"another email": func(*http.Request) string {
			return "no <grace@example.com> mailto:grace%40example.com grace\\u0040example.com"
		},
	} {
		var out bytes.Buffer
		client := through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("no route to users: %s: %w", quote(r), io.ErrUnexpectedEOF)
		}), losant.WithLogger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))))
		_, err := losant.Call[any](t.Context(), client, request)
		requireError(t, err)
		assert.Contains(t, out.String(), "no route to users", "%s: a word of the route is not private", name)
		assert.Contains(t, out.String(), "unexpected EOF", name)
		logged := strings.ToLower(out.String())
		for _, private := range []string{"ada", "lovelace", "hopper", "grace", "grace@", "575ec8687ae1", "64b0f5d29c3a", "%40"} {
			assert.NotContains(t, logged, private, name)
		}
	}
}

// TestLogHasNoToken that a transport quotes, although it looks like words.
func TestLogHasNoToken(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	client := through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		return nil, errors.New("refused " + r.Header.Get("Authorization"))
	}), sourceOf([2]any{"correct-horse-battery", nil}), losant.WithLogger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	require.Error(t, get.call(t.Context(), client, ref))
	assert.Contains(t, out.String(), "refused Bearer [token]")
	assert.NotContains(t, out.String(), "horse")
}

// TestLogHasNoTokenOfACancellation, whose cause is an error of the program.
func TestLogHasNoTokenOfACancellation(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	ctx, cancel := context.WithCancelCause(t.Context())
	client := through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		cancel(errors.New("logged out " + r.Header.Get("Authorization")))
		return nil, r.Context().Err()
	}), sourceOf([2]any{"correct-horse-battery", nil}), losant.WithLogger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	require.Error(t, get.call(ctx, client, ref))
	assert.Contains(t, out.String(), "logged out Bearer [token]")
	assert.NotContains(t, out.String(), "horse")
}

// TestLogHasNoPartOfMalformedResponses, which net/http quotes.
func TestLogHasNoPartOfMalformedResponses(t *testing.T) {
	t.Parallel()
	const private = "ada.lovelace@example.com " + id
	for _, response := range []string{
		private, "HTTP/1.1 " + private, "HTTP/1.1 200 OK\r\n" + private, "HTTP/1.1 200 OK\r\nContent-Length: " + private, "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + private,
		"HTTP/" + private + " 200 OK",
	} {
		var out buffer
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			conn := hijack(w)
			_, _ = io.WriteString(conn, response+"\r\n\r\n")
			_ = conn.Close()
		})
		client := newClient(t, s.URL, losant.WithLogger(slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))))
		require.Error(t, get.call(t.Context(), client, ref))
		assert.Contains(t, out.String(), `"error":"`, response)
		for _, part := range []string{"lovelace", "example.com", "575ec868", "@"} {
			assert.NotContains(t, out.String(), part, response)
		}
	}
}

// TestRetryAfter401IsLogged: without a wait, and only if the token source has another
// token.
func TestRetryAfter401IsLogged(t *testing.T) {
	t.Parallel()
	for _, tokens := range [][]string{{"stale-token"}, {"stale-token", "fresh-token"}} {
		var out bytes.Buffer
		server := serve(t, accept("fresh-token"))
		client := newClient(t, server.URL, losant.WithTokenSource(&rotating{tokens: tokens}), losant.WithLogger(slog.New(slog.NewTextHandler(&out, nil))))
		_ = get.call(t.Context(), client, ref)
		retries := len(tokens) - 1
		assert.Equal(t, retries, strings.Count(out.String(), "\n"), out.String())
		assert.Equal(t, retries, strings.Count(out.String(), `level=WARN msg="losant: retry"`))
		assert.Equal(t, retries, strings.Count(out.String(), "status=401"))
		assert.Equal(t, retries, strings.Count(out.String(), "wait=0s"))
	}
}

// TestOperationFromContext: a transport sees what a request is for, and the values of
// the caller's context.
func TestOperationFromContext(t *testing.T) {
	t.Parallel()
	type key struct{}
	for _, action := range actions {
		t.Run(action.name, func(t *testing.T) {
			t.Parallel()
			seen := 0
			client := through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
				operation, ok := losant.OperationFromContext(r.Context())
				assert.True(t, ok)
				assert.Equal(t, losant.Operation{Name: action.name, Method: action.method, PathTemplate: pathTemplate}, operation)
				assert.Equal(t, "value", r.Context().Value(key{}))
				seen++
				return []httpmock.Responder{says(429), succeedInMemory}[seen-1](r)
			}))
			require.NoError(t, action.call(context.WithValue(t.Context(), key{}, "value"), client, ref))
			assert.Equal(t, 2, seen)
		})
	}
	_, ok := losant.OperationFromContext(t.Context())
	assert.False(t, ok)
}
