package losanttest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Fault is what goes wrong with a request, for [Server.Inject].
//
// At most one of StatusCode, Cut, CutBody, HTML and RedirectTo says how; only
// HTML and StatusCode go together. With none of them the request is answered
// as ever, after Delay: the zero Fault lets one request pass, so that the next
// fault strikes the second.
//
// With TakesEffect the server first does what is asked for, if the request
// passes the checks; Request.TookEffect tells. It does so before Delay, so
// that a client which loses patience has had its effect. Without TakesEffect:
//
//   - StatusCode, Cut, HTML and RedirectTo: nothing is done, nor checked.
//   - CutBody, and Delay alone: the answer is the ordinary one, so it is done,
//     but after Delay, and not at all if the client has gone by then.
type Fault struct {
	Operation   string        // "InstanceOrgInvite.Delete"; "" matches any request
	Times       int           // how many requests it strikes; 0 means 1
	TakesEffect bool          // the action is carried out first
	Delay       time.Duration // before the answer; it ends early, and the connection with it, on Close or when the client is gone

	StatusCode int    // answers with this status, 200 to 999, and an API error
	RetryAfter string // the Retry-After header; needs StatusCode
	// Cut resets the connection without an answer. Beware that net/http itself
	// repeats a Get at once whose connection was in use before and is cut: then
	// two requests arrive. Times set to 2 cuts both.
	Cut        bool
	CutBody    bool   // ends the connection after half of the body of the ordinary answer
	HTML       bool   // answers with a proxy's page, and with StatusCode or else 200
	RedirectTo string // answers 302 with this Location
}

// contradiction says what is wrong with f, or nothing.
func (f Fault) contradiction(routes []route) string {
	ways := 0
	for _, set := range [...]bool{f.StatusCode != 0 || f.HTML, f.Cut, f.CutBody, f.RedirectTo != ""} {
		if set {
			ways++
		}
	}
	known := func(r route) bool { return r.operation == f.Operation }
	switch {
	case ways > 1:
		return "has more than one of StatusCode or HTML, Cut, CutBody and RedirectTo"
	case f.RetryAfter != "" && f.StatusCode == 0:
		return "has a RetryAfter without a StatusCode"
	case f.StatusCode != 0 && (f.StatusCode < 200 || f.StatusCode > 999):
		return "has a StatusCode that is not from 200 to 999"
	case f.Times < 0 || f.Delay < 0:
		return "has a negative field"
	case f.Operation != "" && !slices.ContainsFunc(routes, known):
		return "is for an unknown operation"
	}
	return ""
}

// ordinary reports whether the answer is what it would be without f.
func (f Fault) ordinary() bool {
	return f.StatusCode == 0 && !f.Cut && !f.HTML && f.RedirectTo == ""
}

// answer is what goes back, given the answer that there is if f is ordinary.
func (f Fault) answer(ordinary *answer) answer {
	const injected = "An injected fault"
	var a answer
	switch {
	case f.ordinary():
		return *ordinary
	case f.RedirectTo != "":
		a = answer{status: http.StatusFound, header: http.Header{"Location": {f.RedirectTo}}}
	case f.HTML:
		status := max(f.StatusCode, http.StatusOK)
		page := fmt.Sprintf("<!DOCTYPE html>\n<html><head><title>%d %s</title></head><body>%s</body></html>\n",
			status, http.StatusText(status), injected)
		a = answer{status: status, header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}, body: []byte(page)}
	default:
		kind := strings.ReplaceAll(http.StatusText(f.StatusCode), " ", "")
		a = *apiError(f.StatusCode, kind, injected)
	}
	if f.RetryAfter != "" {
		a.header.Set("Retry-After", f.RetryAfter)
	}
	return a
}
