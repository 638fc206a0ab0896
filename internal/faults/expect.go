package main

import (
	"fmt"
	"strconv"
	"strings"
)

// row is one fault, and the expected result of each action if the context does not
// end. Expectations are written by hand from the rules of the library. They name
// the requests that arrive ("of" the attempts, if that differs), then "ok", or the
// status and the sentinels that the error matches.
//
// The expectations of the other columns follow from the first step of the fault. A
// row can replace them: interrupted is for a context that ends during the attempt
// (%s: its error), waiting for one that ends during the wait.
type row struct {
	name                 string
	setUp                setup
	get, remove, resend  string
	interrupted, waiting *[3]string
}

// each returns a row with an expectation per action.
func each(name string, setUp setup, get, remove, resend string) row {
	return row{name: name, setUp: setUp, get: get, remove: remove, resend: resend}
}

// same returns a row with one expectation for all actions.
func same(name string, setUp setup, all string) row { return each(name, setUp, all, all, all) }

func (w row) whenInterrupted(get, remove, resend string) row {
	w.interrupted = &[...]string{get, remove, resend}
	return w
}

func (w row) whenCancelledInWait(get, remove, resend string) row {
	w.waiting = &[...]string{get, remove, resend}
	return w
}

func (w row) fault() fault {
	f := fault{dials: []dial{connect}, connections: []greeting{plain}, requests: []step{succeed}}
	w.setUp(&f)
	return f
}

// expect returns the expectations for an action, one per column.
func (w row) expect(a int) [modes]string {
	f := w.fault()
	expected := [modes]string{notEnded: [...]string{get: w.get, remove: w.remove, resend: w.resend}[a]}
	during := first(&f, a, true)
	if w.interrupted != nil {
		during = w.interrupted[a]
	}
	expected[deadlinePassed] = fmt.Sprintf(during, "DeadlineExceeded")
	expected[cancelledDuring] = fmt.Sprintf(during, "Canceled")
	switch {
	case w.waiting != nil:
		expected[cancelledWaiting] = w.waiting[a]
	case attemptsOf(expected[notEnded]) > 1:
		expected[cancelledWaiting] = fmt.Sprintf(first(&f, a, false), "Canceled")
	default:
		expected[cancelledWaiting] = "–"
	}
	return expected
}

// attemptsOf returns the number of attempts in an expectation.
func attemptsOf(expected string) int {
	count, _, _ := strings.Cut(expected, ",")
	if _, of, ok := strings.Cut(count, " of "); ok {
		count = of
	}
	var n int
	_, _ = fmt.Sscan(count, &n)
	return n
}

// first returns the expectation for a context that ends during the first attempt or
// after it.
func first(f *fault, a int, during bool) string {
	neverConnects := len(f.proxies) > 0 && f.proxies[0].do != nil || f.dials[0].do != nil || f.connections[0].fails
	if neverConnects && f.warmUp == nil {
		return "0 of 1, %s"
	}
	s := f.requests[0]
	status, known := s.status, s.proof.known
	if during {
		if f.http2 {
			s.seen = 0
		}
		if status = s.seen; status == 0 {
			known = unknown
		}
	}
	if status == ownStatus {
		status = actions()[a].status
	}
	var parts []string
	if status != 0 {
		parts = append(parts, strconv.Itoa(status))
	}
	if name := sentinelOf[status]; name != "" {
		parts = append(parts, name)
	}
	if status >= 500 && status <= 599 {
		parts = append(parts, "ErrServer")
	}
	if status == 200 && !during { // its body is incomplete
		parts = append(parts, "ErrInvalidResponse")
	}
	if a != get && known != notProcessed {
		parts = append(parts, "ErrOutcomeUnknown")
	}
	return "1, " + strings.Join(append(parts, "%s"), " ")
}

// The sentinels that do not depend on the body.
var sentinelOf = map[int]string{
	400: "ErrBadRequest",
	401: "ErrUnauthorized",
	403: "ErrForbidden",
	409: "ErrConflict",
	429: "ErrRateLimited",
}

// unexpected lists the cells whose result is not the expected one.
func unexpected(rows []row, found []results) []string {
	var list []string
	for n, row := range rows {
		for a, action := range actions() {
			for m, expected := range row.expect(a) {
				if got := found[n][a][m].String(); got != expected {
					list = append(list, fmt.Sprintf("%s / %s / %v: expected %q, found %q", row.name, action.name, mode(m), expected, got))
				}
			}
		}
	}
	return list
}

// contradictions lists the cells whose result contradicts the proofs of their
// steps, whatever the expectation is.
func contradictions(rows []row, found []results) []string {
	var list []string
	for n, row := range rows {
		for a, action := range actions() {
			for m, r := range found[n][a] {
				if r.notApplicable {
					continue // as in the first column
				}
				for _, reason := range r.contradicts(a) {
					list = append(list, fmt.Sprintf("%s / %s / %v: %s: %v", row.name, action.name, mode(m), reason, r))
				}
			}
		}
	}
	return list
}

// contradicts lists what is wrong with a result according to the proofs alone.
func (r result) contradicts(action int) []string {
	var reasons []string
	if r.unplayed {
		reasons = append(reasons, "the fault did not happen")
	}
	if r.late {
		reasons = append(reasons, "took longer than its policy allows")
	}
	if r.arrived > r.attempts {
		reasons = append(reasons, "a request was not counted")
	}
	if action == resend && r.mayBeProcessed() > 1 {
		reasons = append(reasons, "sent again although it may have been processed")
	}
	if unknown := !r.succeeded && action != get && r.undecided(); unknown != r.isUnknown() {
		reasons = append(reasons, fmt.Sprintf("the proofs %v say that an unknown outcome is %v", r.proofs, unknown))
	}
	return reasons
}
