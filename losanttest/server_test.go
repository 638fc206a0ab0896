package losanttest_test

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/losant-community/losant-rest-go"
	"github.com/losant-community/losant-rest-go/losanttest"
)

const (
	hex24 = "^[0-9a-f]{24}$"
	week  = 7 * 24 * time.Hour
)

func TestAddInviteFillsWhatIsMissing(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	ref := srv.AddInvite(losant.OrgInvite{HasExpired: true, Links: map[string]losant.Link{"self": {Href: "/mine"}}})

	assert.Equal(t, srv.InstanceID, ref.InstanceID)
	assert.Equal(t, srv.OrgID, ref.OrgID)
	assert.Regexp(t, hex24, ref.InviteID)
	assert.Regexp(t, hex24, srv.InstanceID)
	assert.Regexp(t, hex24, srv.OrgID)

	invite, ok := srv.Invite(ref)
	require.True(t, ok)
	assert.WithinDuration(t, time.Now(), invite.InviteDate, time.Minute)
	assert.Equal(t, losant.OrgInvite{
		ID: ref.InviteID, Email: "invited@example.com", Role: losant.OrgRoleView,
		InviteDate: invite.InviteDate, TTL: week,
	}, invite)
	assert.NotEqual(t, ref, srv.AddInvite(losant.OrgInvite{}), "each invite has an id of its own")
}

func TestAddInviteKeepsWhatIsGiven(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	grants := []losant.ResourceGrant{{ResourceID: strings.Repeat("a", 24), Role: losant.ResourceRoleNone}}
	given := losant.OrgInvite{
		ID: strings.Repeat("aB", 12), Email: "a@example.com", Role: losant.OrgRoleAdmin,
		ApplicationRoles: grants, DashboardRoles: []losant.ResourceGrant{},
		InviteDate: time.Now().UTC(), TTL: time.Hour, DisallowTransfer: true,
	}
	ref := srv.AddInvite(given)
	assert.Equal(t, given.ID, ref.InviteID)
	invite, ok := srv.Invite(ref)
	require.True(t, ok)
	assert.Equal(t, given, invite)

	invite.ApplicationRoles[0].Role = "changed by the test"
	grants[0].Role = "changed by the test"
	invite, _ = srv.Invite(ref)
	assert.Equal(t, losant.ResourceRoleNone, invite.ApplicationRoles[0].Role, "the state is the server's own")

	srv.AddInvite(losant.OrgInvite{ID: strings.ToLower(given.ID), Email: "b@example.com"})
	invite, _ = srv.Invite(ref)
	assert.Equal(t, "b@example.com", invite.Email, "the same id in another case is the same invite")

	assert.PanicsWithValue(t, `losanttest: the invite's ID "short" is not 24 hexadecimal digits`, func() {
		srv.AddInvite(losant.OrgInvite{ID: "short"})
	})
	for _, year := range []int{-1, 10000} {
		func() {
			defer func() {
				assert.Contains(t, recover(), "losanttest: the invite's InviteDate: ", year)
			}()
			srv.AddInvite(losant.OrgInvite{InviteDate: time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)})
		}()
	}
	assert.Len(t, srv.Invites(), 1, "what it panics for is not added")
}

// The server never answers what the description refuses, so AddInvite refuses it.
func TestAddInviteRefusesWhatTheSchemaRefuses(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	id := strings.Repeat("a", 24)
	for want, invite := range map[string]losant.OrgInvite{
		"invite.role must be one of":                        {Role: "overlord"},
		`["admin" "edit" "collaborate" "view" "none"]`:      {Role: "collaborator"},
		"invite.email must be an email address":             {Email: "nobody"},
		"invite.email must have at most 1024 characters":    {Email: strings.Trim(longEmail(1025), `"`)},
		"invite.applicationRoles[0].role must be one of":    {ApplicationRoles: []losant.ResourceGrant{{ResourceID: id, Role: "admin"}}},
		"invite.dashboardRoles[0].resourceId must match":    {DashboardRoles: []losant.ResourceGrant{{Role: losant.ResourceRoleView}}},
		"invite.dashboardRoles must have at most 100 items": {DashboardRoles: slices.Repeat([]losant.ResourceGrant{{ResourceID: id, Role: "view"}}, 101)},
	} {
		func() {
			defer func() { assert.Contains(t, recover(), want) }()
			srv.AddInvite(invite)
		}()
	}
	assert.Empty(t, srv.Invites())
	first, second := srv.AddInvite(losant.OrgInvite{}), srv.AddInvite(losant.OrgInvite{})
	assert.NotEqual(t, first, second)
}

// The description that the server checks against is the project's.
func TestDescription(t *testing.T) {
	t.Parallel()
	read := func(name string) (d struct {
		Resources map[string]struct {
			Path    string
			Actions map[string]any
		}
		Types map[string]any
	}) {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, &d))
		return d
	}
	own, facts := read("description.json"), read("../testdata/api.json")
	require.NotEmpty(t, own.Resources)
	for name, resource := range own.Resources {
		assert.Equal(t, facts.Resources[name].Path, resource.Path, name)
		require.NotEmpty(t, resource.Actions, name)
		for action, described := range resource.Actions { // the server need not have all of them
			assert.Equal(t, facts.Resources[name].Actions[action], described, "%s.%s", name, action)
		}
	}
	require.NotEmpty(t, own.Types)
	for name, schema := range own.Types {
		assert.Equal(t, facts.Types[name], schema, name)
	}
}

func TestInviteNeedsTheWholeRef(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	ref := srv.AddInvite(losant.OrgInvite{})
	other := strings.Repeat("0", 24)
	for _, wrong := range []losant.InstanceOrgInviteRef{
		{InstanceID: other, OrgID: ref.OrgID, InviteID: ref.InviteID},
		{InstanceID: ref.InstanceID, OrgID: other, InviteID: ref.InviteID},
		{InstanceID: ref.InstanceID, OrgID: ref.OrgID, InviteID: other},
	} {
		invite, ok := srv.Invite(wrong)
		assert.False(t, ok, wrong)
		assert.Zero(t, invite)
	}
	_, ok := srv.Invite(losant.InstanceOrgInviteRef{
		InstanceID: strings.ToUpper(ref.InstanceID), OrgID: strings.ToUpper(ref.OrgID), InviteID: strings.ToUpper(ref.InviteID),
	})
	assert.True(t, ok)
}

// The raw answers matter: the client shares its JSON form with the server.
func TestAnswersOnTheWire(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	ref := srv.AddInvite(losant.OrgInvite{
		ID: "64b0f5d29c3a7e0012ab34cd", Email: "new.member@example.com", Role: losant.OrgRoleEdit,
		ApplicationRoles: []losant.ResourceGrant{{ResourceID: "575ec8687ae143cd83dc4a97", Role: losant.ResourceRoleView}},
		DashboardRoles:   []losant.ResourceGrant{},
		InviteDate:       time.Date(2026, 5, 13, 4, 0, 0, 0, time.UTC), TTL: 100 * 365 * 24 * time.Hour,
	})
	path := pathOf(ref)
	plain := `"id": "64b0f5d29c3a7e0012ab34cd", "email": "new.member@example.com", "role": "edit",
		"applicationRoles": [{"resourceId": "575ec8687ae143cd83dc4a97", "role": "view"}], "dashboardRoles": [],
		"inviteDate": "2026-05-13T04:00:00.000Z", "ttl": 3153600000000, "hasExpired": false, "disallowTransfer": false`
	linked := `{` + plain + `, "_type": "orgInvite", "_links": {"self": {"href": "` + path + `"}}}`

	for _, test := range []struct {
		name, method, target, want string
	}{
		{"get", http.MethodGet, path, linked},
		{"get with links", http.MethodGet, path + "?_links=true&_actions=false&_embedded=true", linked},
		{"get without links", http.MethodGet, path + "?_links=false&_actions=true&_embedded=false", `{` + plain + `}`},
		{"ids in the other case", http.MethodGet, "/instances/" + strings.ToUpper(ref.InstanceID) +
			"/orgs/" + strings.ToUpper(ref.OrgID) + "/invites/" + strings.ToUpper(ref.InviteID), linked},
		{"a parameter that is not known", http.MethodGet, path + "?shoeSize=44", linked},
		{"delete", http.MethodDelete, path, `{"success": true}`},
	} {
		res, body, err := roundTrip(t, newRequest(t, srv, test.method, test.target, ""))
		require.NoError(t, err, test.name)
		assert.Equal(t, http.StatusOK, res.StatusCode, test.name)
		assert.Equal(t, "application/json; charset=utf-8", res.Header.Get("Content-Type"), test.name)
		assert.JSONEq(t, test.want, body, test.name)
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	client := newClient(t, srv)
	ref, other := srv.AddInvite(losant.OrgInvite{}), srv.AddInvite(losant.OrgInvite{})

	require.NoError(t, client.InstanceOrgInvite.Delete(t.Context(), ref))
	_, ok := srv.Invite(ref)
	assert.False(t, ok)
	_, ok = srv.Invite(other)
	assert.True(t, ok, "the other one stays")
	require.ErrorIs(t, client.InstanceOrgInvite.Delete(t.Context(), ref), losant.ErrNotFound)

	requests := srv.Requests()
	require.Len(t, requests, 2)
	assert.True(t, requests[0].TookEffect)
	assert.False(t, requests[1].TookEffect)
	assert.Equal(t, http.StatusNotFound, requests[1].StatusCode)
}

func TestResendInvite(t *testing.T) {
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
			assert.False(t, ok, "the old one is forgotten")
			renewed := losant.InstanceOrgInviteRef{InstanceID: srv.InstanceID, OrgID: srv.OrgID, InviteID: invite.ID}
			state, ok := srv.Invite(renewed)
			require.True(t, ok)
			assert.WithinDuration(t, time.Now().Add(2*time.Hour), state.InviteDate, time.Minute, "sent again by the server's clock")
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

// Losant does not document whether a resent invitation keeps its id.
func TestResendID(t *testing.T) {
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

func TestBodyThatIsTooLarge(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	ref := srv.AddInvite(losant.OrgInvite{})
	const limit = 1 << 20
	for size, want := range map[int]int{limit: http.StatusCreated, limit + 1: http.StatusRequestEntityTooLarge} {
		body := "{" + strings.Repeat(" ", size-2) + "}"
		res, got, err := roundTrip(t, newRequest(t, srv, http.MethodPost, pathOf(ref), body))
		require.NoError(t, err)
		assert.Equal(t, want, res.StatusCode, got)
		requests := srv.Requests()
		last := requests[len(requests)-1]
		assert.Len(t, last.Body, limit)
		assert.Equal(t, want == http.StatusCreated, last.TookEffect)
		if want == http.StatusCreated {
			ref.InviteID = srv.Invites()[0].ID
		} else {
			assert.JSONEq(t, `{"type":"RequestEntityTooLarge","message":"The body has more than 1048576 bytes"}`, got)
		}
	}
	assert.Equal(t, 2, srv.RequestCount())
}

func TestAdvanceExpiresInvites(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	client := newClient(t, srv)
	ref := srv.AddInvite(losant.OrgInvite{})

	srv.Advance(week - time.Hour)
	invite, err := get(t, client, ref)
	require.NoError(t, err)
	assert.False(t, invite.HasExpired)

	srv.Advance(time.Hour)
	invite, err = get(t, client, ref)
	require.NoError(t, err)
	assert.True(t, invite.HasExpired)
	state, _ := srv.Invite(ref)
	assert.True(t, state.HasExpired)
	state, _ = srv.Invite(srv.AddInvite(losant.OrgInvite{}))
	assert.False(t, state.HasExpired, "a new one starts at the server's now")
}

func TestChecks(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	ref := srv.AddInvite(losant.OrgInvite{})
	path, other := pathOf(ref), strings.Repeat("0", 24)
	collection := strings.TrimSuffix(path, "/"+ref.InviteID)
	with := func(name, value string) func(*http.Request) {
		return func(req *http.Request) { req.Header.Set(name, value) }
	}
	grants := func(n int) string {
		return strings.TrimSuffix(strings.Repeat(`{"resourceId":"`+other+`","role":"view"},`, n), ",")
	}
	const (
		notFound   = "NotFound"
		notAllowed = "MethodNotAllowed"
		validation = "Validation"
		getting    = "InstanceOrgInvite.Get"
	)
	for _, test := range []struct {
		name         string
		method       string
		path         string
		body         string
		change       func(*http.Request)
		operation    string
		status       int
		kind         string
		messageHolds string
	}{
		{"unknown route", http.MethodGet, "/", "", nil, "", 405, notAllowed, "GET is not allowed"},
		{"a slash too many", http.MethodDelete, path + "/", "", nil, "", 405, notAllowed, "DELETE is not allowed"},
		{"no such route", http.MethodDelete, "/instances/" + ref.InstanceID + "/orgs/" + ref.OrgID + "/nothing", "", nil, "", 405, notAllowed, "DELETE is not allowed"},
		{"no invite id", http.MethodDelete, strings.TrimSuffix(path, ref.InviteID), "", nil, "", 405, notAllowed, "DELETE is not allowed"},
		{"another word in the path", http.MethodGet, strings.Replace(path, "orgs", "groups", 1), "", nil, "", 405, notAllowed, "GET is not allowed"},
		{"wrong method", http.MethodPut, path, "", nil, "", 405, notAllowed, "PUT is not allowed"},
		{"no token", http.MethodGet, path, "", func(req *http.Request) { req.Header.Del("Authorization") }, getting, 401, "Unauthorized", "token"},
		{"wrong token", http.MethodDelete, path, "", with("Authorization", "Bearer wrong"), deleting, 401, "Unauthorized", "token"},
		{"wrong scheme", http.MethodGet, path, "", with("Authorization", "Basic "+srv.Token), getting, 401, "Unauthorized", "token"},
		{"the token before the rest", http.MethodPost, path + "?_links=2", "[", with("Authorization", "Bearer wrong"), resending, 401, "Unauthorized", "token"},
		{"_links=2", http.MethodGet, path + "?_links=2", "", nil, getting, 400, validation, "_links"},
		{"_links=TRUE", http.MethodGet, path + "?_links=TRUE", "", nil, getting, 400, validation, "_links"},
		{"_actions empty", http.MethodGet, path + "?_actions=", "", nil, getting, 400, validation, "_actions"},
		{"_embedded twice", http.MethodDelete, path + "?_embedded=true&_embedded=true", "", nil, deleting, 400, validation, "_embedded"},
		{"query that can't be read", http.MethodGet, path + "?_links=%zz", "", nil, getting, 400, validation, "%zz"},
		{"instance id", http.MethodGet, strings.Replace(path, ref.InstanceID, "1", 1), "", nil, getting, 400, validation, "instanceId"},
		{"org id", http.MethodGet, strings.Replace(path, ref.OrgID, "%2e%2e", 1), "", nil, getting, 400, validation, "orgId"},
		{"invite id", http.MethodDelete, strings.Replace(path, ref.InviteID, "..", 1), "", nil, deleting, 400, validation, "inviteId"},
		{"invite id of 25 digits", http.MethodDelete, path + "0", "", nil, deleting, 400, validation, "inviteId"},
		{"unknown instance", http.MethodGet, strings.Replace(path, ref.InstanceID, other, 1), "", nil, getting, 404, notFound, "instance"},
		{"unknown organization", http.MethodGet, strings.Replace(path, ref.OrgID, other, 1), "", nil, getting, 404, notFound, "organization"},
		{"unknown invite, get", http.MethodGet, strings.Replace(path, ref.InviteID, other, 1), "", nil, getting, 404, notFound, "invitation"},
		{"unknown invite, delete", http.MethodDelete, strings.Replace(path, ref.InviteID, other, 1), "", nil, deleting, 404, notFound, "invitation"},
		{"unknown invite, resend", http.MethodPost, strings.Replace(path, ref.InviteID, other, 1), "{}", nil, resending, 404, notFound, "invitation"},
		{"get with a body", http.MethodGet, path, "{}", nil, getting, 400, validation, "body"},
		{"delete with a body", http.MethodDelete, path, `{"role":"view"}`, nil, deleting, 400, validation, "takes no body but {}"},
		{"delete with a list", http.MethodDelete, path, `[]`, nil, deleting, 400, validation, "takes no body but {}"},
		{"delete with null", http.MethodDelete, path, `null`, nil, deleting, 400, validation, "takes no body but {}"},
		{"delete with no JSON", http.MethodDelete, path, `{`, nil, deleting, 400, validation, "body must be one JSON document"},
		{"delete with two objects", http.MethodDelete, path, `{}{}`, nil, deleting, 400, validation, "body must be one JSON document"},
		{"delete with a form", http.MethodDelete, path, `{}`, with("Content-Type", "application/x-www-form-urlencoded"), deleting, 400, validation, "Content-Type"},
		{"resend without a body", http.MethodPost, path, "", with("Content-Type", "application/json"), resending, 400, validation, "body"},
		{"no content type", http.MethodPost, path, "{}", func(req *http.Request) { req.Header.Del("Content-Type") }, resending, 400, validation, "Content-Type"},
		{"a form", http.MethodPost, path, "{}", with("Content-Type", "application/x-www-form-urlencoded"), resending, 400, validation, "Content-Type"},
		{"no JSON", http.MethodPost, path, "role=view", nil, resending, 400, validation, "body"},
		{"two objects", http.MethodPost, path, "{}{}", nil, resending, 400, validation, "body"},
		{"a list", http.MethodPost, path, "[]", nil, resending, 400, validation, "body must be an object"},
		{"null", http.MethodPost, path, "null", nil, resending, 400, validation, "body must be an object"},
		{"unknown property", http.MethodPost, path, `{"email":"a@example.com"}`, nil, resending, 400, validation, "body.email"},
		{"property in another case", http.MethodPost, path, `{"Role":"view"}`, nil, resending, 400, validation, "body.Role"},
		{"unknown role", http.MethodPost, path, `{"role":"overlord"}`, nil, resending, 400, validation, "body.role"},
		{"empty role", http.MethodPost, path, `{"role":""}`, nil, resending, 400, validation, "body.role"},
		{"role that is no string", http.MethodPost, path, `{"role":1}`, nil, resending, 400, validation, "body.role"},
		{"role null", http.MethodPost, path, `{"role":null}`, nil, resending, 400, validation, "body.role"},
		{"grants that are no list", http.MethodPost, path, `{"applicationRoles":{}}`, nil, resending, 400, validation, "body.applicationRoles must be an array"},
		{"grants null", http.MethodPost, path, `{"dashboardRoles":null}`, nil, resending, 400, validation, "body.dashboardRoles must be an array"},
		{"grant that is no object", http.MethodPost, path, `{"dashboardRoles":[1]}`, nil, resending, 400, validation, "body.dashboardRoles[0] must be an object"},
		{"grant without resource", http.MethodPost, path, `{"applicationRoles":[{"role":"view"}]}`, nil, resending, 400, validation, "body.applicationRoles[0].resourceId is required"},
		{"grant without role", http.MethodPost, path, `{"applicationRoles":[` + grants(1) + `,{"resourceId":"` + other + `"}]}`, nil, resending, 400, validation, "body.applicationRoles[1].role is required"},
		{"grant of a role that is for organizations", http.MethodPost, path, `{"dashboardRoles":[{"resourceId":"` + other + `","role":"admin"}]}`, nil, resending, 400, validation, "body.dashboardRoles[0].role"},
		{"grant for no id", http.MethodPost, path, `{"dashboardRoles":[{"resourceId":"x","role":"view"}]}`, nil, resending, 400, validation, "body.dashboardRoles[0].resourceId"},
		{"grant for a number", http.MethodPost, path, `{"dashboardRoles":[{"resourceId":1,"role":"view"}]}`, nil, resending, 400, validation, "body.dashboardRoles[0].resourceId"},
		{"unknown property of a grant", http.MethodPost, path, `{"dashboardRoles":[{"resourceId":"` + other + `","role":"view","x":1}]}`, nil, resending, 400, validation, "body.dashboardRoles[0].x"},
		{"101 grants", http.MethodPost, path, `{"applicationRoles":[` + grants(101) + `]}`, nil, resending, 400, validation, "body.applicationRoles must have at most 100"},

		{"wrong method for the collection", http.MethodDelete, collection, "", nil, "", 405, notAllowed, "DELETE is not allowed"},
		{"list without a token", http.MethodGet, collection, "", func(req *http.Request) { req.Header.Del("Authorization") }, listing, 401, "Unauthorized", "token"},
		{"invite without a token", http.MethodPost, collection, invitation, func(req *http.Request) { req.Header.Del("Authorization") }, inviting, 401, "Unauthorized", "token"},
		{"list with _links=yes", http.MethodGet, collection + "?_links=yes", "", nil, listing, 400, validation, "_links"},
		{"invite with _links twice", http.MethodPost, collection + "?_links=true&_links=true", invitation, nil, inviting, 400, validation, "_links"},
		{"list of no org id", http.MethodGet, strings.Replace(collection, ref.OrgID, "..", 1), "", nil, listing, 400, validation, "orgId"},
		{"list of an unknown instance", http.MethodGet, strings.Replace(collection, ref.InstanceID, other, 1), "", nil, listing, 404, notFound, "instance"},
		{"list of an unknown organization", http.MethodGet, strings.Replace(collection, ref.OrgID, other, 1), "", nil, listing, 404, notFound, "organization"},
		{"invite to an unknown instance", http.MethodPost, strings.Replace(collection, ref.InstanceID, other, 1), invitation, nil, inviting, 404, notFound, "instance"},
		{"invite to an unknown organization", http.MethodPost, strings.Replace(collection, ref.OrgID, other, 1), invitation, nil, inviting, 404, notFound, "organization"},
		{"unknown sortField", http.MethodGet, collection + "?sortField=id", "", nil, listing, 400, validation, "sortField"},
		{"sortField in another case", http.MethodGet, collection + "?sortField=invitedate", "", nil, listing, 400, validation, "sortField"},
		{"blank sortField", http.MethodGet, collection + "?sortField=", "", nil, listing, 400, validation, "sortField"},
		{"sortField twice", http.MethodGet, collection + "?sortField=email&sortField=email", "", nil, listing, 400, validation, "sortField"},
		{"unknown sortDirection", http.MethodGet, collection + "?sortDirection=up", "", nil, listing, 400, validation, "sortDirection"},
		{"sortDirection in mixed case", http.MethodGet, collection + "?sortDirection=Asc", "", nil, listing, 400, validation, "sortDirection"},
		{"unknown filterField", http.MethodGet, collection + "?filterField=inviteDate&filter=2*", "", nil, listing, 400, validation, "filterField"},
		{"unknown filterField without a filter", http.MethodGet, collection + "?filterField=id", "", nil, listing, 400, validation, "filterField"},
		{"filter twice", http.MethodGet, collection + "?filterField=email&filter=a&filter=b", "", nil, listing, 400, validation, "filter "},
		{"filter that is not UTF-8", http.MethodGet, collection + "?filterField=email&filter=%ff", "", nil, listing, 400, validation, "filter "},
		{"list with a body", http.MethodGet, collection, "{}", nil, listing, 400, validation, "body"},
		{"invite without a body", http.MethodPost, collection, "", with("Content-Type", "application/json"), inviting, 400, validation, "body"},
		{"invite without a content type", http.MethodPost, collection, invitation, func(req *http.Request) { req.Header.Del("Content-Type") }, inviting, 400, validation, "Content-Type"},
		{"invite with two objects", http.MethodPost, collection, invitation + invitation, nil, inviting, 400, validation, "body"},
		{"a list of invitations", http.MethodPost, collection, "[" + invitation + "]", nil, inviting, 400, validation, "body must be an object"},
		{"no email", http.MethodPost, collection, `{"role":"view"}`, nil, inviting, 400, validation, "body.email is required"},
		{"no role", http.MethodPost, collection, `{"email":"a@example.com"}`, nil, inviting, 400, validation, "body.role is required"},
		{"email null", http.MethodPost, collection, invitationOf("null"), nil, inviting, 400, validation, "body.email must be a string"},
		{"empty email", http.MethodPost, collection, invitationOf(`""`), nil, inviting, 400, validation, "body.email must be an email address"},
		{"email without @", http.MethodPost, collection, invitationOf(`"a.example.com"`), nil, inviting, 400, validation, "body.email must be an email address"},
		{"email with a name", http.MethodPost, collection, invitationOf(`"A <a@example.com>"`), nil, inviting, 400, validation, "body.email must be an email address"},
		{"email in brackets", http.MethodPost, collection, invitationOf(`"<a@example.com>"`), nil, inviting, 400, validation, "body.email must be an email address"},
		{"email and a space", http.MethodPost, collection, invitationOf(`"a@example.com "`), nil, inviting, 400, validation, "body.email must be an email address"},
		{"two emails", http.MethodPost, collection, invitationOf(`"a@example.com,b@example.com"`), nil, inviting, 400, validation, "body.email must be an email address"},
		{"email beyond ASCII", http.MethodPost, collection, invitationOf(`"ä@example.com"`), nil, inviting, 400, validation, "body.email must be an email address"},
		{"email of 1025 characters", http.MethodPost, collection, invitationOf(longEmail(1025)), nil, inviting, 400, validation, "body.email must have at most 1024"},
		{"invite as an unknown role", http.MethodPost, collection, `{"email":"a@example.com","role":"overlord"}`, nil, inviting, 400, validation, "body.role"},
		{"disallowTransfer as a string", http.MethodPost, collection, `{"email":"a@example.com","role":"view","disallowTransfer":"true"}`, nil, inviting, 400, validation, "body.disallowTransfer must be a boolean"},
		{"unknown property of an invitation", http.MethodPost, collection, `{"email":"a@example.com","role":"view","ttl":1}`, nil, inviting, 400, validation, "body.ttl is not allowed"},
		{"unknown property of an invitation's grant", http.MethodPost, collection, `{"email":"a@example.com","role":"view","applicationRoles":[{"resourceId":"` + other + `","role":"view","x":1}]}`, nil, inviting, 400, validation, "body.applicationRoles[0].x is not allowed"},
		{"invite with 101 grants", http.MethodPost, collection, `{"email":"a@example.com","role":"view","dashboardRoles":[` + grants(101) + `]}`, nil, inviting, 400, validation, "body.dashboardRoles must have at most 100"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			req := newRequest(t, srv, test.method, test.path, test.body)
			req.Header.Set("Test", test.name)
			if test.change != nil {
				test.change(req)
			}
			res, body, err := roundTrip(t, req)
			require.NoError(t, err)
			assert.Equal(t, test.status, res.StatusCode)
			assert.Equal(t, "application/json; charset=utf-8", res.Header.Get("Content-Type"))
			require.Regexp(t, `^\{"type":"`+test.kind+`","message":".+"\}$`, body)
			assert.Contains(t, body, test.messageHolds)
			if test.status == http.StatusMethodNotAllowed {
				allow := map[string]string{path: "DELETE, GET, POST", collection: "GET, POST"} // none for an unknown path
				_, hasAllow := res.Header["Allow"]
				assert.Equal(t, allow[test.path], res.Header.Get("Allow"))
				assert.Equal(t, allow[test.path] != "", hasAllow)
				assert.Equal(t, `{"type":"MethodNotAllowed","message":"`+test.method+` is not allowed"}`, body)
			}

			got := requestOf(t, srv, test.name)
			assert.Equal(t, test.operation, got.Operation)
			assert.Equal(t, test.status, got.StatusCode)
			assert.False(t, got.TookEffect)
		})
	}
	t.Cleanup(func() {
		_, ok := srv.Invite(ref)
		assert.True(t, ok, "a refused request changes nothing")
		assert.Len(t, srv.Invites(), 1, "nor adds anything")
	})
}

// requestOf finds the one request of a test among those of others.
func requestOf(t *testing.T, srv *losanttest.Server, test string) losanttest.Request {
	t.Helper()
	for _, request := range srv.Requests() {
		if request.Header.Get("Test") == test {
			return request
		}
	}
	require.Fail(t, "the request was not recorded")
	return losanttest.Request{}
}

func TestChecksPass(t *testing.T) {
	t.Parallel()
	const id = "00000000000000000000abCD"
	grants := strings.TrimSuffix(strings.Repeat(`{"resourceId":"`+id+`","role":"none"},`, 100), ",")
	for name, test := range map[string]struct{ body, contentType, scheme string }{
		"an empty object":    {`{}`, "application/json", "Bearer"},
		"a charset":          {`{"role":"admin"}`, "application/json; charset=utf-8", "Bearer"},
		"scheme in any case": {`{"role":"none"}`, "application/json", "bearer"},
		"100 grants":         {`{"applicationRoles":[` + grants + `],"dashboardRoles":[]}`, "application/json", "Bearer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := newServer(t)
			req := newRequest(t, srv, http.MethodPost, pathOf(srv.AddInvite(losant.OrgInvite{})), test.body)
			req.Header.Set("Content-Type", test.contentType)
			req.Header.Set("Authorization", test.scheme+" "+srv.Token)
			res, body, err := roundTrip(t, req)
			require.NoError(t, err)
			assert.Equal(t, http.StatusCreated, res.StatusCode, body)
		})
	}
}

// A body that breaks off must not act, even if what arrived is valid.
func TestBodyThatBreaksOff(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	ref := srv.AddInvite(losant.OrgInvite{})
	answer, err := sendAndHangUp(t, srv, "POST "+pathOf(ref)+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+srv.Token+
		"\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{}")
	require.NoError(t, err)
	assert.Regexp(t, "^HTTP/1.1 400 ", answer)
	_, ok := srv.Invite(ref)
	assert.True(t, ok)
}

func TestRequests(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	client := newClient(t, srv)
	ref := srv.AddInvite(losant.OrgInvite{})
	assert.Empty(t, srv.Requests())

	_, err := client.InstanceOrgInvite.Get(t.Context(), ref, losant.WithLinks(false), losant.WithLosantDomain("example.com"))
	require.NoError(t, err)
	_, err = client.InstanceOrgInvite.ResendInvite(t.Context(), ref, losant.OrgRoleInfo{Role: losant.OrgRoleNone})
	require.NoError(t, err)

	requests := srv.Requests()
	require.Len(t, requests, 2)
	read, sent := requests[0], requests[1]
	assert.Equal(t, "InstanceOrgInvite.Get", read.Operation)
	assert.Equal(t, http.MethodGet, read.Method)
	assert.Equal(t, pathOf(ref), read.Path)
	assert.Equal(t, "false", read.Query.Get("_links"))
	assert.Equal(t, "example.com", read.Header.Get("losantdomain"))
	assert.Equal(t, "Bearer "+srv.Token, read.Header.Get("Authorization"))
	assert.Empty(t, read.Body)
	assert.Equal(t, http.StatusOK, read.StatusCode)
	assert.False(t, read.TookEffect)
	assert.Equal(t, "InstanceOrgInvite.ResendInvite", sent.Operation)
	assert.JSONEq(t, `{"role":"none"}`, string(sent.Body))
	assert.True(t, sent.TookEffect)

	read.Header.Set("Authorization", "changed")
	read.Query.Set("_links", "changed")
	sent.Body[0] = '!'
	again := srv.Requests()
	assert.Equal(t, "Bearer "+srv.Token, again[0].Header.Get("Authorization"), "they are copies")
	assert.Equal(t, "false", again[0].Query.Get("_links"))
	assert.JSONEq(t, `{"role":"none"}`, string(again[1].Body))
}

func TestClientOptions(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	client := newClient(t, srv, losant.WithUserAgent("inviter/1.2"))
	_, err := get(t, client, srv.AddInvite(losant.OrgInvite{}))
	require.NoError(t, err)
	assert.Contains(t, srv.Requests()[0].Header.Get("User-Agent"), "inviter/1.2")

	_, err = srv.Client(nil)
	require.ErrorIs(t, err, losant.ErrInvalidArgument)
}

// It means something with -race only.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	const many = 8
	var group sync.WaitGroup
	for range many {
		group.Go(func() {
			client, err := srv.Client()
			if !assert.NoError(t, err) {
				return
			}
			ref := srv.AddInvite(losant.OrgInvite{})
			srv.Inject(losanttest.Fault{})
			srv.Advance(time.Millisecond)
			_, err = client.InstanceOrgInvite.Get(t.Context(), ref)
			assert.NoError(t, err)
			_, err = client.InstanceOrgInvite.ResendInvite(t.Context(), ref, losant.OrgRoleInfo{})
			assert.NoError(t, err)
			srv.Requests()
			srv.Invites()
			_, err = client.InstanceOrgInvites.Post(t.Context(), collectionOf(srv), losant.OrgInvitePost{Email: "a@example.com", Role: losant.OrgRoleView})
			assert.NoError(t, err)
			_, err = client.InstanceOrgInvites.Get(t.Context(), collectionOf(srv), losant.InstanceOrgInvitesQuery{})
			assert.NoError(t, err)
			_, ok := srv.Invite(ref)
			assert.False(t, ok)
		})
	}
	group.Wait()
	assert.Len(t, srv.Requests(), 4*many)
	assert.Len(t, srv.Invites(), 2*many)
}

// The server's own connections end with it, so it takes another server to see.
func TestCloseClosesIdleConnectionsOfItsClients(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{}, 1)
	other := httptest.NewUnstartedServer(http.NotFoundHandler())
	other.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- struct{}{}
		}
	}
	other.Start()
	t.Cleanup(other.Close)
	srv := losanttest.NewServer()
	client := newClient(t, srv, losant.WithBaseURL(other.URL))
	_, err := get(t, client, srv.AddInvite(losant.OrgInvite{}))
	require.ErrorIs(t, err, losant.ErrInvalidResponse)

	srv.Close()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		assert.Fail(t, "the connection stays open")
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	srv := losanttest.NewServer()
	ref := srv.AddInvite(losant.OrgInvite{})
	client := newClient(t, srv)
	_, err := get(t, client, ref)
	require.NoError(t, err)
	srv.Close()
	srv.Close()

	_, err = get(t, client, ref)
	require.Error(t, err)
	assert.Len(t, srv.Requests(), 1)
	_, ok := srv.Invite(ref)
	assert.True(t, ok)
}
