package losant_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	losant "github.com/losant-community/losant-rest-go"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const canary = "canary-token-5up3rs3cr3t"

const inviteJSON = `{"id":"64b0f5d29c3a7e0012ab34cd","email":"new.member@example.com","role":"edit"}`

var ref = losant.InstanceOrgInviteRef{
	InstanceID: "575ec8687ae143cd83dc4a95",
	OrgID:      "575ec8687ae143cd83dc4a97",
	InviteID:   "575ec8687ae143cd83dc4a94",
}

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
		return whole(c.InstanceOrgInvite.Get(ctx, ref, opts...))
	}}
	remove = action{"InstanceOrgInvite.Delete", http.MethodDelete, func(ctx context.Context, c *losant.Client, ref losant.InstanceOrgInviteRef, opts ...losant.RequestOption) error {
		return c.InstanceOrgInvite.Delete(ctx, ref, opts...)
	}}
	resend = action{"InstanceOrgInvite.ResendInvite", http.MethodPost, func(ctx context.Context, c *losant.Client, ref losant.InstanceOrgInviteRef, opts ...losant.RequestOption) error {
		return whole(c.InstanceOrgInvite.ResendInvite(ctx, ref, losant.OrgRoleInfo{Role: losant.OrgRoleView}, opts...))
	}}
	actions = []action{get, remove, resend}
)

// whole turns "neither an invite nor an error" and its like into an error.
func whole(invite *losant.OrgInvite, err error) error {
	if (invite == nil) == (err == nil) || invite != nil && invite.ID == "" {
		return fmt.Errorf("half an answer: %v, %w", invite, err)
	}
	return err
}

// answer is what a server does with one request.
type answer func(http.ResponseWriter, *http.Request)

// succeed answers as the API does.
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

func status(code int, header ...string) answer {
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

func body(text string) answer {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
}

// cut closes the connection with a reset and without an answer.
func cut(w http.ResponseWriter, _ *http.Request) {
	conn := hijack(w)
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

// breakOff answers with half a body.
func breakOff(w http.ResponseWriter, _ *http.Request) {
	conn := hijack(w)
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(inviteJSON), inviteJSON[:20])
	_ = conn.Close()
}

// silence never answers.
func silence(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // only then does the server see the client go
	<-r.Context().Done()
}

func hijack(w http.ResponseWriter) net.Conn {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	return conn
}

// server plays a script, one answer per request; the last one is repeated.
type server struct {
	*httptest.Server
	arrived atomic.Int32
}

func serve(t *testing.T, script ...answer) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(s.handler(script))
	t.Cleanup(s.Close)
	return s
}

func (s *server) handler(script []answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(s.arrived.Add(1))
		script[min(n, len(script))-1](w, r)
	})
}

// newClient returns a client of the server, with the quick policy.
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

// requireError asserts that err is an *Error that matches exactly the named
// sentinels. ErrUnavailable has a test of its own.
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

// silentLog swallows what a server says about handshakes that a test breaks.
var silentLog = log.New(io.Discard, "", 0)
