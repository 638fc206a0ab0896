package losant_test

import (
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// Get and Post follow the rules of Get and ResendInvite of a single invitation, which
// are tested in more detail.

// TestInvitesQueryIsSent: only the fields that are set, escaped.
func TestInvitesQueryIsSent(t *testing.T) {
	t.Parallel()
	const flags = "_actions=false&_embedded=true&_links=true"
	for want, query := range map[string]losant.InstanceOrgInvitesQuery{
		flags: {},
		flags + "&filter=%2A%40example.com%26x%3D1&filterField=email&sortDirection=asc&sortField=role": {
			SortField: "role", SortDirection: losant.SortAscending, FilterField: "email", Filter: "*@example.com&x=1",
		},
		flags + "&sortDirection=up&sortField=shoeSize": {SortField: "shoeSize", SortDirection: "up"},
	} {
		api := &recorder{respond: httpmock.NewStringResponder(200, `{"items":[],"count":0}`)}
		list, err := through(t, api).InstanceOrgInvites.Get(t.Context(), invitesRef, query)
		require.NoError(t, err)
		assert.Equal(t, []losant.OrgInvite{}, list.Items)
		assert.Equal(t, want, api.request.URL.RawQuery)
	}
}

// TestInvalidArgumentsOfInvitesAreRefused: ids, the invitation to send, and half a
// filter, which would select every invitation.
func TestInvalidArgumentsOfInvitesAreRefused(t *testing.T) {
	t.Parallel()
	api := &recorder{}
	client := through(t, api)
	for _, invalid := range invalidIDs() {
		_, err := client.InstanceOrgInvites.Get(t.Context(), losant.InstanceOrgInvitesRef{InstanceID: id, OrgID: invalid}, losant.InstanceOrgInvitesQuery{})
		requireError(t, err, "ErrInvalidArgument")
		_, err = client.InstanceOrgInvites.Post(t.Context(), losant.InstanceOrgInvitesRef{InstanceID: invalid, OrgID: id}, losant.OrgInvitePost{Email: "a@example.com", Role: "view"})
		requireError(t, err, "ErrInvalidArgument")
	}
	for field, post := range map[string]losant.OrgInvitePost{
		"DashboardRoles[1].ResourceID": {Email: "a@example.com", Role: "view", DashboardRoles: []losant.ResourceGrant{{ResourceID: "x"}, {Role: "view"}}},
		`Email is empty`:               {Role: "view"}, `Role is empty`: {Email: "a@example.com"},
		"Email \"a@example.com\\r\\n": {Email: "a@example.com\r\nBcc: b@example.com", Role: "view"}, "Email \"\\xff": {Email: "\xff@example.com", Role: "view"},
		"ApplicationRoles[0].ResourceID": {Email: "a@example.com", Role: "view", ApplicationRoles: []losant.ResourceGrant{{}}},
	} {
		_, err := client.InstanceOrgInvites.Post(t.Context(), invitesRef, post)
		assert.Contains(t, requireError(t, err, "ErrInvalidArgument").Message, field)
	}
	_, err := client.InstanceOrgInvites.Post(t.Context(), invitesRef, losant.OrgInvitePost{Email: strings.Repeat("a", 1000) + "\n", Role: "view"})
	assert.Less(t, len(requireError(t, err, "ErrInvalidArgument").Message), 200, "a long value is truncated")
	for words, query := range map[string]losant.InstanceOrgInvitesQuery{
		`Filter "*@old.com" has no FilterField; set FilterField`:  {Filter: "*@old.com"},
		`FilterField "email" has no Filter; set Filter`:           {FilterField: losant.OrgInviteFieldEmail},
		`FilterField "inviteDate" cannot be filtered by; use Org`: {FilterField: losant.OrgInviteFieldInviteDate, Filter: "2026*"},
		`FilterField "Email" cannot be filtered by; use Org`:      {FilterField: "Email", Filter: "*"},
	} {
		_, err := client.InstanceOrgInvites.Get(t.Context(), invitesRef, query)
		assert.Contains(t, requireError(t, err, "ErrInvalidArgument").Message, words)
	}
	assert.Zero(t, api.count)
}

// TestInviteOfARef is the reference of one of the invitations.
func TestInviteOfARef(t *testing.T) {
	t.Parallel()
	assert.Equal(t, ref, invitesRef.Invite(ref.InviteID))
}

// TestListIsDecodedCompletely: every member, and the links.
func TestListIsDecodedCompletely(t *testing.T) {
	t.Parallel()
	client, _ := fromMemory(t, 200, []byte(`{"items":[`+inviteJSON+`],"count":1,"instanceId":"i","orgId":"o","sortField":"role","sortDirection":"asc",
		"filterField":"email","filter":"*@example.com","_links":{"self":{"href":"/x"}}}`))
	list, err := client.InstanceOrgInvites.Get(t.Context(), invitesRef, losant.InstanceOrgInvitesQuery{})
	require.NoError(t, err)
	assert.Equal(t, &losant.OrgInviteCollection{
		Items: []losant.OrgInvite{{ID: "64b0f5d29c3a7e0012ab34cd", Email: "new.member@example.com", Role: losant.OrgRoleEdit}},
		Count: 1, InstanceID: "i", OrgID: "o", SortField: losant.OrgInviteFieldRole, SortDirection: losant.SortAscending,
		FilterField: losant.OrgInviteFieldEmail, Filter: "*@example.com", Links: map[string]losant.Link{"self": {Href: "/x"}},
	}, list)
}

// TestListWithoutInvitationsIsInvalidResponse: it needs items, and each needs an id.
func TestListWithoutInvitationsIsInvalidResponse(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "{}", "null", `{"items":null}`, `{"items":{}}`, `{"items":[{}]}`, `{"items":[null]}`, `{"items":[` + inviteJSON + `,{"id":""}]}`, "[]", "[{}]", `{"items":[],"count":"2"}`, `{"items":[],"count":1.5}`,
		`{"ITEMS":[]}`, `{"items":[` + inviteJSON + `],"items":[]}`, `{"items":[` + inviteJSON + `]`, `{"items":[` + inviteJSON + `]}{}`, `{"items":[],"x":[}}`, `{"items":[],"x":01}`, `{"items":[{"id":"x"} {"id":"x"}]}`,
		`{"items":[{"id":"x","role":5}]`, "[" + inviteJSON, "[" + inviteJSON + "]x",
	} {
		client, _ := fromMemory(t, 200, []byte(text))
		_, err := client.InstanceOrgInvites.Get(t.Context(), invitesRef, losant.InstanceOrgInvitesQuery{})
		requireError(t, err, "ErrInvalidResponse")
		_, err = client.InstanceOrgInvites.Post(t.Context(), invitesRef, losant.OrgInvitePost{Email: "a@example.com", Role: "view"})
		requireError(t, err, "ErrInvalidResponse", "ErrOutcomeUnknown")
	}
}

// TestPostAcceptsAListAnInvitationOrAnArray, because the API's documentation allows all
// three. Get accepts a list only.
func TestPostAcceptsAListAnInvitationOrAnArray(t *testing.T) {
	t.Parallel()
	post := losant.OrgInvitePost{Email: "new.member@example.com", Role: "edit"}
	for text, emails := range map[string]int{
		inviteJSON: 1, " [" + inviteJSON + "] ": 1, "[" + inviteJSON + "," + inviteJSON + "]": 2, `{"count":1,"items":[` + inviteJSON + `]}`: 1, `{"id":"x","count":0,"items":[]}`: 0,
	} {
		client, _ := fromMemory(t, 201, []byte(text))
		list, err := client.InstanceOrgInvites.Post(t.Context(), invitesRef, post)
		require.NoError(t, err, text)
		assert.Len(t, list.Items, emails, text)
		assert.Equal(t, emails, list.Count, text)
		for _, invite := range list.Items {
			assert.Equal(t, post.Email, invite.Email)
		}
	}
	for _, text := range []string{inviteJSON, "[" + inviteJSON + "]"} {
		client, _ := fromMemory(t, 200, []byte(text))
		_, err := client.InstanceOrgInvites.Get(t.Context(), invitesRef, losant.InstanceOrgInvitesQuery{})
		requireError(t, err, "ErrInvalidResponse")
	}
	for _, text := range []string{`{"id":"x","role":5}`, `[{"id":"x","role":5}]`, `{"items":[{"id":"x","role":5}]}`, `{"items":[{"id":"x"}],"count":"1"}`} {
		client, _ := fromMemory(t, 201, []byte(text))
		_, err := client.InstanceOrgInvites.Post(t.Context(), invitesRef, post)
		requireError(t, err, "ErrInvalidResponse") // the id proves that the API acted
	}
}

// TestGetOfInvitesIsRetriedAndPostIsNot, unless the API refused the request.
func TestGetOfInvitesIsRetriedAndPostIsNot(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		script    []handler
		get, post expected
	}{
		{[]handler{status(502), body(`{"items":[]}`)}, success(2), failure(1, "ErrServer", "ErrOutcomeUnknown")},
		{[]handler{cut, body(`{"items":[]}`)}, success(2), failure(1, "ErrOutcomeUnknown")},
		{[]handler{status(429), body(`{"items":[]}`)}, success(2), success(2)},
		{[]handler{status(404)}, failure(1, "ErrNotFound"), failure(1, "ErrNotFound")},
	} {
		s := serve(t, row.script...)
		_, err := newClient(t, s.URL).InstanceOrgInvites.Get(t.Context(), invitesRef, losant.InstanceOrgInvitesQuery{})
		row.get.check(t, s, err)
		s = serve(t, row.script...)
		_, err = newClient(t, s.URL).InstanceOrgInvites.Post(t.Context(), invitesRef, losant.OrgInvitePost{Email: "a@example.com", Role: "view"})
		row.post.check(t, s, err)
	}
}
