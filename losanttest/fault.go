package losanttest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Fault is what goes wrong with a request. Queue it with [Server.Inject].
//
// At most one of StatusCode, Cut, CutBody, HTML, Body and RedirectTo says how;
// HTML and Body can have a StatusCode. With none of them, the response is the
// ordinary one, after Delay. So the zero Fault lets one request pass, and the
// next fault strikes the second.
//
// With TakesEffect, the server first carries out the action, if the request
// passes the checks; Request.TookEffect says whether it did. The action comes
// before Delay, so it is done even if the client stops waiting. Without
// TakesEffect:
//
//   - StatusCode, Cut, HTML, Body and RedirectTo: the request is not checked and
//     the action not carried out.
//   - CutBody, and Delay alone: the action is carried out after Delay, and not if
//     the client is gone by then.
//
// A StatusCode of 204 has no body. Together with TakesEffect it is a deletion
// that responds 204 No Content instead of the documented 200:
//
//	losanttest.Fault{Operation: "InstanceOrgInvite.Delete", StatusCode: 204, TakesEffect: true}
type Fault struct {
	Operation   string        // such as "InstanceOrgInvite.Delete"; "" matches any request
	Times       int           // how many requests it strikes; 0 means 1
	TakesEffect bool          // carries out the action first
	Delay       time.Duration // before the response; ends when the client is gone, and on Close, which cuts the connection

	StatusCode int    // responds with this status, 200 to 999, and the API's error object
	Type       string // of the error object; needs StatusCode; by default, "Validation" for 400, or the status text without spaces
	Message    string // of the error object; needs StatusCode; by default, "An injected fault"
	RetryAfter string // the Retry-After header; needs StatusCode

	// Cut resets the connection without a response. Note that net/http itself
	// repeats a GET on a connection that was used before and is cut: then two
	// requests arrive. Times set to 2 cuts both.
	Cut        bool
	CutBody    bool   // ends the connection after half of the body of the ordinary response
	HTML       bool   // responds with a proxy's page, and with StatusCode or 200
	Body       string // responds with this body as application/json, and with StatusCode or 200
	RedirectTo string // responds with 302 and this Location
}

// RateLimited returns a Fault that responds 429 Too Many Requests in the API's
// words: Losant sends no Retry-After, and says in the message in how many seconds
// to retry. An operation of "" matches any request.
func RateLimited(operation string, seconds int) Fault {
	return Fault{
		Operation:  operation,
		StatusCode: http.StatusTooManyRequests,
		Message:    fmt.Sprintf("Over rate limit, request throttled. Retry in %d seconds", seconds),
	}
}

// Inject queues faults. Each request takes the first fault in the queue that
// matches its operation, even a request that the checks would refuse. A fault is
// removed after Fault.Times requests.
//
// It panics if a fault contradicts itself or names an operation that the server
// does not have.
func (s *Server) Inject(faults ...Fault) {
	for _, fault := range faults {
		if contradiction := fault.contradiction(s.routes); contradiction != "" {
			panic(fmt.Sprintf("losanttest: the fault %+v %s", fault, contradiction))
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, fault := range faults {
		fault.Times = max(fault.Times, 1)
		s.faults = append(s.faults, fault)
	}
}

// contradiction returns what is wrong with f, or "".
func (f Fault) contradiction(routes []route) string {
	ways := 0
	for _, set := range [...]bool{f.HTML, f.Body != "", f.Cut, f.CutBody, f.RedirectTo != ""} {
		if set {
			ways++
		}
	}
	if f.StatusCode != 0 && !f.HTML && f.Body == "" {
		ways++
	}
	known := func(r route) bool { return r.operation == f.Operation }
	switch {
	case ways > 1:
		return "has more than one of StatusCode, Cut, CutBody, HTML, Body and RedirectTo"
	case f.RetryAfter != "" && f.StatusCode == 0:
		return "has a RetryAfter without a StatusCode"
	case f.Type+f.Message != "" && !f.hasErrorObject():
		return "has a Type or Message, but responds with no error object"
	case f.StatusCode != 0 && (f.StatusCode < 200 || f.StatusCode > 999):
		return "has a StatusCode that is not from 200 to 999"
	case f.Times < 0 || f.Delay < 0:
		return "has a negative field"
	case f.Operation != "" && !slices.ContainsFunc(routes, known):
		return "is for an unknown operation"
	}
	return ""
}

// hasErrorObject reports whether the response is the API's error object.
func (f Fault) hasErrorObject() bool {
	return f.StatusCode != 0 && f.StatusCode != http.StatusNoContent && !f.HTML && f.Body == ""
}

// isOrdinary reports whether the response is what it would be without f.
func (f Fault) isOrdinary() bool {
	return f.StatusCode == 0 && !f.Cut && !f.HTML && f.Body == "" && f.RedirectTo == ""
}

// response returns what goes back, given the response that there is if f is
// ordinary.
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
