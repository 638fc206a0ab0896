package losant

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/losant-community/losant-rest-go/internal/retry"
	"github.com/losant-community/losant-rest-go/internal/route"
	"github.com/losant-community/losant-rest-go/internal/text"
)

// Request describes an action that this package has no method for; see [Call]
// and [Stream]. It needs a Method and either a Route with IDs or a Path.
type Request struct {
	// Operation names the action in errors and logs, and for transports:
	// "Device.Get". By default, Method and the route.
	Operation string
	Method    string // GET, POST, PUT, PATCH or DELETE

	// Route is the path as the API documents it, with a name in braces for each
	// of the IDs: "/applications/{applicationId}/devices/{deviceId}". Logs and
	// traces show it, without the ids.
	//
	// Each of the IDs must be 24 hexadecimal digits. Where the API takes something
	// else, write ":any" after the name, which permits any one segment of a path:
	// "/experience/versions/{version:any}".
	Route string
	IDs   []string // in the order of Route, not escaped

	// Path is the path as a list of segments, not escaped: "applications", id,
	// "devices". Ids in it need not be 24 hexadecimal digits; prefer Route.
	Path []string

	Query url.Values // besides _actions, _links and _embedded, which are options

	// Body is sent as JSON, for which it can be a json.RawMessage, or as
	// multipart/form-data if it is a *Form. nil sends no body, except that a POST,
	// PUT or PATCH sends {}.
	Body any

	// Safety says what happens if the request is sent twice. Set it where the method
	// is misleading: for a POST that only reads, or a GET that starts a job. By
	// default, it follows from the method.
	Safety Safety

	// Require names the members that the response must have, such as "id" or
	// "success". The response must then be an object. A member that is null, false
	// or "" counts as missing. If one is missing, the error matches
	// [ErrInvalidResponse]. By default, none.
	Require []string

	// MaxResponseBytes raises the limit for the response, in bytes, for an action
	// that is documented to have larger ones. [WithMaxResponseBytes] overrides it. By
	// default, 8 MiB.
	MaxResponseBytes int64
}

// Safety says what happens if a request is sent twice, in the terms of RFC 9110,
// section 9.2.
type Safety int

// The values of Safety. [RetryPolicy] says what follows from each.
const (
	SafetyOfMethod   Safety = iota // the default: GET is safe, PUT and DELETE are idempotent, POST and PATCH are unsafe
	SafetySafe                     // the request only reads; it is retried after any transient failure
	SafetyIdempotent               // a second request has no further effect; it is retried like a DELETE
	SafetyUnsafe                   // a second request acts again; it is retried only if the API did not act on the first
)

// NoContent is the T of [Call] for an action whose response holds nothing of
// interest. Any body is ignored.
type NoContent struct{}

// UnmarshalStatus ignores the body.
func (*NoContent) UnmarshalStatus(int, []byte) error { return nil }

// StatusUnmarshaler is implemented by a T of [Call] whose JSON depends on the
// status. UnmarshalStatus is called for every success. It must copy body if it
// keeps it. If it returns an error, the error of the call matches
// [ErrInvalidResponse].
type StatusUnmarshaler interface {
	UnmarshalStatus(status int, body []byte) error
}

// callStatuses are the statuses that are successes of [Call]. 206 is none, because
// no request asks for a part of a response.
var callStatuses = []int{
	http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNonAuthoritativeInfo, http.StatusNoContent, http.StatusResetContent,
}

// Call calls any action of the API, with the same checks, token, retries, errors
// and options as the typed methods. The response is decoded into a T as
// [encoding/json] does it: an object, an array or a scalar. A success without a
// body, such as 204, is the zero T. A 202 is a success, too: the API will act
// later. A T that implements [StatusUnmarshaler] decodes the response itself.
//
// The caller must check the decoded value, or name the members that it needs in
// Request.Require.
//
// A GET is retried like the Get of a typed method, a DELETE or PUT like Delete,
// and a POST or PATCH like ResendInvite, unless Safety says otherwise. If the API
// may have acted although the call failed, the error matches [ErrOutcomeUnknown].
//
// If an id, a segment or anything else in the request is invalid, the error matches
// [ErrInvalidArgument], and nothing is sent.
func Call[T any](ctx context.Context, client *Client, r Request, opts ...RequestOption) (*T, error) {
	described := r.request()
	if client == nil || client.retry == nil {
		return nil, invalid(described.operation, errNotMade)
	}
	response := generic[T]{require: r.Require}
	if err := client.send(ctx, described, &response, opts); err != nil {
		return nil, err
	}
	return &response.value, nil
}

var errNotMade = errors.New("the client was not made by NewClient")

// request returns the request as a typed method would describe it.
func (r Request) request() request {
	path := r.path()
	out := request{
		operation: cmp.Or(r.Operation, text.Truncate(r.Method+" "+path.Template, 100)),
		method:    r.Method,
		path:      path,
		query:     r.Query,
		body:      r.Body,
		safety:    retry.Safety(r.Safety),
		statuses:  callStatuses,
		maxBytes:  r.MaxResponseBytes,
	}
	if r.Body == nil && (r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch) {
		out.body = struct{}{} // net/http would repeat a request without a body by itself
	}
	out.err = r.check()
	if text.Printable(r.Operation) != r.Operation || !isMethod(r.Method) {
		out.operation = "Call"
	}
	return out
}

func (r Request) path() route.Path {
	var path route.Path
	switch {
	case r.Route == "" && len(r.Path) == 0:
		path.Err = errors.New("the Request has neither a Route nor a Path")
	case r.Route == "":
		path = route.Join(r.Path)
	case len(r.Path) > 0:
		path.Err = errors.New("the Request has both a Route and a Path")
	default:
		path = route.Fill(r.Route, r.IDs)
	}
	path.Template = cmp.Or(path.Template, "/")
	return path
}

// check returns an error for the first mistake in the fields other than the path.
func (r Request) check() error {
	switch r.Body.(type) {
	case io.Reader, []byte:
		return fmt.Errorf("the Body is sent as JSON, and a %T is not JSON; make it a json.RawMessage, or a *Form", r.Body)
	}
	for _, name := range flags {
		if r.Query.Has(name) {
			return fmt.Errorf("the Query has %s; use the option for it", name)
		}
	}
	switch {
	case !isMethod(r.Method):
		return fmt.Errorf("the Method %q is not GET, POST, PUT, PATCH or DELETE", text.Truncate(r.Method, 20))
	case r.Method == http.MethodGet && r.Body != nil:
		return errors.New("a GET has no body")
	case r.Safety < SafetyOfMethod || r.Safety > SafetyUnsafe:
		return fmt.Errorf("the Safety %d is unknown", r.Safety)
	case r.MaxResponseBytes < 0:
		return errors.New("MaxResponseBytes is negative")
	case text.Printable(r.Operation) != r.Operation:
		return errors.New("the Operation is not printable, or longer than 1 KiB")
	}
	return nil
}

func isMethod(method string) bool {
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return true
	default:
		return false
	}
}

// generic is a response of a type that this package does not know.
type generic[T any] struct {
	value   T
	require []string
}

// decode decodes any JSON into the value, or nothing from nothing.
func (g *generic[T]) decode(_ context.Context, status int, body []byte) error {
	if err := requireMembers(body, g.require); err != nil {
		return err
	}
	switch u, ok := any(&g.value).(StatusUnmarshaler); {
	case ok:
		return u.UnmarshalStatus(status, body)
	case len(body) == 0:
		return nil
	}
	if err := json.Unmarshal(body, &g.value); err != nil {
		return &decodeError{err: err, identified: len(g.require) > 0 && json.Valid(body)} // a body that is cut off identifies nothing
	}
	return nil
}

// requireMembers returns an error if body is not an object with the members, or
// if one of them says nothing.
func requireMembers(body []byte, names []string) error {
	if len(names) == 0 {
		return nil
	}
	missing := slices.Clone(names)
	decoder := json.NewDecoder(bytes.NewReader(body))
	if start, _ := decoder.Token(); start != json.Delim('{') {
		return fmt.Errorf("the response is not an object with the member %q", names[0])
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return err
		}
		switch string(value) {
		case "null", "false", `""`:
		default:
			missing = slices.DeleteFunc(missing, func(m string) bool { return m == name })
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("the response has no %q", missing[0])
	}
	return nil
}
