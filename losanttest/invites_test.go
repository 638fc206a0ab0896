package losanttest_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/losant-community/losant-rest-go"
	"github.com/losant-community/losant-rest-go/losanttest"
)

const invitation = `{"email":"a@example.com","role":"view"}`

// invitationOf is a body with this JSON as the email.
func invitationOf(email string) string { return `{"email":` + email + `,"role":"view"}` }

// longEmail is the JSON of an address with so many characters.
func longEmail(length int) string {
	const host = "@example.com"
	return `"` + strings.Repeat("a", length-len(host)) + host + `"`
}

func list(t *testing.T, client *losant.Client, srv *losanttest.Server) *losant.OrgInviteCollection {
	t.Helper()
	collection, err := client.InstanceOrgInvites.Get(t.Context(), collectionOf(srv), losant.InstanceOrgInvitesQuery{})
	require.NoError(t, err)
	return collection
}

func emailsOf(invites []losant.OrgInvite) string {
	emails := make([]string, len(invites))
	for n, invite := range invites {
		emails[n], _, _ = strings.Cut(invite.Email, "@")
	}
	return strings.Join(emails, " ")
}

func TestPost(t *testing.T) {
	t.Parallel()
	id := strings.Repeat("a", 24)
	grants := []losant.ResourceGrant{{ResourceID: id, Role: losant.ResourceRoleNone}}
	for name, test := range map[string]struct {
		body string
		want losant.OrgInvite
	}{
		"what is required": {invitation, losant.OrgInvite{Email: "a@example.com", Role: losant.OrgRoleView}},
		"everything": {`{"email":"A.b+c@Example.com","role":"none","applicationRoles":[{"resourceId":"` + id + `","role":"none"}],` +
			`"dashboardRoles":[],"disallowTransfer":true}`, losant.OrgInvite{Email: "A.b+c@Example.com", Role: losant.OrgRoleNone,
			ApplicationRoles: grants, DashboardRoles: []losant.ResourceGrant{}, DisallowTransfer: true}},
		"the longest email": {invitationOf(longEmail(1024)), losant.OrgInvite{
			Email: strings.Trim(longEmail(1024), `"`), Role: losant.OrgRoleView}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := newServer(t)
			srv.Advance(time.Hour)
			res, body, err := roundTrip(t, newRequest(t, srv, http.MethodPost, collectionPath(srv), test.body))
			require.NoError(t, err)
			require.Equal(t, http.StatusCreated, res.StatusCode, body)

			state := srv.Invites()
			require.Len(t, state, 1)
			assert.Regexp(t, hex24, state[0].ID)
			assert.WithinDuration(t, time.Now().Add(time.Hour), state[0].InviteDate, time.Minute, "by the server's clock")
			test.want.ID, test.want.InviteDate, test.want.TTL = state[0].ID, state[0].InviteDate, week
			assert.Equal(t, test.want, state[0])
			assert.True(t, srv.Requests()[0].TookEffect)
		})
	}
}

// What is created is one invitation like any other.
func TestPostListGetResendDelete(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	client := newClient(t, srv)
	srv.AddInvite(losant.OrgInvite{Email: "before@example.com"})

	posted, err := client.InstanceOrgInvites.Post(t.Context(), collectionOf(srv), losant.OrgInvitePost{
		Email: "a@example.com", Role: losant.OrgRoleEdit, DisallowTransfer: true,
	})
	require.NoError(t, err)
	require.Len(t, posted.Items, 1, "the new one alone")
	assert.Equal(t, &losant.OrgInviteCollection{
		Items: posted.Items, Count: 1, InstanceID: srv.InstanceID, OrgID: srv.OrgID,
		Links: map[string]losant.Link{"self": {Href: collectionPath(srv)}},
	}, posted)
	created := posted.Items[0]
	assert.Equal(t, "a@example.com", created.Email)

	listed := list(t, client, srv)
	assert.Equal(t, "a before", emailsOf(listed.Items), "the newest first")
	assert.Equal(t, created, listed.Items[0])
	ref := collectionOf(srv).Invite(created.ID)
	got, err := get(t, client, ref)
	require.NoError(t, err)
	assert.Equal(t, created, *got)

	srv.Advance(week)
	for _, invite := range list(t, client, srv).Items {
		assert.True(t, invite.HasExpired, invite.Email)
	}
	renewed, err := client.InstanceOrgInvite.ResendInvite(t.Context(), ref, losant.OrgRoleInfo{})
	require.NoError(t, err)
	listed = list(t, client, srv)
	require.Len(t, listed.Items, 2)
	assert.Equal(t, *renewed, listed.Items[0])
	assert.False(t, renewed.HasExpired)
	assert.Equal(t, week, renewed.InviteDate.Sub(created.InviteDate).Round(time.Minute))
	assert.True(t, listed.Items[1].HasExpired, "the other one was not sent again")

	require.NoError(t, client.InstanceOrgInvite.Delete(t.Context(), collectionOf(srv).Invite(renewed.ID)))
	assert.Equal(t, "before", emailsOf(list(t, client, srv).Items))
}

func TestPostOfAnEmailThatIsInvited(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	client := newClient(t, srv)
	invite := losant.OrgInvitePost{Email: "a@example.com", Role: losant.OrgRoleView}
	for range 2 {
		_, err := client.InstanceOrgInvites.Post(t.Context(), collectionOf(srv), invite)
		require.NoError(t, err)
	}
	assert.Equal(t, "a a", emailsOf(srv.Invites()))

	srv.Inject(losanttest.Fault{Operation: inviting, StatusCode: http.StatusConflict})
	_, err := client.InstanceOrgInvites.Post(t.Context(), collectionOf(srv), invite)
	require.ErrorIs(t, err, losant.ErrConflict)
	assert.Len(t, srv.Invites(), 2)
}

// collectionPath is that of the list of invitations.
func collectionPath(srv *losanttest.Server) string {
	return "/instances/" + srv.InstanceID + "/orgs/" + srv.OrgID + "/invites"
}

func TestCollectionOnTheWire(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	const id = "64b0f5d29c3a7e0012ab34cd"
	srv.AddInvite(losant.OrgInvite{
		ID: id, Email: "a@example.com", Role: losant.OrgRoleEdit, DashboardRoles: []losant.ResourceGrant{},
		InviteDate: time.Date(2016, 5, 13, 4, 0, 0, 0, time.UTC), TTL: 49 * 24 * time.Hour,
	})
	item := `"id": "` + id + `", "email": "a@example.com", "role": "edit", "dashboardRoles": [],
		"inviteDate": "2016-05-13T04:00:00.000Z", "ttl": 4233600000, "hasExpired": true, "disallowTransfer": false`
	linkedItem := item + `, "_type": "orgInvite", "_links": {"self": {"href": "` + collectionPath(srv) + `/` + id + `"}}`
	ids := `"instanceId": "` + srv.InstanceID + `", "orgId": "` + srv.OrgID + `"`
	links := `"_type": "orgInviteCollection", "_links": {"self": {"href": "` + collectionPath(srv) + `"}}`

	for _, test := range []struct {
		name, query, want string
	}{
		{"defaults", "", `{"items": [{` + linkedItem + `}], "count": 1, ` + ids + `, "sortField": "inviteDate", "sortDirection": "desc", ` + links + `}`},
		{"with links, and what is not known", "?_links=true&_actions=true&_embedded=false&shoeSize=44",
			`{"items": [{` + linkedItem + `}], "count": 1, ` + ids + `, "sortField": "inviteDate", "sortDirection": "desc", ` + links + `}`},
		{"without links", "?_links=false", `{"items": [{` + item + `}], "count": 1, ` + ids + `, "sortField": "inviteDate", "sortDirection": "desc"}`},
		{"everything given, nothing found", "?_links=false&sortField=role&sortDirection=ASC&filterField=email&filter=%2Ab%3F",
			`{"items": [], "count": 0, ` + ids + `, "sortField": "role", "sortDirection": "ASC", "filterField": "email", "filter": "*b?"}`},
		{"blanks", "?_links=false&sortDirection=&filterField=&filter=",
			`{"items": [{` + item + `}], "count": 1, ` + ids + `, "sortField": "inviteDate", "sortDirection": "desc"}`},
		{"a filter alone", "?_links=false&filter=b",
			`{"items": [{` + item + `}], "count": 1, ` + ids + `, "sortField": "inviteDate", "sortDirection": "desc", "filter": "b"}`},
		{"a field alone", "?_links=false&filterField=role",
			`{"items": [{` + item + `}], "count": 1, ` + ids + `, "sortField": "inviteDate", "sortDirection": "desc", "filterField": "role"}`},
	} {
		res, body, err := roundTrip(t, newRequest(t, srv, http.MethodGet, collectionPath(srv)+test.query, ""))
		require.NoError(t, err, test.name)
		assert.Equal(t, http.StatusOK, res.StatusCode, test.name)
		assert.Equal(t, "application/json; charset=utf-8", res.Header.Get("Content-Type"), test.name)
		assert.JSONEq(t, test.want, body, test.name)
	}

	res, body, err := roundTrip(t, newRequest(t, srv, http.MethodPost, collectionPath(srv)+"?_links=false", invitation))
	require.NoError(t, err)
	assert.Equal(t, http.StatusCreated, res.StatusCode)
	assert.NotContains(t, body, "_links")
	assert.NotContains(t, body, "_type")
	assert.NotContains(t, body, "sort")
}

func TestOrderAndFilter(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	client := newClient(t, srv)
	day := func(n int) time.Time { return time.Date(2026, 5, n, 0, 0, 0, 0, time.UTC) }
	for _, invite := range []losant.OrgInvite{
		{Email: "Bob@example.com", Role: losant.OrgRoleView, InviteDate: day(3)},
		{Email: "ann@Example.com", Role: losant.OrgRoleEdit, InviteDate: day(2)},
		{Email: "cid+x@example.org", Role: losant.OrgRoleView, InviteDate: day(2)},
		{Email: "dan.x@example.com", Role: losant.OrgRoleAdmin, InviteDate: day(1)},
	} {
		srv.AddInvite(invite)
	}
	assert.Equal(t, "dan.x ann cid+x Bob", emailsOf(srv.Invites()))

	const (
		byEmail = losant.OrgInviteFieldEmail
		byRole  = losant.OrgInviteFieldRole
		asc     = losant.SortAscending
	)
	for name, test := range map[string]struct {
		query losant.InstanceOrgInvitesQuery
		want  string
	}{
		"defaults":                {losant.InstanceOrgInvitesQuery{}, "Bob cid+x ann dan.x"},
		"ascending":               {losant.InstanceOrgInvitesQuery{SortDirection: asc}, "dan.x ann cid+x Bob"},
		"ASC":                     {losant.InstanceOrgInvitesQuery{SortDirection: "ASC"}, "dan.x ann cid+x Bob"},
		"DESC":                    {losant.InstanceOrgInvitesQuery{SortDirection: "DESC"}, "Bob cid+x ann dan.x"},
		"by date":                 {losant.InstanceOrgInvitesQuery{SortField: losant.OrgInviteFieldInviteDate, SortDirection: asc}, "dan.x ann cid+x Bob"},
		"by email":                {losant.InstanceOrgInvitesQuery{SortField: byEmail, SortDirection: asc}, "ann Bob cid+x dan.x"},
		"by email, the other way": {losant.InstanceOrgInvitesQuery{SortField: byEmail}, "dan.x cid+x Bob ann"},
		"by role":                 {losant.InstanceOrgInvitesQuery{SortField: byRole, SortDirection: asc}, "dan.x ann Bob cid+x"},
		"by role, the other way":  {losant.InstanceOrgInvitesQuery{SortField: byRole}, "cid+x Bob ann dan.x"},
		"*":                       {losant.InstanceOrgInvitesQuery{FilterField: byEmail, Filter: "*@example.com"}, "Bob ann dan.x"},
		"* is nothing, too":       {losant.InstanceOrgInvitesQuery{FilterField: byEmail, Filter: "*bob*@example.com*"}, "Bob"},
		"?":                       {losant.InstanceOrgInvitesQuery{FilterField: byEmail, Filter: "???@example.*"}, "Bob ann"},
		"? is not nothing":        {losant.InstanceOrgInvitesQuery{FilterField: byEmail, Filter: "?bob@example.com"}, ""},
		"the whole":               {losant.InstanceOrgInvitesQuery{FilterField: byEmail, Filter: "Bob"}, ""},
		"in another case":         {losant.InstanceOrgInvitesQuery{FilterField: byEmail, Filter: "ANN@eXample.com"}, "ann"},
		"a dot is a dot":          {losant.InstanceOrgInvitesQuery{FilterField: byEmail, Filter: "*.x@*"}, "dan.x"},
		"a plus is a plus":        {losant.InstanceOrgInvitesQuery{FilterField: byEmail, Filter: "cid+x@*"}, "cid+x"},
		"no other signs":          {losant.InstanceOrgInvitesQuery{FilterField: byEmail, Filter: "[ab]*"}, ""},
		"not an escape":           {losant.InstanceOrgInvitesQuery{FilterField: byEmail, Filter: `\*`}, ""},
		"no expression":           {losant.InstanceOrgInvitesQuery{FilterField: byEmail, Filter: "(bob|ann)@.+"}, ""},
		"role":                    {losant.InstanceOrgInvitesQuery{FilterField: byRole, Filter: "view"}, "Bob cid+x"},
		"role with *":             {losant.InstanceOrgInvitesQuery{FilterField: byRole, Filter: "*D*"}, "ann dan.x"},
		"sorted and filtered":     {losant.InstanceOrgInvitesQuery{SortField: byEmail, SortDirection: asc, FilterField: byRole, Filter: "v?ew"}, "Bob cid+x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			collection, err := client.InstanceOrgInvites.Get(t.Context(), collectionOf(srv), test.query)
			require.NoError(t, err)
			assert.Equal(t, test.want, emailsOf(collection.Items))
			assert.Equal(t, len(collection.Items), collection.Count)
		})
	}
}

// Invitations of the same millisecond must not come in an order of chance.
func TestOrderOfWhatIsEqual(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	client := newClient(t, srv)
	date := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	for _, email := range strings.Fields("e c a d b") {
		srv.AddInvite(losant.OrgInvite{Email: email + "@example.com", InviteDate: date})
	}
	srv.AddInvite(losant.OrgInvite{ID: strings.Repeat("F", 24), Email: "last@example.com", InviteDate: date})
	srv.AddInvite(losant.OrgInvite{ID: strings.Repeat("f", 23) + "e", Email: "late@example.com", InviteDate: date})
	srv.AddInvite(losant.OrgInvite{ID: strings.Repeat("0", 24), Email: "first@example.com", InviteDate: date})

	assert.Equal(t, "first e c a d b late last", emailsOf(srv.Invites()))
	assert.Equal(t, "last late b d a c e first", emailsOf(list(t, client, srv).Items))
}

func TestInvites(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	assert.Empty(t, srv.Invites())
	assert.NotNil(t, srv.Invites())

	grants := []losant.ResourceGrant{{ResourceID: strings.Repeat("a", 24), Role: losant.ResourceRoleNone}}
	ref := srv.AddInvite(losant.OrgInvite{ApplicationRoles: grants})
	srv.Advance(week)
	invites := srv.Invites()
	require.Len(t, invites, 1)
	one, _ := srv.Invite(ref)
	assert.Equal(t, one, invites[0])
	assert.True(t, invites[0].HasExpired)

	invites[0].ApplicationRoles[0].Role = "changed by the test"
	assert.Equal(t, losant.ResourceRoleNone, srv.Invites()[0].ApplicationRoles[0].Role, "the state is the server's own")
	srv.Close()
	assert.Len(t, srv.Invites(), 1, "it works after Close")
}

func TestFaultsOfPost(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault   losanttest.Fault
		sent    int // invitations
		want    error
		unknown bool // the client can't tell
	}{
		"cut":                        {losanttest.Fault{Cut: true}, 0, nil, true},
		"cut, takes effect":          {losanttest.Fault{Cut: true, TakesEffect: true}, 1, nil, true},
		"server error":               {losanttest.Fault{StatusCode: 503}, 0, losant.ErrServer, true},
		"server error, takes effect": {losanttest.Fault{StatusCode: 503, TakesEffect: true}, 1, losant.ErrServer, true},
		"half a body":                {losanttest.Fault{CutBody: true}, 1, io.ErrUnexpectedEOF, true},
		"page, takes effect":         {losanttest.Fault{HTML: true, TakesEffect: true}, 1, losant.ErrInvalidResponse, true},
		"refused":                    {losanttest.Fault{StatusCode: 403}, 0, losant.ErrForbidden, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := newServer(t)
			test.fault.Operation = inviting
			srv.Inject(test.fault)
			_, err := newClient(t, srv).InstanceOrgInvites.Post(t.Context(), collectionOf(srv),
				losant.OrgInvitePost{Email: "a@example.com", Role: losant.OrgRoleView})
			require.Error(t, err)
			if test.want != nil {
				assert.ErrorIs(t, err, test.want)
			}
			assert.Equal(t, test.unknown, errors.Is(err, losant.ErrOutcomeUnknown))
			assert.Len(t, srv.Invites(), test.sent)
			requests := srv.Requests()
			require.Len(t, requests, 1)
			assert.Equal(t, test.sent == 1, requests[0].TookEffect)
		})
	}
}

func TestFaultsOfTheList(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	srv.AddInvite(losant.OrgInvite{})
	for _, fault := range []losanttest.Fault{{StatusCode: 503}, {CutBody: true}, {StatusCode: 503, TakesEffect: true}} {
		fault.Operation = listing
		srv.Inject(losanttest.Fault{Operation: inviting, Cut: true}, fault)
		assert.Equal(t, 1, list(t, newClient(t, srv), srv).Count, "the client tries again")
	}
	requests := srv.Requests()
	assert.Len(t, requests, 6)
	for _, request := range requests {
		assert.Equal(t, listing, request.Operation)
		assert.False(t, request.TookEffect, "reading changes nothing")
	}
}

// TestMemberTwice: of a member that is there twice, the last one counts.
func TestMemberTwice(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	path := srv.URL + "/instances/" + srv.InstanceID + "/orgs/" + srv.OrgID + "/invites"
	body := strings.NewReader(`{"email":"a@example.com","role":5,"role":"edit"}`)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, path, body)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+srv.Token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusCreated, resp.StatusCode)
	http.DefaultClient.CloseIdleConnections()
	require.Len(t, srv.Invites(), 1)
	assert.Equal(t, losant.OrgRoleEdit, srv.Invites()[0].Role)
}
