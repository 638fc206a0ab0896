package losant

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/losant-community/losant-rest-go/internal/retry"
	"github.com/losant-community/losant-rest-go/internal/route"
)

// The life of a call, from top to bottom:
//
//	InstanceOrgInvite.Get   describes the call as a request
//	call                    makes a T
//	send                    newExchange → retry.Client.Do → status → decode
//	newError                makes the one *Error of any other result

// request is what a service's method says about its call.
type request struct {
	operation string // "InstanceOrgInvite.Get"
	method    string // of HTTP
	path      route.Path
	query     url.Values
	body      any   // sent as JSON, or a *Form; nil: none
	err       error // why the arguments are invalid

	safety   retry.Safety // of sending the request twice; zero: as the method says
	statuses []int        // that are successes; nil: documented
	maxBytes int64        // of the response; 0: as the client says
	stream   bool         // the response is an event stream
}

// documented are the statuses that mean that the API did what was asked. Only a Delete
// accepts the empty body of a 204.
var documented = []int{http.StatusOK, http.StatusCreated, http.StatusNonAuthoritativeInfo, http.StatusNoContent}

// decoder is what a success is decoded into.
type decoder interface {
	// decode reads the body of a response, and returns an error if it is not what
	// was asked for, or if ctx ends.
	decode(ctx context.Context, status int, body []byte) error
}

// call sends r and returns the response as a T.
func call[T any, P interface {
	*T
	decoder
}](ctx context.Context, c *Client, r request, opts []RequestOption) (*T, error) {
	t := new(T)
	if err := c.send(ctx, r, P(t), opts); err != nil {
		return nil, err
	}
	return t, nil
}

// send sends r, as often as the policy allows, and decodes the response into d.
func (c *Client) send(ctx context.Context, r request, d decoder, opts []RequestOption) error {
	x, err := c.newExchange(ctx, r, opts)
	if err != nil {
		return err
	}
	result := c.retry.Do(context.WithValue(ctx, operationKey{}, &x.operation), &x.request, x)
	defer result.Release()
	x.fill(result)
	if result.Outcome != retry.Succeeded {
		return newError(x, result, nil)
	}
	if err := d.decode(ctx, result.StatusCode, bytes.TrimSpace(result.Body)); err != nil {
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

	contentType string // of the request's body; "": none
}

// newExchange checks the arguments and returns the call, ready to be sent.
func (c *Client) newExchange(ctx context.Context, r request, opts []RequestOption) (*exchange, error) {
	x := &exchange{
		operation: Operation{Name: r.operation, Method: r.method, PathTemplate: r.path.Template},
		tokens:    tokens{credentials: c.credentials, ctx: sourceContext{ctx, c.credentials.source}},
	}
	x.watcher = watcher{c.logger, x}
	if err := x.options.apply(c.defaults, opts); err != nil {
		return nil, invalid(r.operation, err)
	}
	if ctx == nil {
		return nil, invalid(r.operation, errors.New("the context is nil"))
	}
	query, err := x.options.queryOf(r)
	if err = cmp.Or(r.err, r.path.Err, err); err == nil && r.body != nil {
		err = x.encode(r.body)
	}
	if err != nil {
		return nil, invalid(r.operation, err)
	}
	if err := x.tokens.next(); err != nil {
		return nil, newTokenError(r.operation, err)
	}
	x.url = c.urlOf(r.path, query)
	x.request.URL, x.request.Header = &x.url, c.headerOf(x, r)
	x.request.Method, x.request.Safety, x.request.Stream = r.method, r.safety, r.stream
	x.request.Statuses = r.statuses
	if r.statuses == nil {
		x.request.Statuses = documented
	}
	x.request.MaxAttempts, x.request.Record = x.options.maxAttempts, len(x.options.responses) > 0
	if !c.bytesLimited {
		x.request.MaxBytes = r.maxBytes
	}
	x.request.Transport = cmp.Or(c.httpClient.Transport, http.DefaultTransport) // read now: tools for tests replace it late
	return x, nil
}

func (c *Client) urlOf(path route.Path, query string) url.URL {
	u := c.base
	u.Path += path.Expanded
	u.RawQuery = query
	return u
}

// headerOf returns the header of one attempt. The attempts share its values, since a
// transport must not change a request.
func (c *Client) headerOf(x *exchange, r request) http.Header {
	header := make(http.Header, 8)
	maps.Copy(header, c.header)
	if r.stream {
		header["Accept"] = []string{"text/event-stream"}
	}
	if x.tokens.authorization != "" {
		header["Authorization"] = []string{x.tokens.authorization}
	}
	if x.contentType != "" {
		header["Content-Type"] = []string{x.contentType}
	}
	if x.options.losantDomain != "" {
		header["Losantdomain"] = []string{x.options.losantDomain}
	}
	return header
}

// encode sets the body of the request: JSON, or a form.
func (x *exchange) encode(body any) error {
	if form, ok := body.(*Form); ok {
		upload, err := newUpload(form)
		if err != nil {
			return err
		}
		x.request.Upload, x.contentType = upload, upload.contentType()
		return nil
	}
	content, err := json.Marshal(body)
	if string(content) == "null" {
		return errors.New("the body is null")
	}
	x.request.Body, x.contentType = content, "application/json"
	return err
}

// Prepare returns the header of the next attempt, with the token of then.
func (x *exchange) Prepare(last http.Header) (http.Header, error) {
	if err := x.tokens.next(); err != nil {
		return nil, err
	}
	header := maps.Clone(last)
	if x.tokens.authorization != "" {
		header["Authorization"] = []string{x.tokens.authorization}
	}
	return header, nil
}

// Unauthorized tells the token source that the API rejected its token.
func (x *exchange) Unauthorized() { x.tokens.reject() }

// Renew reports whether the token source has another token.
func (x *exchange) Renew() (bool, error) { return x.tokens.renew() }

// Redact removes the tokens from an error.
func (x *exchange) Redact(err error) error { return x.tokens.shield(err) }

var retryInSeconds = regexp.MustCompile(`(?i)retry in (\d{1,9}) second`)

// RetryAfter reads the wait from the message of a 429, as in "Over rate limit,
// request throttled. Retry in 3 seconds". The API counts completed seconds, so
// the wait is one longer.
func (x *exchange) RetryAfter(body []byte) (time.Duration, bool) {
	match := retryInSeconds.FindSubmatch(body)
	if match == nil {
		return 0, false
	}
	seconds, err := strconv.Atoi(string(match[1]))
	return time.Duration(seconds+1) * time.Second, err == nil
}
