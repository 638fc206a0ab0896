package losant_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// buffer is a log that many goroutines write to.
type buffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

// everyForm prints v in every way that a program might.
func everyForm(t *testing.T, v any) string {
	t.Helper()
	var out strings.Builder
	for _, verb := range "vTtbcdoOqxXUeEfFgGsp" {
		for _, flag := range []string{"", "+", "#", "-", " ", "0", "+#"} {
			fmt.Fprintf(&out, "%"+flag+string(verb)+"\n", v)
		}
	}
	data, err := json.Marshal(v)
	fmt.Fprintf(&out, "%s %v\n", data, err)
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("message", slog.Any("value", v), slog.Any("more", []any{v, &v}))
	}
	fake := &recorder{}
	assert.Equal(fake, struct{ different any }{v}, v) // prints both with reflection, unexported fields included
	require.NotEmpty(t, fake.text)
	out.WriteString(fake.text)
	return out.String()
}

// recorder keeps what an assertion prints.
type recorder struct{ text string }

func (r *recorder) Errorf(format string, args ...any) { r.text += fmt.Sprintf(format, args...) }

func requireNoToken(t *testing.T, text string) {
	t.Helper()
	if at := strings.Index(text, canary); at >= 0 {
		t.Fatalf("the token shows: …%s…", text[max(0, at-200):min(len(text), at+200)])
	}
	require.NotContains(t, text, canary[7:20], "a part of the token shows")
	require.NotContains(t, text, canary[:6], "the beginning of the token shows")
}

// requireNoRequest walks through everything that is reachable from v, unexported
// fields included.
func requireNoRequest(t *testing.T, v any) {
	t.Helper()
	seen := map[any]bool{}
	var walk func(v reflect.Value, path string)
	walk = func(v reflect.Value, path string) {
		switch v.Kind() { //nolint:exhaustive // the others lead nowhere
		case reflect.Pointer:
			key := [2]any{v.Type(), v.Pointer()}
			if !v.IsNil() && !seen[key] {
				seen[key] = true
				walk(v.Elem(), path)
			}
		case reflect.Interface:
			walk(v.Elem(), path)
		case reflect.Struct:
			for _, carrier := range []reflect.Type{reflect.TypeFor[http.Request](), reflect.TypeFor[http.Response]()} {
				require.NotEqual(t, carrier, v.Type(), path)
			}
			for n := range v.NumField() {
				walk(v.Field(n), path+"."+v.Type().Field(n).Name)
			}
		case reflect.Slice, reflect.Array:
			for n := range v.Len() {
				walk(v.Index(n), path+"[]")
			}
		case reflect.Map:
			for entry := v.MapRange(); entry.Next(); {
				walk(entry.Key(), path+"[]")
				walk(entry.Value(), path+"[]")
			}
		}
	}
	walk(reflect.ValueOf(v), fmt.Sprintf("%T", v))
}

// TestTokenIsNeverPrinted looks at everything that the library hands out.
func TestTokenIsNeverPrinted(t *testing.T) {
	t.Parallel()
	var logged buffer
	logger := slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	source := losant.WithTokenSource(losant.TokenSourceFunc(func(context.Context) (string, error) { return canary, nil }))
	echo := func(code int) answer {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(code)
			_, _ = fmt.Fprintf(w, `{"type":%q,"message":%q}`, r.Header.Get("Authorization"), strings.Repeat(r.Header.Get("Authorization"), 200))
		}
	}
	page := func(code int) answer {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, "<pre>"+strings.Repeat(strings.Repeat("x", 50)+r.Header.Get("Authorization"), 200))
		}
	}
	raw := func(format string) answer {
		return func(w http.ResponseWriter, r *http.Request) {
			conn := hijack(w)
			_, _ = fmt.Fprintf(conn, format, r.Header.Get("Authorization"))
			_ = conn.Close()
		}
	}
	for name, script := range map[string][]answer{
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
	// Without connections, which reflection must not look at while they live.
	quiet := newClient(t, "https://api.example.com", losant.WithLogger(logger), losant.WithHTTPClient(&http.Client{Transport: roundTripper(says(503))}))
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

// TestTokensOfEveryAttemptAreRedacted: an answer may echo a token that was
// replaced since, and the source may have failed since.
func TestTokensOfEveryAttemptAreRedacted(t *testing.T) {
	t.Parallel()
	echo := func(code int, words string) answer {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = fmt.Fprintf(w, `{"message":%q}`, words)
		}
	}
	for name, fails := range map[string]bool{"replaced": false, "then the source fails": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			source := losant.TokenSourceFunc(func(context.Context) (string, error) {
				calls++
				if calls == 2 && fails {
					return "", errors.New("vault is sealed")
				}
				return fmt.Sprint("rotating-token-", calls), nil
			})
			script := []answer{echo(503, "rotating-token-1 was sent")}
			if !fails {
				script = []answer{echo(503, "x"), echo(403, "rotating-token-1 and rotating-token-2 were sent")}
			}
			s := serve(t, script...)
			err := get.call(t.Context(), newClient(t, s.URL, losant.WithTokenSource(source)), ref)
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "rotating-token")
			assert.Contains(t, err.Error(), "[token]")
		})
	}
}

// TestCauseOfAnotherCall: what became of another call, for which a context
// ended or a token source failed, is not what became of this one.
func TestCauseOfAnotherCall(t *testing.T) {
	t.Parallel()
	for n, other := range []error{
		&losant.Error{Operation: "Other", StatusCode: 404, Err: losant.ErrOutcomeUnknown},
		fmt.Errorf("Other: %w", losant.ErrNotFound),
		fmt.Errorf("Other: %w", &net.OpError{Op: "dial", Err: losant.ErrOutcomeUnknown}),
	} {
		action := actions[n]
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(other)
		e := requireError(t, action.call(ctx, newClient(t, "https://api.example.com"), ref))
		require.ErrorIs(t, e, context.Canceled)
		assert.Contains(t, e.Error(), "Other")
		source := losant.TokenSourceFunc(func(context.Context) (string, error) { return "", other })
		e = requireError(t, action.call(t.Context(), newClient(t, "https://api.example.com", losant.WithTokenSource(source)), ref), "ErrTokenSource")
		assert.Contains(t, e.Error(), "Other")
	}
}

// TestRedactedErrorsAreFound: what was redacted can still be told by its type.
func TestRedactedErrorsAreFound(t *testing.T) {
	t.Parallel()
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("proxy refused %q: %w", r.Header.Get("Authorization"), &net.OpError{Op: "dial", Err: io.ErrUnexpectedEOF})
	})
	err := get.call(t.Context(), newClient(t, "https://api.example.com", losant.WithHTTPClient(&http.Client{Transport: transport})), ref)
	var network *net.OpError
	require.ErrorAs(t, err, &network)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	requireNoToken(t, everyForm(t, err))
	requireNoToken(t, everyForm(t, errors.Unwrap(err)))

	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `{"date":%q}`, r.Header.Get("Authorization"))
	})
	_, err = losant.Call[struct{ Date time.Time }](t.Context(), newClient(t, s.URL), losant.Request{Method: "GET", Path: []string{"x"}})
	requireError(t, err, "ErrInvalidResponse")
	requireNoToken(t, everyForm(t, errors.Unwrap(err)))
}

// TestTokenIsNotInContextOrPanic: a transport that prints the context of its
// request, or panics, does not show it either.
func TestTokenIsNotInContextOrPanic(t *testing.T) {
	t.Parallel()
	var printed string
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		printed = fmt.Sprintf("%v %+v %#v %s", r.Context(), r.Context(), r.Context(), r.Context())
		panic(r.Context())
	})
	// The deadline makes the exchange itself the context of the request.
	ctx, cancel := context.WithTimeout(t.Context(), 1e9)
	defer cancel()
	client := newClient(t, "https://api.example.com", losant.WithHTTPClient(&http.Client{Transport: transport}))
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

// TestRedirectsAreNotFollowed: neither the token nor a body reaches another
// server, nor another path of the same one.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	for _, code := range []int{300, 301, 302, 303, 307, 308} {
		for _, location := range []string{"elsewhere", "/same", "", "%zz://", "https://[::1", "//elsewhere.example"} {
			for _, action := range actions {
				t.Run(fmt.Sprint(code, " ", location, "/", action.name), func(t *testing.T) {
					t.Parallel()
					other := serve(t, succeed)
					target := location
					if target == "elsewhere" {
						target = other.URL + "/x"
					}
					s := serve(t, status(code, "Location", target), succeed)
					var response losant.Response
					sentinels := []string{}
					if code == 303 && action.method != http.MethodGet {
						sentinels = []string{"ErrOutcomeUnknown"} // the usual response to a POST that was done
					}
					e := requireError(t, action.call(t.Context(), newClient(t, s.URL), ref, losant.WithResponse(&response)), sentinels...)
					assert.Equal(t, code, e.StatusCode)
					assert.Equal(t, 1, e.Attempts)
					assert.Equal(t, http.Header{"Location": {target}}.Get("Location"), response.Header.Get("Location"))
					assert.Equal(t, int32(1), s.arrived.Load())
					assert.Zero(t, other.arrived.Load())
				})
			}
		}
	}
}

// TestEscapedTokenIsRedacted: an echo in any form, whole or broken off, in what
// is read as JSON and in what is not.
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
				client := through(t, roundTripper(func(*http.Request) (*http.Response, error) { return reply(502, body), nil }),
					losant.WithTokenSource(losant.TokenSourceFunc(func(context.Context) (string, error) { return token, nil })))
				err := resend.call(t.Context(), client, ref)
				require.ErrorIs(t, err, losant.ErrServer)
				data, _ := json.Marshal(err)
				for _, text := range []string{err.Error(), fmt.Sprintf("%+v %#v", err, err), string(data)} {
					require.NotContains(t, text, "s3cret", name)
					require.NotContains(t, text, escape(token[:6]), name)
				}
				require.Contains(t, err.Error(), "[token]", "%s: %q", name, body)
			}
		}
	}
}

// TestTokenBeyondTheSnippet: a token that the end of the snippet cuts in two.
func TestTokenBeyondTheSnippet(t *testing.T) {
	t.Parallel()
	for _, border := range []int{120, 1 << 10, 4 << 10} {
		for n := range 40 {
			pad := strings.Repeat("x ", border/2)[:border-n]
			for _, body := range []string{pad + canary + " after", `{"message":"` + pad + canary + ` after"}`} {
				requireNoToken(t, everyTextOf(answered(t, resend, 500, body)))
			}
		}
	}
}

func everyTextOf(err error) string {
	data, _ := json.Marshal(err)
	return fmt.Sprintf("%v %+v %#v %s", err, err, err, data)
}

// TestSourceThatNamesItsToken: a token that comes with an error is a secret, too.
func TestSourceThatNamesItsToken(t *testing.T) {
	t.Parallel()
	named := &sealedError{"token " + canary}
	for _, first := range [][2]any{{canary, named}, {"some-other-token", nil}} {
		client := newClient(t, serve(t, status(503)).URL, sourceOf(first, [2]any{canary, named}))
		var response losant.Response
		err := get.call(t.Context(), client, ref, losant.WithResponse(&response))
		require.ErrorContains(t, err, "token [token] is sealed")
		require.ErrorIs(t, err, named)
		requireNoToken(t, everyForm(t, err))
		requireNoToken(t, everyForm(t, errors.Unwrap(err)))
		for _, attempt := range response.Attempts {
			requireNoToken(t, everyForm(t, attempt))
		}
		var sealed *sealedError
		require.NotErrorAs(t, err, &sealed, "it would show the token")
	}
}

// carrying errors of transports hold the request, some of them well hidden.
type (
	carrying struct{ Request *http.Request }
	hiding   struct{ kept any }
	nesting  struct{ err error }
	calling  struct{ request func() *http.Request }
	harmless struct{ Code int }
)

func (carrying) Error() string   { return "carrying" }
func (hiding) Error() string     { return "hiding" }
func (n nesting) Error() string  { return "nesting" }
func (n nesting) Unwrap() error  { return n.err }
func (calling) Error() string    { return "calling" }
func (*harmless) Error() string  { return "harmless" }
func (c carrying) Timeout() bool { return true }
func (carrying) Temporary() bool { return true }

// TestRequestIsNotReachable through an error, although the transport's error
// holds it. What holds none is found.
func TestRequestIsNotReachable(t *testing.T) {
	t.Parallel()
	const secret = "Authorization"
	plain := &harmless{7}
	for _, wrap := range []func(*http.Request) error{
		func(r *http.Request) error { return carrying{r} },
		func(r *http.Request) error { return &carrying{r} },
		func(r *http.Request) error { return hiding{map[string]any{"x": []any{r}}} },
		func(r *http.Request) error { return hiding{&http.Response{Request: r}} },
		func(r *http.Request) error { return nesting{&net.OpError{Op: "read", Err: carrying{r}}} },
		func(r *http.Request) error { return &url.Error{Op: "Get", URL: "x", Err: hiding{*r}} },
		func(r *http.Request) error { return calling{func() *http.Request { return r }} },
		func(r *http.Request) error { return hiding{r.Header} },
		func(r *http.Request) error { return hiding{[]byte(r.Header.Get(secret))} },
	} {
		for _, cancels := range []bool{false, true} {
			ctx, cancel := context.WithCancelCause(t.Context())
			client := through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
				err := errors.Join(wrap(r), plain)
				if cancels {
					cancel(err)
				}
				return nil, err
			}))
			var response losant.Response
			err := resend.call(ctx, client, ref, losant.WithResponse(&response))
			cancel(nil)
			require.Len(t, response.Attempts, 1)
			for _, err := range []error{err, response.Attempts[0].Err} {
				requireNoRequest(t, err)
				require.ErrorIs(t, err, plain)
				var (
					a carrying
					b *carrying
					c hiding
					d nesting
					e *net.OpError
					f *url.Error
					g calling
					h net.Error
					i interface{ Unwrap() []error }
					k *harmless
				)
				for _, target := range []any{&a, &b, &c, &d, &e, &f, &g, &h, &i} {
					assert.NotErrorAs(t, err, target, "%T", target)
					requireNoRequest(t, target)
				}
				require.ErrorAs(t, err, &k)
				assert.Same(t, plain, k)
				for cause := err; cause != nil; cause = errors.Unwrap(cause) {
					requireNoToken(t, everyForm(t, cause))
				}
			}
		}
	}
}
