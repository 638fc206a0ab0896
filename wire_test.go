package losant_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
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

// TestRequests sends every request of testdata/requests.json to a server below
// a base path, so that a path which is not appended is seen.
func TestRequests(t *testing.T) {
	t.Parallel()
	var cases []struct {
		Name, Operation, Token string
		Ref                    losant.InstanceOrgInviteRef
		Options                struct {
			LosantDomain string `json:"losantdomain"`
			Actions      *bool  `json:"_actions"`
			Links        *bool  `json:"_links"`
			Embedded     *bool  `json:"_embedded"`
		}
		RoleInfo losant.OrgRoleInfo
		Expect   struct {
			Method, Path   string
			Query, Headers map[string]string
			AbsentHeaders  []string
			Body           json.RawMessage
		}
	}
	readTestdata(t, "requests.json", &cases)
	require.NotEmpty(t, cases)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			const base = "/base/path"
			var got *http.Request
			var gotBody []byte
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got = r
				gotBody, _ = io.ReadAll(r.Body)
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
			switch c.Operation {
			case "Get":
				_, err = client.InstanceOrgInvite.Get(t.Context(), c.Ref, opts...)
			case "Delete":
				err = client.InstanceOrgInvite.Delete(t.Context(), c.Ref, opts...)
			case "ResendInvite":
				_, err = client.InstanceOrgInvite.ResendInvite(t.Context(), c.Ref, c.RoleInfo, opts...)
			default:
				t.Fatalf("unknown operation %q", c.Operation)
			}
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
			for name, value := range c.Expect.Headers {
				assert.Equal(t, []string{value}, got.Header.Values(name), name)
			}
			for _, name := range c.Expect.AbsentHeaders {
				assert.Empty(t, got.Header.Values(name), name)
			}
			if string(c.Expect.Body) == "null" {
				assert.Empty(t, gotBody)
				assert.Zero(t, got.ContentLength)
			} else {
				assert.JSONEq(t, string(c.Expect.Body), string(gotBody))
				assert.Equal(t, int64(len(gotBody)), got.ContentLength)
			}
		})
	}
}

// TestResponses gives the client every answer of testdata/responses.json.
func TestResponses(t *testing.T) {
	t.Parallel()
	var cases []struct {
		Name, Operation, Body string
		Status                int
		Headers               map[string]string
		Expect                struct {
			OK     bool
			Invite *struct {
				ID, Email                        string
				Role                             losant.OrgRole
				ApplicationRoles, DashboardRoles []losant.ResourceGrant
				InviteDate, ExpiresAt            time.Time
				TTLMilliseconds                  int64
				HasExpired, DisallowTransfer     bool
				Links                            map[string]string
			}
			Error *struct {
				StatusCode, Attempts int
				Type, Message        string
				Is                   []string
			}
		}
	}
	readTestdata(t, "responses.json", &cases)
	require.NotEmpty(t, cases)
	for _, c := range cases {
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
			var invite *losant.OrgInvite
			var response losant.Response
			var err error
			switch c.Operation {
			case "Get":
				invite, err = client.InstanceOrgInvite.Get(t.Context(), ref, losant.WithResponse(&response))
			case "Delete":
				err = client.InstanceOrgInvite.Delete(t.Context(), ref, losant.WithResponse(&response))
			case "ResendInvite":
				invite, err = client.InstanceOrgInvite.ResendInvite(t.Context(), ref, losant.OrgRoleInfo{}, losant.WithResponse(&response))
			default:
				t.Fatalf("unknown operation %q", c.Operation)
			}
			assert.Equal(t, c.Status, response.StatusCode)
			assert.Equal(t, c.Body, string(response.Body))
			for name, value := range c.Headers {
				assert.Equal(t, value, response.Header.Get(name))
			}
			switch {
			case c.Expect.Invite != nil:
				require.NoError(t, err)
				want := c.Expect.Invite
				assert.Equal(t, want.ExpiresAt, invite.ExpiresAt())
				expected := losant.OrgInvite{
					ID: want.ID, Email: want.Email, Role: want.Role,
					ApplicationRoles: want.ApplicationRoles, DashboardRoles: want.DashboardRoles,
					InviteDate: want.InviteDate, TTL: time.Duration(want.TTLMilliseconds) * time.Millisecond,
					HasExpired: want.HasExpired, DisallowTransfer: want.DisallowTransfer,
				}
				for relation, href := range want.Links {
					expected.Links = map[string]losant.Link{relation: {Href: href}}
				}
				assert.Equal(t, expected, *invite)
			case c.Expect.Error != nil:
				want := c.Expect.Error
				assert.Nil(t, invite)
				e := requireError(t, err, want.Is...)
				assert.Equal(t, want.StatusCode, e.StatusCode)
				if want.Type != "" {
					assert.Equal(t, want.Type, e.Type)
				}
				if want.Message != "" {
					assert.Equal(t, want.Message, e.Message)
				}
				if want.Attempts != 0 {
					assert.Equal(t, want.Attempts, e.Attempts)
				}
			default:
				require.True(t, c.Expect.OK)
				require.NoError(t, err)
			}
		})
	}
}
