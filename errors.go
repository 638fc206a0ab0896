package losant

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/losant-community/losant-rest-go/internal/text"
)

// Sentinel errors, to be matched with [errors.Is]. An [*Error] can match several
// of them.
var (
	// ErrInvalidArgument means that an argument or an option is invalid. Nothing
	// was sent.
	ErrInvalidArgument = errors.New("losant: invalid argument")

	// ErrTokenSource means that the [TokenSource] failed, or returned a token that
	// cannot be sent, and that nothing was sent. If the source fails after a
	// first attempt, the error does not match ErrTokenSource: it describes that
	// attempt, and the error of the source is its cause.
	ErrTokenSource = errors.New("losant: token source failed")

	ErrBadRequest   = errors.New("losant: bad request")  // 400: the API rejected the arguments
	ErrUnauthorized = errors.New("losant: unauthorized") // 401: the API rejected the token
	ErrForbidden    = errors.New("losant: forbidden")    // 403: the token lacks a scope, or its user a role
	ErrNotFound     = errors.New("losant: not found")    // 404 from the API: it does not exist
	ErrConflict     = errors.New("losant: conflict")     // 409: the state of the resource does not permit it
	ErrGone         = errors.New("losant: gone")         // 410 from the API: it no longer exists
	ErrRateLimited  = errors.New("losant: rate limited") // 429: too many requests; see Error.RetryAfter
	ErrServer       = errors.New("losant: server error") // 5xx: the API, or a proxy in front of it, failed

	// ErrUnavailable means that the API cannot serve the request now: there was no
	// response, or its status was 408, 429 or 5xx. A program that buffers its
	// requests keeps them and sends them later. An error does not match if the context
	// of the call ended before there was a response, if the token source failed, if
	// the certificate is invalid, or if a response was received and cut off. It
	// does match if the host name does not resolve, because it may do so later.
	//
	// ErrUnavailable does not say whether the API acted: see ErrOutcomeUnknown.
	ErrUnavailable = errors.New("losant: unavailable")

	// ErrInvalidResponse means that the response is not one of the API: a success
	// that was cut off, too large, not JSON, or without the requested resource; a
	// 404 or 410 whose body is not a JSON object, such as one of a proxy; or a
	// status that has no meaning here, such as 101 or 600.
	ErrInvalidResponse = errors.New("losant: invalid response")

	// ErrOutcomeUnknown means that the API may have acted although the call
	// failed: a request may have reached the API, and the response is missing,
	// incomplete or invalid, or its status does not say whether the API acted, such
	// as 408 and most 5xx. Read the resource, and call again only if the API did not
	// act. Calls that only read never return it.
	//
	// If an error does not match it, the API did not act, with one exception: if
	// StatusCode is 2xx, the API acted, and only a detail of the response is invalid.
	//
	// If a Delete matches both ErrOutcomeUnknown and ErrNotFound, the resource is
	// gone, most likely by an earlier attempt of the same call.
	ErrOutcomeUnknown = errors.New("losant: outcome unknown")
)

var sentinels = []error{
	ErrInvalidArgument, ErrTokenSource, ErrBadRequest, ErrUnauthorized, ErrForbidden, ErrNotFound, ErrConflict, ErrGone,
	ErrRateLimited, ErrServer, ErrUnavailable, ErrInvalidResponse, ErrOutcomeUnknown,
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

// Error is the type of every error that the methods and [NewClient] return. Use
// [errors.Is] with a sentinel to see what happened, and [errors.As] for the
// fields.
//
// Its text and its fields contain no token, and no request is reachable from it.
// [errors.Is] matches every cause. [errors.As] does not find a cause that leads to a
// request, a response, a function or a token. It finds, for example, a
// [*net.OpError].
//
// A fake can return an Error of its own. StatusCode and Err decide what it matches:
//
//	&losant.Error{StatusCode: 404, Err: losant.ErrOutcomeUnknown}
type Error struct {
	Operation  string        // such as "InstanceOrgInvite.Get" or "NewClient"
	Method     string        // such as GET; "" if no request was made
	Path       string        // of the URL, without the query; "" if no request was made
	StatusCode int           // of the last response; 0 if there was none
	Type       string        // the API's name for the error, such as "NotFound"
	Message    string        // the API's message, or what happened; one printable line of at most about 1 KiB, which may quote the response
	RetryAfter time.Duration // how long to wait before another call, as the API asked, and at most 1 s longer; 0 if it did not ask
	Attempts   int           // attempts made, including those that did not connect and those that net/http made by itself
	Err        error         `json:"-"` // the cause; nil if the response is the only one

	kind        error // ErrInvalidArgument, ErrTokenSource, ErrInvalidResponse or nil
	unknown     bool
	unavailable bool // there was no response
	shapeless   bool // a 404 or 410 whose body is not a JSON object: not the API's
}

// Error returns one printable line: the operation, what happened, and then the
// request and its attempts:
//
//	losant: InstanceOrgInvite.Get: 404 NotFound: no such invite (GET /instances/…; 2 attempts)
//
// If the operation has no name, the request comes first.
func (e *Error) Error() string {
	if e == nil {
		return "losant: no error"
	}
	subject, details := text.Printable(e.Operation), []string{}
	if e.Method != "" {
		request := text.Printable(e.Method + " " + e.Path)
		if strings.HasPrefix(e.Operation, e.Method+" ") {
			subject = request
		} else {
			details = append(details, request)
		}
	}
	if e.RetryAfter > 0 {
		details = append(details, fmt.Sprintf("retry after %v", e.RetryAfter))
	}
	if e.Attempts > 1 {
		details = append(details, fmt.Sprintf("%d attempts", e.Attempts))
	}
	line := "losant: " + subject
	if subject != "" {
		line += ": "
	}
	line += cmp.Or(e.what(), "the call failed")
	if len(details) > 0 {
		line += " (" + strings.Join(details, "; ") + ")"
	}
	if errors.Is(e, ErrOutcomeUnknown) {
		line += "; outcome unknown: the API may have acted"
	}
	return line
}

// what returns what happened: the status, its name, and the message.
func (e *Error) what() string {
	status, name := "", text.Printable(e.Type)
	if e.StatusCode != 0 {
		status = strconv.Itoa(e.StatusCode)
		if name == "" {
			name = http.StatusText(e.StatusCode)
		}
	}
	message := text.Printable(e.Message)
	if message == "" && e.Err != nil && e.Err != ErrOutcomeUnknown { //nolint:errorlint // an error that wraps it says more
		message = text.Printable(strings.TrimPrefix(e.Err.Error(), "losant: "))
	}
	message = strings.TrimRight(message, ".:; ")
	status = strings.TrimSpace(status + " " + name)
	switch {
	case message == "":
		return status
	case status == "":
		return message
	case is2xx(e.StatusCode):
		return status + ", but " + message
	default:
		return status + ": " + message
	}
}

func is2xx(status int) bool { return status >= 200 && status <= 299 }

// Unwrap returns Err.
func (e *Error) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// Is makes [errors.Is] match the sentinels of this package.
func (e *Error) Is(target error) bool {
	if e == nil || target == nil {
		return false
	}
	server := e.StatusCode >= 500 && e.StatusCode <= 599
	switch target {
	case ErrInvalidArgument, ErrTokenSource, ErrInvalidResponse:
		return e.kind == target
	case ErrOutcomeUnknown:
		return e.unknown
	case ErrServer:
		return server
	case ErrUnavailable:
		return e.unavailable || server || e.StatusCode == http.StatusRequestTimeout || e.StatusCode == http.StatusTooManyRequests
	case ErrNotFound, ErrGone:
		return !e.shapeless && sentinelOfStatus[e.StatusCode] == target
	}
	return sentinelOfStatus[e.StatusCode] == target
}

// LogValue returns what [log/slog] writes: a group of operation, error (the text
// of Error), outcome_unknown, and status, type and attempts if they are set.
func (e *Error) LogValue() slog.Value {
	if e == nil {
		return slog.StringValue(e.Error())
	}
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
