package losant_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// TestLogOfRetriesOnly: a 401 that no attempt follows is none of the retries; one
// that is followed is, without a wait.
func TestLogOfRetriesOnly(t *testing.T) {
	t.Parallel()
	for _, tokens := range [][]string{{"stale-token"}, {"stale-token", "fresh-token"}} {
		var out bytes.Buffer
		s := serve(t, accept("fresh-token"))
		_ = get.call(t.Context(), newClient(t, s.URL, losant.WithTokenSource(&rotating{tokens: tokens}), losant.WithLogger(slog.New(slog.NewTextHandler(&out, nil)))), ref)
		assert.Equal(t, len(tokens)-1, strings.Count(out.String(), "losant: retry"))
		assert.Equal(t, len(tokens)-1, strings.Count(out.String(), "wait=0s"))
	}
}

// TestLog: one Debug record per attempt, one Warn record per retry.
func TestLog(t *testing.T) {
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
		logged := newClient(t, "https://api.example.com", losant.WithLogger(logger), losant.WithHTTPClient(&http.Client{Transport: scriptedTransport(slow, nothing{}.RoundTrip, says(404))}),
			losant.WithRetryPolicy(losant.RetryPolicy{MinWait: time.Second, MaxWait: 7 * time.Second}))
		require.Error(t, get.call(t.Context(), silent, ref), "and the silent client logs nothing")
		require.Empty(t, out.String())
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
		wait, ok := records[3]["wait"].(float64)
		require.True(t, ok)
		assert.GreaterOrEqual(t, wait, second)
		delete(records[3], "wait")
		wait, ok = records[1]["wait"].(float64)
		require.True(t, ok)
		assert.GreaterOrEqual(t, wait, 7*second)
		delete(records[1], "wait")
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

// TestLogWithoutIDs: not even those in the error of a transport that is itself
// an HTTP client.
func TestLogWithoutIDs(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	client := newClient(t, "https://api.example.com", losant.WithLogger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))),
		losant.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: io.ErrUnexpectedEOF}
		})}))
	requireError(t, get.call(t.Context(), client, ref))
	_, err := client.InstanceOrgInvites.Get(t.Context(), invitesRef, losant.InstanceOrgInvitesQuery{FilterField: "email", Filter: "person@example.com"})
	requireError(t, err)
	_, err = losant.Call[any](t.Context(), client, losant.Request{Method: "GET", Path: []string{"users", "secret person@example.com"}})
	requireError(t, err)
	assert.NotContains(t, out.String(), "person")
	assert.Contains(t, out.String(), "unexpected EOF")
	assert.NotContains(t, out.String(), ref.InviteID)
}

// TestLogQuotesNothingPrivate: a transport may quote any form of the URL alone, and
// a server may say anything.
func TestLogQuotesNothingPrivate(t *testing.T) {
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
			return nil, fmt.Errorf("no route: %s: %w", quote(r), io.ErrUnexpectedEOF)
		}), losant.WithLogger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))))
		_, err := losant.Call[any](t.Context(), client, request)
		requireError(t, err)
		assert.Contains(t, out.String(), "no route", name)
		assert.Contains(t, out.String(), "unexpected EOF", name)
		logged := strings.ToLower(out.String())
		for _, private := range []string{"ada", "lovelace", "hopper", "grace", "grace@", "575ec8687ae1", "64b0f5d29c3a", "%40"} {
			assert.NotContains(t, logged, private, name)
		}
	}
}

// TestLogOfMalformedResponses: net/http quotes what it could not read.
func TestLogOfMalformedResponses(t *testing.T) {
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

// TestLogOfRenewal: the attempt after a 401 is a retry as well, and a level
// that is off is not asked for.
func TestLogOfRenewal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := serve(t, accept("fresh-token"))
	source := &rotating{tokens: []string{"stale-token", "fresh-token"}}
	client := newClient(t, s.URL, losant.WithTokenSource(source), losant.WithLogger(slog.New(slog.NewTextHandler(&out, nil))))
	require.NoError(t, get.call(t.Context(), client, ref))
	assert.Equal(t, 1, strings.Count(out.String(), "\n"), out.String())
	assert.Contains(t, out.String(), "level=WARN")
	assert.Contains(t, out.String(), "status=401")
}

// TestOperationFromContext: a transport below the client learns what a request
// is for, and the values of the caller's context reach it too.
func TestOperationFromContext(t *testing.T) {
	t.Parallel()
	type key struct{}
	for _, action := range actions {
		t.Run(action.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, status(429), succeed)
			seen := 0
			transport := &http.Transport{}
			t.Cleanup(transport.CloseIdleConnections)
			client := newClient(t, s.URL, losant.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				operation, ok := losant.OperationFromContext(r.Context())
				assert.True(t, ok)
				assert.Equal(t, losant.Operation{Name: action.name, Method: action.method, PathTemplate: pathTemplate}, operation)
				assert.Equal(t, "value", r.Context().Value(key{}))
				seen++
				return transport.RoundTrip(r)
			})}))
			require.NoError(t, action.call(context.WithValue(t.Context(), key{}, "value"), client, ref))
			assert.Equal(t, 2, seen)
		})
	}
	_, ok := losant.OperationFromContext(t.Context())
	assert.False(t, ok)
}
