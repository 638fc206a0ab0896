package losant_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// TestTokenIsNeverPrinted, whatever a server echoes and however a program prints what
// the library returns.
func TestTokenIsNeverPrinted(t *testing.T) {
	t.Parallel()
	var logged buffer
	logger := slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	source := losant.WithTokenSource(losant.TokenSourceFunc(func(context.Context) (string, error) { return canary, nil }))
	echo := func(code int) handler {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(code)
			_, _ = fmt.Fprintf(w, `{"type":%q,"message":%q}`, r.Header.Get("Authorization"), strings.Repeat(r.Header.Get("Authorization"), 200))
		}
	}
	page := func(code int) handler {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, "<pre>"+strings.Repeat(strings.Repeat("x", 50)+r.Header.Get("Authorization"), 200))
		}
	}
	raw := func(format string) handler {
		return func(w http.ResponseWriter, r *http.Request) {
			conn := hijack(w)
			_, _ = fmt.Fprintf(conn, format, r.Header.Get("Authorization"))
			_ = conn.Close()
		}
	}
	for name, script := range map[string][]handler{
		"success": {succeed}, "echo of headers": {echo(400)}, "echo with success": {page(200)}, "page": {page(500)}, "retried": {echo(503), echo(429), cut, page(502)},
		"malformed status line": {raw("%s\r\n\r\n")}, "malformed header": {raw("HTTP/1.1 200 OK\r\n%s\r\n\r\n")}, "malformed length": {raw("HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n")},
		"malformed encoding": {raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: %s\r\n\r\n")},
		"cut":                {cut}, "broken": {breakOff}, "unauthorized": {echo(401)}, "redirect": {status(302, "Location", "https://elsewhere.example/")},
	} {
		for _, action := range actions {
			t.Run(name+"/"+action.name, func(t *testing.T) {
				t.Parallel()
				s := serve(t, script...)
				client := newClient(t, s.URL, losant.WithLogger(logger), source)
				var response losant.Response
				err := action.call(t.Context(), client, ref, losant.WithResponse(&response))
				for _, attempt := range response.Attempts {
					requireNoToken(t, everyForm(t, attempt))
				}
				assert.Equal(t, "losant.Client("+s.URL+")", fmt.Sprintf("%+v", client))
				var e *losant.Error
				if errors.As(err, &e) {
					requireNoToken(t, everyForm(t, *e))
				}
				for _, v := range []any{err, []error{err}, struct{ E error }{err}} {
					requireNoToken(t, everyForm(t, v))
				}
				for cause := err; cause != nil; cause = errors.Unwrap(cause) {
					requireNoToken(t, everyForm(t, cause))
					requireNoRequest(t, cause)
				}
			})
		}
	}
	// This client has no connections, because reflection on them would be a data race.
	quiet := through(t, mock(says(503)), losant.WithLogger(logger))
	require.Error(t, resend.call(t.Context(), quiet, ref))
	for _, v := range []any{quiet, *quiet, quiet.InstanceOrgInvite, []any{quiet}, source, losant.WithBaseURL("https://x"), losant.TokenSourceFunc(func(context.Context) (string, error) { return canary, nil })} {
		requireNoToken(t, everyForm(t, v))
	}
	t.Cleanup(func() {
		require.NotEmpty(t, logged.String())
		requireNoToken(t, logged.String())
		assert.NotContains(t, logged.String(), "@example.com")
		assert.NotContains(t, logged.String(), ref.InviteID)
	})
}

// TestTokensOfEveryAttemptAreRedacted: a response may echo a token that was replaced
// since, or whose source failed since.
func TestTokensOfEveryAttemptAreRedacted(t *testing.T) {
	t.Parallel()
	const first, second = "first-token", "other-token"
	echo := func(code int) httpmock.Responder {
		return httpmock.NewStringResponder(code, `{"message":"`+first+` and `+second+` were sent"}`)
	}
	client := through(t, mock(says(503).Then(echo(403))), sourceOf([2]any{first, nil}, [2]any{second, nil}))
	assert.Equal(t, "[token] and [token] were sent", requireError(t, get.call(t.Context(), client, ref), "ErrForbidden").Message)

	client = through(t, mock(echo(503)), sourceOf([2]any{first, nil}, [2]any{second, errors.New("the vault is sealed")}))
	e := requireError(t, get.call(t.Context(), client, ref), "ErrServer")
	assert.Equal(t, "[token] and [token] were sent: token source: the vault is sealed", e.Message)
}

// TestTokenIsNotInTheContext of a request, which a transport may print or panic with.
func TestTokenIsNotInTheContext(t *testing.T) {
	t.Parallel()
	var printed string
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		printed = fmt.Sprintf("%v %+v %#v %s", r.Context(), r.Context(), r.Context(), r.Context())
		panic(r.Context())
	})
	ctx, cancel := context.WithTimeout(t.Context(), 1e9)
	defer cancel()
	client := through(t, transport)
	func() {
		defer func() {
			value := recover()
			require.NotNil(t, value)
			printed += fmt.Sprintf("%v %+v %#v", value, value, value)
		}()
		_ = get.call(ctx, client, ref)
	}()
	require.Contains(t, printed, "losant.operationKey")
	requireNoToken(t, printed)
}

// TestEscapedTokenIsRedacted: an echo in any form, complete or cut off, in JSON and in
// any other text.
func TestEscapedTokenIsRedacted(t *testing.T) {
	t.Parallel()
	const token = `s3cret"/<&>'\\+=%41?[x]$^.*-end`
	inJSON := func(s string) string {
		quoted, _ := json.Marshal(s)
		return string(quoted[1 : len(quoted)-1])
	}
	for name, escape := range map[string]func(string) string{
		"plain": func(s string) string { return s }, "JSON": inJSON, "JSON twice": func(s string) string { return inJSON(inJSON(s)) },
		"query": url.QueryEscape, "path": url.PathEscape, "lower": func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "%2F", "%2f") },
		"HTML": html.EscapeString, "HTML in JSON": func(s string) string { return inJSON(html.EscapeString(s)) },
		"%q": func(s string) string { quoted := strconv.Quote(s); return quoted[1 : len(quoted)-1] },
	} {
		for n := 6; n <= len(token); n++ {
			echo := escape(token[:n])
			message, _ := json.Marshal(map[string]string{"type": echo, "message": "got " + echo})
			for _, body := range []string{string(message), "<pre>Authorization: Bearer " + echo, `{"type":"T","message":"Bearer ` + echo} {
				client := through(t, mock(httpmock.NewStringResponder(502, body)),
					losant.WithTokenSource(losant.TokenSourceFunc(func(context.Context) (string, error) { return token, nil })))
				err := resend.call(t.Context(), client, ref)
				require.ErrorIs(t, err, losant.ErrServer)
				require.NotContains(t, textOf(err), "s3cret", name)
				require.NotContains(t, textOf(err), escape(token[:6]), name)
				require.Contains(t, err.Error(), "[token]", "%s: %q", name, body)
			}
		}
	}
}

// TestTokenAtTheEndOfAMessageIsRedacted, although the message is truncated within it.
func TestTokenAtTheEndOfAMessageIsRedacted(t *testing.T) {
	t.Parallel()
	for _, border := range []int{120, 1 << 10, 4 << 10} {
		for n := range 40 {
			pad := strings.Repeat("x ", border/2)[:border-n]
			for _, body := range []string{pad + canary + " after", `{"message":"` + pad + canary + ` after"}`} {
				requireNoToken(t, textOf(errorFrom(t, resend, 500, body)))
			}
		}
	}
}

// textOf prints err in the usual forms, which is faster than [everyForm].
func textOf(err error) string {
	data, _ := json.Marshal(err)
	return fmt.Sprintf("%v %+v %#v %s", err, err, err, data)
}

// TestTokensBelow6CharactersAreNotRedacted, because they could be a part of any word.
func TestTokensBelow6CharactersAreNotRedacted(t *testing.T) {
	t.Parallel()
	for token, want := range map[string]string{"invit": "no such invitation", "invita": "no such [token]tion"} {
		source := losant.TokenSourceFunc(func(context.Context) (string, error) { return token, nil })
		client := through(t, mock(httpmock.NewStringResponder(404, `{"message":"no such invitation"}`)), losant.WithTokenSource(source))
		assert.Equal(t, want, requireError(t, get.call(t.Context(), client, ref), "ErrNotFound").Message)
	}
}
