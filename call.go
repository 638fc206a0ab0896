package losant

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/losant-community/losant-rest-go/internal/retry"
	"github.com/losant-community/losant-rest-go/internal/route"
)

// request is what a service's method says about its call.
type request struct {
	operation string // "InstanceOrgInvite.Get"
	method    string // of HTTP
	path      route.Path
	query     url.Values
	body      any   // sent as JSON; nil: none
	err       error // why the arguments are invalid
}

// answer is what a success is decoded into.
type answer interface {
	// check returns an error if what was asked for is missing.
	check() error
}

// call sends r and returns the answer as a T.
func call[T any, P interface {
	*T
	answer
}](ctx context.Context, c *Client, r request, opts []RequestOption) (*T, error) {
	t := new(T)
	if err := c.send(ctx, r, P(t), opts); err != nil {
		return nil, err
	}
	return t, nil
}

// send sends r, as often as the policy allows, and decodes the answer into a.
func (c *Client) send(ctx context.Context, r request, a answer, opts []RequestOption) error {
	x, err := c.newExchange(ctx, r, opts)
	if err != nil {
		return err
	}
	result := c.retry.Do(context.WithValue(ctx, operationKey{}, &x.operation), &x.request, x)
	defer result.Release()
	x.shield(result)
	x.options.fill(result)
	if result.Outcome != retry.Succeeded {
		return newError(x, result, nil)
	}
	if err := decode(result.Body, a); err != nil {
		return newError(x, result, err)
	}
	return nil
}

// exchange is one call: its request, and what happens between its attempts (see
// watch.go for what is logged of them).
type exchange struct {
	operation Operation
	options   requestOptions
	url       url.URL
	request   retry.Request
	tokens    tokens
	watcher
}

// newExchange makes a complete request, or refuses it.
func (c *Client) newExchange(ctx context.Context, r request, opts []RequestOption) (*exchange, error) {
	x := &exchange{
		operation: Operation{Name: r.operation, Method: r.method, PathTemplate: r.path.Template},
		tokens:    tokens{credentials: c.credentials, caller: ctx},
	}
	if err := x.options.apply(c.defaults, opts); err != nil {
		return nil, invalid(r.operation, err)
	}
	if ctx == nil {
		return nil, invalid(r.operation, errors.New("the context is nil"))
	}
	body, err := encode(r.body)
	if err := cmp.Or(r.err, r.path.Err, err); err != nil {
		return nil, invalid(r.operation, err)
	}
	if err := x.tokens.next(); err != nil {
		return nil, newTokenError(r.operation, err)
	}
	x.url = c.urlOf(r.path, x.options.query(r.query))
	x.request = retry.Request{Method: r.method, URL: &x.url, Header: c.headerOf(x, body), Body: body, Transport: c.roundTripper()}
	x.watcher = watcher{c.logger, x}
	return x, nil
}

func (c *Client) urlOf(path route.Path, query string) url.URL {
	u := c.base
	u.Path += path.Expanded
	if path.Escaped != "" {
		u.RawPath = c.base.Path + path.Escaped
	}
	u.RawQuery = query
	return u
}

func (c *Client) headerOf(x *exchange, body []byte) http.Header {
	header := c.header.Clone()
	x.tokens.authorize(header)
	if body != nil {
		header.Set("Content-Type", "application/json")
	}
	if x.options.losantDomain != "" {
		header.Set("Losantdomain", x.options.losantDomain)
	}
	return header
}

// roundTripper is the transport that a user's client has now: tools for tests
// replace it late.
func (c *Client) roundTripper() http.RoundTripper {
	if c.httpClient.Transport == nil {
		return http.DefaultTransport
	}
	return c.httpClient.Transport
}

// encode returns body as JSON.
func encode(body any) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	content, err := json.Marshal(body)
	if string(content) == "null" {
		return nil, errors.New("the body is null")
	}
	return content, err
}

// decode reads the body of a success.
func decode(body []byte, a answer) error {
	unmarshal := func(data []byte) error { return json.Unmarshal(data, a) }
	if u, ok := a.(json.Unmarshaler); ok {
		unmarshal = u.UnmarshalJSON // json.Unmarshal would scan the body twice more
	}
	if err := unmarshal(bytes.TrimSpace(body)); err != nil {
		return err
	}
	return a.check()
}

// Prepare returns the header of the next attempt, with the token of then.
func (x *exchange) Prepare(last http.Header) (http.Header, error) {
	if err := x.tokens.next(); err != nil {
		return nil, err
	}
	header := last.Clone()
	x.tokens.authorize(header)
	return header, nil
}

// Unauthorized tells the token source that its token was refused.
func (x *exchange) Unauthorized() { x.tokens.reject() }

// Renew reports whether the token source has another token.
func (x *exchange) Renew() (bool, error) { return x.tokens.renew() }

// Redact removes the tokens from an error.
func (x *exchange) Redact(err error) error { return x.tokens.shield(err) }
