package losant

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/losant-community/losant-rest-go/internal/redact"
	"github.com/losant-community/losant-rest-go/internal/retry"
	"github.com/losant-community/losant-rest-go/internal/text"
)

// invalid returns the error of a call that is refused before anything is sent.
func invalid(operation string, reason error) *Error {
	return &Error{Operation: operation, Message: text.Printable(reason.Error()), Err: newCause(reason, unchanged), kind: ErrInvalidArgument}
}

// newTokenError returns the error of a call whose token source failed before
// anything was sent.
func newTokenError(operation string, err error) *Error {
	return &Error{Operation: operation, Message: text.Printable(err.Error()), Err: newCause(err, unchanged), kind: ErrTokenSource}
}

// unchanged removes nothing, where there is no token yet.
func unchanged(s string) string { return s }

// newError returns the error of a call that did not succeed, or whose response
// could not be decoded.
func newError(x *exchange, r *retry.Result, undecodable error) *Error {
	e := &Error{
		Operation:   x.operation.Name,
		Method:      x.operation.Method,
		Path:        x.url.EscapedPath(),
		StatusCode:  r.StatusCode,
		RetryAfter:  r.RetryAfter,
		Attempts:    r.Attempts,
		Err:         x.tokens.shield(cmp.Or(undecodable, r.Err)),
		unknown:     r.Uncertain || undecodable != nil && r.Safety != retry.Safe && !identified(undecodable),
		unavailable: unreachable(x, r),
		shapeless:   (r.StatusCode == http.StatusNotFound || r.StatusCode == http.StatusGone) && !isObject(r.Body),
	}
	switch {
	case r.Interrupted || isInterrupted(undecodable):
		// A body that the caller's own context cut short is not the API's fault.
	case undecodable != nil, r.Outcome == retry.Truncated, r.Outcome == retry.Unreadable, e.shapeless:
		e.kind = ErrInvalidResponse
	}
	e.describe(x, r)
	return e
}

// unreachable reports whether a call got no response, for a reason that may pass.
func unreachable(x *exchange, r *retry.Result) bool {
	if r.StatusCode != 0 || errors.Is(r.Err, errTokenSource) || errors.Is(r.Err, x.tokens.ctx.Err()) {
		return false
	}
	var dns *net.DNSError // a name that does not resolve today may do so tomorrow
	return r.Outcome != retry.Unsendable || errors.As(r.Err, &dns)
}

func isObject(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) && json.Valid(body)
}

// describe sets Type and Message.
func (e *Error) describe(x *exchange, r *retry.Result) {
	const longType = 100
	typeName, words := "", ""
	if e.StatusCode >= 300 {
		typeName, words = apiError(r.Body)
	}
	e.Type = text.Truncate(text.Printable(x.tokens.redact(typeName)), longType)
	parts := []string{cmp.Or(x.redirect(r), x.tokens.redact(words))}
	if e.Err != nil {
		parts = append(parts, x.reason(e))
	}
	if parts[0] == "" && e.Type == "" && r.Outcome != retry.Truncated {
		parts = append(parts, e.snippet(x, r))
	}
	parts = slices.DeleteFunc(parts, func(part string) bool { return part == "" })
	e.Message = text.Printable(strings.Join(parts, ": "))
}

// reason returns the text of the cause.
func (x *exchange) reason(e *Error) string {
	words := e.Err.Error()
	var syntax *json.SyntaxError
	switch {
	case !errors.Is(e, ErrInvalidResponse) || strings.HasPrefix(words, "the response "):
		return words
	case strings.HasPrefix(words, "it "):
		return "the response " + strings.TrimPrefix(words, "it ")
	case errors.As(e.Err, &syntax):
		return "the response is not valid JSON: " + words
	case errors.Is(e.Err, io.ErrUnexpectedEOF) || errors.Is(e.Err, net.ErrClosed):
		return "the response is incomplete: " + words
	default:
		return "the response is invalid: " + words
	}
}

// snippet quotes the beginning of a body that has no message of the API.
func (e *Error) snippet(x *exchange, r *retry.Result) string {
	const looked = 4 << 10
	isReason := e.Err == nil // without a cause, the body is all that says what happened
	quoted := "empty body"
	if len(r.Body) > 0 {
		quoted = text.Snippet(x.tokens.redact(string(r.Body[:min(len(r.Body), looked)])))
	}
	switch {
	case len(r.Body) == 0 && !isReason:
		return ""
	case is2xx(e.StatusCode) && isReason:
		return "this status is unexpected here: " + quoted
	case is2xx(e.StatusCode), len(r.Body) == 0:
		return quoted
	case e.shapeless:
		return "the response is not from the API: " + quoted
	default:
		return "unexpected body " + quoted
	}
}

// redirect says to which host a response redirects. The rest of the location may be
// private.
func (x *exchange) redirect(r *retry.Result) string {
	location := r.Header.Get("Location")
	if r.StatusCode < 300 || r.StatusCode > 399 || location == "" {
		return ""
	}
	target, err := url.Parse(location)
	if err != nil {
		return "redirect not followed"
	}
	target = x.url.ResolveReference(target)
	plainHost := strings.Trim(strings.ToLower(target.Host), "abcdefghijklmnopqrstuvwxyz0123456789.-:[]") == ""
	if target.Scheme != "http" && target.Scheme != "https" || target.Host == "" || !plainHost {
		return "redirect not followed"
	}
	const longest = 255
	return fmt.Sprintf("redirect to %s://%s not followed", target.Scheme, x.tokens.redact(text.Truncate(target.Host, longest)))
}

// apiError returns the type and the message in the body of an error. The message can
// be a string, a list or an object. The API also has "error", "errors" and
// "validationErrors", instead of the message or in addition to it.
func apiError(body []byte) (typeName, words string) {
	var api struct {
		Type             json.RawMessage `json:"type"`
		Message          json.RawMessage `json:"message"`
		Error            json.RawMessage `json:"error"`
		Description      json.RawMessage `json:"error_description"`
		Errors           json.RawMessage `json:"errors"`
		ValidationErrors json.RawMessage `json:"validationErrors"`
	}
	if json.Unmarshal(body, &api) != nil {
		return "", ""
	}
	_ = json.Unmarshal(api.Type, &typeName) // if it is not a string, there is none
	if len(api.Message) == 0 {
		var inner struct {
			Type string `json:"type"`
		}
		_ = json.Unmarshal(api.Error, &inner)
		typeName = cmp.Or(typeName, inner.Type)
	}
	words = text.Words(api.Message)
	if words == "" {
		words = join(text.Words(api.Error), text.Words(api.Description))
	}
	return typeName, join(words, cmp.Or(text.Words(api.ValidationErrors), text.Words(api.Errors)))
}

// join joins two texts. If one contains the other, it returns that one.
func join(a, b string) string {
	if strings.Contains(b, a) {
		return b
	}
	if strings.Contains(a, b) {
		return a
	}
	return a + ": " + b
}

// cause is an error from outside of this package: of a transport, a token source, a
// context or a decoder. It matches what the error matches, except for the sentinels
// of this package, which would be those of another call. Its text has no token. The
// error is in a closure, so that fmt and reflection cannot reach it.
type cause struct {
	words    string
	err      func() error
	isSecret func(string) bool
}

// newCause returns err as a cause. remove takes the tokens out of a text.
func newCause(err error, remove func(string) string) error {
	if _, ok := err.(*cause); ok { //nolint:errorlint // one that is wrapped is no shield
		return err
	}
	return &cause{
		words:    remove(err.Error()),
		err:      func() error { return err },
		isSecret: func(s string) bool { return remove(s) != s },
	}
}

func (c *cause) Error() string { return c.words }

// Is matches what the error matches, except for our sentinels.
func (c *cause) Is(target error) bool {
	return !slices.Contains(sentinels, target) && errors.Is(c.err(), target)
}

// As finds what is in the error, except for an [*Error] and for anything that leads
// to a request or a token.
func (c *cause) As(target any) bool {
	if _, ours := target.(**Error); ours {
		return false
	}
	found := reflect.New(reflect.TypeOf(target).Elem())
	if !errors.As(c.err(), found.Interface()) || !redact.Plain(found.Interface(), c.isSecret) {
		return false
	}
	if err, ok := found.Elem().Interface().(error); ok && c.isSecret(err.Error()) {
		return false
	}
	reflect.ValueOf(target).Elem().Set(found.Elem())
	return true
}

// Format writes the text for every verb.
func (c *cause) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.words) }
