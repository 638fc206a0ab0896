package losant_test

import (
	"net/http"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// The actions of the collection: Get and Post follow the rules of a single
// invite's Get and ResendInvite, which are tested there.

func TestInvitesQuery(t *testing.T) {
	t.Parallel()
	const flags = "_actions=false&_embedded=true&_links=true"
	for want, query := range map[string]losant.InstanceOrgInvitesQuery{
		flags: {},
		flags + "&filter=%2A%40example.com%26x%3D1&filterField=email&sortDirection=asc&sortField=role": {
			SortField: "role", SortDirection: losant.SortAscending, FilterField: "email", Filter: "*@example.com&x=1",
		},
		flags + "&sortDirection=up&sortField=shoeSize": {SortField: "shoeSize", SortDirection: "up"},
	} {
		var got string
		client := newClient(t, "https://api.example.com", losant.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			got = r.URL.RawQuery
			return httpmock.NewStringResponse(200, `{"items":[],"count":0}`), nil
		})}))
		list, err := client.InstanceOrgInvites.Get(t.Context(), invitesRef, query)
		require.NoError(t, err)
		assert.Empty(t, list.Items)
		assert.NotNil(t, list.Items)
		assert.Equal(t, want, got)
	}
}

func TestInvitesRefused(t *testing.T) {
	t.Parallel()
	s := serve(t, succeed)
	client := newClient(t, s.URL)
	for _, hostile := range hostileIDs() {
		_, err := client.InstanceOrgInvites.Get(t.Context(), losant.InstanceOrgInvitesRef{InstanceID: id, OrgID: hostile}, losant.InstanceOrgInvitesQuery{})
		requireError(t, err, "ErrInvalidArgument")
		_, err = client.InstanceOrgInvites.Post(t.Context(), losant.InstanceOrgInvitesRef{InstanceID: hostile, OrgID: id}, losant.OrgInvitePost{Email: "a@example.com", Role: "view"})
		requireError(t, err, "ErrInvalidArgument")
	}
	for field, post := range map[string]losant.OrgInvitePost{
		"DashboardRoles[1].ResourceID": {Email: "a@example.com", Role: "view", DashboardRoles: []losant.ResourceGrant{{ResourceID: "x"}, {Role: "view"}}},
		`Email "" is empty`:            {Role: "view"}, `Role "" is empty`: {Email: "a@example.com"},
		"Email \"a@example.com\\r\\n": {Email: "a@example.com\r\nBcc: b@example.com", Role: "view"}, "Email \"\\xff": {Email: "\xff@example.com", Role: "view"},
		"ApplicationRoles[0].ResourceID": {Email: "a@example.com", Role: "view", ApplicationRoles: []losant.ResourceGrant{{}}},
	} {
		_, err := client.InstanceOrgInvites.Post(t.Context(), invitesRef, post)
		assert.Contains(t, requireError(t, err, "ErrInvalidArgument").Message, field)
	}
	for words, query := range map[string]losant.InstanceOrgInvitesQuery{
		`Filter "*@old.com" has no FilterField; set FilterField`:  {Filter: "*@old.com"},
		`FilterField "email" has no Filter; set Filter`:           {FilterField: losant.OrgInviteFieldEmail},
		`FilterField "inviteDate" cannot be filtered by; use Org`: {FilterField: losant.OrgInviteFieldInviteDate, Filter: "2026*"},
		`FilterField "Email" cannot be filtered by; use Org`:      {FilterField: "Email", Filter: "*"},
	} {
		_, err := client.InstanceOrgInvites.Get(t.Context(), invitesRef, query)
		assert.Contains(t, requireError(t, err, "ErrInvalidArgument").Message, words)
	}
	assert.Zero(t, s.arrived.Load())
	assert.Equal(t, ref, invitesRef.Invite(ref.InviteID))
}

// TestInvitesThatAreNone: a list without items, or with an item without an id,
// is not a list of invitations.
func TestInvitesThatAreNone(t *testing.T) {
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

// TestPostedShapes: the API's documents allow three shapes of the response to a
// Post. A list is only one of them.
func TestPostedShapes(t *testing.T) {
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
		requireError(t, err, "ErrInvalidResponse") // and the outcome is known
	}
}

// TestInvitesAttempts: the list is repeated, the invitation is not.
func TestInvitesAttempts(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		script    []answer
		get, post expected
	}{
		{[]answer{status(502), body(`{"items":[]}`)}, success(2), failure(1, "ErrServer", "ErrOutcomeUnknown")},
		{[]answer{cut, body(`{"items":[]}`)}, success(2), failure(1, "ErrOutcomeUnknown")},
		{[]answer{status(429), body(`{"items":[]}`)}, success(2), success(2)},
		{[]answer{status(404)}, failure(1, "ErrNotFound"), failure(1, "ErrNotFound")},
	} {
		s := serve(t, row.script...)
		_, err := newClient(t, s.URL).InstanceOrgInvites.Get(t.Context(), invitesRef, losant.InstanceOrgInvitesQuery{})
		row.get.check(t, s, err)
		s = serve(t, row.script...)
		_, err = newClient(t, s.URL).InstanceOrgInvites.Post(t.Context(), invitesRef, losant.OrgInvitePost{Email: "a@example.com", Role: "view"})
		row.post.check(t, s, err)
	}
}
