package losant_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

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

// TestWithMaxAttempts: replaces the policy's, for the call.
func TestWithMaxAttempts(t *testing.T) {
	t.Parallel()
	for n, arrived := range map[int]int32{1: 1, 2: 2, 6: 6} {
		s := serve(t, status(503))
		requireError(t, remove.call(t.Context(), newClient(t, s.URL), ref, losant.WithMaxAttempts(n)), "ErrServer", "ErrOutcomeUnknown")
		assert.Equal(t, arrived, s.arrived.Load())
	}
	s := serve(t, succeed)
	for _, n := range []int{0, -1} {
		requireError(t, get.call(t.Context(), newClient(t, s.URL), ref, losant.WithMaxAttempts(n)), "ErrInvalidArgument")
	}
	assert.Zero(t, s.arrived.Load())
}

// TestWithQuery: parameters of a newer version of the API, and of nothing else.
func TestWithQuery(t *testing.T) {
	t.Parallel()
	var query string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { query = r.URL.RawQuery; succeed(w, r) })
	client := newClient(t, s.URL, losant.WithDefaults(losant.WithQuery("new", "1"), losant.WithQuery("other", "2")))
	require.NoError(t, get.call(t.Context(), client, ref, losant.WithQuery("new", "a b&c")))
	assert.Equal(t, "_actions=false&_embedded=true&_links=true&new=a+b%26c&other=2", query)
	require.NoError(t, get.call(t.Context(), client, ref))
	assert.Equal(t, "_actions=false&_embedded=true&_links=true&new=1&other=2", query, "the default is as before")
	for _, name := range []string{"", "_actions", "_links", "_embedded"} {
		requireError(t, get.call(t.Context(), client, ref, losant.WithQuery(name, "x")), "ErrInvalidArgument")
	}
	_, err := losant.Call[any](t.Context(), client, losant.Request{Method: "GET", Path: []string{"x"}, Query: map[string][]string{"mine": {"1"}}}, losant.WithQuery("mine", "2"))
	requireError(t, err, "ErrInvalidArgument")
	assert.Equal(t, int32(2), s.arrived.Load())
}
