package losant

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/losant-community/losant-rest-go/internal/retry"
	"github.com/losant-community/losant-rest-go/internal/text"
)

// What an [*Error] is, for [errors.Is]. An error can be several of them.
var (
	// ErrInvalidArgument means that an argument or an option makes no sense.
	// Nothing was sent.
	ErrInvalidArgument = errors.New("losant: invalid argument")

	ErrBadRequest   = errors.New("losant: bad request")  // 400: the API refused what was asked
	ErrUnauthorized = errors.New("losant: unauthorized") // 401: the API did not accept the token
	ErrForbidden    = errors.New("losant: forbidden")    // 403: the token lacks a scope, or its user a role
	ErrNotFound     = errors.New("losant: not found")    // 404: no such instance, organization or resource
	ErrConflict     = errors.New("losant: conflict")     // 409: the state of the resource does not permit it
	ErrGone         = errors.New("losant: gone")         // 410: it is there no more
	ErrRateLimited  = errors.New("losant: rate limited") // 429: too many requests; see [Error.RetryAfter]
	ErrServer       = errors.New("losant: server error") // 5xx: the API, or a proxy before it, failed

	// ErrInvalidResponse means that the status said success and the body did
	// not: it broke off, it was too large, it was not JSON, or it lacked what
	// was asked for. A status that has no meaning here, such as 101 or 600, is
	// one too.
	ErrInvalidResponse = errors.New("losant: invalid response")

	// ErrOutcomeUnknown means that an action may have happened although the
	// call failed: a request may have reached the API and no whole answer came
	// back, or the answer was a server error. The call was not repeated where
	// repeating could do it twice. Do not simply call again: look first (get
	// or list the resource, ask the invited person), then decide. A call that
	// only reads never returns it.
	ErrOutcomeUnknown = errors.New("losant: outcome unknown")
)

var sentinels = []error{
	ErrInvalidArgument, ErrBadRequest, ErrUnauthorized, ErrForbidden, ErrNotFound, ErrConflict, ErrGone, ErrRateLimited, ErrServer,
	ErrInvalidResponse, ErrOutcomeUnknown,
}

var sentinelOfStatus = map[int]error{
	http.StatusBadRequest:      ErrBadRequest,
	http.StatusUnauthorized:    ErrUnauthorized,
	http.StatusForbidden:       ErrForbidden,
	http.StatusNotFound:        ErrNotFound,
	http.StatusConflict:        ErrConflict,
	http.StatusGone:            ErrGone,
	http.StatusTooManyRequests: ErrRateLimited,
}

// Error is the error that every method and [NewClient] return. Match what it
// is with [errors.Is] and one of the sentinels; get at its fields with
// [errors.As] or, from Go 1.26, errors.AsType.
//
// None of its fields holds the token, and no request is reachable from it.
//
// A fake may make its own: the StatusCode or the Err decides what it matches.
//
//	&losant.Error{StatusCode: 404, Err: losant.ErrOutcomeUnknown}
type Error struct {
	Operation  string        // "InstanceOrgInvite.Get"; "NewClient"
	Method     string        // GET, POST, DELETE; "" if no request was made
	Path       string        // of the URL, without the query; "" if no request was made
	StatusCode int           // of the last answer; 0: there was none
	Type       string        // the API's name for the error, such as "NotFound"
	Message    string        // the API's words, or what went wrong; one printable line of at most about 1 KiB; may quote an answer
	RetryAfter time.Duration // how long the API asked to wait, if it did; up to the longest Duration
	Attempts   int           // requests handed to the transport, be it in vain; 0: nothing left this process
	Err        error         `json:"-"` // the cause, if there is one beyond the API's answer

	kind    error // ErrInvalidArgument or ErrInvalidResponse, or nil
	unknown bool
}

// Error says which call failed and why, in one printable line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("losant: " + e.Operation)
	if e.Method != "" {
		b.WriteString(": " + e.Method + " " + e.Path)
	}
	if e.StatusCode != 0 {
		fmt.Fprintf(&b, ": %d", e.StatusCode)
	}
	if e.Type != "" {
		b.WriteString(" " + e.Type)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, " (retry after %v)", e.RetryAfter)
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " (%d attempts)", e.Attempts)
	}
	if errors.Is(e, ErrOutcomeUnknown) {
		b.WriteString("; outcome unknown: it may have been done")
	}
	return b.String()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Is makes [errors.Is] match the sentinels of this package.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrInvalidArgument, ErrInvalidResponse:
		return e.kind == target
	case ErrOutcomeUnknown:
		return e.unknown
	case ErrServer:
		return e.StatusCode >= 500 && e.StatusCode <= 599
	}
	return target != nil && sentinelOfStatus[e.StatusCode] == target
}

// LogValue is what [log/slog] writes: a group of operation, error, which is the
// text of Error, outcome_unknown, and status, type and attempts if they are set.
func (e *Error) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("operation", e.Operation),
		slog.String("error", e.Error()),
		slog.Bool("outcome_unknown", errors.Is(e, ErrOutcomeUnknown)),
	}
	if e.StatusCode != 0 {
		attrs = append(attrs, slog.Int("status", e.StatusCode))
	}
	if e.Type != "" {
		attrs = append(attrs, slog.String("type", e.Type))
	}
	if e.Attempts != 0 {
		attrs = append(attrs, slog.Int("attempts", e.Attempts))
	}
	return slog.GroupValue(attrs...)
}

// invalid is the error of a call that is refused before anything is sent.
func invalid(operation string, reason error) *Error {
	return &Error{Operation: operation, Message: text.Printable(reason.Error()), Err: detach(reason), kind: ErrInvalidArgument}
}

// newTokenError is the error of a call for which there is no token.
func newTokenError(operation string, err error) *Error {
	if errors.Is(err, errTokenSource) {
		return &Error{Operation: operation, Message: text.Printable(err.Error()), Err: detach(err)}
	}
	return invalid(operation, err)
}

// newError makes the one error of a call that did not succeed, or whose answer
// could not be decoded.
func newError(x *exchange, r *retry.Result, undecodable error) *Error {
	e := &Error{
		Operation:  x.operation.Name,
		Method:     x.operation.Method,
		Path:       x.url.EscapedPath(),
		StatusCode: r.StatusCode,
		RetryAfter: r.RetryAfter,
		Attempts:   r.Attempts,
		Err:        detach(x.tokens.redactError(cmp.Or(undecodable, r.Err))),
		unknown:    r.Uncertain || undecodable != nil && r.Safety != retry.Safe && !identified(undecodable),
	}
	// A body that the caller's own context cut short is not the API's fault.
	if undecodable != nil && !isInterrupted(undecodable) || (r.Outcome == retry.Truncated || r.Outcome == retry.Unreadable) && !r.Interrupted {
		e.kind = ErrInvalidResponse
	}
	e.describe(x.tokens.redact, r)
	return e
}

// detach keeps the sentinels of another call, which may be the cause that a
// context ended for, from being taken for those of this one.
func detach(err error) error {
	var other *Error
	if errors.As(err, &other) || slices.ContainsFunc(sentinels, func(sentinel error) bool { return errors.Is(err, sentinel) }) {
		return &detached{err}
	}
	return err
}

type detached struct{ err error }

func (d *detached) Error() string { return d.err.Error() }

// Is matches what err does, but for our sentinels.
func (d *detached) Is(target error) bool {
	return !slices.Contains(sentinels, target) && errors.Is(d.err, target)
}

// As finds what err holds, but for our errors.
func (d *detached) As(target any) bool {
	_, ours := target.(**Error)
	return !ours && errors.As(d.err, target)
}

// describe fills Type and Message from the answer, or else from the cause.
func (e *Error) describe(redact func(string) string, r *retry.Result) {
	var api struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	}
	if e.StatusCode >= 300 {
		_ = json.Unmarshal(r.Body, &api) // what it could not read stays empty
	}
	e.Type, e.Message = text.Printable(redact(api.Type)), redact(api.Message)
	status := cmp.Or(http.StatusText(e.StatusCode), "answered")
	switch {
	case e.Message != "":
	case len(r.Body) > 0 && e.Type == "":
		e.Message = status + " with the body " + text.Snippet(redact(string(r.Body)))
	case len(r.Body) == 0 && r.Err == nil:
		e.Message = status + " with an empty body"
	}
	if e.Err != nil {
		if e.Message != "" {
			e.Message += ": "
		}
		e.Message += redact(e.Err.Error())
	}
	e.Message = text.Printable(e.Message)
}
