package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/losant-community/losant-rest-go"
	"github.com/losant-community/losant-rest-go/losanttest"
)

func TestEachTimeoutCoversTheOneInside(t *testing.T) {
	t.Parallel()
	server := newServer(nil, slog.New(slog.DiscardHandler))
	assert.Less(t, attemptTimeout, callTimeout)
	assert.Less(t, server.ReadTimeout+callTimeout, server.WriteTimeout+1)
	assert.Less(t, server.WriteTimeout, stopTimeout)
	assert.Positive(t, server.ReadHeaderTimeout)
	assert.Positive(t, server.IdleTimeout)
}

func TestStopFinishesTheRequestInProgress(t *testing.T) {
	t.Parallel()
	s := startBlocked(t, time.Minute)
	s.stop()
	<-s.stopping
	// Not by a dial: a process that another test starts has a copy of the listening
	// socket until it executes its program.
	require.ErrorIs(t, s.listener.Close(), net.ErrClosed, "no more connections must be accepted")
	select {
	case err := <-s.served:
		require.Fail(t, "serve did not wait for the request in progress", "%v", err)
	default:
	}

	close(s.release)
	response := <-s.response
	require.NoError(t, response.err)
	assert.Equal(t, http.StatusOK, response.status)
	assert.Contains(t, response.body, inviteID)
	assert.NoError(t, <-s.served)
}

func TestStopClosesConnectionsAfterItsTimeout(t *testing.T) {
	t.Parallel()
	s := startBlocked(t, time.Millisecond)
	s.stop()
	assert.ErrorIs(t, <-s.served, context.DeadlineExceeded)
	assert.Error(t, (<-s.response).err, "the connection must be closed")
	close(s.release)
}

func TestServeReturnsTheErrorOfTheListener(t *testing.T) {
	t.Parallel()
	listener := listen(t)
	require.NoError(t, listener.Close())
	err := serve(t.Context(), newServer(nil, slog.New(slog.DiscardHandler)), listener, time.Minute)
	assert.ErrorIs(t, err, net.ErrClosed)
}

func TestInvalidConfigurationExitsWithAnError(t *testing.T) {
	t.Parallel()
	complete := map[string]string{"LOSANT_API_TOKEN": "secret-of-mine", "LOSANT_INSTANCE_ID": instanceID, "LOSANT_ORG_ID": orgID}
	for name, c := range map[string]struct {
		variable, value string
		args            []string
		code            int
		want            string
	}{
		"no token":        {"LOSANT_API_TOKEN", "", nil, 2, "the token is empty"},
		"no instance":     {"LOSANT_INSTANCE_ID", "", nil, 2, "LOSANT_INSTANCE_ID"},
		"a wrong org":     {"LOSANT_ORG_ID", "..", nil, 2, "LOSANT_ORG_ID"},
		"a wrong API":     {"", "", []string{"-base-url", "ftp://example.com"}, 2, "base URL"},
		"unknown flag":    {"", "", []string{"-port", "1"}, 2, "-port"},
		"an argument":     {"", "", []string{"8080"}, 2, "unexpected argument"},
		"a wrong address": {"", "", []string{"-listen", "127.0.0.1:-1"}, 1, "listen"},
		"help":            {"", "", []string{"-help"}, 0, "-listen"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			code := run(t.Context(), c.args, func(variable string) string {
				if variable == c.variable {
					return c.value
				}
				return complete[variable]
			}, &log)
			assert.Equal(t, c.code, code)
			assert.Contains(t, log.String(), c.want)
			assert.NotContains(t, log.String(), "secret-of-mine")
		})
	}
}

func TestServiceListensOnLoopbackByDefault(t *testing.T) {
	t.Parallel()
	c, err := configure(nil, func(string) string { return orgID }, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1:8080", c.listen)
	assert.Equal(t, "https://api.losant.com", c.baseURL)
}

func TestServiceManagesInvitesEndToEnd(t *testing.T) {
	t.Parallel()
	api := losanttest.NewServer()
	defer api.Close()
	ref := api.AddInvite(losant.OrgInvite{Email: "ada@example.com", Role: losant.OrgRoleView})
	environment := map[string]string{
		"LOSANT_API_TOKEN": api.Token, "LOSANT_INSTANCE_ID": ref.InstanceID, "LOSANT_ORG_ID": ref.OrgID,
	}

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	logReader, logWriter := io.Pipe()
	exited := make(chan int, 1)
	go func() {
		exited <- run(ctx, []string{"-listen", "127.0.0.1:0", "-base-url", api.URL},
			func(variable string) string { return environment[variable] }, logWriter)
		_ = logWriter.Close()
	}()
	log := bufio.NewScanner(logReader)
	address := listeningAddress(t, log)
	rest := make(chan string, 1)
	go func() {
		var lines strings.Builder
		for log.Scan() {
			lines.WriteString(log.Text() + "\n")
		}
		rest <- lines.String()
	}()

	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	call := func(method, path, body string) reply {
		request, err := http.NewRequestWithContext(ctx, method, "http://"+address+path, strings.NewReader(body))
		require.NoError(t, err)
		r := read(client.Do(request))
		require.NoError(t, r.err)
		return r
	}

	got := call(http.MethodGet, "/invites/"+ref.InviteID, "")
	assert.Equal(t, http.StatusOK, got.status)
	assert.Contains(t, got.body, "ada@example.com")
	assert.NotContains(t, got.body, "_links")

	resent := call(http.MethodPost, "/invites/"+ref.InviteID+"/resend", `{"role": "edit"}`)
	require.Equal(t, http.StatusCreated, resent.status)
	assert.Contains(t, resent.body, `"role":"edit"`)
	assert.Equal(t, http.StatusNotFound, call(http.MethodGet, "/invites/"+ref.InviteID, "").status)
	assert.Equal(t, http.StatusBadRequest, call(http.MethodPost, resent.location+"/resend", `{"role": "owner"}`).status)

	api.Inject(losanttest.Fault{Operation: "InstanceOrgInvite.ResendInvite", StatusCode: http.StatusServiceUnavailable, TakesEffect: true})
	unknown := call(http.MethodPost, resent.location+"/resend", `{}`)
	assert.Equal(t, http.StatusBadGateway, unknown.status)
	assert.Contains(t, unknown.body, "outcome_unknown")

	api.Inject(losanttest.Fault{Operation: "InstanceOrgInvite.Get", StatusCode: http.StatusTooManyRequests, RetryAfter: "3600"})
	limited := call(http.MethodGet, resent.location, "")
	assert.Equal(t, http.StatusServiceUnavailable, limited.status)
	assert.Equal(t, "3600", limited.retryAfter)

	other := api.AddInvite(losant.OrgInvite{Email: "grace@example.com", Role: losant.OrgRoleView})
	assert.Equal(t, http.StatusNoContent, call(http.MethodDelete, "/invites/"+other.InviteID, "").status)
	assert.Equal(t, http.StatusNotFound, call(http.MethodGet, "/invites/"+other.InviteID, "").status)
	assert.Equal(t, http.StatusBadRequest, call(http.MethodDelete, "/invites/x", "").status)
	assert.Equal(t, http.StatusMethodNotAllowed, call(http.MethodPut, "/invites/"+other.InviteID, "").status)

	stop()
	assert.Equal(t, 0, <-exited)
	lines := <-rest
	assert.NotContains(t, lines, api.Token)
	assert.NotContains(t, lines, "@example.com")
	for _, request := range api.Requests() {
		assert.True(t, strings.HasPrefix(request.Header.Get("User-Agent"), "invite-service/1.0 "))
	}
}

// The first attempt gets no response in time. The retry succeeds, within callTimeout
// of fake time.
func TestSlowAttemptIsRetriedWithinTheCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		api := losanttest.New(t, losanttest.WithMemoryNetwork())
		ref := api.AddInvite(losant.OrgInvite{})
		logger := slog.New(slog.DiscardHandler)
		client, err := newClient(api.Token, api.URL, logger, losant.WithHTTPClient(&http.Client{Transport: api.Transport()}))
		require.NoError(t, err)
		defer client.CloseIdleConnections()
		api.Inject(losanttest.Fault{Delay: time.Hour})
		began := time.Now()
		response := httptest.NewRecorder()
		newHandler(client.InstanceOrgInvite, ref.InstanceID, ref.OrgID, logger).
			ServeHTTP(response, httptest.NewRequest(http.MethodGet, "/invites/"+ref.InviteID, nil))
		assert.Equal(t, http.StatusOK, response.Code)
		assert.GreaterOrEqual(t, time.Since(began), attemptTimeout)
		assert.Less(t, time.Since(began), callTimeout)
	})
}

func TestProcessFinishesRequestsAfterSIGTERM(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows sends no signal to a single process")
	}
	program := filepath.Join(t.TempDir(), "service")
	output, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, "%s", output)

	arrived, release := make(chan struct{}), make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-release
		_, _ = io.WriteString(w, `{"id": "`+inviteID+`"}`)
	}))
	defer api.Close()
	process := exec.CommandContext(t.Context(), program, "-listen", "127.0.0.1:0", "-base-url", api.URL)
	process.Env = append(os.Environ(), "LOSANT_API_TOKEN=a-token", "LOSANT_INSTANCE_ID="+instanceID, "LOSANT_ORG_ID="+orgID)
	stderr, err := process.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, process.Start())
	log := bufio.NewScanner(stderr)
	address := listeningAddress(t, log)

	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/invites/"+inviteID, nil)
	require.NoError(t, err)
	response := make(chan reply, 1)
	go func() { response <- read(client.Do(request)) }()
	<-arrived
	require.NoError(t, process.Process.Signal(syscall.SIGTERM))
	assert.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, 10*time.Second, time.Millisecond, "no more connections must be accepted")
	close(release)
	assert.Equal(t, http.StatusOK, (<-response).status)
	for log.Scan() { // Wait closes the pipe
		assert.NotContains(t, log.Text(), "a-token")
	}
	assert.NoError(t, process.Wait())
}
