package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/rivo/uniseg"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/losant-community/losant-rest-go"
)

// fakeList returns its invites and records the query.
type fakeList struct {
	losant.InstanceOrgInvitesService

	invites []losant.OrgInvite
	query   losant.InstanceOrgInvitesQuery
}

func (f *fakeList) Get(_ context.Context, _ losant.InstanceOrgInvitesRef, query losant.InstanceOrgInvitesQuery, _ ...losant.RequestOption) (*losant.OrgInviteCollection, error) {
	f.query = query
	return &losant.OrgInviteCollection{Items: f.invites}, nil
}

func sample() []losant.OrgInvite {
	sent := time.Date(2026, 1, 30, 23, 0, 0, 0, time.FixedZone("", -3600))
	return []losant.OrgInvite{
		{ID: "0123456789abcdef01234567", Email: "ada@example.com", Role: losant.OrgRoleEdit, InviteDate: sent, TTL: 24 * time.Hour},
		{ID: "0123456789abcdef01234568", Email: "grace.hopper@example.com", Role: losant.OrgRoleNone, InviteDate: sent, TTL: time.Hour, HasExpired: true},
		{ID: "0123456789abcdef0123456a", Email: hostile, Role: "\x1b[5m", HasExpired: true},
	}
}

func TestTableOmitsColumnsToFit(t *testing.T) {
	t.Parallel()
	for width, want := range map[int][]string{
		0: {
			"ID                        EMAIL                     ROLE  SENT        EXPIRES     STATE",
			"0123456789abcdef01234567  ada@example.com           edit  2026-01-31  2026-02-01  open",
			"0123456789abcdef01234568  grace.hopper@example.com  none  2026-01-31  2026-01-31  EXPIRED",
			"0123456789abcdef0123456a  eve[2J31m\ufffd@example.com    [5m   -           -           EXPIRED",
		},
		80: {
			"ID                        EMAIL                     ROLE  EXPIRES     STATE",
			"0123456789abcdef01234567  ada@example.com           edit  2026-02-01  open",
			"0123456789abcdef01234568  grace.hopper@example.com  none  2026-01-31  EXPIRED",
			"0123456789abcdef0123456a  eve[2J31m\ufffd@example.com    [5m   -           EXPIRED",
		},
		51: {
			"EMAIL                     ROLE  EXPIRES     STATE",
			"ada@example.com           edit  2026-02-01  open",
			"grace.hopper@example.com  none  2026-01-31  EXPIRED",
			"eve[2J31m\ufffd@example.com    [5m   -           EXPIRED",
		},
		30: {
			"EMAIL            ROLE  STATE",
			"ada@example.com  edit  open",
			"grace.hopper@e…  none  EXPIRED",
			"eve[2J31m\ufffd@exa…  [5m   EXPIRED",
		},
	} {
		var out bytes.Buffer
		require.NoError(t, printTable(&out, sample(), width))
		assert.Equal(t, strings.Join(want, "\n")+"\n\n3 invites, 2 of them expired.\n", out.String(), "width %d", width)
	}
}

func TestTableIsNeverWiderThanTheTerminal(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long.", 50) + "@example.com"
	for _, invite := range []losant.OrgInvite{
		{ID: "0123456789abcdef01234567", Email: "person01@example.com", Role: losant.OrgRoleCollaborate, HasExpired: true},
		{ID: "0123456789abcdef01234567", Email: long, Role: losant.OrgRoleCollaborate, HasExpired: true},
		{ID: "0123456789abcdef01234567", Email: strings.Repeat("招待", 30) + "@example.com", Role: losant.OrgRole(long)},
		{ID: long, Email: "日本@example.com"},
		{},
	} {
		for width := 28; width <= 200; width++ {
			var out bytes.Buffer
			require.NoError(t, printTable(&out, []losant.OrgInvite{invite}, width))
			for line := range strings.Lines(out.String()) {
				assert.LessOrEqual(t, uniseg.StringWidth(strings.TrimSuffix(line, "\n")), max(width, 32), line)
			}
		}
	}
}

func TestWideCharactersAreAligned(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"招待  x", "ab    y", "e\u0301     z"}, align([][]string{{"招待", "x"}, {"ab", "y"}, {"e\u0301", "z"}}))
}

func TestTableWithoutInvites(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, printTable(&out, nil, 80))
	assert.Contains(t, out.String(), "\n0 invites, 0 of them expired.\n")
}

func TestCellIsPrintableAndShort(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "-", cell("\x1b\n", 64))
	assert.Equal(t, strings.Repeat("é", 64), cell(strings.Repeat("é", 64), 64))
	assert.Equal(t, strings.Repeat("é", 63)+"…", cell(strings.Repeat("é", 65), 64))
	assert.Equal(t, "招…", cell("招待状", 4))
}

func TestListFiltersByEmail(t *testing.T) {
	t.Parallel()
	f := &fakeList{invites: sample()}
	_, err := list(t.Context(), f, organization, "*@example.com")
	require.NoError(t, err)
	assert.Equal(t, losant.InstanceOrgInvitesQuery{
		SortField: "email", SortDirection: "asc", FilterField: "email", Filter: "*@example.com",
	}, f.query)

	_, err = list(t.Context(), f, organization, "")
	require.NoError(t, err)
	assert.Equal(t, losant.InstanceOrgInvitesQuery{SortField: "email", SortDirection: "asc"}, f.query)
}

func TestListContainsEachInviteOnce(t *testing.T) {
	t.Parallel()
	twice := append(sample(), sample()...)
	twice[3].ID = strings.ToUpper(twice[3].ID)
	invites, err := list(t.Context(), &fakeList{invites: twice}, organization, "")
	require.NoError(t, err)
	assert.Equal(t, sample(), invites)
}

func TestJSONContainsInvitesAndOutcomes(t *testing.T) {
	t.Parallel()
	invites := sample()
	renewals := []renewal{
		{Invite: invites[1], Outcome: renewed, Renewed: &losant.OrgInvite{ID: "new", Email: "grace.hopper@example.com"}, Statuses: []int{429, 201}},
		{Invite: invites[2], Outcome: unknown, Statuses: []int{0}, Error: "no response"},
	}
	var out bytes.Buffer
	require.NoError(t, printJSON(&out, invites, renewals))
	for _, r := range out.String() {
		assert.True(t, unicode.IsPrint(r) || r == '\n', "%q", r)
	}
	assert.JSONEq(t, `{"invites": [
		{"invite": {"id": "0123456789abcdef01234567", "email": "ada@example.com", "role": "edit", "inviteDate": "2026-01-30T23:00:00.000-01:00",
			"ttl": 86400000, "hasExpired": false, "disallowTransfer": false}},
		{"invite": {"id": "0123456789abcdef01234568", "email": "grace.hopper@example.com", "role": "none", "inviteDate": "2026-01-30T23:00:00.000-01:00",
			"ttl": 3600000, "hasExpired": true, "disallowTransfer": false},
			"outcome": "renewed", "statuses": [429, 201],
			"renewed": {"id": "new", "email": "grace.hopper@example.com", "role": "", "hasExpired": false, "disallowTransfer": false}},
		{"invite": {"id": "0123456789abcdef0123456a", "email": "eve\u001b[2J\r\n\u202e\u009b31m\ufffd\u0000@example.com", "role": "\u001b[5m",
			"hasExpired": true, "disallowTransfer": false}, "outcome": "unknown", "statuses": [0], "error": "no response"}
	]}`, out.String())
}

func TestJSONWithoutInvites(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, printJSON(&out, nil, nil))
	assert.JSONEq(t, `{"invites": []}`, out.String())
}

func TestEscapedDocumentIsEqual(t *testing.T) {
	t.Parallel()
	const text = "é € 𝄞 \u202e \u009b \U000e0041 \x7f"
	document, err := json.Marshal(text)
	require.NoError(t, err)
	safe := escaped(string(document))
	assert.Equal(t, `"é € 𝄞 \u202e \u009b \udb40\udc41 \u007f"`, safe)
	var back string
	require.NoError(t, json.Unmarshal([]byte(safe), &back))
	assert.Equal(t, text, back)
}
