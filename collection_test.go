package losant_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

var invitesRef = losant.InstanceOrgInvitesRef{InstanceID: ref.InstanceID, OrgID: ref.OrgID}

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
			return reply(200, `{"items":[],"count":0}`), nil
		})}))
		list, err := client.InstanceOrgInvites.Get(t.Context(), invitesRef, query)
		require.NoError(t, err)
		assert.Empty(t, list.Items)
		assert.NotNil(t, list.Items)
		assert.Equal(t, want, got)
	}
}

func reply(code int, body string) *http.Response {
	return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
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

// TestCall: a request arrives as described.
func TestCall(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name       string
		request    losant.Request
		uri, body  string
		operation  losant.Operation
		wantHeader string
	}{
		{
			"get", losant.Request{Operation: "Device.Get", Method: "GET", Path: []string{"applications", id, "devices", "b c,50%é"}, Query: url.Values{"x": {"1", "a&b"}, "none": {}}},
			"/base/applications/" + id + "/devices/b%20c,50%25%C3%A9?_actions=false&_embedded=true&_links=true&x=1&x=a%26b", "",
			losant.Operation{Name: "Device.Get", Method: "GET", PathTemplate: "/applications/{id}/devices/{id}"}, "",
		},
		{
			"post", losant.Request{Method: "POST", Path: []string{"auth", "user"}, Body: map[string]string{"email": "a"}},
			"/base/auth/user?_actions=false&_embedded=true&_links=true", `{"email":"a"}`,
			losant.Operation{Name: "POST /auth/user", Method: "POST", PathTemplate: "/auth/user"}, "application/json",
		},
		{
			"post without a body", losant.Request{Method: "POST", Path: []string{"x"}},
			"/base/x?_actions=false&_embedded=true&_links=true", "{}", losant.Operation{Name: "POST /x", Method: "POST", PathTemplate: "/x"}, "application/json",
		},
		{
			"patch without a body", losant.Request{Method: "PATCH", Path: []string{"x"}},
			"/base/x?_actions=false&_embedded=true&_links=true", "{}", losant.Operation{Name: "PATCH /x", Method: "PATCH", PathTemplate: "/x"}, "application/json",
		},
		{
			"delete", losant.Request{Method: "DELETE", Path: []string{"x"}},
			"/base/x?_actions=false&_embedded=true&_links=true", "", losant.Operation{Name: "DELETE /x", Method: "DELETE", PathTemplate: "/x"}, "",
		},
		{
			"put", losant.Request{Method: "PUT", Path: []string{"x"}, Body: []int{1}},
			"/base/x?_actions=false&_embedded=true&_links=true", "[1]", losant.Operation{Name: "PUT /x", Method: "PUT", PathTemplate: "/x"}, "application/json",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var uri, sent, contentType string
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				data, _ := io.ReadAll(r.Body)
				uri, sent, contentType = r.RequestURI, string(data), r.Header.Get("Content-Type")
				assert.Equal(t, "Bearer "+canary, r.Header.Get("Authorization"))
				_, _ = io.WriteString(w, `{"name":"x"}`)
			})
			transport := &http.Transport{}
			t.Cleanup(transport.CloseIdleConnections)
			client := newClient(t, s.URL+"/base", losant.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				operation, _ := losant.OperationFromContext(r.Context())
				assert.Equal(t, row.operation, operation)
				return transport.RoundTrip(r)
			})}))
			device, err := losant.Call[struct{ Name string }](t.Context(), client, row.request)
			require.NoError(t, err)
			assert.Equal(t, "x", device.Name)
			assert.Equal(t, row.uri, uri)
			assert.Equal(t, row.body, sent)
			assert.Equal(t, row.wantHeader, contentType)
		})
	}
}

func TestCallRefuses(t *testing.T) {
	t.Parallel()
	s := serve(t, succeed)
	client := newClient(t, s.URL)
	fine := losant.Request{Method: "GET", Path: []string{"x"}}
	for name, change := range map[string]func(*losant.Request){
		"no path":            func(r *losant.Request) { r.Path = nil },
		"empty segment":      func(r *losant.Request) { r.Path = []string{"a", ""} },
		"dot segment":        func(r *losant.Request) { r.Path = []string{"a", ".."} },
		"hidden dot segment": func(r *losant.Request) { r.Path = []string{"a", "x/..?"} },
		"escaped dots":       func(r *losant.Request) { r.Path = []string{"a", "%2e%2e"} },
		"segments in one":    func(r *losant.Request) { r.Path = []string{"applications/app1/devices"} },
		"fragment":           func(r *losant.Request) { r.Path = []string{"..#x"} },
		"query in the path":  func(r *losant.Request) { r.Path = []string{"a?b=c"} },
		"format character":   func(r *losant.Request) { r.Path = []string{"a\u202eb"} },
		"line end":           func(r *losant.Request) { r.Path = []string{"a\r\nb"} },
		"no method":          func(r *losant.Request) { r.Method = "" },
		"method in lower":    func(r *losant.Request) { r.Method = "get" },
		"odd method":         func(r *losant.Request) { r.Method = "TRACE" },
		"body of a GET":      func(r *losant.Request) { r.Body = 1 },
		"flag in the query":  func(r *losant.Request) { r.Query = url.Values{"_links": {"true"}} },
		"operation":          func(r *losant.Request) { r.Operation = "a\nb" },
		"body without JSON":  func(r *losant.Request) { r.Method, r.Body = "POST", func() {} },
		"body that is null":  func(r *losant.Request) { r.Method, r.Body = "POST", (*int)(nil) },
		"typed nil":          func(r *losant.Request) { r.Method, r.Body = "POST", (*losant.OrgInvitePost)(nil) },
		"reader":             func(r *losant.Request) { r.Method, r.Body = "POST", strings.NewReader("{}") },
		"bytes":              func(r *losant.Request) { r.Method, r.Body = "POST", []byte("{}") },
		"hostile method":     func(r *losant.Request) { r.Method = "G\x1b[31mET\nlevel=ERROR " + strings.Repeat("x", 1<<20) },
		"another's error":    func(r *losant.Request) { r.Method, r.Body = "POST", failing{} },
	} {
		request := fine
		change(&request)
		_, err := losant.Call[any](t.Context(), client, request)
		e := requireError(t, err, "ErrInvalidArgument")
		assertPrintable(t, e.Error())
		assert.NotEmpty(t, e.Operation, name)
	}
	for _, client := range []*losant.Client{nil, {}} {
		_, err := losant.Call[any](t.Context(), client, fine)
		requireError(t, err, "ErrInvalidArgument")
	}
	assert.Zero(t, s.arrived.Load())
}

// TestCallAnswers: any JSON, of any type, or nothing; one that the library knows
// must be complete.
func TestCallAnswers(t *testing.T) {
	t.Parallel()
	request := losant.Request{Method: "GET", Path: []string{"x"}}
	client, _ := fromMemory(t, 200, []byte(` [{"n":1},{"n":2}] `))
	list, err := losant.Call[[]struct{ N int }](t.Context(), client, request)
	require.NoError(t, err)
	assert.Len(t, *list, 2)
	_, err = losant.Call[struct{}](t.Context(), client, request)
	requireError(t, err, "ErrInvalidResponse")
	for _, text := range []string{"<html>", "{}{}", "{", "[", "[]x"} {
		client, _ := fromMemory(t, 200, []byte(text))
		_, err := losant.Call[any](t.Context(), client, request)
		requireError(t, err, "ErrInvalidResponse")
	}
	client, _ = fromMemory(t, 200, []byte(`{"total":1}`))
	embedding, err := losant.Call[struct {
		*losant.OrgInviteCollection
		Total int
	}](t.Context(), client, request)
	require.NoError(t, err)
	assert.Equal(t, 1, embedding.Total)
	_, err = losant.Call[failing](t.Context(), client, request)
	requireError(t, err, "ErrInvalidResponse")
	client, _ = fromMemory(t, 200, []byte("{}"))
	anything, err := losant.Call[any](t.Context(), client, request)
	require.NoError(t, err)
	assert.Equal(t, map[string]any{}, *anything)
}

// failing can be neither encoded nor decoded, because of what became of another
// call.
type failing struct{}

var errOther = &losant.Error{Operation: "Other", StatusCode: 404, Err: losant.ErrOutcomeUnknown}

func (failing) MarshalJSON() ([]byte, error) { return nil, errOther }
func (*failing) UnmarshalJSON([]byte) error  { return errOther }

// TestCallAttempts: by the method.
func TestCallAttempts(t *testing.T) {
	t.Parallel()
	for method, arrived := range map[string]int32{"GET": 4, "DELETE": 4, "PUT": 4, "POST": 1, "PATCH": 1} {
		s := serve(t, cut)
		_, err := losant.Call[any](t.Context(), newClient(t, s.URL), losant.Request{Method: method, Path: []string{"x"}})
		assert.Equal(t, arrived, s.arrived.Load(), method)
		assert.Equal(t, method != "GET", errors.Is(err, losant.ErrOutcomeUnknown), method)
	}
	_, err := losant.Call[any](context.TODO(), newClient(t, serve(t, succeed).URL), losant.Request{Method: "GET", Path: []string{"x"}}, losant.WithLosantDomain("a\nb"))
	requireError(t, err, "ErrInvalidArgument")
}
