package losant_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	losant "github.com/losant-community/losant-rest-go"
)

// This file holds the harness of the tests. A test makes a server and a client, calls
// one action, and asserts in flat statements:
//
//	server := serve(t, status(503), succeed)  // a server on loopback that plays a script
//	client := newClient(t, server.URL)
//	err := get.call(t.Context(), client, ref)
//	require.NoError(t, err)
//	assert.Equal(t, int32(2), server.arrived.Load())
//
// Where connections do not matter, a mock transport takes the place of the server:
//
//	api := &recorder{}
//	client := through(t, api)
//	require.NoError(t, get.call(t.Context(), client, ref))
//	assert.Equal(t, invitePath, api.request.URL.Path)
//
// errorFrom(t, get, 404, "…") does all of it in one expression. requireError asserts
// which sentinels an error matches, and that it matches no other.

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const canary = "canary-token-5up3rs3cr3t"

const inviteJSON = `{"id":"64b0f5d29c3a7e0012ab34cd","email":"new.member@example.com","role":"edit"}`

const id = "575ec8687ae143cd83dc4a94"

const (
	pathTemplate = "/instances/{instanceId}/orgs/{orgId}/invites/{inviteId}"
	invitePath   = "/instances/575ec8687ae143cd83dc4a95/orgs/575ec8687ae143cd83dc4a97/invites/575ec8687ae143cd83dc4a94"
)

// ref has the path invitePath.
var ref = losant.InstanceOrgInviteRef{
	InstanceID: "575ec8687ae143cd83dc4a95",
	OrgID:      "575ec8687ae143cd83dc4a97",
	InviteID:   "575ec8687ae143cd83dc4a94",
}

var invitesRef = losant.InstanceOrgInvitesRef{InstanceID: ref.InstanceID, OrgID: ref.OrgID}

// quick is the default policy with waits that a test can afford.
var quick = losant.RetryPolicy{MinWait: time.Microsecond, MaxWait: 2 * time.Millisecond}

// action calls one method of the service.
type action struct {
	name   string
	method string
	call   func(context.Context, *losant.Client, losant.InstanceOrgInviteRef, ...losant.RequestOption) error
}

var (
	get = action{"InstanceOrgInvite.Get", http.MethodGet, func(ctx context.Context, c *losant.Client, ref losant.InstanceOrgInviteRef, opts ...losant.RequestOption) error {
		return completed(c.InstanceOrgInvite.Get(ctx, ref, opts...))
	}}
	remove = action{"InstanceOrgInvite.Delete", http.MethodDelete, func(ctx context.Context, c *losant.Client, ref losant.InstanceOrgInviteRef, opts ...losant.RequestOption) error {
		return c.InstanceOrgInvite.Delete(ctx, ref, opts...)
	}}
	resend = action{"InstanceOrgInvite.ResendInvite", http.MethodPost, func(ctx context.Context, c *losant.Client, ref losant.InstanceOrgInviteRef, opts ...losant.RequestOption) error {
		return completed(c.InstanceOrgInvite.ResendInvite(ctx, ref, losant.OrgRoleInfo{Role: losant.OrgRoleView}, opts...))
	}}
	actions = []action{get, remove, resend}
)

// completed returns err, or an error if a method did not return either an error or
// an invitation with an id.
func completed(invite *losant.OrgInvite, err error) error {
	if (invite == nil) == (err == nil) || invite != nil && invite.ID == "" {
		return fmt.Errorf("the method returned %v and the error %w", invite, err)
	}
	return err
}

// handler handles one request.
type handler func(http.ResponseWriter, *http.Request)

// succeed responds as the API does.
func succeed(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodDelete:
		_, _ = w.Write([]byte(`{"success": true}`))
	case http.MethodPost:
		w.WriteHeader(http.StatusCreated)
		fallthrough
	default:
		_, _ = w.Write([]byte(inviteJSON))
	}
}

// status responds with a status, header fields, and the API's error body.
func status(code int, header ...string) handler {
	return func(w http.ResponseWriter, _ *http.Request) {
		for n := 0; n < len(header); n += 2 {
			w.Header().Set(header[n], header[n+1])
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		if code != http.StatusNotModified {
			_, _ = fmt.Fprintf(w, `{"type": "Type%d", "message": "message %d"}`, code, code)
		}
	}
}

// body responds with 200 and a body.
func body(text string) handler {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
}

// cut resets the connection and does not respond.
func cut(w http.ResponseWriter, _ *http.Request) {
	conn := hijack(w)
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

// breakOff responds with a part of a body.
func breakOff(w http.ResponseWriter, _ *http.Request) {
	conn := hijack(w)
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(inviteJSON), inviteJSON[:20])
	_ = conn.Close()
}

// silence never responds.
func silence(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // the server notices that the client has gone only after that
	<-r.Context().Done()
}

func hijack(w http.ResponseWriter) net.Conn {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	return conn
}

// server plays a script, one handler per request. The last one is repeated.
type server struct {
	*httptest.Server
	arrived atomic.Int32
}

// serve starts a server on loopback, which is closed with the test.
func serve(t *testing.T, script ...handler) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(s.handler(script))
	t.Cleanup(s.Close)
	return s
}

func (s *server) handler(script []handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(s.arrived.Add(1))
		script[min(n, len(script))-1](w, r)
	})
}

// newClient returns a client of the server at url, with the quick policy.
func newClient(t *testing.T, url string, opts ...losant.Option) *losant.Client {
	t.Helper()
	client, err := losant.NewClient(canary, append([]losant.Option{losant.WithBaseURL(url), losant.WithRetryPolicy(quick)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(client.CloseIdleConnections)
	return client
}

var sentinels = map[string]error{
	"ErrInvalidArgument": losant.ErrInvalidArgument,
	"ErrTokenSource":     losant.ErrTokenSource,
	"ErrBadRequest":      losant.ErrBadRequest,
	"ErrUnauthorized":    losant.ErrUnauthorized,
	"ErrForbidden":       losant.ErrForbidden,
	"ErrNotFound":        losant.ErrNotFound,
	"ErrConflict":        losant.ErrConflict,
	"ErrGone":            losant.ErrGone,
	"ErrRateLimited":     losant.ErrRateLimited,
	"ErrServer":          losant.ErrServer,
	"ErrInvalidResponse": losant.ErrInvalidResponse,
	"ErrOutcomeUnknown":  losant.ErrOutcomeUnknown,
}

// requireError asserts that err is an *Error that matches the named sentinels and
// no other. It ignores ErrUnavailable, which unavailable_test.go tests.
func requireError(t *testing.T, err error, names ...string) *losant.Error {
	t.Helper()
	var e *losant.Error
	require.ErrorAs(t, err, &e)
	matched := []string{}
	for name, sentinel := range sentinels {
		if errors.Is(err, sentinel) {
			matched = append(matched, name)
		}
	}
	assert.ElementsMatch(t, names, matched, "%v", err)
	return e
}

// silentLog discards what a server logs about handshakes that a test breaks.
var silentLog = log.New(io.Discard, "", 0)

// roundTripper is a function that is a transport.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// through returns a client of a transport, with the quick policy.
func through(t *testing.T, transport http.RoundTripper, opts ...losant.Option) *losant.Client {
	t.Helper()
	return newClient(t, "https://api.example.com", append([]losant.Option{losant.WithHTTPClient(&http.Client{Transport: transport})}, opts...)...)
}

// recorder is a mock transport that keeps the last request and its body.
type recorder struct {
	respond httpmock.Responder // nil: succeedInMemory
	count   int                // of the requests
	request *http.Request
	body    string
}

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	r.count++
	r.request, r.body = request, ""
	if request.Body != nil {
		data, err := io.ReadAll(request.Body)
		if err != nil {
			return nil, err
		}
		r.body = string(data)
	}
	if r.respond == nil {
		return succeedInMemory(request)
	}
	return r.respond(request)
}

// fromMemory returns a client whose every request gets the same response, and the
// URLs of its requests. It does not retry. It uses no mock, because tests measure
// its memory.
func fromMemory(t *testing.T, code int, body []byte) (client *losant.Client, urls *[]string) {
	t.Helper()
	urls = &[]string{}
	client, err := losant.NewClient(canary, losant.WithRetryPolicy(losant.RetryPolicy{MaxAttempts: 1}),
		losant.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			*urls = append(*urls, r.URL.String())
			return &http.Response{StatusCode: code, Body: io.NopCloser(strings.NewReader(string(body)))}, nil
		})}))
	require.NoError(t, err)
	return client, urls
}

// succeedInMemory is succeed for a mock transport.
func succeedInMemory(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	succeed(recorder, r)
	return recorder.Result(), nil
}

// mock returns a transport that responds to every request.
func mock(respond httpmock.Responder) *httpmock.MockTransport {
	transport := httpmock.NewMockTransport()
	transport.RegisterNoResponder(respond)
	return transport
}

// errorFrom returns the error of an action whose requests all get the same response.
func errorFrom(t *testing.T, a action, code int, body string) error {
	t.Helper()
	return a.call(t.Context(), through(t, mock(httpmock.NewStringResponder(code, body))), ref)
}

// assertPrintable asserts that text is one short printable line.
func assertPrintable(t *testing.T, text string) {
	t.Helper()
	assert.Less(t, len(text), 1600)
	assert.Equal(t, -1, strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }), "not printable: %q", text)
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
	printed := &failureText{}
	assert.Equal(printed, struct{ different any }{v}, v) // prints both by reflection, including unexported fields
	require.NotEmpty(t, printed.text)
	out.WriteString(printed.text)
	return out.String()
}

// failureText is what a failed assertion prints.
type failureText struct{ text string }

func (f *failureText) Errorf(format string, args ...any) { f.text += fmt.Sprintf(format, args...) }

// requireNoToken asserts that text has neither the token nor a recognizable part.
func requireNoToken(t *testing.T, text string) {
	t.Helper()
	require.NotContains(t, text, canary[:6], "the beginning of the token")
	require.NotContains(t, text, canary[7:20], "the middle of the token")
}

// buffer collects the logs of several goroutines.
type buffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

// sealedError is the error of a token source.
type sealedError struct{ Vault string }

func (e *sealedError) Error() string { return e.Vault + " is sealed" }

// sourceOf returns a token source whose calls return pairs of a token and an error
// in order. The last pair is repeated.
func sourceOf(pairs ...[2]any) losant.Option {
	n := -1
	return losant.WithTokenSource(losant.TokenSourceFunc(func(context.Context) (string, error) {
		n++
		pair := pairs[min(n, len(pairs)-1)]
		err, _ := pair[1].(error)
		return pair[0].(string), err
	}))
}

// invalidIDs returns texts that are not ids, most of which would change the path.
func invalidIDs() []string {
	return []string{
		"", " ", ".", "..", "...", "/", "//", "../", "/..", "../..", "a/b", "./" + id, id + "/", "/" + id, id + "/..", "../" + id,
		"%2e%2e", "%2E%2E%2F", "%2e", "..%2f", "%00", "%252e%252e", "..;", "..;/", `..\`, `\..\`, "a/b c%2e?#", "?", "#", "?x=1", id + "?x=1", id + "#",
		"\x00", id + "\x00", id[:23] + "\x00", id + "\n", id + "\r\n", "\n" + id, id + " ", " " + id, id + "\t", id[:12] + "\n" + id[13:],
		id[:23], id + "a", id[:22], id + id, strings.Repeat("a", 1<<16), strings.Repeat(".", 24), strings.Repeat("/", 24), strings.Repeat("../", 8),
		id[:23] + "g", id[:23] + "G", id[:23] + "-", id[:23] + ".", id[:23] + "/", id[:23] + "%", id[:23] + ":", id[:23] + "@", id[:23] + "`",
		id[:21] + "٣4", id[:21] + "３", strings.Repeat("３", 8), strings.Repeat("٣", 12), strings.Repeat("٣", 24), "é" + id[2:], id[:23] + "\xff", "\ufeff" + id[3:],
		"{inviteId}", "*", "me", "null", "undefined", "NaN", "0x" + id[2:], "-" + id[1:], "+" + id[1:], "0", "[object Object]", canary,
	}
}
