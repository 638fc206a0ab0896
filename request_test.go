package losant_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// TestCallSendsTheRequest as it is described.
func TestCallSendsTheRequest(t *testing.T) {
	t.Parallel()
	const flags = "?_actions=false&_embedded=true&_links=true"
	const route = "/applications/{applicationId}/devices/{deviceId}"
	for _, row := range []struct {
		name              string
		request           losant.Request
		uri, body         string
		operation, method string
		pathTemplate      string
	}{
		{
			"route", losant.Request{Method: "GET", Route: route, IDs: []string{ref.InstanceID, ref.OrgID}},
			"/base/applications/" + ref.InstanceID + "/devices/" + ref.OrgID + flags, "", "GET " + route, "GET", route,
		},
		{
			"path", losant.Request{Operation: "Device.Get", Method: "GET", Path: []string{"applications", id, "devices", "b c,50%é"}, Query: url.Values{"x": {"1", "a&b"}, "none": {}}},
			"/base/applications/" + id + "/devices/b%20c,50%25%C3%A9" + flags + "&x=1&x=a%26b", "", "Device.Get", "GET", "/applications/{id}/devices/{id}",
		},
		{
			"post", losant.Request{Method: "POST", Path: []string{"auth", "user"}, Body: map[string]string{"email": "a"}},
			"/base/auth/user" + flags, `{"email":"a"}`, "POST /auth/user", "POST", "/auth/user",
		},
		{"post without a body", losant.Request{Method: "POST", Path: []string{"x"}}, "/base/x" + flags, "{}", "POST /x", "POST", "/x"},
		{"patch without a body", losant.Request{Method: "PATCH", Path: []string{"x"}}, "/base/x" + flags, "{}", "PATCH /x", "PATCH", "/x"},
		{"put without a body", losant.Request{Method: "PUT", Path: []string{"x"}}, "/base/x" + flags, "{}", "PUT /x", "PUT", "/x"},
		{"put", losant.Request{Method: "PUT", Path: []string{"x"}, Body: []int{1}}, "/base/x" + flags, "[1]", "PUT /x", "PUT", "/x"},
		{"delete", losant.Request{Method: "DELETE", Path: []string{"x"}}, "/base/x" + flags, "", "DELETE /x", "DELETE", "/x"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			api := &recorder{respond: httpmock.NewStringResponder(200, `{"name":"x"}`)}
			client := through(t, api, losant.WithBaseURL("https://api.example.com/base"))
			device, err := losant.Call[struct{ Name string }](t.Context(), client, row.request)
			require.NoError(t, err)
			assert.Equal(t, "x", device.Name)
			assert.Equal(t, row.method, api.request.Method)
			assert.Equal(t, row.uri, api.request.URL.RequestURI())
			assert.Equal(t, row.body, api.body)
			contentType := ""
			if row.body != "" {
				contentType = "application/json"
			}
			assert.Equal(t, contentType, api.request.Header.Get("Content-Type"))
			operation, _ := losant.OperationFromContext(api.request.Context())
			assert.Equal(t, losant.Operation{Name: row.operation, Method: row.method, PathTemplate: row.pathTemplate}, operation)
		})
	}
}

// TestOperationOfCallIsNamedAfterThePath, in which {id} replaces every segment that is
// not a word of a route.
func TestOperationOfCallIsNamedAfterThePath(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("a", 32)
	for segment, want := range map[string]string{"zones": "/zones", longest: "/" + longest, longest + "a": "/{id}", "Zones": "/{id}", "zone5": "/{id}"} {
		api := &recorder{}
		_, err := losant.Call[any](t.Context(), through(t, api), losant.Request{Method: "GET", Path: []string{segment}})
		require.NoError(t, err)
		got, _ := losant.OperationFromContext(api.request.Context())
		assert.Equal(t, losant.Operation{Name: "GET " + want, Method: "GET", PathTemplate: want}, got)
	}
	api := &recorder{}
	_, err := losant.Call[any](t.Context(), through(t, api), losant.Request{Method: "GET", Path: slices.Repeat([]string{"zones"}, 50)})
	require.NoError(t, err)
	got, _ := losant.OperationFromContext(api.request.Context())
	assert.Equal(t, "GET "+strings.Repeat("/zones", 16)+"…", got.Name, "a long one is truncated")
	_, err = losant.Call[any](t.Context(), through(t, api), losant.Request{Method: "GET"})
	assert.Equal(t, "GET /", requireError(t, err, "ErrInvalidArgument").Operation, "a call without a path has a name as well")
}

// TestCallRefusesInvalidRequests, and sends nothing.
func TestCallRefusesInvalidRequests(t *testing.T) {
	t.Parallel()
	api := &recorder{}
	client := through(t, api)
	route := "/applications/{applicationId}/devices/{deviceId}"
	valid := losant.Request{Method: "GET", Path: []string{"x"}}
	for name, change := range map[string]func(*losant.Request){
		"one id too few":     func(r *losant.Request) { *r = losant.Request{Method: "GET", Route: route, IDs: []string{id}} },
		"one id too many":    func(r *losant.Request) { *r = losant.Request{Method: "GET", Route: route, IDs: []string{id, id, id}} },
		"dots as an id":      func(r *losant.Request) { *r = losant.Request{Method: "GET", Route: route, IDs: []string{id, ".."}} },
		"invalid id":         func(r *losant.Request) { *r = losant.Request{Method: "GET", Route: route, IDs: []string{id, "x"}} },
		"route and path":     func(r *losant.Request) { r.Route, r.IDs = route, []string{id, id} },
		"route of a word":    func(r *losant.Request) { *r = losant.Request{Method: "GET", Route: "applications"} },
		"dots in the route":  func(r *losant.Request) { *r = losant.Request{Method: "GET", Route: "/applications/../x"} },
		"negative safety":    func(r *losant.Request) { r.Safety = -1 },
		"unknown safety":     func(r *losant.Request) { r.Safety = losant.SafetyUnsafe + 1 },
		"negative limit":     func(r *losant.Request) { r.MaxResponseBytes = -1 },
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
		"unknown method":     func(r *losant.Request) { r.Method = "TRACE" },
		"body of a GET":      func(r *losant.Request) { r.Body = 1 },
		"flag in the query":  func(r *losant.Request) { r.Query = url.Values{"_links": {"true"}} },
		"operation":          func(r *losant.Request) { r.Operation = "a\nb" },
		"body without JSON":  func(r *losant.Request) { r.Method, r.Body = "POST", func() {} },
		"body that is null":  func(r *losant.Request) { r.Method, r.Body = "POST", (*int)(nil) },
		"typed nil":          func(r *losant.Request) { r.Method, r.Body = "POST", (*losant.OrgInvitePost)(nil) },
		"reader":             func(r *losant.Request) { r.Method, r.Body = "POST", strings.NewReader("{}") },
		"bytes":              func(r *losant.Request) { r.Method, r.Body = "POST", []byte("{}") },
		"unprintable method": func(r *losant.Request) { r.Method = "G\x1b[31mET\nlevel=ERROR " + strings.Repeat("x", 1<<20) },
		"body that fails":    func(r *losant.Request) { r.Method, r.Body = "POST", failing{} },
	} {
		request := valid
		change(&request)
		_, err := losant.Call[any](t.Context(), client, request)
		e := requireError(t, err, "ErrInvalidArgument")
		assertPrintable(t, e.Error())
		assert.NotEmpty(t, e.Operation, name)
		assertPrintable(t, e.Operation)
		assert.Zero(t, api.count, name)
	}
	for _, client := range []*losant.Client{nil, {}} {
		_, err := losant.Call[any](t.Context(), client, valid)
		requireError(t, err, "ErrInvalidArgument")
	}
}

// TestMethodDecidesAboutRetries of Call.
func TestMethodDecidesAboutRetries(t *testing.T) {
	t.Parallel()
	for method, arrived := range map[string]int32{"GET": 4, "DELETE": 4, "PUT": 4, "POST": 1, "PATCH": 1} {
		s := serve(t, cut)
		_, err := losant.Call[any](t.Context(), newClient(t, s.URL), losant.Request{Method: method, Path: []string{"x"}})
		assert.Equal(t, arrived, s.arrived.Load(), method)
		assert.Equal(t, method != "GET", errors.Is(err, losant.ErrOutcomeUnknown), method)
	}
}

// TestCallDecodesAnyJSON: an object, an array, a scalar, or nothing.
func TestCallDecodesAnyJSON(t *testing.T) {
	t.Parallel()
	request := losant.Request{Method: "GET", Path: []string{"x"}}
	for text, want := range map[string]any{
		"{}": map[string]any{}, "\n[{\"n\":1},2]\n": []any{map[string]any{"n": 1.0}, 2.0}, "1": 1.0, `"x"`: "x", "true": true, "null": nil, "": nil, "\n": nil,
	} {
		client, _ := fromMemory(t, 200, []byte(text))
		value, err := losant.Call[any](t.Context(), client, request)
		require.NoError(t, err)
		assert.Equal(t, want, *value)
	}
	for _, text := range []string{"<html>", "{}{}", "{", "[", "[]x"} {
		client, _ := fromMemory(t, 200, []byte(text))
		_, err := losant.Call[any](t.Context(), client, request)
		requireError(t, err, "ErrInvalidResponse")
	}
	client, _ := fromMemory(t, 200, []byte("[]"))
	_, err := losant.Call[struct{}](t.Context(), client, request)
	requireError(t, err, "ErrInvalidResponse")
	_, err = losant.Call[failing](t.Context(), client, request)
	requireError(t, err, "ErrInvalidResponse")

	client, _ = fromMemory(t, 200, []byte(`{"total":1}`))
	embedding, err := losant.Call[struct {
		*losant.OrgInviteCollection
		Total int
	}](t.Context(), client, request)
	require.NoError(t, err)
	assert.Equal(t, 1, embedding.Total)
}

// TestSuccessWithoutABodyIsTheZeroT of Call, and NoContent ignores any body.
func TestSuccessWithoutABodyIsTheZeroT(t *testing.T) {
	t.Parallel()
	request := losant.Request{Method: "GET", Path: []string{"x"}}
	for _, code := range []int{200, 201, 202, 203, 204, 205} {
		client, _ := fromMemory(t, code, nil)
		_, err := losant.Call[losant.NoContent](t.Context(), client, request)
		require.NoError(t, err)
		object, err := losant.Call[map[string]any](t.Context(), client, request)
		require.NoError(t, err)
		assert.Nil(t, *object)
	}
	for _, code := range []int{206, 226, 299} {
		client, _ := fromMemory(t, code, []byte("{}"))
		_, err := losant.Call[losant.NoContent](t.Context(), client, request)
		requireError(t, err, "ErrInvalidResponse")
	}
	client, _ := fromMemory(t, 200, []byte("<html>"))
	_, err := losant.Call[losant.NoContent](t.Context(), client, request)
	require.NoError(t, err)
}

// TestEncodingErrorIsTheCause of an ErrInvalidArgument.
func TestEncodingErrorIsTheCause(t *testing.T) {
	t.Parallel()
	_, err := losant.Call[any](t.Context(), through(t, &recorder{}), losant.Request{Method: "POST", Path: []string{"x"}, Body: json.RawMessage("{")})
	requireError(t, err, "ErrInvalidArgument")
	var cause *json.SyntaxError
	assert.ErrorAs(t, err, &cause)
}

// failing can neither be encoded nor decoded, because of an error of another call.
type failing struct{}

var errOther = &losant.Error{Operation: "Other", StatusCode: 404, Err: losant.ErrOutcomeUnknown}

func (failing) MarshalJSON() ([]byte, error) { return nil, errOther }

func (*failing) UnmarshalJSON([]byte) error { return errOther }

// TestSafetyDecidesAboutRetries, and not the method, if it is set.
func TestSafetyDecidesAboutRetries(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		method  string
		safety  losant.Safety
		arrived int32
		unknown bool
	}{
		{"POST", losant.SafetySafe, 4, false},
		{"POST", losant.SafetyIdempotent, 4, true},
		{"GET", losant.SafetyUnsafe, 1, true},
		{"GET", losant.SafetyIdempotent, 4, true},
		{"DELETE", losant.SafetyUnsafe, 1, true},
		{"DELETE", losant.SafetyOfMethod, 4, true},
	} {
		s := serve(t, succeed, cut)
		client := newClient(t, s.URL)
		require.NoError(t, get.call(t.Context(), client, ref), "so that there is a connection after whose loss net/http could retry a GET")
		_, err := losant.Call[any](t.Context(), client, losant.Request{Method: row.method, Path: []string{"x"}, Safety: row.safety})
		require.Error(t, err)
		assert.Equal(t, row.unknown, errors.Is(err, losant.ErrOutcomeUnknown), "%s %d", row.method, row.safety)
		if row.method != "GET" || row.safety == losant.SafetyUnsafe { // net/http may repeat the others
			assert.Equal(t, 1+row.arrived, s.arrived.Load(), "%s %d", row.method, row.safety)
		}
	}
}

// result is decoded by the status: a value, or with 202 a job.
type result struct {
	Value string
	Job   string
}

func (r *result) UnmarshalStatus(status int, body []byte) error {
	if status == http.StatusAccepted {
		return json.Unmarshal(body, &struct{ JobID *string }{&r.Job})
	}
	return json.Unmarshal(body, &struct{ Value *string }{&r.Value})
}

func TestStatusUnmarshalerDecodesByStatus(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]result{200: {Value: "v"}, 202: {Job: "j"}} {
		client, _ := fromMemory(t, code, []byte(`{"value":"v","jobId":"j"}`))
		got, err := losant.Call[result](t.Context(), client, losant.Request{Method: "POST", Path: []string{"x"}})
		require.NoError(t, err)
		assert.Equal(t, want, *got)
	}
	client, _ := fromMemory(t, 200, []byte("[]"))
	_, err := losant.Call[result](t.Context(), client, losant.Request{Method: "POST", Path: []string{"x"}})
	requireError(t, err, "ErrInvalidResponse", "ErrOutcomeUnknown")
}

func TestRequireRefusesResponsesWithoutTheMembers(t *testing.T) {
	t.Parallel()
	request := losant.Request{Method: "DELETE", Path: []string{"x"}, Require: []string{"success", "id"}}
	for text, complete := range map[string]bool{
		`{"id":"x","success":true,"more":[{}]}`: true, `{"success":1,"id":0}`: true,
		`{"success":true}`: false, `{"id":"x"}`: false, `{"id":"","success":true}`: false, `{"id":null,"success":true}`: false, `{"id":"x","success":false}`: false,
		`{"ID":"x","Success":true}`: false, `[]`: false, ``: false, `1`: false, `{"id":"x","success":true`: false, `{"id":"x","success":true}}`: false,
	} {
		client, _ := fromMemory(t, 200, []byte(text))
		_, err := losant.Call[any](t.Context(), client, request)
		if complete {
			require.NoError(t, err, text)
		} else {
			require.ErrorIs(t, err, losant.ErrInvalidResponse, text)
		}
	}
}

// TestOnlyRequireProvesThatTheAPIActed: a response that cannot be decoded is of unknown
// outcome, unless it has the members that Require names.
func TestOnlyRequireProvesThatTheAPIActed(t *testing.T) {
	t.Parallel()
	request := losant.Request{Method: "POST", Path: []string{"x"}}
	client, _ := fromMemory(t, 201, []byte(`{"id":"x","count":"one"}`))
	_, err := losant.Call[struct{ Count int }](t.Context(), client, request)
	requireError(t, err, "ErrInvalidResponse", "ErrOutcomeUnknown")
	request.Require = []string{"id"}
	_, err = losant.Call[struct{ Count int }](t.Context(), client, request)
	requireError(t, err, "ErrInvalidResponse")
	request.Require = []string{"name"}
	_, err = losant.Call[struct{ Count int }](t.Context(), client, request)
	requireError(t, err, "ErrInvalidResponse", "ErrOutcomeUnknown")
	for _, invalid := range []string{`{1:2}`, `{"id":}`, `{"name":"x"`, `{"name":"x"}}`} {
		client, _ = fromMemory(t, 201, []byte(invalid))
		_, err = losant.Call[struct{ Count int }](t.Context(), client, request)
		requireError(t, err, "ErrInvalidResponse", "ErrOutcomeUnknown")
	}
	client, _ = fromMemory(t, 201, []byte(`["name"]`))
	_, err = losant.Call[struct{ Count int }](t.Context(), client, request)
	require.ErrorContains(t, err, `the response is not an object with the member "name"`)
}

// TestMaxResponseBytesOfRequest raises the default limit, but not one that the client
// was given, and lowers none.
func TestMaxResponseBytesOfRequest(t *testing.T) {
	t.Parallel()
	const defaultLimit = 8 << 20
	body := strings.Repeat("x", defaultLimit+1)
	for _, row := range []struct {
		limit   int64
		opts    []losant.Option
		success bool
	}{
		{0, nil, false},
		{defaultLimit, nil, false},
		{defaultLimit + 1, nil, true},
		{defaultLimit + 1, []losant.Option{losant.WithMaxResponseBytes(defaultLimit)}, false},
		{defaultLimit + 1, []losant.Option{losant.WithMaxResponseBytes(1)}, false},
		{1, []losant.Option{losant.WithMaxResponseBytes(defaultLimit + 1)}, true},
	} {
		client := through(t, mock(httpmock.NewStringResponder(200, body)), row.opts...)
		_, err := losant.Call[losant.NoContent](t.Context(), client, losant.Request{Method: "GET", Path: []string{"x"}, MaxResponseBytes: row.limit})
		if row.success {
			require.NoError(t, err)
		} else {
			requireError(t, err, "ErrInvalidResponse")
		}
	}
	client, _ := fromMemory(t, 200, []byte(`"x"`))
	_, err := losant.Call[string](t.Context(), client, losant.Request{Method: "GET", Path: []string{"x"}, MaxResponseBytes: 1})
	require.NoError(t, err, "1 byte is less than the default")
}
