package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	losant "github.com/losant-community/losant-rest-go"
)

// result is the result of a call, as it is in a cell of the table.
type result struct {
	notApplicable bool // the column does not apply: there was no wait
	unplayed      bool // the fault did not happen
	late          bool // the call took longer than its policy allows
	early         bool // the library waited less than the server asked for
	arrived       int  // requests
	attempts      int
	unwaited      int // attempts without a wait before them, but for the first
	status        int
	succeeded     bool
	matches       []string // sentinels
	proofs        []proof  // of the steps that were played
}

// mayBeProcessed counts the steps after which the request may have been processed.
func (r result) mayBeProcessed() int {
	n := 0
	for _, p := range r.proofs {
		if p.known != notProcessed {
			n++
		}
	}
	return n
}

// undecided reports whether a step leaves it unknown whether the request was processed.
func (r result) undecided() bool {
	return slices.ContainsFunc(r.proofs, func(p proof) bool { return p.known == unknown })
}

func (r result) String() string {
	if r.notApplicable {
		return "–"
	}
	count := strconv.Itoa(r.arrived)
	if r.attempts != r.arrived {
		count += " of " + strconv.Itoa(r.attempts)
	}
	var ends []string
	if r.succeeded {
		ends = append(ends, "ok")
	}
	if r.status != 0 {
		ends = append(ends, strconv.Itoa(r.status))
	}
	ends = append(ends, r.matches...)
	if len(ends) == 0 {
		ends = append(ends, "error")
	}
	if r.late {
		ends = append(ends, "LATE")
	}
	if r.early {
		ends = append(ends, "EARLY")
	}
	text := count + ", " + strings.Join(ends, " ")
	if r.unwaited > 0 {
		text += fmt.Sprintf(", %d without a wait", r.unwaited)
	}
	return text
}

func (r result) isUnknown() bool { return slices.Contains(r.matches, "ErrOutcomeUnknown") }

// sentinels lists what an error can match, in the order of the table.
var sentinels = []struct {
	name string
	err  error
}{
	{"ErrInvalidArgument", losant.ErrInvalidArgument},
	{"ErrBadRequest", losant.ErrBadRequest},
	{"ErrUnauthorized", losant.ErrUnauthorized},
	{"ErrForbidden", losant.ErrForbidden},
	{"ErrNotFound", losant.ErrNotFound},
	{"ErrConflict", losant.ErrConflict},
	{"ErrGone", losant.ErrGone},
	{"ErrRateLimited", losant.ErrRateLimited},
	{"ErrServer", losant.ErrServer},
	{"ErrInvalidResponse", losant.ErrInvalidResponse},
	{"ErrOutcomeUnknown", losant.ErrOutcomeUnknown},
	{"Canceled", context.Canceled},
	{"DeadlineExceeded", context.DeadlineExceeded},
}

// read fills in what the call returned.
func (r *result) read(err error, recorded int) {
	if err == nil {
		r.succeeded, r.attempts = true, recorded
		return
	}
	var e *losant.Error
	if !errors.As(err, &e) {
		r.matches = []string{"NOT-AN-ERROR-OF-THE-LIBRARY"}
		return
	}
	r.attempts, r.status = e.Attempts, e.StatusCode
	for _, sentinel := range sentinels {
		if errors.Is(err, sentinel.err) {
			r.matches = append(r.matches, sentinel.name)
		}
	}
	if recorded != e.Attempts {
		r.matches = append(r.matches, fmt.Sprintf("RECORDED-%d-ATTEMPTS", recorded))
	}
}
