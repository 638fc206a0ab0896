package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/losant-community/losant-rest-go"
	"github.com/losant-community/losant-rest-go/losanttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const demonstration = `Using an embedded server in this process. Losant is not contacted.

get      ID1 for ada@example.com as view, expires DATE
resend   ID2 for ada@example.com as edit, expires DATE
get      ID1 fails, because the old id no longer exists: errors.Is(err, losant.ErrNotFound)
         losant.Error: Operation InstanceOrgInvite.Get, StatusCode 404, Type NotFound, Attempts 1
revoke   ID2 is revoked

To print an invite of your organization, set LOSANT_API_TOKEN and use -instance, -org and -invite.
`

func TestDemonstrationRunsWithoutATokenAndFlags(t *testing.T) {
	t.Parallel()
	r := start(t, "")
	assert.Equal(t, 0, r.code)
	assert.Empty(t, r.stderr)
	assert.Equal(t, demonstration, masked(r.stdout))
}

func TestWithoutAChangingFlagTheInviteIsOnlyRead(t *testing.T) {
	t.Parallel()
	api := newAPI(t)
	r := start(t, api.Token, api.flags()...)
	assert.Equal(t, 0, r.code)
	assert.Empty(t, r.stderr)
	assert.Equal(t, "Using "+api.URL+".\n\nget      ID1 for grace@example.com as view, expires DATE\n", masked(r.stdout))
	assert.Equal(t, []string{"GET"}, api.methods())
}

func TestResendFlagResendsWithTheRole(t *testing.T) {
	t.Parallel()
	api := newAPI(t)
	r := start(t, api.Token, api.flags("-resend", "edit")...)
	assert.Equal(t, 0, r.code)
	assert.Empty(t, r.stderr)
	assert.Equal(t, "Using "+api.URL+".\n\nget      ID1 for grace@example.com as view, expires DATE\n"+
		"resend   ID2 for grace@example.com as edit, expires DATE\n", masked(r.stdout))
	require.Equal(t, []string{"GET", "POST"}, api.methods())
	assert.JSONEq(t, `{"role": "edit"}`, string(api.Requests()[1].Body))
}

func TestRevokeFlagRevokes(t *testing.T) {
	t.Parallel()
	api := newAPI(t)
	r := start(t, api.Token, api.flags("-revoke")...)
	assert.Equal(t, 0, r.code)
	assert.Empty(t, r.stderr)
	assert.Equal(t, "Using "+api.URL+".\n\nget      ID1 for grace@example.com as view, expires DATE\n"+
		"revoke   ID1 is revoked\n", masked(r.stdout))
	assert.Equal(t, []string{"GET", "DELETE"}, api.methods())
}

func TestInvalidSettingsExitWith2AndSendNothing(t *testing.T) {
	t.Parallel()
	const token = "secret-of-mine"
	const id = "0123456789abcdef01234567"
	ids := []string{"-instance", id, "-org", id, "-invite", id}
	for name, c := range map[string]struct {
		token string
		args  []string
		want  string
	}{
		"a token without flags":     {token, nil, "missing -instance, -org, -invite ("},
		"only the base URL":         {token, []string{"-base-url", "API"}, "missing -instance, -org, -invite ("},
		"a token without an invite": {token, []string{"-base-url", "API", "-instance", id, "-org", id}, "missing -invite ("},
		"an empty id":               {token, append([]string{"-base-url", "API"}, "-instance", id, "-org", "", "-invite", id), "missing -org ("},
		"flags without a token":     {"", append([]string{"-base-url", "API"}, ids...), "LOSANT_API_TOKEN is not set"},
		"only -revoke, no token":    {"", []string{"-revoke"}, "LOSANT_API_TOKEN is not set"},
		"-resend and -revoke":       {token, append([]string{"-base-url", "API", "-resend", "edit", "-revoke"}, ids...), "cannot be used together"},
		"an unknown role":           {token, append([]string{"-base-url", "API", "-resend", "owner"}, ids...), "must be admin, edit, collaborate, view or none"},
		"an empty role":             {token, append([]string{"-base-url", "API", "-resend", ""}, ids...), "must be admin, edit, collaborate, view or none"},
		"an unknown flag":           {token, append([]string{"-base-url", "API", "-token", token}, ids...), "-token"},
		"an argument":               {token, append(append([]string{"-base-url", "API"}, ids...), token), "unexpected argument"},
		"an argument, no token":     {"", []string{token}, "unexpected argument"},
		"an invalid id":             {token, []string{"-base-url", "API", "-instance", id, "-org", id, "-invite", ".."}, `InviteID ".."`},
		"an invalid base URL":       {token, append([]string{"-base-url", "api.losant.com"}, ids...), "the base URL"},
		"an empty base URL":         {token, append([]string{"-base-url", ""}, ids...), "the base URL"},
		"a base URL without TLS":    {token, append([]string{"-base-url", "http://api.losant.com"}, ids...), "base URL"},
		"a token with a line break": {token + "\n", append([]string{"-base-url", "API"}, ids...), "the token has"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t)
			args := append([]string(nil), c.args...)
			for n := range args {
				if args[n] == "API" {
					args[n] = api.URL
				}
			}
			r := start(t, c.token, args...)
			assert.Equal(t, 2, r.code)
			assert.NotContains(t, r.stdout, "get ")
			assert.NotContains(t, r.stdout, "Usage")
			assertOneLine(t, r.stderr, c.want)
			assert.NotContains(t, r.stdout+r.stderr, token)
			assert.Empty(t, api.Requests())
		})
	}
}

func TestFailedCallExitsWith1AndPrintsOneLine(t *testing.T) {
	t.Parallel()
	const get, resend, revoke = "InstanceOrgInvite.Get", "InstanceOrgInvite.ResendInvite", "InstanceOrgInvite.Delete"
	for name, c := range map[string]struct {
		fault   losanttest.Fault
		flags   []string
		want    string
		unknown bool
		methods []string
	}{
		"not found": {
			losanttest.Fault{Operation: get, StatusCode: http.StatusNotFound}, []string{"-revoke"},
			"404", false, []string{"GET"},
		},
		"the token is not accepted": {
			losanttest.Fault{Operation: get, StatusCode: http.StatusUnauthorized}, []string{"-resend", "edit"},
			"401", false, []string{"GET"},
		},
		"too many requests": {
			losanttest.Fault{Operation: get, StatusCode: http.StatusTooManyRequests, RetryAfter: "3600"}, nil,
			"retry after 1h0m0s", false, []string{"GET"},
		},
		"a resend that fails": {
			losanttest.Fault{Operation: resend, StatusCode: http.StatusForbidden}, []string{"-resend", "edit"},
			"403", false, []string{"GET", "POST"},
		},
		"a resend that takes effect without a response": {
			losanttest.Fault{Operation: resend, Cut: true, TakesEffect: true}, []string{"-resend", "edit"},
			resend, true, []string{"GET", "POST"},
		},
		"a revocation that takes effect with an invalid response": {
			losanttest.Fault{Operation: revoke, HTML: true, TakesEffect: true}, []string{"-revoke"},
			revoke, true, []string{"GET", "DELETE"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t)
			api.Inject(c.fault)
			r := start(t, api.Token, api.flags(c.flags...)...)
			assert.Equal(t, 1, r.code)
			assertOneLine(t, r.stderr, c.want)
			const advice = "before you retry, check the invite without -resend and -revoke"
			assert.Equal(t, c.unknown, strings.Contains(r.stderr, advice), r.stderr)
			assert.NotContains(t, r.stdout+r.stderr, api.Token)
			assert.Equal(t, c.methods, api.methods())
		})
	}
}

func TestHelpListsEachFlag(t *testing.T) {
	t.Parallel()
	r := start(t, "", "-help")
	assert.Equal(t, 0, r.code)
	assert.Empty(t, r.stderr)
	for _, flag := range []string{"-instance", "-org", "-invite", "-resend", "-revoke", "-base-url", "LOSANT_API_TOKEN"} {
		assert.Contains(t, r.stdout, flag)
	}
}

func TestSummaryDescribesTheExpiry(t *testing.T) {
	t.Parallel()
	sent := time.Date(2026, 1, 30, 23, 0, 0, 0, time.FixedZone("", -3600))
	for want, invite := range map[string]losant.OrgInvite{
		" for a@b.c as view, expiry unknown":     {Role: "view", InviteDate: sent},
		" for a@b.c as none, expires 2026-02-01": {Role: "none", InviteDate: sent, TTL: 24 * time.Hour},
		" for a@b.c as edit, expired":            {Role: "edit", InviteDate: sent, TTL: 24 * time.Hour, HasExpired: true},
	} {
		invite.Email = "a@b.c"
		assert.Equal(t, want, summary(&invite))
	}
}

func TestProgramRunsAsAProcess(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "quickstart.exe")
	output, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, "%s", output)
	start := func(t *testing.T, token string, args ...string) (*exec.Cmd, *bytes.Buffer, *bytes.Buffer) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		process := exec.CommandContext(t.Context(), program, args...)
		process.Env = append(os.Environ(), tokenVariable+"="+token)
		process.Stdout, process.Stderr = &stdout, &stderr
		require.NoError(t, process.Start())
		return process, &stdout, &stderr
	}

	t.Run("demonstration", func(t *testing.T) {
		t.Parallel()
		process, stdout, stderr := start(t, "")
		require.NoError(t, process.Wait())
		assert.Empty(t, stderr.String())
		assert.Equal(t, demonstration, masked(stdout.String()))
	})
	t.Run("misuse", func(t *testing.T) {
		t.Parallel()
		process, stdout, stderr := start(t, "a-token")
		require.Error(t, process.Wait())
		assert.Equal(t, 2, process.ProcessState.ExitCode())
		assert.Empty(t, stdout.String())
		assertOneLine(t, stderr.String(), "missing -instance")
	})
	t.Run("Ctrl-C", func(t *testing.T) {
		t.Parallel()
		if runtime.GOOS == "windows" {
			t.Skip("Windows sends no signal to a single process")
		}
		arrived := make(chan struct{})
		api := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(arrived)
			<-r.Context().Done()
		}))
		defer api.Close()
		const id = "0123456789abcdef01234567"
		process, _, stderr := start(t, "a-token", "-base-url", api.URL, "-instance", id, "-org", id, "-invite", id)
		<-arrived
		require.NoError(t, process.Process.Signal(os.Interrupt))
		require.Error(t, process.Wait())
		assert.Equal(t, 1, process.ProcessState.ExitCode())
		assertOneLine(t, stderr.String(), "InstanceOrgInvite.Get")
	})
}

// api is a losanttest server with one invite.
type api struct {
	*losanttest.Server
	ref losant.InstanceOrgInviteRef
}

func newAPI(t *testing.T) api {
	t.Helper()
	server := losanttest.NewServer()
	t.Cleanup(server.Close)
	return api{server, server.AddInvite(losant.OrgInvite{Email: "grace@example.com", Role: losant.OrgRoleView})}
}

func (a api) flags(more ...string) []string {
	return append([]string{
		"-base-url", a.URL,
		"-instance", a.ref.InstanceID, "-org", a.ref.OrgID, "-invite", a.ref.InviteID,
	}, more...)
}

func (a api) methods() []string {
	var methods []string
	for _, request := range a.Requests() {
		methods = append(methods, request.Method)
	}
	return methods
}

type result struct {
	code           int
	stdout, stderr string
}

func start(t *testing.T, token string, args ...string) result {
	t.Helper()
	getenv := func(name string) string {
		if name != tokenVariable {
			t.Errorf("unexpected variable %s", name)
		}
		return token
	}
	var stdout, stderr bytes.Buffer
	code := run(context.Background(), args, getenv, &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

// masked replaces ids with numbers in order of appearance, and dates with DATE.
func masked(output string) string {
	output = regexp.MustCompile(`\d{4}-\d\d-\d\d`).ReplaceAllString(output, "DATE")
	seen := map[string]string{}
	return regexp.MustCompile(`[0-9a-fA-F]{24}`).ReplaceAllStringFunc(output, func(id string) string {
		if seen[id] == "" {
			seen[id] = fmt.Sprintf("ID%d", len(seen)+1)
		}
		return seen[id]
	})
}

func assertOneLine(t *testing.T, output, want string) {
	t.Helper()
	assert.True(t, strings.HasPrefix(output, "quickstart: "), "%q", output)
	assert.Equal(t, 1, strings.Count(output, "\n"), "%q", output)
	assert.True(t, strings.HasSuffix(output, "\n"), "%q", output)
	assert.Contains(t, output, want)
}
