package losanttest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/losant-community/losant-rest-go"
)

// The bodies are compared as JSON, because the client and the server encode the
// same type.
func TestInvitationHasTheFormatOfTheAPI(t *testing.T) {
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
		{"ids in upper case", http.MethodGet, "/instances/" + strings.ToUpper(ref.InstanceID) +
			"/orgs/" + strings.ToUpper(ref.OrgID) + "/invites/" + strings.ToUpper(ref.InviteID), linked},
		{"an unknown parameter", http.MethodGet, path + "?shoeSize=44", linked},
		{"delete", http.MethodDelete, path, `{"success": true}`},
	} {
		res, body, err := roundTrip(t, newRequest(t, srv, test.method, test.target, ""))
		require.NoError(t, err, test.name)
		assert.Equal(t, http.StatusOK, res.StatusCode, test.name)
		assert.Equal(t, "application/json; charset=utf-8", res.Header.Get("Content-Type"), test.name)
		assert.JSONEq(t, test.want, body, test.name)
	}
}

func TestCollectionHasTheFormatOfTheAPI(t *testing.T) {
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
		{"with links and an unknown parameter", "?_links=true&_actions=true&_embedded=false&shoeSize=44",
			`{"items": [{` + linkedItem + `}], "count": 1, ` + ids + `, "sortField": "inviteDate", "sortDirection": "desc", ` + links + `}`},
		{"without links", "?_links=false", `{"items": [{` + item + `}], "count": 1, ` + ids + `, "sortField": "inviteDate", "sortDirection": "desc"}`},
		{"all parameters, no match", "?_links=false&sortField=role&sortDirection=ASC&filterField=email&filter=%2Ab%3F",
			`{"items": [], "count": 0, ` + ids + `, "sortField": "role", "sortDirection": "ASC", "filterField": "email", "filter": "*b?"}`},
		{"blank parameters", "?_links=false&sortDirection=&filterField=&filter=",
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
