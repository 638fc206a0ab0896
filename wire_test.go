package losant_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

func readTestdata(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, into))
}

// readCases reads the cases that come with the API's contract and those that
// were added here.
func readCases[T any](t *testing.T, name string) []T {
	t.Helper()
	var given, more []T
	readTestdata(t, name, &given)
	readTestdata(t, "more_"+name, &more)
	require.NotEmpty(t, given)
	require.NotEmpty(t, more)
	return append(given, more...)
}

// wireArguments are what a case calls an operation with.
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

// TestRequests sends every request of testdata/requests.json to a server below
// a base path, so that a path which is not appended is seen. No other header and
// no other parameter may be sent.
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
			AbsentHeaders  []string
			Body           json.RawMessage
		}
	}
	for _, c := range readCases[request](t, "requests.json") {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			const base = "/base/path"
			var got *http.Request
			var gotBody []byte
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got = r
				gotBody, _ = io.ReadAll(r.Body)
				if strings.HasPrefix(c.Operation, "InstanceOrgInvites.") {
					_, _ = io.WriteString(w, `{"items":[]}`)
					return
				}
				succeed(w, r)
			}))
			t.Cleanup(s.Close)
			client, err := losant.NewClient(c.Token, losant.WithBaseURL(s.URL+base+"/"))
			require.NoError(t, err)
			t.Cleanup(client.CloseIdleConnections)
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
			require.NotNil(t, got)
			assert.Equal(t, c.Expect.Method, got.Method)
			assert.Equal(t, base+c.Expect.Path, got.URL.EscapedPath())
			query := map[string]string{}
			for name, values := range got.URL.Query() {
				require.Len(t, values, 1, name)
				query[name] = values[0]
			}
			assert.Equal(t, c.Expect.Query, query)

			headers := http.Header{"Accept-Encoding": {"gzip"}}
			for name, value := range c.Expect.Headers {
				headers.Set(name, value)
			}
			if string(c.Expect.Body) == "null" {
				assert.Empty(t, gotBody)
				assert.Zero(t, got.ContentLength)
			} else {
				assert.JSONEq(t, string(c.Expect.Body), string(gotBody))
				assert.Equal(t, int64(len(gotBody)), got.ContentLength)
				headers.Set("Content-Length", strconv.Itoa(len(gotBody)))
			}
			assert.True(t, strings.HasPrefix(got.Header.Get("User-Agent"), "losant-rest-go/"))
			got.Header.Del("User-Agent")
			assert.Equal(t, headers, got.Header)
			for _, name := range c.Expect.AbsentHeaders {
				assert.Empty(t, got.Header.Values(name), name)
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

// TestResponses gives the client every response of testdata/responses.json.
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
				Message           *string // of the API; nil: our own words, which are tested elsewhere
				RetryAfterSeconds int
				Is                []string
			}
		}
	}
	for _, c := range readCases[response](t, "responses.json") {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			transport := httpmock.NewMockTransport()
			transport.RegisterNoResponder(func(*http.Request) (*http.Response, error) {
				resp := httpmock.NewStringResponse(c.Status, c.Body)
				for name, value := range c.Headers {
					resp.Header.Set(name, value)
				}
				return resp, nil
			})
			client := newClient(t, "https://api.example.com", losant.WithHTTPClient(&http.Client{Transport: transport}))
			var response losant.Response
			got, err := wireCall(t.Context(), t, client, c.Operation, wireArguments{Ref: ref, Invite: losant.OrgInvitePost{Email: "a@example.com", Role: "view"}}, losant.WithResponse(&response))
			assert.Equal(t, c.Status, response.StatusCode)
			assert.Equal(t, c.Body, string(response.Body))
			for name, value := range c.Headers {
				assert.Equal(t, value, response.Header.Get(name))
			}
			if want := c.Expect.Error; want != nil {
				assert.Nil(t, got)
				e := requireError(t, err, want.Is...)
				assert.Equal(t, want.StatusCode, e.StatusCode)
				if want.Type == nil {
					var body struct{ Type string }
					_ = json.Unmarshal([]byte(c.Body), &body)
					want.Type = &body.Type
				}
				assert.Equal(t, *want.Type, e.Type)
				if want.Message != nil {
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
			assert.True(t, c.Expect.OK || want != nil, "the case expects nothing")
			require.Len(t, got, len(want))
			for n := range want {
				want[n].check(t, got[n])
			}
		})
	}
}
