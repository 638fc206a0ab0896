package losant_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/jarcoal/httpmock"
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
		Actions map[string]contractAction
	}
	Types    map[string]json.RawMessage // each a schema
	Examples map[string]json.RawMessage
}

type contractAction struct {
	Method, Path string
	Query        []contractParameter
	Body         *struct {
		Type     string
		Required bool
	}
	Success []struct {
		Status int
		Type   string
	}
}

type contractParameter struct {
	Name string
	Enum []string
}

type schema struct {
	Type, Format string
	Enum         []any
	Properties   map[string]schema
	Required     []string
	Items        *schema
}

func readContract(t *testing.T) contract {
	t.Helper()
	var api contract
	readTestdata(t, "api.json", &api)
	return api
}

func (c contract) schema(t *testing.T, name string) schema {
	t.Helper()
	var s schema
	require.NoError(t, json.Unmarshal(c.Types[name], &s), name)
	return s
}

// apiName returns the API's name for a Go field or method, goName the reverse.
func apiName(name string) string { return string(unicode.ToLower(rune(name[0]))) + name[1:] }

func goName(name string) string { return string(unicode.ToUpper(rune(name[0]))) + name[1:] }

// contractValue returns a value for a parameter: of its enumeration or, if it has
// none, one that must be escaped.
func contractValue(p contractParameter) string {
	if len(p.Enum) > 0 {
		return p.Enum[len(p.Enum)-1]
	}
	return "e*&?=+ ä"
}

// contractArgument returns an argument for a method: a Ref with a different id for
// each place of the path, a Query with every parameter, or the example of the body.
func contractArgument(t *testing.T, api contract, action contractAction, argument reflect.Type) reflect.Value {
	t.Helper()
	value := reflect.New(argument).Elem()
	switch {
	case argument == reflect.TypeFor[[]losant.RequestOption]():
	case argument.Implements(reflect.TypeFor[interface{ Done() <-chan struct{} }]()):
		value.Set(reflect.ValueOf(t.Context()))
	case strings.HasSuffix(argument.Name(), "Ref"):
		for n := range value.NumField() {
			value.Field(n).SetString(contractID(argument.Field(n).Name))
		}
	case strings.HasSuffix(argument.Name(), "Query"):
		for _, parameter := range action.Query {
			field := value.FieldByName(goName(parameter.Name))
			require.True(t, field.IsValid(), "%s has no field for %s", argument.Name(), parameter.Name)
			field.SetString(contractValue(parameter))
		}
	default:
		require.NotNil(t, action.Body, "the action has no argument %s", argument.Name())
		require.NoError(t, json.Unmarshal(api.Examples[action.Body.Type], value.Addr().Interface()))
	}
	return value
}

// contractID returns an id for a field of a Ref, a different one for each.
func contractID(field string) string {
	return strings.Repeat(strconv.FormatInt(int64(len(field)%16), 16), 23) + strconv.FormatInt(int64(field[0]%16), 16)
}

// TestMethodsFollowTheDescription of their actions: HTTP method, path, query, body,
// status, and the decoding of the example without loss. It logs the actions that have
// no method.
func TestMethodsFollowTheDescription(t *testing.T) {
	t.Parallel()
	api := readContract(t)
	services := reflect.TypeFor[losant.Client]()
	checked := 0
	for n := range services.NumField() {
		field := services.Field(n)
		if !field.IsExported() {
			continue
		}
		resource, ok := api.Resources[apiName(field.Name)]
		require.True(t, ok, "the API has no resource %s", field.Name)
		missing := maps.Clone(resource.Actions)
		for m := range field.Type.NumMethod() {
			method := field.Type.Method(m)
			action, ok := resource.Actions[apiName(method.Name)]
			require.True(t, ok, "the API has no action %s.%s", field.Name, method.Name)
			delete(missing, apiName(method.Name))
			checked++
			t.Run(field.Name+"."+method.Name, func(t *testing.T) {
				t.Parallel()
				checkAction(t, api, action, n, m)
			})
		}
		for name := range missing {
			t.Logf("no method: %s.%s", field.Name, goName(name))
		}
	}
	assert.Positive(t, checked)
}

// checkAction calls a method by reflection. field is the index of the service in the
// client, method that of the method in the service.
func checkAction(t *testing.T, api contract, action contractAction, field, method int) {
	t.Helper()
	require.Len(t, action.Success, 1)
	success := action.Success[0]
	statuses := map[string]int{"GET": 200, "DELETE": 200, "POST": 201}
	assert.Equal(t, statuses[action.Method], success.Status)
	example, ok := api.Examples[success.Type]
	require.True(t, ok, "add an example of %s to testdata/api.json", success.Type)
	sent := &recorder{respond: httpmock.NewBytesResponder(success.Status, example)}
	call := reflect.ValueOf(through(t, sent)).Elem().Field(field).Method(method)
	arguments := []reflect.Value{}
	for n := range call.Type().NumIn() {
		arguments = append(arguments, contractArgument(t, api, action, call.Type().In(n)))
	}
	results := call.CallSlice(arguments)
	err, _ := results[len(results)-1].Interface().(error)
	require.NoError(t, err)

	assert.Equal(t, action.Method, sent.request.Method)
	path := action.Path
	for _, place := range strings.Split(path, "/") {
		if name, ok := strings.CutPrefix(place, "{"); ok {
			path = strings.ReplaceAll(path, place, contractID(strings.TrimSuffix(goName(strings.TrimSuffix(name, "}")), "Id")+"ID"))
		}
	}
	assert.Equal(t, path, sent.request.URL.EscapedPath())

	query := url.Values{}
	for name, value := range api.Global.Query {
		query.Set(name, strconv.FormatBool(value))
	}
	for _, parameter := range action.Query {
		query.Set(parameter.Name, contractValue(parameter))
	}
	assert.Equal(t, query, sent.request.URL.Query())

	if action.Body == nil {
		assert.Empty(t, sent.body)
	} else {
		assert.JSONEq(t, string(api.Examples[action.Body.Type]), sent.body)
		checkRequired(t, api.schema(t, action.Body.Type), call, arguments, sent)
	}
	if len(results) == 2 {
		decoded, err := json.Marshal(results[0].Interface())
		require.NoError(t, err)
		assert.JSONEq(t, string(example), string(decoded))
	} else {
		assert.Equal(t, "success", success.Type)
	}
}

// checkRequired calls a method without each required member of its body.
func checkRequired(t *testing.T, body schema, call reflect.Value, arguments []reflect.Value, sent *recorder) {
	t.Helper()
	n := slices.IndexFunc(arguments, func(argument reflect.Value) bool {
		name := argument.Type().Name()
		return argument.Kind() == reflect.Struct && !strings.HasSuffix(name, "Ref") && !strings.HasSuffix(name, "Query")
	})
	require.GreaterOrEqual(t, n, 0)
	for _, name := range body.Required {
		without := reflect.New(arguments[n].Type()).Elem()
		without.Set(arguments[n])
		without.FieldByName(goName(name)).SetZero()
		sent.request = nil
		results := call.CallSlice(append(append(slices.Clone(arguments[:n]), without), arguments[n+1:]...))
		err, _ := results[len(results)-1].Interface().(error)
		assert.Contains(t, requireError(t, err, "ErrInvalidArgument").Message, goName(name))
		assert.Nil(t, sent.request, "nothing is sent without %s", name)
	}
}

// TestTypesFollowTheDescription: a Go type has a field for each property, of the same
// type, and no other except the links. In a body, only required properties are sent
// if they are zero.
func TestTypesFollowTheDescription(t *testing.T) {
	t.Parallel()
	api := readContract(t)
	for name, row := range map[string]struct {
		goType reflect.Type
		isBody bool
	}{
		"orgInvite":           {reflect.TypeFor[losant.OrgInvite](), false},
		"orgInviteCollection": {reflect.TypeFor[losant.OrgInviteCollection](), false},
		"orgInvitePost":       {reflect.TypeFor[losant.OrgInvitePost](), true},
		"orgRoleInfo":         {reflect.TypeFor[losant.OrgRoleInfo](), true},
	} {
		checkType(t, name, api.schema(t, name), row.goType, row.isBody)
	}
}

func checkType(t *testing.T, where string, s schema, goType reflect.Type, isBody bool) {
	t.Helper()
	if goType == reflect.TypeFor[json.RawMessage]() {
		return // it is returned unchanged
	}
	switch s.Type {
	case "object":
		require.Equal(t, reflect.Struct, goType.Kind(), where)
		fields := map[string]reflect.StructField{}
		for n := range goType.NumField() {
			name, options, _ := strings.Cut(goType.Field(n).Tag.Get("json"), ",")
			if name != "_links" {
				fields[name] = goType.Field(n)
			}
			if isBody {
				assert.Equal(t, !slices.Contains(s.Required, name), options == "omitzero", "%s.%s", where, name)
			}
		}
		assert.ElementsMatch(t, slices.Collect(maps.Keys(s.Properties)), slices.Collect(maps.Keys(fields)), where)
		for name, property := range s.Properties {
			checkType(t, where+"."+name, property, fields[name].Type, isBody)
		}
	case "array":
		require.Equal(t, reflect.Slice, goType.Kind(), where)
		checkType(t, where+"[]", *s.Items, goType.Elem(), isBody)
	case "string":
		if s.Format == "date-time" {
			assert.Equal(t, reflect.TypeFor[time.Time](), goType, where)
		} else {
			assert.Equal(t, reflect.String, goType.Kind(), where)
			assert.False(t, s.Enum != nil && goType.Name() == "string", "%s: an enumeration needs a type of its own", where)
		}
	case "boolean":
		assert.Equal(t, reflect.Bool, goType.Kind(), where)
	case "integer":
		assert.Equal(t, reflect.Int, goType.Kind(), where)
	case "number":
		assert.Equal(t, reflect.TypeFor[time.Duration](), goType, where)
	default:
		t.Errorf("%s: the schema has the unknown type %q; add a case to checkType", where, s.Type)
	}
}

// constants returns the values of the typed string constants of this package, by type.
func constants(t *testing.T) map[string][]string {
	t.Helper()
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	found := map[string][]string{}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), entry.Name(), nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(node ast.Node) bool {
			spec, ok := node.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			name, named := spec.Type.(*ast.Ident)
			literal, quoted := spec.Values[0].(*ast.BasicLit)
			if named && quoted && literal.Kind == token.STRING {
				value, err := strconv.Unquote(literal.Value)
				require.NoError(t, err)
				found[name.Name] = append(found[name.Name], value)
			}
			return true
		})
	}
	return found
}

// TestConstantsAreTheEnumerations of the description, and no other values.
func TestConstantsAreTheEnumerations(t *testing.T) {
	t.Parallel()
	api := readContract(t)
	invite := api.schema(t, "orgInvite")
	found := constants(t)
	texts := func(enum []any) (all []string) {
		for _, value := range enum {
			all = append(all, value.(string))
		}
		return all
	}
	assert.ElementsMatch(t, texts(invite.Properties["role"].Enum), found["OrgRole"])
	assert.ElementsMatch(t, texts(invite.Properties["applicationRoles"].Items.Properties["role"].Enum), found["ResourceRole"])
	assert.ElementsMatch(t, texts(invite.Properties["dashboardRoles"].Items.Properties["role"].Enum), found["ResourceRole"])
	client, _ := fromMemory(t, 200, []byte(`{"items":[]}`))
	for _, parameter := range api.Resources["instanceOrgInvites"].Actions["get"].Query {
		switch parameter.Name {
		case "sortField":
			assert.ElementsMatch(t, parameter.Enum, found["OrgInviteField"])
		case "sortDirection":
			assert.ElementsMatch(t, parameter.Enum, found["SortDirection"])
		case "filterField":
			for _, field := range found["OrgInviteField"] {
				_, err := client.InstanceOrgInvites.Get(t.Context(), invitesRef, losant.InstanceOrgInvitesQuery{FilterField: losant.OrgInviteField(field), Filter: "x"})
				assert.Equal(t, slices.Contains(parameter.Enum, field), err == nil, field)
			}
		}
	}
}

// TestLosanttestHasTheSameDescription of the actions and types that it serves.
func TestLosanttestHasTheSameDescription(t *testing.T) {
	t.Parallel()
	type description struct {
		Global    any
		Resources map[string]struct{ Actions map[string]any }
		Types     map[string]any
	}
	var api, served description
	readTestdata(t, "api.json", &api)
	readTestdata(t, "../losanttest/description.json", &served)
	assert.Equal(t, api.Global, served.Global)
	require.NotEmpty(t, served.Resources)
	for name, resource := range served.Resources {
		assert.Equal(t, api.Resources[name].Actions, resource.Actions, name)
	}
	require.NotEmpty(t, served.Types)
	for name, schema := range served.Types {
		assert.Equal(t, api.Types[name], schema, name)
	}
}
