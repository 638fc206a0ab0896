package losant_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// contract is testdata/api.json, facts of the API in version 1.30.0.
type contract struct {
	Global struct {
		Query map[string]bool
	}
	Resources map[string]struct {
		Path    string
		IDs     []string
		Actions map[string]struct {
			Method, Path string
			Query        []struct {
				Name string
				Enum []string
			}
			Body *struct {
				Type     string
				Required bool
			}
			Success []struct {
				Status int
				Type   string
			}
		}
	}
	Types map[string]struct {
		Properties map[string]json.RawMessage
		Required   []string
	}
	Examples map[string]json.RawMessage
}

// contractID is the id that stands for a place of a path, a different one each.
func contractID(place string) string {
	return map[string]string{"instanceId": strings.Repeat("a", 24), "orgId": strings.Repeat("b", 24), "inviteId": strings.Repeat("c", 24)}[place]
}

// decoded reads an example as a T.
func decoded[T any](t *testing.T, example json.RawMessage) T {
	t.Helper()
	var value T
	require.NoError(t, json.Unmarshal(example, &value))
	return value
}

// contractCalls has a row per action: a call with every parameter set, to the
// example of its body and the last value of each enumeration.
func contractCalls(t *testing.T, api contract) map[string]func(context.Context, *losant.Client) (any, error) {
	t.Helper()
	invites := losant.InstanceOrgInvitesRef{InstanceID: contractID("instanceId"), OrgID: contractID("orgId")}
	invite := invites.Invite(contractID("inviteId"))
	return map[string]func(context.Context, *losant.Client) (any, error){
		"instanceOrgInvite.get": func(ctx context.Context, c *losant.Client) (any, error) {
			return c.InstanceOrgInvite.Get(ctx, invite)
		},
		"instanceOrgInvite.delete": func(ctx context.Context, c *losant.Client) (any, error) {
			return map[string]bool{"success": true}, c.InstanceOrgInvite.Delete(ctx, invite)
		},
		"instanceOrgInvite.resendInvite": func(ctx context.Context, c *losant.Client) (any, error) {
			return c.InstanceOrgInvite.ResendInvite(ctx, invite, decoded[losant.OrgRoleInfo](t, api.Examples["orgRoleInfo"]))
		},
		"instanceOrgInvites.get": func(ctx context.Context, c *losant.Client) (any, error) {
			return c.InstanceOrgInvites.Get(ctx, invites, losant.InstanceOrgInvitesQuery{
				SortField: losant.OrgInviteFieldInviteDate, SortDirection: losant.SortDescending, FilterField: losant.OrgInviteFieldRole, Filter: "e*&?=",
			})
		},
		"instanceOrgInvites.post": func(ctx context.Context, c *losant.Client) (any, error) {
			return c.InstanceOrgInvites.Post(ctx, invites, decoded[losant.OrgInvitePost](t, api.Examples["orgInvitePost"]))
		},
	}
}

// TestContract holds every action of the resources that the library has against
// the API's description: method, path, query, body, success status, and the
// loss-free decoding of its examples. An action that the library lacks fails it.
func TestContract(t *testing.T) {
	t.Parallel()
	var api contract
	readTestdata(t, "api.json", &api)
	calls := contractCalls(t, api)
	services := reflect.TypeFor[losant.Client]()
	checked := 0
	for n := range services.NumField() {
		field := services.Field(n)
		if !field.IsExported() {
			continue
		}
		name := string(unicode.ToLower(rune(field.Name[0]))) + field.Name[1:]
		resource, ok := api.Resources[name]
		require.True(t, ok, "the API has no resource %s", name)
		assert.Len(t, resource.Actions, field.Type.NumMethod(), "%s: the interface has other actions than the API", field.Name)
		for actionName, action := range resource.Actions {
			t.Run(name+"."+actionName, func(t *testing.T) {
				t.Parallel()
				_, ok := field.Type.MethodByName(string(unicode.ToUpper(rune(actionName[0]))) + actionName[1:])
				require.True(t, ok, "the library has no %s.%s", field.Name, actionName)
				call, ok := calls[name+"."+actionName]
				require.True(t, ok, "this test has no row for %s.%s", name, actionName)
				require.Len(t, action.Success, 1)
				success := action.Success[0]
				example, ok := api.Examples[success.Type]
				require.True(t, ok, "no example of %s", success.Type)

				var got *http.Request
				var gotBody []byte
				s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					got = r
					gotBody, _ = io.ReadAll(r.Body)
					w.WriteHeader(success.Status)
					_, _ = w.Write(example)
				}))
				t.Cleanup(s.Close)
				result, err := call(t.Context(), newClient(t, s.URL))
				require.NoError(t, err)

				assert.Equal(t, action.Method, got.Method)
				path := action.Path
				for _, place := range resource.IDs {
					path = strings.ReplaceAll(path, "{"+place+"}", contractID(place))
				}
				assert.Equal(t, path, got.URL.EscapedPath())
				want := map[string]bool{}
				for name := range api.Global.Query {
					want[name] = true
				}
				for _, parameter := range action.Query {
					want[parameter.Name] = true
					if parameter.Enum != nil {
						assert.Contains(t, parameter.Enum, got.URL.Query().Get(parameter.Name))
					} else {
						assert.Equal(t, "e*&?=", got.URL.Query().Get(parameter.Name))
					}
				}
				sent := map[string]bool{}
				for name := range got.URL.Query() {
					sent[name] = true
				}
				assert.Equal(t, want, sent, "query parameters")
				if action.Body == nil {
					assert.Empty(t, gotBody)
				} else {
					assert.JSONEq(t, string(api.Examples[action.Body.Type]), string(gotBody))
					for name := range decoded[map[string]json.RawMessage](t, gotBody) {
						assert.Contains(t, api.Types[action.Body.Type].Properties, name)
					}
				}
				again, err := json.Marshal(result)
				require.NoError(t, err)
				assert.JSONEq(t, string(example), string(again), "decoded and encoded again")
			})
			checked++
		}
	}
	assert.Len(t, calls, checked, "a row of this test is of no resource")
}

// TestTypesHaveEveryField: a Go type has a field for each property of the API's,
// and no other but the links.
func TestTypesHaveEveryField(t *testing.T) {
	t.Parallel()
	var api contract
	readTestdata(t, "api.json", &api)
	for name, goType := range map[string]reflect.Type{
		"orgInvite": reflect.TypeFor[losant.OrgInvite](), "orgRoleInfo": reflect.TypeFor[losant.OrgRoleInfo](),
		"orgInvitePost": reflect.TypeFor[losant.OrgInvitePost](), "orgInviteCollection": reflect.TypeFor[losant.OrgInviteCollection](),
	} {
		fields := map[string]bool{}
		for n := range goType.NumField() {
			tag, _, _ := strings.Cut(goType.Field(n).Tag.Get("json"), ",")
			if tag != "_links" {
				fields[tag] = true
			}
		}
		properties := map[string]bool{}
		for property := range api.Types[name].Properties {
			properties[property] = true
		}
		assert.Equal(t, properties, fields, name)
	}
}
