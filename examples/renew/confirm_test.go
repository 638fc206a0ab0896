package main

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func onTerminal(any) bool { return true }

// interrupting interrupts the program when it reads, and blocks until released.
type interrupting struct {
	interrupt context.CancelFunc
	released  chan struct{}
}

func (i *interrupting) Read([]byte) (int, error) {
	i.interrupt()
	<-i.released
	return 0, io.EOF
}

func TestEmailsAreSentOnlyAfterYes(t *testing.T) {
	t.Parallel()
	for input, confirmed := range map[string]bool{
		"y\n": true, "Y\r\n": true, "yes\n": true, "YES \n": true,
		"n\n": false, "\n": false, "yess\n": false, "\ny\n": false, "": false, "y": false,
	} {
		t.Run(input, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t)
			r := startWith(t.Context(), t, api.Token, process{
				args: flagsFor(api, "-resend"), stdin: strings.NewReader(input), isTerminal: onTerminal,
			})
			assert.Contains(t, r.stderr, "\nRenewing 3 expired invites sends 3 emails.\n"+
				"  organization  "+api.OrgID+"\n  instance      "+api.InstanceID+"\n  API           "+api.URL+"\nContinue? [y/N] ")
			if confirmed {
				assert.Equal(t, 0, r.code)
				assert.Contains(t, r.stderr, "\n3 expired: 3 renewed")
				assert.Len(t, resent(api), 3)
				return
			}
			assert.Equal(t, 130, r.code)
			assert.Contains(t, r.stderr, "\nNothing was changed.\n")
			assert.Empty(t, resent(api))
		})
	}
}

func TestQuestionUsesTheSingularForOneEmail(t *testing.T) {
	t.Parallel()
	api := newAPI(t)
	r := startWith(t.Context(), t, api.Token, process{
		args: flagsFor(api, "-resend", "-filter", "tony@*"), stdin: strings.NewReader("y\n"), isTerminal: onTerminal,
	})
	assert.Contains(t, r.stderr, "\nRenewing 1 expired invite sends 1 email.\n")
	assert.Len(t, resent(api), 1)
}

func TestQuestionIsAskedOnlyBeforeEmails(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string][]string{
		"confirmed in advance": {"-resend", "-yes"},
		"nothing has expired":  {"-resend", "-filter", "ada@*"},
		"no -resend":           {"-yes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t)
			r := startWith(t.Context(), t, api.Token, process{args: flagsFor(api, flags...), isTerminal: onTerminal})
			assert.Equal(t, 0, r.code)
			assert.NotContains(t, r.stderr, "Continue?")
		})
	}
}

func TestDeclinedRenewalPrintsJSON(t *testing.T) {
	t.Parallel()
	api := newAPI(t)
	r := startWith(t.Context(), t, api.Token, process{
		args: flagsFor(api, "-resend", "-json"), stdin: strings.NewReader("n\n"), isTerminal: onTerminal,
	})
	assert.Equal(t, 130, r.code)
	assert.Contains(t, r.stdout, "barbara@example.com")
	assert.NotContains(t, r.stdout, "outcome")
}

func TestInterruptWhileAskingSendsNothing(t *testing.T) {
	t.Parallel()
	api := newAPI(t)
	ctx, interrupt := context.WithCancel(t.Context())
	keyboard := &interrupting{interrupt: interrupt, released: make(chan struct{})}
	defer close(keyboard.released)
	r := startWith(ctx, t, api.Token, process{args: flagsFor(api, "-resend", "-yes=false"), stdin: keyboard, isTerminal: onTerminal})
	assert.Equal(t, 130, r.code)
	assert.Contains(t, r.stderr, "Continue? [y/N] \n\nNothing was changed.\n")
	assert.Empty(t, resent(api))
}

// interruptedLate is a context that is done, although select chose the reply.
type interruptedLate struct{ context.Context }

func (interruptedLate) Err() error { return context.Canceled }

func TestYesAfterAnInterruptDoesNotConfirm(t *testing.T) {
	t.Parallel()
	c := &config{resend: true}
	p := process{stdin: strings.NewReader("yes\n"), stderr: io.Discard}
	assert.True(t, c.confirm(t.Context(), p, 1))
	p.stdin = strings.NewReader("yes\n")
	assert.False(t, c.confirm(interruptedLate{t.Context()}, p, 1))
}
