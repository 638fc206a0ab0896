package losanttest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/losant-community/losant-rest-go"
	"github.com/losant-community/losant-rest-go/losanttest"
)

func TestDeleteRemovesOneInvitation(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	client := newClient(t, srv)
	ref, other := srv.AddInvite(losant.OrgInvite{}), srv.AddInvite(losant.OrgInvite{})

	require.NoError(t, client.InstanceOrgInvite.Delete(t.Context(), ref))
	_, ok := srv.Invite(ref)
	assert.False(t, ok)
	_, ok = srv.Invite(other)
	assert.True(t, ok, "the other invitation must remain")
	require.ErrorIs(t, client.InstanceOrgInvite.Delete(t.Context(), ref), losant.ErrNotFound)

	requests := srv.Requests()
	require.Len(t, requests, 2)
	assert.True(t, requests[0].TookEffect)
	assert.False(t, requests[1].TookEffect)
	assert.Equal(t, http.StatusNotFound, requests[1].StatusCode)
}

func TestResendInviteRenewsAndChangesRoles(t *testing.T) {
	t.Parallel()
	grant := func(digit string) []losant.ResourceGrant {
		return []losant.ResourceGrant{{ResourceID: strings.Repeat(digit, 24), Role: losant.ResourceRoleView}}
	}
	for _, test := range []struct {
		name string
		info losant.OrgRoleInfo
		want losant.OrgRoleInfo
	}{
		{"nothing changes", losant.OrgRoleInfo{}, losant.OrgRoleInfo{
			Role: losant.OrgRoleEdit, ApplicationRoles: grant("a"), DashboardRoles: grant("b")}},
		{"the role", losant.OrgRoleInfo{Role: losant.OrgRoleNone}, losant.OrgRoleInfo{
			Role: losant.OrgRoleNone, ApplicationRoles: grant("a"), DashboardRoles: grant("b")}},
		{"the grants", losant.OrgRoleInfo{ApplicationRoles: grant("c"), DashboardRoles: grant("d")}, losant.OrgRoleInfo{
			Role: losant.OrgRoleEdit, ApplicationRoles: grant("c"), DashboardRoles: grant("d")}},
		{"empty lists clear", losant.OrgRoleInfo{ApplicationRoles: []losant.ResourceGrant{}, DashboardRoles: []losant.ResourceGrant{}},
			losant.OrgRoleInfo{Role: losant.OrgRoleEdit, ApplicationRoles: []losant.ResourceGrant{}, DashboardRoles: []losant.ResourceGrant{}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			srv := newServer(t)
			old := srv.AddInvite(losant.OrgInvite{
				Email: "a@example.com", Role: losant.OrgRoleEdit, ApplicationRoles: grant("a"), DashboardRoles: grant("b"),
				TTL: time.Hour, DisallowTransfer: true,
			})
			srv.Advance(2 * time.Hour)
			invite, err := newClient(t, srv).InstanceOrgInvite.ResendInvite(t.Context(), old, test.info)
			require.NoError(t, err)

			assert.Regexp(t, hex24, invite.ID)
			assert.NotEqual(t, old.InviteID, invite.ID)
			_, ok := srv.Invite(old)
			assert.False(t, ok, "the old id must not exist")
			renewed := losant.InstanceOrgInviteRef{InstanceID: srv.InstanceID, OrgID: srv.OrgID, InviteID: invite.ID}
			state, ok := srv.Invite(renewed)
			require.True(t, ok)
			assert.WithinDuration(t, time.Now().Add(2*time.Hour), state.InviteDate, time.Minute, "InviteDate is the time of the server's clock")
			assert.Equal(t, losant.OrgInvite{
				ID: invite.ID, Email: "a@example.com", Role: test.want.Role,
				ApplicationRoles: test.want.ApplicationRoles, DashboardRoles: test.want.DashboardRoles,
				InviteDate: state.InviteDate, TTL: time.Hour, DisallowTransfer: true,
			}, state)

			state.Links = map[string]losant.Link{"self": {Href: pathOf(renewed)}}
			assert.Equal(t, state, *invite)
			requests := srv.Requests()
			require.Len(t, requests, 1)
			assert.Equal(t, http.StatusCreated, requests[0].StatusCode)
			assert.True(t, requests[0].TookEffect)
		})
	}
}

func TestResendInviteKeepsTheIDOnlyWithTheOption(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		opts  []losanttest.Option
		keeps bool
	}{
		{nil, false},
		{[]losanttest.Option{losanttest.WithResendID(losanttest.ResendMakesID)}, false},
		{[]losanttest.Option{losanttest.WithResendID(losanttest.ResendKeepsID)}, true},
	} {
		srv := losanttest.New(t, test.opts...)
		client := newClient(t, srv)
		old := srv.AddInvite(losant.OrgInvite{ID: strings.Repeat("aB", 12), TTL: time.Hour})
		srv.Advance(2 * time.Hour)
		invite, err := client.InstanceOrgInvite.ResendInvite(t.Context(), old, losant.OrgRoleInfo{Role: losant.OrgRoleEdit})
		require.NoError(t, err)
		assert.False(t, invite.HasExpired)
		assert.Equal(t, test.keeps, invite.ID == old.InviteID)
		state, ok := srv.Invite(old)
		assert.Equal(t, test.keeps, ok)
		if test.keeps {
			assert.Equal(t, losant.OrgRoleEdit, state.Role)
		}
		assert.Len(t, srv.Invites(), 1)
		assert.True(t, srv.Requests()[0].TookEffect)
	}
	assert.PanicsWithValue(t, "losanttest: WithResendID(7): use ResendMakesID or ResendKeepsID", func() { losanttest.WithResendID(7) })
}

func TestPostAddsAnInvitation(t *testing.T) {
	t.Parallel()
	id := strings.Repeat("a", 24)
	grants := []losant.ResourceGrant{{ResourceID: id, Role: losant.ResourceRoleNone}}
	for name, test := range map[string]struct {
		body string
		want losant.OrgInvite
	}{
		"only required fields": {invitation, losant.OrgInvite{Email: "a@example.com", Role: losant.OrgRoleView}},
		"all fields": {`{"email":"A.b+c@Example.com","role":"none","applicationRoles":[{"resourceId":"` + id + `","role":"none"}],` +
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
			assert.WithinDuration(t, time.Now().Add(time.Hour), state[0].InviteDate, time.Minute, "InviteDate is the time of the server's clock")
			test.want.ID, test.want.InviteDate, test.want.TTL = state[0].ID, state[0].InviteDate, week
			assert.Equal(t, test.want, state[0])
			assert.True(t, srv.Requests()[0].TookEffect)
		})
	}
}

func TestPostedInvitationCanBeListedReadResentAndDeleted(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	client := newClient(t, srv)
	srv.AddInvite(losant.OrgInvite{Email: "before@example.com"})

	posted, err := client.InstanceOrgInvites.Post(t.Context(), collectionOf(srv), losant.OrgInvitePost{
		Email: "a@example.com", Role: losant.OrgRoleEdit, DisallowTransfer: true,
	})
	require.NoError(t, err)
	require.Len(t, posted.Items, 1, "the response contains only the new invitation")
	assert.Equal(t, &losant.OrgInviteCollection{
		Items: posted.Items, Count: 1, InstanceID: srv.InstanceID, OrgID: srv.OrgID,
		Links: map[string]losant.Link{"self": {Href: collectionPath(srv)}},
	}, posted)
	created := posted.Items[0]
	assert.Equal(t, "a@example.com", created.Email)

	listed := list(t, client, srv)
	assert.Equal(t, "a before", emailsOf(listed.Items), "the newest is first")
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
	assert.True(t, listed.Items[1].HasExpired, "the other invitation was not renewed")

	require.NoError(t, client.InstanceOrgInvite.Delete(t.Context(), collectionOf(srv).Invite(renewed.ID)))
	assert.Equal(t, "before", emailsOf(list(t, client, srv).Items))
}

func TestPostAcceptsAnEmailThatIsAlreadyInvited(t *testing.T) {
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

func TestListSortsAndFilters(t *testing.T) {
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
		"defaults":                            {losant.InstanceOrgInvitesQuery{}, "Bob cid+x ann dan.x"},
		"ascending":                           {losant.InstanceOrgInvitesQuery{SortDirection: asc}, "dan.x ann cid+x Bob"},
		"ASC":                                 {losant.InstanceOrgInvitesQuery{SortDirection: "ASC"}, "dan.x ann cid+x Bob"},
		"DESC":                                {losant.InstanceOrgInvitesQuery{SortDirection: "DESC"}, "Bob cid+x ann dan.x"},
		"by date":                             {losant.InstanceOrgInvitesQuery{SortField: losant.OrgInviteFieldInviteDate, SortDirection: asc}, "dan.x ann cid+x Bob"},
		"by email":                            {losant.InstanceOrgInvitesQuery{SortField: byEmail, SortDirection: asc}, "ann Bob cid+x dan.x"},
		"by email, descending":                {losant.InstanceOrgInvitesQuery{SortField: byEmail}, "dan.x cid+x Bob ann"},
		"by role":                             {losant.InstanceOrgInvitesQuery{SortField: byRole, SortDirection: asc}, "dan.x ann Bob cid+x"},
		"by role, descending":                 {losant.InstanceOrgInvitesQuery{SortField: byRole}, "cid+x Bob ann dan.x"},
		"*":                                   {losant.InstanceOrgInvitesQuery{FilterField: byEmail, Filter: "*@example.com"}, "Bob ann dan.x"},
		"* matches the empty text":            {losant.InstanceOrgInvitesQuery{FilterField: byEmail, Filter: "*bob*@example.com*"}, "Bob"},
		"?":                                   {losant.InstanceOrgInvitesQuery{FilterField: byEmail, Filter: "???@example.*"}, "Bob ann"},
		"? does not match the empty text":     {losant.InstanceOrgInvitesQuery{FilterField: byEmail, Filter: "?bob@example.com"}, ""},
		"the complete text must match":        {losant.InstanceOrgInvitesQuery{FilterField: byEmail, Filter: "Bob"}, ""},
		"case is ignored":                     {losant.InstanceOrgInvitesQuery{FilterField: byEmail, Filter: "ANN@eXample.com"}, "ann"},
		"a dot matches a dot":                 {losant.InstanceOrgInvitesQuery{FilterField: byEmail, Filter: "*.x@*"}, "dan.x"},
		"a plus matches a plus":               {losant.InstanceOrgInvitesQuery{FilterField: byEmail, Filter: "cid+x@*"}, "cid+x"},
		"brackets are not special":            {losant.InstanceOrgInvitesQuery{FilterField: byEmail, Filter: "[ab]*"}, ""},
		"a backslash is not special":          {losant.InstanceOrgInvitesQuery{FilterField: byEmail, Filter: `\*`}, ""},
		"a regular expression is not special": {losant.InstanceOrgInvitesQuery{FilterField: byEmail, Filter: "(bob|ann)@.+"}, ""},
		"role":                                {losant.InstanceOrgInvitesQuery{FilterField: byRole, Filter: "view"}, "Bob cid+x"},
		"role with *":                         {losant.InstanceOrgInvitesQuery{FilterField: byRole, Filter: "*D*"}, "ann dan.x"},
		"sorted and filtered":                 {losant.InstanceOrgInvitesQuery{SortField: byEmail, SortDirection: asc, FilterField: byRole, Filter: "v?ew"}, "Bob cid+x"},
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

func TestEqualInvitationsAreSortedByID(t *testing.T) {
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
