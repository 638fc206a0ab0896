package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/losant-community/losant-rest-go"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	instanceID = "0123456789abcdef01234567"
	orgID      = "1123456789abcdef01234567"
	inviteID   = "2123456789abcdef01234567"
	newID      = "3123456789abcdef01234567"
)

// A fake embeds the interface and implements only the method that its test needs.
// It still compiles when the interface gets another method. A call of any other
// method panics.
type fakeGet struct {
	losant.InstanceOrgInviteService
	get func(context.Context, losant.InstanceOrgInviteRef) (*losant.OrgInvite, error)
}

func (f fakeGet) Get(ctx context.Context, ref losant.InstanceOrgInviteRef, _ ...losant.RequestOption) (*losant.OrgInvite, error) {
	return f.get(ctx, ref)
}

type fakeResend struct {
	losant.InstanceOrgInviteService
	resend func(context.Context, losant.InstanceOrgInviteRef, losant.OrgRoleInfo) (*losant.OrgInvite, error)
}

func (f fakeResend) ResendInvite(ctx context.Context, ref losant.InstanceOrgInviteRef, roleInfo losant.OrgRoleInfo, _ ...losant.RequestOption) (*losant.OrgInvite, error) {
	return f.resend(ctx, ref, roleInfo)
}

type fakeDelete struct {
	losant.InstanceOrgInviteService
	remove func(context.Context, losant.InstanceOrgInviteRef) error
}

func (f fakeDelete) Delete(ctx context.Context, ref losant.InstanceOrgInviteRef, _ ...losant.RequestOption) error {
	return f.remove(ctx, ref)
}

func send(t *testing.T, invites losant.InstanceOrgInviteService, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	response := httptest.NewRecorder()
	newHandler(invites, instanceID, orgID, slog.New(slog.DiscardHandler)).
		ServeHTTP(response, httptest.NewRequest(method, path, strings.NewReader(body)))
	return response
}

func problemIn(t *testing.T, response *httptest.ResponseRecorder) problem {
	t.Helper()
	assert.Equal(t, "application/json", response.Header().Get("Content-Type"))
	var p problem
	require.NoError(t, json.Unmarshal(response.Body.Bytes(), &p))
	assert.NotEmpty(t, p.Message)
	return p
}

func assertBounded(ctx context.Context, t *testing.T) {
	t.Helper()
	deadline, ok := ctx.Deadline()
	assert.True(t, ok, "the call has no deadline")
	assert.WithinDuration(t, time.Now().Add(callTimeout), deadline, callTimeout/2)
}

func listeningAddress(t *testing.T, log *bufio.Scanner) string {
	t.Helper()
	require.True(t, log.Scan())
	var listening struct{ Address string }
	require.NoError(t, json.Unmarshal(log.Bytes(), &listening))
	return listening.Address
}

// blocked is a server with a request in progress, which finishes when release is
// closed.
type blocked struct {
	listener net.Listener
	stop     context.CancelFunc
	stopping chan struct{} // closed when the server accepts no more connections
	served   chan error
	release  chan struct{}
	response chan reply
}

func startBlocked(t *testing.T, timeout time.Duration) blocked {
	t.Helper()
	listener := listen(t)
	ctx, stop := context.WithCancel(t.Context())
	s := blocked{
		listener, stop,
		make(chan struct{}), make(chan error, 1), make(chan struct{}), make(chan reply, 1),
	}
	arrived := make(chan struct{})
	logger := slog.New(slog.DiscardHandler)
	server := newServer(newHandler(fakeGet{get: func(context.Context, losant.InstanceOrgInviteRef) (*losant.OrgInvite, error) {
		close(arrived)
		<-s.release
		return &losant.OrgInvite{ID: inviteID}, nil
	}}, instanceID, orgID, logger), logger)
	server.RegisterOnShutdown(func() { close(s.stopping) })
	go func() { s.served <- serve(ctx, server, listener, timeout) }()

	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listener.Addr().String()+"/invites/"+inviteID, nil)
	require.NoError(t, err)
	go func() { s.response <- read(client.Do(request)) }()
	<-arrived
	return s
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return listener
}

type reply struct {
	status               int
	body                 string
	location, retryAfter string
	err                  error
}

func read(resp *http.Response, err error) reply {
	if err != nil {
		return reply{err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, string(body), resp.Header.Get("Location"), resp.Header.Get("Retry-After"), err}
}
