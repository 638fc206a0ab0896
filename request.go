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

	"github.com/losant-community/losant-rest-go/internal/route"
	"github.com/losant-community/losant-rest-go/internal/text"
)

// Request describes a call of an action that this package has no method for;
// see [Call].
type Request struct {
	// Operation names the action in errors and logs, and for transports:
	// "Device.Get". By default, Method and the path with {id} for the ids.
	Operation string
	Method    string     // GET, POST, PUT, PATCH or DELETE
	Path      []string   // the segments of the path, not escaped: "applications", id, "devices"
	Query     url.Values // besides _actions, _links and _embedded, which are options
	Body      any        // sent as JSON, which can be a json.RawMessage; nil: none, but a POST or PATCH sends {}
}

// Call calls any action of the API, on the road that the methods of this package
// take: the same checks, token, attempts, errors and options. The answer, a JSON
// object or array, is decoded into a T as [encoding/json] does it; that what was
// asked for is in it, is for the caller to see. An answer without a body is
// [ErrInvalidResponse].
//
// Attempts go by the method: a GET like a Get of this package, a DELETE or PUT
// like its Delete, a POST or PATCH like its ResendInvite, which is not repeated
// if it may have had an effect.
//
// A segment of the path is escaped. If it is empty, or has a dot segment or a
// control character in it, or if anything else of the request makes no sense,
// the error matches [ErrInvalidArgument] and nothing is sent. It is not checked
// for being an id: that, too, is for the caller.
func Call[T any](ctx context.Context, client *Client, r Request, opts ...RequestOption) (*T, error) {
	described := r.request()
	if client == nil || client.retry == nil {
		return nil, invalid(described.operation, errors.New("the client is not one of NewClient"))
	}
	answer, err := call[generic[T]](ctx, client, described, opts)
	if err != nil {
		return nil, err
	}
	return &answer.value, nil
}

// request is the request as a method would describe it.
func (r Request) request() request {
	path := route.Join(r.Path)
	if path.Template == "" {
		path.Template = "/"
	}
	out := request{
		operation: cmp.Or(r.Operation, text.Truncate(r.Method+" "+path.Template, 100)),
		method:    r.Method,
		path:      path,
		query:     r.Query,
		body:      r.Body,
	}
	switch r.Method {
	case http.MethodGet:
		if r.Body != nil {
			out.err = errors.New("a GET has no body")
		}
	case http.MethodPost, http.MethodPatch:
		if r.Body == nil {
			// net/http could send a request without a body again by itself.
			out.body = struct{}{}
		}
	case http.MethodPut, http.MethodDelete:
	default:
		out.operation = cmp.Or(r.Operation, "Call")
		out.err = fmt.Errorf("the method %q is not GET, POST, PUT, PATCH or DELETE", text.Truncate(r.Method, 20))
	}
	switch r.Body.(type) {
	case io.Reader, []byte:
		out.err = fmt.Errorf("the Body is sent as JSON, and a %T is none; if it holds JSON, make it a json.RawMessage", r.Body)
	}
	for _, name := range []string{"_actions", "_links", "_embedded"} {
		if r.Query.Has(name) {
			out.err = fmt.Errorf("%s is not for the Query: there is an option", name)
		}
	}
	if text.Printable(r.Operation) != r.Operation {
		out.operation, out.err = "Call", errors.New("the operation is not printable, or too long")
	}
	return out
}

// generic is an answer of a type that this package does not know.
type generic[T any] struct{ value T }

// UnmarshalJSON decodes an object or an array into the value.
func (g *generic[T]) UnmarshalJSON(data []byte) error {
	if !bytes.HasPrefix(data, []byte("{")) && !bytes.HasPrefix(data, []byte("[")) {
		return errors.New("it is not a JSON object or array")
	}
	return json.Unmarshal(data, &g.value)
}

func (*generic[T]) check() error { return nil }
