package losant_test

import (
	"context"
	"encoding/json"
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

// TestOperationOfACall is named after the method and the words of the path, and
// what is no word of a route stands as {id}.
func TestOperationOfACall(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("a", 32)
	for segment, want := range map[string]string{"zones": "/zones", longest: "/" + longest, longest + "a": "/{id}", "Zones": "/{id}", "zone5": "/{id}"} {
		var got losant.Operation
		client := through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			got, _ = losant.OperationFromContext(r.Context())
			return invited(r)
		}))
		_, err := losant.Call[any](t.Context(), client, losant.Request{Method: "GET", Path: []string{segment}})
		require.NoError(t, err)
		assert.Equal(t, losant.Operation{Name: "GET " + want, Method: "GET", PathTemplate: want}, got)
	}
	_, err := losant.Call[any](t.Context(), through(t, nothing{}), losant.Request{Method: "GET"})
	assert.Equal(t, "GET /", requireError(t, err, "ErrInvalidArgument").Operation, "even of a call without a path")
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

func (*failing) UnmarshalJSON([]byte) error { return errOther }

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

// TestRoute: the ids go into their places, and errors and logs show the route.
func TestRoute(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/applications/575ec8687ae143cd83dc4a95/devices/575ec8687ae143cd83dc4a97", r.URL.Path)
		operation, _ := losant.OperationFromContext(r.Context())
		assert.Empty(t, operation)
		succeed(w, r)
	})
	request := losant.Request{Method: "GET", Route: "/applications/{applicationId}/devices/{deviceId}", IDs: []string{ref.InstanceID, ref.OrgID}}
	var seen losant.Operation
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client := newClient(t, s.URL, losant.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		seen, _ = losant.OperationFromContext(r.Context())
		return transport.RoundTrip(r)
	})}))
	_, err := losant.Call[losant.OrgInvite](t.Context(), client, request)
	require.NoError(t, err)
	assert.Equal(t, losant.Operation{Name: "GET " + request.Route, Method: "GET", PathTemplate: request.Route}, seen)
	for _, broken := range []losant.Request{
		{Method: "GET", Route: request.Route, IDs: []string{ref.InstanceID}},
		{Method: "GET", Route: request.Route, IDs: []string{ref.InstanceID, ref.OrgID, ref.InviteID}},
		{Method: "GET", Route: request.Route, IDs: []string{ref.InstanceID, ".."}},
		{Method: "GET", Route: request.Route, IDs: []string{ref.InstanceID, "x"}},
		{Method: "GET", Route: request.Route, IDs: []string{ref.InstanceID, ref.OrgID}, Path: []string{"x"}},
		{Method: "GET", Route: "applications"},
		{Method: "GET", Route: "/applications/../x"},
		{Method: "GET"},
	} {
		_, err := losant.Call[any](t.Context(), client, broken)
		requireError(t, err, "ErrInvalidArgument")
	}
	assert.Equal(t, int32(1), s.arrived.Load())
}

// TestSafety: what is declared decides about attempts, not the method.
func TestSafety(t *testing.T) {
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
		require.NoError(t, get.call(t.Context(), client, ref), "so that there is a connection that net/http could repeat a GET for")
		_, err := losant.Call[any](t.Context(), client, losant.Request{Method: row.method, Path: []string{"x"}, Safety: row.safety})
		require.Error(t, err)
		assert.Equal(t, row.unknown, errors.Is(err, losant.ErrOutcomeUnknown), "%s %d", row.method, row.safety)
		if row.method != "GET" || row.safety == losant.SafetyUnsafe { // net/http may repeat the others
			assert.Equal(t, 1+row.arrived, s.arrived.Load(), "%s %d", row.method, row.safety)
		}
	}
	for _, safety := range []losant.Safety{-1, losant.SafetyUnsafe + 1} {
		_, err := losant.Call[any](t.Context(), newClient(t, "http://localhost"), losant.Request{Method: "GET", Path: []string{"x"}, Safety: safety})
		requireError(t, err, "ErrInvalidArgument")
	}
}

// TestAnswersOfCall: any JSON, and nothing at all.
func TestAnswersOfCall(t *testing.T) {
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
	for text, want := range map[string]any{"1": 1.0, `"x"`: "x", "true": true, "null": nil, "[1]": []any{1.0}} {
		client, _ := fromMemory(t, 200, []byte(text))
		value, err := losant.Call[any](t.Context(), client, request)
		require.NoError(t, err)
		assert.Equal(t, want, *value)
	}
	client, _ := fromMemory(t, 200, []byte("<html>"))
	_, err := losant.Call[losant.NoContent](t.Context(), client, request)
	require.NoError(t, err, "any body is ignored")
}

// job is what an action returns with 202 instead of a result.
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

// TestTypesByStatus: a T can be decoded by the status.
func TestTypesByStatus(t *testing.T) {
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

// TestRequire: a response without what was asked for is no success.
func TestRequire(t *testing.T) {
	t.Parallel()
	request := losant.Request{Method: "DELETE", Path: []string{"x"}, Require: []string{"success", "id"}}
	for text, fine := range map[string]bool{
		`{"id":"x","success":true,"more":[{}]}`: true, `{"success":1,"id":0}`: true,
		`{"success":true}`: false, `{"id":"x"}`: false, `{"id":"","success":true}`: false, `{"id":null,"success":true}`: false, `{"id":"x","success":false}`: false,
		`{"ID":"x","Success":true}`: false, `[]`: false, ``: false, `1`: false, `{"id":"x","success":true`: false, `{"id":"x","success":true}}`: false,
	} {
		client, _ := fromMemory(t, 200, []byte(text))
		_, err := losant.Call[any](t.Context(), client, request)
		if fine {
			require.NoError(t, err, text)
		} else {
			require.ErrorIs(t, err, losant.ErrInvalidResponse, text)
		}
	}
}

// TestRaisedLimit: a request raises the default limit, and no other.
func TestRaisedLimit(t *testing.T) {
	t.Parallel()
	large := serve(t, body(`"`+strings.Repeat("x", 9<<20)+`"`))
	request := losant.Request{Method: "GET", Path: []string{"x"}}
	raised := request
	raised.MaxResponseBytes = 10 << 20
	lowered := request
	lowered.MaxResponseBytes = 1
	for _, row := range []struct {
		request losant.Request
		opts    []losant.Option
		fine    bool
	}{
		{request, nil, false},
		{raised, nil, true},
		{raised, []losant.Option{losant.WithMaxResponseBytes(9 << 20)}, false},
		{lowered, []losant.Option{losant.WithMaxResponseBytes(10 << 20)}, true},
	} {
		_, err := losant.Call[string](t.Context(), newClient(t, large.URL, row.opts...), row.request)
		if row.fine {
			require.NoError(t, err)
		} else {
			requireError(t, err, "ErrInvalidResponse")
		}
	}
	small := serve(t, body(`"x"`))
	_, err := losant.Call[string](t.Context(), newClient(t, small.URL), lowered)
	require.NoError(t, err)
	lowered.MaxResponseBytes = -1
	_, err = losant.Call[string](t.Context(), newClient(t, small.URL), lowered)
	requireError(t, err, "ErrInvalidArgument")
}
