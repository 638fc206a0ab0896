package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"

	"github.com/losant-community/losant-rest-go"
	"github.com/losant-community/losant-rest-go/losanttest"
)

const resendOperation = "InstanceOrgInvite.ResendInvite"

// If the environment variable asProgram is set, the test binary runs the program
// itself, with the race detector if the tests use it.
const asProgram = "RENEW_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	goleak.VerifyTestMain(m)
}

// newAPI returns a losanttest server with five invites. Two are open, and three have
// expired.
func newAPI(t *testing.T) *losanttest.Server {
	t.Helper()
	api := losanttest.NewServer()
	t.Cleanup(api.Close)
	for _, email := range []string{"ada@example.com", "grace@example.org"} {
		api.AddInvite(losant.OrgInvite{Email: email})
	}
	for _, email := range []string{"barbara@example.com", "edsger@example.com", "tony@example.org"} {
		api.AddInvite(losant.OrgInvite{Email: email, Role: losant.OrgRoleEdit, InviteDate: time.Now().Add(-30 * 24 * time.Hour)})
	}
	return api
}

func flagsFor(api *losanttest.Server, more ...string) []string {
	return append([]string{"-base-url", api.URL, "-instance", api.InstanceID, "-org", api.OrgID}, more...)
}

// resent returns the requests to renew an invite.
func resent(api *losanttest.Server) []losanttest.Request {
	return slices.DeleteFunc(api.Requests(), func(r losanttest.Request) bool { return r.Operation != resendOperation })
}

func expiredEmails(api *losanttest.Server) []string {
	var emails []string
	for _, invite := range expiredOf(api.Invites()) {
		emails = append(emails, invite.Email)
	}
	slices.Sort(emails)
	return emails
}

type result struct {
	code           int
	stdout, stderr string
}

func start(ctx context.Context, t *testing.T, token string, args ...string) result {
	t.Helper()
	return startWith(ctx, t, token, process{args: args})
}

// startWith runs the program with the fields of p that are set. By default, the
// streams are empty and not a terminal.
func startWith(ctx context.Context, t *testing.T, token string, p process) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	p.stderr = &stderr
	if p.stdin == nil {
		p.stdin = strings.NewReader("")
	}
	if p.stdout == nil {
		p.stdout = &stdout
	}
	if p.isTerminal == nil {
		p.isTerminal = func(any) bool { return false }
	}
	p.width = func(io.Writer) int { return 0 }
	p.getenv = func(name string) string {
		if name == tokenVariable {
			return token
		}
		return ""
	}
	code := run(ctx, t.Context(), p)
	if token != "" {
		assert.NotContains(t, stdout.String()+stderr.String(), token)
	}
	return result{code, stdout.String(), stderr.String()}
}

// waitForRequests waits until the server has received that many requests to renew
// an invite. It can be called in any goroutine.
func waitForRequests(t *testing.T, api *losanttest.Server, count int) {
	t.Helper()
	assert.Eventually(t, func() bool { return len(resent(api)) >= count }, 10*time.Second, time.Millisecond)
}
