package losant_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// TestTTLIsRoundedToNanoseconds: a number with a million digits takes no longer.
func TestTTLIsRoundedToNanoseconds(t *testing.T) {
	t.Parallel()
	started := time.Now()
	for number, want := range map[string]time.Duration{
		"0.0000004": 0, "0.0000007": 1, "-0.0000007": -1, "0.0000015": 2, "1." + strings.Repeat("0", 1<<20) + "1": time.Millisecond,
	} {
		var invite losant.OrgInvite
		require.NoError(t, json.Unmarshal([]byte(`{"ttl":`+number+`}`), &invite))
		assert.Equal(t, want, invite.TTL, "%.40s", number)
	}
	if !raceEnabled { // the race detector is slow
		assert.Less(t, time.Since(started), 5*time.Second)
	}
}

// TestInvalidMemberIsInvalidResponse: the outcome is still known if the JSON
// is valid and has the id, because that proves that the API acted.
func TestInvalidMemberIsInvalidResponse(t *testing.T) {
	t.Parallel()
	for member, value := range map[string]string{
		"email": "5", "role": "[]", "applicationRoles": "{}", "dashboardRoles": `[{"role":"view"}]`, "hasExpired": `"true"`, "disallowTransfer": "1",
	} {
		for _, text := range []string{`{"id":"` + id + `","` + member + `":` + value + `}`, `{"` + member + `":` + value + `,"email":{},"id":"` + id + `"}`} {
			assert.Contains(t, requireError(t, errorFrom(t, get, 200, text), "ErrInvalidResponse").Message, member)
			requireError(t, errorFrom(t, resend, 201, text), "ErrInvalidResponse")
			requireError(t, errorFrom(t, resend, 201, text+"x"), "ErrInvalidResponse", "ErrOutcomeUnknown")
		}
		requireError(t, errorFrom(t, resend, 201, `{"`+member+`":`+value+`}`), "ErrInvalidResponse", "ErrOutcomeUnknown")
	}
	requireError(t, errorFrom(t, resend, 201, `{"id":5}`), "ErrInvalidResponse", "ErrOutcomeUnknown")
	for _, grant := range []string{"null", "1", "{}", `{"role":"view"}`, `{"resourceId":1}`, `{"resourceId":"x","role":1}`} {
		requireError(t, errorFrom(t, resend, 201, `{"id":"`+id+`","applicationRoles":[{"resourceId":"x"},`+grant+`]}`), "ErrInvalidResponse")
	}
}

// TestUnexpectedLinksDateAndTTLAreZero: they never fail a call.
func TestUnexpectedLinksDateAndTTLAreZero(t *testing.T) {
	t.Parallel()
	date := time.Date(2026, 5, 13, 4, 0, 0, 0, time.UTC)
	self := map[string]losant.Link{"self": {Href: "/x"}}
	none := map[string]losant.Link{}
	for text, want := range map[string]losant.OrgInvite{
		`"_links":[]`: {}, `"_links":null`: {}, `"_links":5`: {}, `"_links":"/x"`: {}, `"_links":true`: {}, `"_links":{}`: {Links: none},
		`"_links":{"self":5,"a":null,"b":[],"c":{},"d":[1],"e":{"href":null},"f":{"href":[]},"g":{"HREF":"/x"}}`: {Links: none},
		`"_links":{"self":{"href":"/x"},"odd":5}`:                         {Links: self},
		`"_links":{"self":[{"href":"/x"},{"href":"/y"}]}`:                 {Links: self},
		`"_links":{"self":{"href":"/y"}},"_links":{"self":{"href":"/x"}}`: {Links: self},
		`"inviteDate":""`:                        {},
		`"inviteDate":null`:                      {},
		`"inviteDate":"yesterday"`:               {},
		`"inviteDate":5`:                         {},
		`"inviteDate":{}`:                        {},
		`"inviteDate":"2026-05-13T04:00:00.000"`: {InviteDate: date},
		`"inviteDate":"2026-05-13 04:00:00"`:     {InviteDate: date},
		`"ttl":"1000"`:                           {TTL: time.Second},
		`"ttl":"soon"`:                           {},
		`"ttl":{}`:                               {},
		`"ttl":null`:                             {},
		`"ttl":true`:                             {},
	} {
		want.ID = id
		text = `{"id":"` + id + `",` + text + `}`
		client, _ := fromMemory(t, 200, []byte(text))
		var response losant.Response
		invite, err := client.InstanceOrgInvite.Get(t.Context(), ref, losant.WithResponse(&response))
		require.NoError(t, err, text)
		assert.Equal(t, want, *invite, text)
		assert.Equal(t, text, string(response.Body))
		client, _ = fromMemory(t, 200, []byte(`{"items":[`+text+`],"_links":[],"count":1}`))
		list, err := client.InstanceOrgInvites.Get(t.Context(), invitesRef, losant.InstanceOrgInvitesQuery{})
		require.NoError(t, err, text)
		assert.Equal(t, &losant.OrgInviteCollection{Items: []losant.OrgInvite{want}, Count: 1}, list)
	}
}

// TestOrgInviteMarshalsToTheAPIsJSON, and unmarshals from it without loss.
func TestOrgInviteMarshalsToTheAPIsJSON(t *testing.T) {
	t.Parallel()
	const text = `{"id":"64b0f5d29c3a7e0012ab34cd","email":"a@example.com","role":"edit","applicationRoles":[],"dashboardRoles":[{"resourceId":"x","role":"none"}],
		"inviteDate":"2026-05-13T04:00:00.000Z","ttl":604800000,"hasExpired":true,"disallowTransfer":false,"_links":{"self":{"href":"/x"}}}`
	var invite losant.OrgInvite
	require.NoError(t, json.Unmarshal([]byte(text), &invite))
	marshaled, err := json.Marshal(invite)
	require.NoError(t, err)
	assert.JSONEq(t, text, string(marshaled))
	for _, invite := range []losant.OrgInvite{
		{},
		{ID: id, TTL: 1, InviteDate: time.Date(2026, 5, 13, 4, 0, 0, 1, time.UTC)},
		{ID: id, TTL: math.MaxInt64 - 1, InviteDate: time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)},
		{ID: id, TTL: math.MinInt64, ApplicationRoles: []losant.ResourceGrant{}, Links: map[string]losant.Link{}},
	} {
		data, err := json.Marshal(invite)
		require.NoError(t, err)
		var back losant.OrgInvite
		require.NoError(t, json.Unmarshal(data, &back))
		assert.Equal(t, invite, back)
	}
	require.NoError(t, json.Unmarshal([]byte(`{"id":"x"}`), &invite))
	assert.Equal(t, losant.OrgInvite{ID: "x"}, invite, "Unmarshal replaces every field")
	require.NoError(t, json.Unmarshal([]byte("null"), &invite))
	assert.Equal(t, "x", invite.ID, "null changes nothing, by the convention of encoding/json")
	for _, invalid := range []string{"", "[]", "5", `{"id":"x"`, `{"id":5}`, `{"id":"x"}{}`} {
		require.Error(t, invite.UnmarshalJSON([]byte(invalid)), invalid)
	}
	data, err := json.Marshal(losant.OrgInvite{InviteDate: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)})
	require.NoError(t, err)
	assert.Contains(t, string(data), `"9999-12-31T23:59:59.000Z"`, "the last date has milliseconds as well")
	_, err = json.Marshal(losant.OrgInvite{InviteDate: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)})
	require.Error(t, err)
}

func TestRoleInfoReturnsAllRoles(t *testing.T) {
	t.Parallel()
	grants := []losant.ResourceGrant{{ResourceID: id, Role: losant.ResourceRoleView}}
	invite := losant.OrgInvite{ID: id, Email: "a@example.com", Role: losant.OrgRoleEdit, ApplicationRoles: grants, DashboardRoles: []losant.ResourceGrant{}}
	assert.Equal(t, losant.OrgRoleInfo{Role: losant.OrgRoleEdit, ApplicationRoles: grants, DashboardRoles: []losant.ResourceGrant{}}, invite.RoleInfo())
}

// TestExpiresAtIsInviteDatePlusTTL: zero if either is unknown.
func TestExpiresAtIsInviteDatePlusTTL(t *testing.T) {
	t.Parallel()
	date := time.Date(2026, 5, 13, 4, 0, 0, 0, time.UTC)
	assert.Equal(t, date.Add(time.Hour), losant.OrgInvite{InviteDate: date, TTL: time.Hour}.ExpiresAt())
	assert.True(t, losant.OrgInvite{InviteDate: date}.ExpiresAt().IsZero())
	assert.True(t, losant.OrgInvite{TTL: time.Hour}.ExpiresAt().IsZero())
}

func TestTwoIDsAreInvalid(t *testing.T) {
	t.Parallel()
	var invite losant.OrgInvite
	require.ErrorContains(t, invite.UnmarshalJSON([]byte(`{"id":"a","id":"b"}`)), `more than one "id"`)
	assert.Zero(t, invite)
}
