package losanttest_test

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/losant-community/losant-rest-go"
)

func TestInvalidRequestsAreRefused(t *testing.T) {
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
		{"no action for the path", http.MethodGet, "/", "", nil, "", 405, notAllowed, "GET is not allowed"},
		{"trailing slash", http.MethodDelete, path + "/", "", nil, "", 405, notAllowed, "DELETE is not allowed"},
		{"unknown last segment", http.MethodDelete, "/instances/" + ref.InstanceID + "/orgs/" + ref.OrgID + "/nothing", "", nil, "", 405, notAllowed, "DELETE is not allowed"},
		{"empty invite id", http.MethodDelete, strings.TrimSuffix(path, ref.InviteID), "", nil, "", 405, notAllowed, "DELETE is not allowed"},
		{"unknown segment in the path", http.MethodGet, strings.Replace(path, "orgs", "groups", 1), "", nil, "", 405, notAllowed, "GET is not allowed"},
		{"wrong method", http.MethodPut, path, "", nil, "", 405, notAllowed, "PUT is not allowed"},
		{"no token", http.MethodGet, path, "", func(req *http.Request) { req.Header.Del("Authorization") }, getting, 401, "Unauthorized", "token"},
		{"wrong token", http.MethodDelete, path, "", with("Authorization", "Bearer wrong"), deleting, 401, "Unauthorized", "token"},
		{"wrong token of the same length", http.MethodGet, path, "", with("Authorization", "Bearer "+strings.Repeat("x", len(srv.Token))), getting, 401, "Unauthorized", "token"},
		{"wrong scheme", http.MethodGet, path, "", with("Authorization", "Basic "+srv.Token), getting, 401, "Unauthorized", "token"},
		{"token before the other checks", http.MethodPost, path + "?_links=2", "[", with("Authorization", "Bearer wrong"), resending, 401, "Unauthorized", "token"},
		{"_links=2", http.MethodGet, path + "?_links=2", "", nil, getting, 400, validation, "_links"},
		{"_links=TRUE", http.MethodGet, path + "?_links=TRUE", "", nil, getting, 400, validation, "_links"},
		{"_actions empty", http.MethodGet, path + "?_actions=", "", nil, getting, 400, validation, "_actions"},
		{"_embedded twice", http.MethodDelete, path + "?_embedded=true&_embedded=true", "", nil, deleting, 400, validation, "_embedded"},
		{"query that cannot be decoded", http.MethodGet, path + "?_links=%zz", "", nil, getting, 400, validation, "%zz"},
		{"invalid instance id", http.MethodGet, strings.Replace(path, ref.InstanceID, "1", 1), "", nil, getting, 400, validation, "instanceId"},
		{"invalid org id", http.MethodGet, strings.Replace(path, ref.OrgID, "%2e%2e", 1), "", nil, getting, 400, validation, "orgId"},
		{"invalid invite id", http.MethodDelete, strings.Replace(path, ref.InviteID, "..", 1), "", nil, deleting, 400, validation, "inviteId"},
		{"invite id of 25 digits", http.MethodDelete, path + "0", "", nil, deleting, 400, validation, "inviteId"},
		{"unknown instance", http.MethodGet, strings.Replace(path, ref.InstanceID, other, 1), "", nil, getting, 404, notFound, "instance"},
		{"unknown organization", http.MethodGet, strings.Replace(path, ref.OrgID, other, 1), "", nil, getting, 404, notFound, "organization"},
		{"unknown invite, get", http.MethodGet, strings.Replace(path, ref.InviteID, other, 1), "", nil, getting, 404, notFound, "invitation"},
		{"unknown invite, delete", http.MethodDelete, strings.Replace(path, ref.InviteID, other, 1), "", nil, deleting, 404, notFound, "invitation"},
		{"unknown invite, resend", http.MethodPost, strings.Replace(path, ref.InviteID, other, 1), "{}", nil, resending, 404, notFound, "invitation"},
		{"get with a body", http.MethodGet, path, "{}", nil, getting, 400, validation, "body"},
		{"delete with a body", http.MethodDelete, path, `{"role":"view"}`, nil, deleting, 400, validation, "takes no body, or {}"},
		{"delete with an array", http.MethodDelete, path, `[]`, nil, deleting, 400, validation, "takes no body, or {}"},
		{"delete with null", http.MethodDelete, path, `null`, nil, deleting, 400, validation, "takes no body, or {}"},
		{"delete with invalid JSON", http.MethodDelete, path, `{`, nil, deleting, 400, validation, "body must be one JSON document"},
		{"delete with two objects", http.MethodDelete, path, `{}{}`, nil, deleting, 400, validation, "body must be one JSON document"},
		{"delete with a form", http.MethodDelete, path, `{}`, with("Content-Type", "application/x-www-form-urlencoded"), deleting, 400, validation, "Content-Type"},
		{"resend without a body", http.MethodPost, path, "", with("Content-Type", "application/json"), resending, 400, validation, "body"},
		{"no content type", http.MethodPost, path, "{}", func(req *http.Request) { req.Header.Del("Content-Type") }, resending, 400, validation, "Content-Type"},
		{"form as the content type", http.MethodPost, path, "{}", with("Content-Type", "application/x-www-form-urlencoded"), resending, 400, validation, "Content-Type"},
		{"invalid JSON", http.MethodPost, path, "role=view", nil, resending, 400, validation, "body"},
		{"two objects", http.MethodPost, path, "{}{}", nil, resending, 400, validation, "body"},
		{"array as the body", http.MethodPost, path, "[]", nil, resending, 400, validation, "body must be an object"},
		{"null as the body", http.MethodPost, path, "null", nil, resending, 400, validation, "body must be an object"},
		{"unknown property", http.MethodPost, path, `{"email":"a@example.com"}`, nil, resending, 400, validation, "body.email"},
		{"property in another case", http.MethodPost, path, `{"Role":"view"}`, nil, resending, 400, validation, "body.Role"},
		{"unknown role", http.MethodPost, path, `{"role":"overlord"}`, nil, resending, 400, validation, "body.role"},
		{"empty role", http.MethodPost, path, `{"role":""}`, nil, resending, 400, validation, "body.role"},
		{"role that is not a string", http.MethodPost, path, `{"role":1}`, nil, resending, 400, validation, "body.role"},
		{"role null", http.MethodPost, path, `{"role":null}`, nil, resending, 400, validation, "body.role"},
		{"grants that are not an array", http.MethodPost, path, `{"applicationRoles":{}}`, nil, resending, 400, validation, "body.applicationRoles must be an array"},
		{"grants null", http.MethodPost, path, `{"dashboardRoles":null}`, nil, resending, 400, validation, "body.dashboardRoles must be an array"},
		{"grant that is not an object", http.MethodPost, path, `{"dashboardRoles":[1]}`, nil, resending, 400, validation, "body.dashboardRoles[0] must be an object"},
		{"grant without resource", http.MethodPost, path, `{"applicationRoles":[{"role":"view"}]}`, nil, resending, 400, validation, "body.applicationRoles[0].resourceId is required"},
		{"grant without role", http.MethodPost, path, `{"applicationRoles":[` + grants(1) + `,{"resourceId":"` + other + `"}]}`, nil, resending, 400, validation, "body.applicationRoles[1].role is required"},
		{"grant with a role of organizations", http.MethodPost, path, `{"dashboardRoles":[{"resourceId":"` + other + `","role":"admin"}]}`, nil, resending, 400, validation, "body.dashboardRoles[0].role"},
		{"grant with an invalid id", http.MethodPost, path, `{"dashboardRoles":[{"resourceId":"x","role":"view"}]}`, nil, resending, 400, validation, "body.dashboardRoles[0].resourceId"},
		{"grant with a number as the id", http.MethodPost, path, `{"dashboardRoles":[{"resourceId":1,"role":"view"}]}`, nil, resending, 400, validation, "body.dashboardRoles[0].resourceId"},
		{"unknown property of a grant", http.MethodPost, path, `{"dashboardRoles":[{"resourceId":"` + other + `","role":"view","x":1}]}`, nil, resending, 400, validation, "body.dashboardRoles[0].x"},
		{"101 grants", http.MethodPost, path, `{"applicationRoles":[` + grants(101) + `]}`, nil, resending, 400, validation, "body.applicationRoles must have at most 100"},

		{"wrong method for the collection", http.MethodDelete, collection, "", nil, "", 405, notAllowed, "DELETE is not allowed"},
		{"list without a token", http.MethodGet, collection, "", func(req *http.Request) { req.Header.Del("Authorization") }, listing, 401, "Unauthorized", "token"},
		{"invite without a token", http.MethodPost, collection, invitation, func(req *http.Request) { req.Header.Del("Authorization") }, inviting, 401, "Unauthorized", "token"},
		{"list with _links=yes", http.MethodGet, collection + "?_links=yes", "", nil, listing, 400, validation, "_links"},
		{"invite with _links twice", http.MethodPost, collection + "?_links=true&_links=true", invitation, nil, inviting, 400, validation, "_links"},
		{"list with an invalid org id", http.MethodGet, strings.Replace(collection, ref.OrgID, "..", 1), "", nil, listing, 400, validation, "orgId"},
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
		{"array of invitations", http.MethodPost, collection, "[" + invitation + "]", nil, inviting, 400, validation, "body must be an object"},
		{"no email", http.MethodPost, collection, `{"role":"view"}`, nil, inviting, 400, validation, "body.email is required"},
		{"no role", http.MethodPost, collection, `{"email":"a@example.com"}`, nil, inviting, 400, validation, "body.role is required"},
		{"email null", http.MethodPost, collection, invitationOf("null"), nil, inviting, 400, validation, "body.email must be a string"},
		{"empty email", http.MethodPost, collection, invitationOf(`""`), nil, inviting, 400, validation, "body.email must be an email address"},
		{"email without @", http.MethodPost, collection, invitationOf(`"a.example.com"`), nil, inviting, 400, validation, "body.email must be an email address"},
		{"email with a name", http.MethodPost, collection, invitationOf(`"A <a@example.com>"`), nil, inviting, 400, validation, "body.email must be an email address"},
		{"email in angle brackets", http.MethodPost, collection, invitationOf(`"<a@example.com>"`), nil, inviting, 400, validation, "body.email must be an email address"},
		{"email with a trailing space", http.MethodPost, collection, invitationOf(`"a@example.com "`), nil, inviting, 400, validation, "body.email must be an email address"},
		{"two emails", http.MethodPost, collection, invitationOf(`"a@example.com,b@example.com"`), nil, inviting, 400, validation, "body.email must be an email address"},
		{"email that is not ASCII", http.MethodPost, collection, invitationOf(`"ä@example.com"`), nil, inviting, 400, validation, "body.email must be an email address"},
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
		assert.True(t, ok, "an invalid request changes nothing")
		assert.Len(t, srv.Invites(), 1, "an invalid request adds nothing")
	})
}

// A request violates every check. Each step corrects the violation that the server
// reported, so the steps are the order of the checks.
func TestFirstViolationDeterminesTheResponse(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	ref := srv.AddInvite(losant.OrgInvite{})
	other := strings.Repeat("0", 24)
	tooLarge := "{" + strings.Repeat(" ", 1<<20)
	good := pathOf(ref)
	badID := strings.Replace(pathOf(ref), ref.InstanceID, other, 1) + "0"
	notFound := strings.TrimSuffix(badID, "0")
	for _, step := range []struct {
		method, path, token, body string
		status                    int
		message                   string
	}{
		{http.MethodPut, badID + "?_links=2", "wrong", tooLarge, 405, "PUT is not allowed"},
		{http.MethodPost, badID + "?_links=2", "wrong", tooLarge, 401, "token"},
		{http.MethodPost, badID + "?_links=2", srv.Token, tooLarge, 413, "exceeds"},
		{http.MethodPost, badID + "?_links=2", srv.Token, "{", 400, "_links"},
		{http.MethodPost, badID, srv.Token, "{", 400, "inviteId"},
		{http.MethodPost, notFound, srv.Token, "{", 400, "the body"},
		{http.MethodPost, notFound, srv.Token, "{}", 404, "instance"},
		{http.MethodPost, good, srv.Token, "{}", 201, ""},
	} {
		req := newRequest(t, srv, step.method, step.path, step.body)
		req.Header.Set("Authorization", "Bearer "+step.token)
		res, body, err := roundTrip(t, req)
		require.NoError(t, err)
		assert.Equal(t, step.status, res.StatusCode, body)
		assert.Contains(t, body, step.message)
	}
}

func TestValidRequestsAreAccepted(t *testing.T) {
	t.Parallel()
	const id = "00000000000000000000abCD"
	grants := strings.TrimSuffix(strings.Repeat(`{"resourceId":"`+id+`","role":"none"},`, 100), ",")
	for name, test := range map[string]struct{ body, contentType, scheme string }{
		"an empty object":      {`{}`, "application/json", "Bearer"},
		"a charset":            {`{"role":"admin"}`, "application/json; charset=utf-8", "Bearer"},
		"scheme in lower case": {`{"role":"none"}`, "application/json", "bearer"},
		"100 grants":           {`{"applicationRoles":[` + grants + `],"dashboardRoles":[]}`, "application/json", "Bearer"},
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

func TestBodyOfMoreThan1MiBIsRefused(t *testing.T) {
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
			assert.JSONEq(t, `{"type":"RequestEntityTooLarge","message":"The body exceeds 1048576 bytes"}`, got)
		}
	}
	assert.Equal(t, 2, srv.RequestCount())
}

// The part of the body that arrives is valid by itself.
func TestIncompleteBodyHasNoEffect(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	ref := srv.AddInvite(losant.OrgInvite{})
	response, err := sendAndHangUp(t, srv, "POST "+pathOf(ref)+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+srv.Token+
		"\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{}")
	require.NoError(t, err)
	assert.Regexp(t, "^HTTP/1.1 400 ", response)
	_, ok := srv.Invite(ref)
	assert.True(t, ok)
}

func TestLastOfDuplicateMembersApplies(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	res, body, err := roundTrip(t, newRequest(t, srv, http.MethodPost, collectionPath(srv), `{"email":"a@example.com","role":5,"role":"edit"}`))
	require.NoError(t, err)
	assert.Equal(t, http.StatusCreated, res.StatusCode, body)
	require.Len(t, srv.Invites(), 1)
	assert.Equal(t, losant.OrgRoleEdit, srv.Invites()[0].Role)
}

// The server's description is a part of testdata/api.json, which is generated from
// Losant's description. The constants of package losant are not used.
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
