package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/losant-community/losant-rest-go"
	"github.com/losant-community/losant-rest-go/losanttest"
)

func TestWithoutResendTheInvitesAreOnlyListed(t *testing.T) {
	t.Parallel()
	api := newAPI(t)
	r := start(t.Context(), t, api.Token, flagsFor(api)...)
	assert.Equal(t, 0, r.code)
	assert.Equal(t, "Using "+api.URL+".\n\n\nNothing was changed. To renew the expired invites, add -resend.\n", r.stderr)
	assert.True(t, strings.HasSuffix(r.stdout, "\n\n5 invites, 3 of them expired.\n"), r.stdout)
	var states []string
	for line := range strings.Lines(r.stdout) {
		if fields := strings.Fields(line); len(fields) == 6 && strings.Contains(fields[1], "@") {
			states = append(states, fields[1]+" "+fields[5])
		}
	}
	assert.Equal(t, []string{
		"ada@example.com open", "barbara@example.com EXPIRED", "edsger@example.com EXPIRED", "grace@example.org open", "tony@example.org EXPIRED",
	}, states)
	for _, request := range api.Requests() {
		assert.Equal(t, http.MethodGet, request.Method)
	}
}

func TestResendRenewsTheExpiredInvites(t *testing.T) {
	t.Parallel()
	api := newAPI(t)
	r := start(t.Context(), t, api.Token, flagsFor(api, "-resend", "-yes")...)
	assert.Equal(t, 0, r.code)
	assert.Contains(t, r.stderr, "\n3 expired: 3 renewed, 0 failed, 0 with an unknown outcome, 0 not started.\nRetries: 0.\n")
	assert.NotContains(t, r.stderr, "Continue?")
	assert.Contains(t, r.stderr, "[3/3] renewed: ")
	assert.Len(t, resent(api), 3)
	assert.Empty(t, expiredEmails(api))
	assert.Len(t, api.Invites(), 5)
	for _, request := range resent(api) {
		assert.JSONEq(t, `{"role": "edit"}`, string(request.Body))
	}
}

func TestNothingIsRenewedIfNothingHasExpired(t *testing.T) {
	t.Parallel()
	api := newAPI(t)
	r := start(t.Context(), t, api.Token, flagsFor(api, "-resend", "-yes", "-filter", "ada@*")...)
	assert.Equal(t, 0, r.code)
	assert.Contains(t, r.stderr, "\n0 expired: 0 renewed")
	assert.Empty(t, resent(api))
}

func TestFilterSelectsInvitesByEmail(t *testing.T) {
	t.Parallel()
	api := newAPI(t)
	r := start(t.Context(), t, api.Token, flagsFor(api, "-resend", "-yes", "-filter", "*@example.com")...)
	assert.Equal(t, 0, r.code)
	assert.Contains(t, r.stderr, "\n2 expired: 2 renewed")
	assert.NotContains(t, r.stdout+r.stderr, "example.org")
	assert.Equal(t, []string{"tony@example.org"}, expiredEmails(api))
}

func TestJSONOutputIsOneDocument(t *testing.T) {
	t.Parallel()
	type document struct {
		Invites []renewal `json:"invites"`
	}
	for name, c := range map[string]struct {
		flags []string
		want  map[outcome]int
	}{
		"look":  {[]string{"-json"}, map[outcome]int{"": 5}},
		"renew": {[]string{"-json", "-resend", "-yes"}, map[outcome]int{"": 2, renewed: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t)
			r := start(t.Context(), t, api.Token, flagsFor(api, c.flags...)...)
			assert.Equal(t, 0, r.code)
			var d document
			require.NoError(t, json.Unmarshal([]byte(r.stdout), &d), r.stdout)
			assert.Equal(t, c.want, countByOutcome(d.Invites))
			for _, entry := range d.Invites {
				if entry.Outcome == renewed {
					assert.Equal(t, []int{201}, entry.Statuses)
					assert.NotEqual(t, entry.Invite.ID, entry.Renewed.ID)
				}
			}
		})
	}
}

func TestRetriesAreCounted(t *testing.T) {
	t.Parallel()
	api := newAPI(t)
	api.Inject(losanttest.Fault{Operation: resendOperation, StatusCode: 429, RetryAfter: "0"})
	r := start(t.Context(), t, api.Token, flagsFor(api, "-resend", "-yes")...)
	assert.Equal(t, 0, r.code)
	assert.Contains(t, r.stderr, "3 renewed, 0 failed, 0 with an unknown outcome, 0 not started.\nRetries: 1.\n")
	assert.Contains(t, r.stderr, ", at attempt 2, after 429 Too Many Requests\n")
	assert.Len(t, resent(api), 4)
}

func TestUnknownOutcomesAreListed(t *testing.T) {
	t.Parallel()
	api := newAPI(t)
	proxy := addHostile(t, api)
	api.Inject(losanttest.Fault{Operation: resendOperation, Cut: true, TakesEffect: true, Times: 4})
	emails := make(map[string]string)
	for _, invite := range expiredOf(api.Invites()) {
		emails[invite.ID] = strings.Replace(invite.Email, harmless, hostile, 1)
	}
	require.Len(t, emails, 4)
	r := start(t.Context(), t, api.Token, flagsFor(api, "-resend", "-yes", "-base-url", proxy)...)
	assert.Equal(t, 3, r.code)
	_, named, found := strings.Cut(r.stderr, "\nOutcome unknown: ")
	require.True(t, found)
	for id, email := range emails {
		assert.Regexp(t, `(?m)^  \Q`+printable(email)+`\E +`+id+`\n    losant: `, named)
	}
	assert.NotContains(t, r.stdout+r.stderr, "\x1b")
	assert.Len(t, resent(api), 4, "no invite is sent twice")
}

func TestExitCodeReportsTheWorstOutcome(t *testing.T) {
	t.Parallel()
	refused := losanttest.Fault{Operation: resendOperation, StatusCode: http.StatusConflict}
	cut := losanttest.Fault{Operation: resendOperation, Cut: true}
	for name, c := range map[string]struct {
		faults []losanttest.Fault
		flags  []string
		code   int
		want   string
	}{
		"the list fails":         {[]losanttest.Fault{{Operation: "InstanceOrgInvites.Get", StatusCode: 403}}, nil, 1, "renew: losant: "},
		"a renewal is refused":   {[]losanttest.Fault{refused}, []string{"-resend", "-yes"}, 1, "1 failed"},
		"unknown":                {[]losanttest.Fault{cut}, []string{"-resend", "-yes"}, 3, "1 with an unknown outcome"},
		"unknown and refused":    {[]losanttest.Fault{refused, cut}, []string{"-resend", "-yes"}, 3, "1 renewed, 1 failed, 1 with an unknown outcome"},
		"unknown, and in JSON":   {[]losanttest.Fault{cut}, []string{"-resend", "-yes", "-json"}, 3, `"outcome": "unknown"`},
		"faults without -resend": {[]losanttest.Fault{refused, cut}, nil, 0, "Nothing was changed."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t)
			api.Inject(c.faults...)
			r := start(t.Context(), t, api.Token, flagsFor(api, c.flags...)...)
			assert.Equal(t, c.code, r.code)
			assert.Contains(t, r.stdout+r.stderr, c.want)
		})
	}
}

func TestFailedRenewalsAreListed(t *testing.T) {
	t.Parallel()
	api := newAPI(t)
	api.Inject(losanttest.Fault{Operation: resendOperation, StatusCode: http.StatusConflict})
	r := start(t.Context(), t, api.Token, flagsFor(api, "-resend", "-yes", "-parallel", "1")...)
	left := expiredOf(api.Invites())
	require.Len(t, left, 1)
	assert.Regexp(t, `\nFailed; these were not renewed:\n  `+left[0].Email+`  `+left[0].ID+`\n    losant: .*409`, r.stderr)
	assert.Contains(t, r.stderr, "] failed: "+left[0].Email+": 409 Conflict\n")
}

func TestStoppingAfterFailuresIsReported(t *testing.T) {
	t.Parallel()
	api := newAPI(t)
	for n := range 20 {
		api.AddInvite(losant.OrgInvite{Email: fmt.Sprintf("more%d@example.com", n), InviteDate: time.Unix(0, 0)})
	}
	api.Inject(losanttest.Fault{Operation: resendOperation, StatusCode: http.StatusForbidden, Times: 100})
	r := start(t.Context(), t, api.Token, flagsFor(api, "-resend", "-yes", "-parallel", "1")...)
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stderr, "\n23 expired: 0 renewed, 5 failed, 0 with an unknown outcome, 18 not started.")
	assert.Contains(t, r.stderr, "\nNot started, because too many consecutive calls failed;\nthese were not renewed:\n  ")
	assert.Len(t, resent(api), 5)
}

func TestInterruptWhileListingExitsWith130(t *testing.T) {
	t.Parallel()
	api := newAPI(t)
	api.Inject(losanttest.Fault{Operation: "InstanceOrgInvites.Get", Delay: time.Minute})
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		assert.Eventually(t, func() bool { return api.RequestCount() > 0 }, 10*time.Second, time.Millisecond)
		interrupt()
	}()
	r := start(ctx, t, api.Token, flagsFor(api, "-resend", "-yes")...)
	assert.Equal(t, 130, r.code)
	assert.Contains(t, r.stderr, "renew: losant: ")
	assert.Empty(t, r.stdout)
	assert.Empty(t, resent(api))
}

func TestInterruptFinishesTheRenewalsInProgress(t *testing.T) {
	t.Parallel()
	api := newAPI(t)
	api.Inject(losanttest.Fault{Operation: resendOperation, Delay: 200 * time.Millisecond, Times: 3})
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	go func() {
		waitForRequests(t, api, 2)
		interrupt()
	}()
	r := start(ctx, t, api.Token, flagsFor(api, "-resend", "-yes", "-parallel", "2")...)
	assert.Equal(t, 130, r.code)
	assert.Contains(t, r.stderr, "Interrupted. ")
	assert.Contains(t, r.stderr, "\n3 expired: 2 renewed, 0 failed, 0 with an unknown outcome, 1 not started.")
	left := expiredOf(api.Invites())
	require.Len(t, left, 1)
	assert.Contains(t, r.stderr, "\nNot started, because the program was interrupted;\nthese were not renewed:\n  "+left[0].Email+"  "+left[0].ID)
	assert.Len(t, resent(api), 2)
}

func TestInvalidSettingsExitWith2AndSendNothing(t *testing.T) {
	t.Parallel()
	const token = "secret-of-mine"
	const id = "0123456789abcdef01234567"
	ids := []string{"-base-url", "API", "-instance", id, "-org", id}
	for name, c := range map[string]struct {
		token string
		args  []string
		want  string
	}{
		"a token without ids":     {token, []string{"-base-url", "API"}, "missing -instance, -org ("},
		"a token without the org": {token, []string{"-base-url", "API", "-instance", id}, "missing -org ("},
		"an empty id":             {token, append(slices.Clone(ids), "-org", ""), "missing -org ("},
		"ids without a token":     {"", ids, "LOSANT_API_TOKEN is not set (required to use the API); for the demonstration, omit -base-url, -instance, -org"},
		"only -org":               {"", []string{"-org", id, "-resend"}, "LOSANT_API_TOKEN is not set"},
		"-parallel is too small":  {token, append(slices.Clone(ids), "-parallel", "0"), "-parallel 0 is out of range: use 1 to 64"},
		"-parallel is too large":  {token, append(slices.Clone(ids), "-parallel", "65"), "-parallel 65"},
		"-timeout is zero":        {token, append(slices.Clone(ids), "-timeout", "0s"), "-timeout 0s"},
		"an unknown flag":         {token, append(slices.Clone(ids), "-token", token), "-token"},
		"an argument":             {token, append(slices.Clone(ids), token), "unexpected argument"},
		"an invalid id":           {token, append(slices.Clone(ids), "-org", ".."), "OrgID"},
		"a base URL without TLS":  {token, append(slices.Clone(ids), "-base-url", "http://api.losant.com"), "base URL"},
		"a bad token":             {token + "\n", ids, "token"},
		"emails unconfirmed":      {token, append(slices.Clone(ids), "-resend"), "add -yes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t)
			args := slices.Clone(c.args)
			for n := range args {
				if args[n] == "API" {
					args[n] = api.URL
				}
			}
			r := start(t.Context(), t, c.token, args...)
			assert.Equal(t, 2, r.code)
			assert.Empty(t, r.stdout)
			assert.Contains(t, r.stderr, c.want)
			assert.NotContains(t, r.stderr, token)
			assert.Empty(t, api.Requests())
		})
	}
}

func TestHelpListsEachFlag(t *testing.T) {
	t.Parallel()
	r := start(t.Context(), t, "", "-help")
	assert.Equal(t, 0, r.code)
	assert.Empty(t, r.stderr)
	for _, word := range []string{"-instance", "-org", "-base-url", "-filter", "-json", "-resend", "-yes", "-parallel", "-timeout", tokenVariable} {
		assert.Contains(t, r.stdout, word)
	}
}

func TestDemonstrationOnlyListsWithoutResend(t *testing.T) {
	t.Parallel()
	r := start(t.Context(), t, "")
	assert.Equal(t, 0, r.code)
	assert.Contains(t, r.stderr, "an embedded server")
	assert.Contains(t, r.stderr, "To use your own organization")
	assert.Contains(t, r.stdout, "\n40 invites, 20 of them expired.\n")
	assert.Contains(t, r.stderr, "\nNothing was changed.")
}

func TestDemonstrationRenewsWithOneUnknownOutcome(t *testing.T) {
	t.Parallel()
	r := start(t.Context(), t, "", "-resend")
	assert.Equal(t, 3, r.code)
	assert.Contains(t, r.stderr, "\n20 expired: 19 renewed, 0 failed, 1 with an unknown outcome, 0 not started.\nRetries: 1.\n")
	assert.Contains(t, r.stderr, "[20/20] ")
	assert.Contains(t, r.stderr, "The exit code is 3")
	assert.NotContains(t, r.stdout+r.stderr, "\r")
}
