package losant_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// readTestdata decodes a file of testdata.
func readTestdata(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, into))
}

// readCases reads the cases that came with the description of the API, and more.
func readCases[T any](t *testing.T, name string) []T {
	t.Helper()
	var given, more []T
	readTestdata(t, name, &given)
	readTestdata(t, "more_"+name, &more)
	require.NotEmpty(t, given)
	require.NotEmpty(t, more)
	return append(given, more...)
}

// wireArguments are the arguments of the operation of a case.
type wireArguments struct {
	Ref      losant.InstanceOrgInviteRef
	RoleInfo losant.OrgRoleInfo
	Query    losant.InstanceOrgInvitesQuery
	Invite   losant.OrgInvitePost
}

// wireCall calls an operation, and returns the invitations that it returned.
func wireCall(ctx context.Context, t *testing.T, c *losant.Client, operation string, a wireArguments, opts ...losant.RequestOption) ([]losant.OrgInvite, error) {
	t.Helper()
	invites := losant.InstanceOrgInvitesRef{InstanceID: a.Ref.InstanceID, OrgID: a.Ref.OrgID}
	var invite *losant.OrgInvite
	var list *losant.OrgInviteCollection
	var err error
	switch operation {
	case "Get":
		invite, err = c.InstanceOrgInvite.Get(ctx, a.Ref, opts...)
	case "Delete":
		return nil, c.InstanceOrgInvite.Delete(ctx, a.Ref, opts...)
	case "ResendInvite":
		invite, err = c.InstanceOrgInvite.ResendInvite(ctx, a.Ref, a.RoleInfo, opts...)
	case "InstanceOrgInvites.Get":
		list, err = c.InstanceOrgInvites.Get(ctx, invites, a.Query, opts...)
	case "InstanceOrgInvites.Post":
		list, err = c.InstanceOrgInvites.Post(ctx, invites, a.Invite, opts...)
	default:
		t.Fatalf("unknown operation %q", operation)
	}
	if invite != nil {
		return []losant.OrgInvite{*invite}, err
	}
	if list != nil {
		assert.Len(t, list.Items, list.Count)
		return list.Items, err
	}
	return nil, err
}

// TestRequests sends the requests of testdata/requests.json below a base path. Each has
// exactly the headers and parameters of its case.
func TestRequests(t *testing.T) {
	t.Parallel()
	type request struct {
		wireArguments

		Name, Operation, Token string
		Options                struct {
			LosantDomain string `json:"losantdomain"`
			Actions      *bool  `json:"_actions"`
			Links        *bool  `json:"_links"`
			Embedded     *bool  `json:"_embedded"`
		}
		Expect struct {
			Method, Path   string
			Query, Headers map[string]string
			Body           json.RawMessage
		}
	}
	for _, c := range readCases[request](t, "requests.json") {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			api := &recorder{}
			if strings.HasPrefix(c.Operation, "InstanceOrgInvites.") {
				api.respond = httpmock.NewStringResponder(200, `{"items":[]}`)
			}
			client, err := losant.NewClient(c.Token, losant.WithBaseURL("https://api.example.com/base/path/"), losant.WithHTTPClient(&http.Client{Transport: api}))
			require.NoError(t, err)
			var opts []losant.RequestOption
			if c.Options.LosantDomain != "" {
				opts = append(opts, losant.WithLosantDomain(c.Options.LosantDomain))
			}
			for value, option := range map[*bool]func(bool) losant.RequestOption{
				c.Options.Actions: losant.WithActions, c.Options.Links: losant.WithLinks, c.Options.Embedded: losant.WithEmbedded,
			} {
				if value != nil {
					opts = append(opts, option(*value))
				}
			}
			_, err = wireCall(t.Context(), t, client, c.Operation, c.wireArguments, opts...)
			require.NoError(t, err)

			got := api.request
			assert.Equal(t, c.Expect.Method, got.Method)
			assert.Equal(t, "https://api.example.com/base/path"+c.Expect.Path, got.URL.Scheme+"://"+got.URL.Host+got.URL.EscapedPath())
			query := url.Values{}
			for name, value := range c.Expect.Query {
				query.Set(name, value)
			}
			assert.Equal(t, query, got.URL.Query())
			headers := http.Header{"User-Agent": {"losant-rest-go/0.1.0 (" + runtime.Version() + ")"}}
			for name, value := range c.Expect.Headers {
				headers.Set(name, value)
			}
			assert.Equal(t, headers, got.Header)
			assert.Equal(t, int64(len(api.body)), got.ContentLength)
			if string(c.Expect.Body) == "null" {
				assert.Empty(t, api.body)
			} else {
				assert.JSONEq(t, string(c.Expect.Body), api.body)
			}
		})
	}
}

// wireInvite is an invitation as a case expects it.
type wireInvite struct {
	ID, Email                        string
	Role                             losant.OrgRole
	ApplicationRoles, DashboardRoles []losant.ResourceGrant
	InviteDate, ExpiresAt            time.Time
	TTLMilliseconds                  int64
	HasExpired, DisallowTransfer     bool
	Links                            map[string]string
}

func (w wireInvite) check(t *testing.T, got losant.OrgInvite) {
	t.Helper()
	want := losant.OrgInvite{
		ID: w.ID, Email: w.Email, Role: w.Role, ApplicationRoles: w.ApplicationRoles, DashboardRoles: w.DashboardRoles,
		InviteDate: w.InviteDate, TTL: time.Duration(w.TTLMilliseconds) * time.Millisecond, HasExpired: w.HasExpired, DisallowTransfer: w.DisallowTransfer,
	}
	for relation, href := range w.Links {
		if want.Links == nil {
			want.Links = map[string]losant.Link{}
		}
		want.Links[relation] = losant.Link{Href: href}
	}
	assert.Equal(t, want, got)
	assert.Equal(t, w.ExpiresAt, got.ExpiresAt())
}

// TestResponses decodes the responses of testdata/responses.json.
func TestResponses(t *testing.T) {
	t.Parallel()
	type response struct {
		Name, Operation, Body string
		Status                int
		Headers               map[string]string
		Expect                struct {
			OK      bool
			Invite  *wireInvite
			Invites []wireInvite
			Error   *struct {
				StatusCode        int
				Attempts          *int    // nil: 1
				Type              *string // nil: the one in the body
				Message           *string // nil: the one in the body or, if it has none, any, which errors_test.go tests
				RetryAfterSeconds int
				Is                []string
			}
		}
	}
	for _, c := range readCases[response](t, "responses.json") {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{}
			for name, value := range c.Headers {
				header.Set(name, value)
			}
			client := through(t, mock(httpmock.NewStringResponder(c.Status, c.Body).HeaderSet(header)))
			var response losant.Response
			got, err := wireCall(t.Context(), t, client, c.Operation, wireArguments{Ref: ref, Invite: losant.OrgInvitePost{Email: "a@example.com", Role: "view"}}, losant.WithResponse(&response))
			assert.Equal(t, c.Status, response.StatusCode)
			assert.Equal(t, c.Body, string(response.Body))
			assert.Equal(t, header, response.Header)
			if want := c.Expect.Error; want != nil {
				assert.Nil(t, got)
				e := requireError(t, err, want.Is...)
				assert.Equal(t, want.StatusCode, e.StatusCode)
				var body struct{ Type, Message string }
				_ = json.Unmarshal([]byte(c.Body), &body) // if it is not JSON, it has neither
				if want.Type == nil {
					want.Type = &body.Type
				}
				if want.Message == nil {
					want.Message = &body.Message
				}
				assert.Equal(t, *want.Type, e.Type)
				if *want.Message == "" {
					assert.NotEmpty(t, e.Message)
				} else {
					assert.Equal(t, *want.Message, e.Message)
				}
				assert.Equal(t, time.Duration(want.RetryAfterSeconds)*time.Second, e.RetryAfter)
				attempts := 1
				if want.Attempts != nil {
					attempts = *want.Attempts
				}
				assert.Equal(t, attempts, e.Attempts)
				return
			}
			require.NoError(t, err)
			want := c.Expect.Invites
			if c.Expect.Invite != nil {
				want = []wireInvite{*c.Expect.Invite}
			}
			assert.True(t, c.Expect.OK || want != nil, "the case expects neither success nor an error")
			require.Len(t, got, len(want))
			for n := range want {
				want[n].check(t, got[n])
			}
		})
	}
}
