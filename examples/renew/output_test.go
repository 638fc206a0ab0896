package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"

	"github.com/losant-community/losant-rest-go"
	"github.com/losant-community/losant-rest-go/losanttest"
)

// broken is a writer that always fails.
type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }

var (
	errFull = &fs.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}
	errGone = &fs.PathError{Op: "write", Path: "|1", Err: syscall.EPIPE}
)

func TestSummaryIsPrintedIfTheOutputFails(t *testing.T) {
	t.Parallel()
	refused := losanttest.Fault{Operation: resendOperation, StatusCode: http.StatusConflict}
	cut := losanttest.Fault{Operation: resendOperation, Cut: true, TakesEffect: true}
	for name, c := range map[string]struct {
		faults     []losanttest.Fault
		full, gone int // the exit code
		want       string
	}{
		"all renewed":     {nil, 1, 0, "\n3 expired: 3 renewed, 0 failed, 0 with an unknown outcome, 0 not started.\n"},
		"a failure":       {[]losanttest.Fault{refused}, 1, 1, "\n3 expired: 2 renewed, 1 failed, 0 with"},
		"unknown":         {[]losanttest.Fault{cut}, 3, 3, "\n3 expired: 2 renewed, 0 failed, 1 with"},
		"unknown, failed": {[]losanttest.Fault{refused, cut}, 3, 3, "\n3 expired: 1 renewed, 1 failed, 1 with"},
	} {
		for _, format := range []string{"-json=false", "-json"} {
			for err, code := range map[error]int{errFull: c.full, errGone: c.gone} {
				t.Run(fmt.Sprint(name, "/", format, "/", errors.Unwrap(err)), func(t *testing.T) {
					t.Parallel()
					api := newAPI(t)
					api.Inject(c.faults...)
					r := startWith(t.Context(), t, api.Token, process{args: flagsFor(api, "-resend", "-yes", format), stdout: broken{err}})
					assert.Equal(t, code, r.code)
					assert.Contains(t, r.stderr, c.want)
					assert.Equal(t, len(c.faults), strings.Count(r.stderr, "    losant: "), "the summary must contain the errors")
					assert.Equal(t, errors.Is(err, errFull), strings.Contains(r.stderr, "\nrenew: standard output: write /dev/stdout: no space left on device\n"))
				})
			}
		}
	}
}

func TestExitCodeIfTheOutputFailsWithoutResend(t *testing.T) {
	t.Parallel()
	for err, code := range map[error]int{errFull: 1, errGone: 0} {
		for _, format := range []string{"-json=false", "-json"} {
			api := newAPI(t)
			r := startWith(t.Context(), t, api.Token, process{args: flagsFor(api, format), stdout: broken{err}})
			assert.Equal(t, code, r.code, "%v %s", err, format)
		}
	}
}

func TestEachErrorIsPrintedOnce(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"-json=false", "-json"} {
		api := newAPI(t)
		api.Inject(
			losanttest.Fault{Operation: resendOperation, StatusCode: http.StatusConflict},
			losanttest.Fault{Operation: resendOperation, Cut: true},
		)
		r := start(t.Context(), t, api.Token, flagsFor(api, "-resend", "-yes", format)...)
		assert.Equal(t, 3, r.code)
		assert.Equal(t, 2, strings.Count(r.stdout+r.stderr, "losant: "), r.stdout+r.stderr)
		assert.Equal(t, 1, strings.Count(r.stderr, "\nOutcome unknown: "))
		assert.Equal(t, 1, strings.Count(r.stderr, "\nFailed; "))
	}
}

func TestSummaryContainsNoControlCharacters(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	invite := losant.OrgInvite{ID: "\x1b[2J", Email: hostile}
	printSummary(&out, []renewal{{Invite: invite, Outcome: failed, Error: "\x1b[2J\r\u202e"}}, false, true)
	for _, r := range strings.ReplaceAll(out.String(), "\n", "") {
		assert.True(t, unicode.IsPrint(r), "%q in %q", r, out.String())
	}
}
