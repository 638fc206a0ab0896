package losanttest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Fault describes how a request fails. Queue it with [Server.Inject].
//
// At most one of StatusCode, Cut, CutBody, HTML, Body and RedirectTo selects the
// failure, except that StatusCode can be combined with HTML or Body. If none is
// set, the server sends its usual response after Delay. The zero Fault therefore
// lets one request pass, and the next fault in the queue applies to the request
// after it.
//
// If TakesEffect is true, the server checks the request and performs the action
// before Delay, so the action takes effect even if the client stops waiting. If
// the checks fail, the action does not take effect: see Request.TookEffect.
//
// If TakesEffect is false:
//
//   - With StatusCode, Cut, HTML, Body or RedirectTo, the server neither checks
//     the request nor performs the action.
//   - With CutBody, or with Delay alone, the server checks the request and
//     performs the action after Delay, unless the client has disconnected.
//
// A response with StatusCode 204 has no body. With TakesEffect, it is a Delete
// with the response 204 No Content instead of the documented 200:
//
//	losanttest.Fault{Operation: "InstanceOrgInvite.Delete", StatusCode: 204, TakesEffect: true}
type Fault struct {
	Operation   string        // such as "InstanceOrgInvite.Delete"; "" matches every request
	Times       int           // number of requests that the fault applies to; 0 means 1
	TakesEffect bool          // perform the action before the failure
	Delay       time.Duration // wait before the response; ends early if the client disconnects or Close is called

	StatusCode int    // send this status, 200 to 999, with the API's error object
	Type       string // type in the error object; requires StatusCode; default "Validation" for 400, otherwise the status text without spaces
	Message    string // message in the error object; requires StatusCode; default "An injected fault"
	RetryAfter string // Retry-After header; requires StatusCode

	// Cut resets the connection without a response. If the connection was used
	// before, net/http itself retries a GET, so the server receives two requests.
	// Set Times to 2 to cut both.
	Cut        bool
	CutBody    bool   // send half of the body of the usual response, then close the connection
	HTML       bool   // send an HTML page, as a proxy does, with StatusCode or 200
	Body       string // send this body as application/json, with StatusCode or 200
	RedirectTo string // send 302 with this Location header
}

// RateLimited returns a Fault that sends 429 Too Many Requests as Losant does:
// without a Retry-After header, and with the number of seconds in the message. The
// operation "" matches every request.
func RateLimited(operation string, seconds int) Fault {
	return Fault{
		Operation:  operation,
		StatusCode: http.StatusTooManyRequests,
		Message:    fmt.Sprintf("Over rate limit, request throttled. Retry in %d seconds", seconds),
	}
}

// Inject appends faults to the queue. The first fault in the queue that matches
// the operation of a request applies to the request, even if the request is
// invalid. A fault is removed after Fault.Times requests.
//
// Inject panics if the fields of a fault contradict each other, or if the server
// does not have its operation. It then queues none of the faults.
func (s *Server) Inject(faults ...Fault) {
	for n, fault := range faults {
		if reason := fault.reasonInvalid(s.routes); reason != "" {
			panic(fmt.Sprintf("losanttest: Inject: faults[%d]: %s", n, reason))
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, fault := range faults {
		fault.Times = max(fault.Times, 1)
		s.faults = append(s.faults, fault)
	}
}

// reasonInvalid returns why f cannot be queued, or "" if it can.
func (f Fault) reasonInvalid(routes []route) string {
	var failures []string
	for _, field := range []struct {
		name string
		set  bool
	}{
		{"StatusCode", f.StatusCode != 0 && !f.HTML && f.Body == ""},
		{"Cut", f.Cut}, {"CutBody", f.CutBody}, {"HTML", f.HTML}, {"Body", f.Body != ""}, {"RedirectTo", f.RedirectTo != ""},
	} {
		if field.set {
			failures = append(failures, field.name)
		}
	}
	known := func(r route) bool { return r.operation == f.Operation }
	switch {
	case len(failures) > 1:
		return "set only one of " + strings.Join(failures, ", ")
	case f.RetryAfter != "" && f.StatusCode == 0:
		return "RetryAfter requires StatusCode"
	case f.Type+f.Message != "" && !f.hasErrorObject():
		return "Type and Message require StatusCode, not 204, without HTML and Body"
	case f.StatusCode != 0 && (f.StatusCode < 200 || f.StatusCode > 999):
		return fmt.Sprintf("StatusCode %d is not from 200 to 999", f.StatusCode)
	case f.Times < 0:
		return fmt.Sprintf("Times %d is negative", f.Times)
	case f.Delay < 0:
		return fmt.Sprintf("Delay %v is negative", f.Delay)
	case f.Operation != "" && !slices.ContainsFunc(routes, known):
		return fmt.Sprintf("the server does not have the Operation %q", f.Operation)
	}
	return ""
}

// hasErrorObject reports whether f sends the API's error object.
func (f Fault) hasErrorObject() bool {
	return f.StatusCode != 0 && f.StatusCode != http.StatusNoContent && !f.HTML && f.Body == ""
}

// isOrdinary reports whether f sends the response that the action returns.
func (f Fault) isOrdinary() bool {
	return f.StatusCode == 0 && !f.Cut && !f.HTML && f.Body == "" && f.RedirectTo == ""
}

// response returns the response that f sends. ordinary is the response of the
// action, and is used only if f.isOrdinary().
func (f Fault) response(ordinary *response) response {
	status := cmp.Or(f.StatusCode, http.StatusOK)
	var r *response
	switch {
	case f.isOrdinary():
		return *ordinary
	case f.RedirectTo != "":
		r = &response{status: http.StatusFound, header: http.Header{"Location": {f.RedirectTo}}}
	case f.HTML:
		page := fmt.Sprintf("<!DOCTYPE html>\n<html><head><title>%d %s</title></head><body>%s</body></html>\n",
			status, http.StatusText(status), injected)
		r = &response{status, http.Header{"Content-Type": {"text/html; charset=utf-8"}}, []byte(page)}
	case f.Body != "":
		r = &response{status, http.Header{"Content-Type": {"application/json; charset=utf-8"}}, []byte(f.Body)}
	case f.hasErrorObject():
		r = apiError(status, cmp.Or(f.Type, errorType(status)), cmp.Or(f.Message, injected))
	default:
		r = &response{status: status, header: make(http.Header)}
	}
	if f.RetryAfter != "" {
		r.header.Set("Retry-After", f.RetryAfter)
	}
	return *r
}

const injected = "An injected fault"

// errorType returns the Type of the API's error object for a status. NotFound,
// Validation and MethodNotAllowed were seen in responses of the API. The others
// are guesses.
func errorType(status int) string {
	if status == http.StatusBadRequest {
		return "Validation"
	}
	return strings.ReplaceAll(http.StatusText(status), " ", "")
}
