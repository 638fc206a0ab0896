// Renew lists the invites to an organization of a Losant instance, and renews
// those that have expired: each keeps its roles and is mailed again.
//
// Without a token and ids it works on a losanttest server in this process, with
// forty made-up invites and some deliberate failures. Nobody is mailed.
//
//	go -C examples/renew run .
//	go -C examples/renew run . -resend
//
// With a token and ids it works on a real organization. It changes nothing
// without -resend.
//
//	export LOSANT_API_TOKEN=…
//	go -C examples/renew run . -instance … -org … -filter '*@example.com'
//
// Before -resend mails anybody it says how many emails it will send, and asks.
// The flag -yes confirms in advance, and is required if the standard input is
// not a terminal.
//
// The list and the JSON of -json go to the standard output. Everything else,
// the summary included, goes to the standard error. A reader of the standard
// output that has gone, such as head, stops neither the renewal nor the summary.
// On a narrow terminal the table leaves out SENT, then ID, then EXPIRES.
//
// After Ctrl-C, SIGTERM or SIGHUP it starts no further renewal, waits for the
// calls in flight, with their retries and up to -timeout, and prints the
// summary. A second Ctrl-C or SIGTERM abandons these calls. Their outcome is
// then unknown, and the summary names them.
//
// No invite is resent twice. After five consecutive calls that failed for a
// reason other than their invite, it starts no further renewal: the API is
// unavailable, or the token is not sufficient.
//
// The exit code is the first of these that applies. With "go run", look for
// "exit status 3" in the output: go itself then exits with 1.
//
//	2    misuse, or -resend that nobody can confirm: nothing was sent
//	3    an invite may or may not have been resent; the summary names it
//	1    a call failed, or the standard output could not be written
//	130  interrupted or not confirmed: not everything was done
//	0    everything was done
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"github.com/losant-community/losant-rest-go"
)

const (
	done           = 0
	failure        = 1
	misuse         = 2
	unknownOutcome = 3
	interrupted    = 130
)

func main() {
	calls, abandon := context.WithCancel(context.Background())
	ctx, stop := context.WithCancel(calls)
	handleSignals(stop, abandon)
	os.Exit(run(ctx, calls, process{os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr, isTerminal, terminalWidth}))
}

// handleSignals calls stop at the first signal, and abandon at a second one that
// is not SIGHUP.
func handleSignals(stop, abandon func()) {
	signal.Ignore(syscall.SIGPIPE) // a write to a closed pipe then fails, and does not end the process
	const burst = 8
	signals := make(chan os.Signal, burst)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // nohup ignores SIGHUP
			signal.Notify(signals, s)
		}
	}
	go func() {
		<-signals
		stop()
		for s := range signals {
			if s != syscall.SIGHUP { // a terminal that closes sends it twice: from the shell and from the kernel
				break
			}
		}
		signal.Reset(os.Interrupt, syscall.SIGTERM) // the next one ends the process at once
		abandon()
	}()
}

func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// terminalWidth returns the number of columns, or 0 if w is not a terminal.
func terminalWidth(w io.Writer) int {
	const usual = 80
	if !isTerminal(w) {
		return 0
	}
	width, _, err := term.GetSize(int(w.(*os.File).Fd()))
	if err != nil || width <= 0 {
		return usual
	}
	return width
}

// process is the environment of the program.
type process struct {
	args           []string
	getenv         func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer
	isTerminal     func(stream any) bool
	width          func(io.Writer) int // of a terminal; 0: not a terminal
}

// run is main without the process around it. When ctx ends, it starts no further
// renewal; when calls ends too, it abandons the calls in flight. It returns the
// exit code.
func run(ctx, calls context.Context, p process) int {
	c, err := parse(p.args, p.getenv, p.stdout)
	if errors.Is(err, flag.ErrHelp) {
		return done
	}
	if err != nil {
		fmt.Fprintf(p.stderr, "renew: %v\n", err)
		return misuse
	}
	if c.needsConfirmation() && !p.isTerminal(p.stdin) {
		fmt.Fprintln(p.stderr, "renew: -resend sends emails, and the standard input is not a terminal to confirm that: add -yes")
		return misuse
	}
	server := "an embedded server in this process.\nLosant is not contacted, and nobody is mailed"
	if c.demonstration {
		defer startDemonstration(c).Close()
	} else {
		server = printable(c.baseURL)
	}
	client, err := losant.NewClient(c.token, losant.WithBaseURL(c.baseURL), losant.WithUserAgent("losant-renew"))
	if err != nil {
		return report(p.stderr, err)
	}
	defer client.CloseIdleConnections()
	fmt.Fprintf(p.stderr, "Talking to %s.\n\n", server)
	return c.execute(ctx, calls, p, client.InstanceOrgInvites, client.InstanceOrgInvite)
}

// execute lists the invites, renews the expired ones if it should, and returns
// the exit code.
func (c *config) execute(ctx, calls context.Context, p process, lister lister, resender resender) int {
	invites, err := list(ctx, lister, c.org, c.filter)
	if err != nil {
		return report(p.stderr, err)
	}
	expired := expiredOf(invites)
	var outputErr error
	if !c.json {
		outputErr = printTable(p.stdout, invites, p.width(p.stdout))
	}

	confirmed := c.resend && c.confirm(ctx, p, len(expired))
	var renewals []renewal
	if confirmed {
		renewals = c.renew(ctx, calls, p, resender, expired)
	}

	if c.json {
		outputErr = printJSON(p.stdout, invites, renewals)
	}
	switch {
	case confirmed:
		explained := c.json && outputErr == nil // the document holds the errors
		printSummary(p.stderr, renewals, ctx.Err() != nil, !explained)
	case c.resend:
		fmt.Fprint(p.stderr, "\nNothing was changed.\n")
	case len(expired) > 0:
		fmt.Fprint(p.stderr, "\nNothing was changed. To renew the expired ones, add -resend.\n")
	}

	code := exitCode(renewals)
	if c.resend && !confirmed {
		code = interrupted
	}
	if outputErr != nil && !errors.Is(outputErr, syscall.EPIPE) { // head, for one, closes the pipe when it has enough
		fmt.Fprintf(p.stderr, "renew: standard output: %v\n", outputErr)
		if code != unknownOutcome {
			code = failure
		}
	}
	if c.demonstration {
		explainDemonstration(p.stderr, code)
	}
	return code
}

// renew renews the expired invites, and shows its progress.
func (c *config) renew(ctx, calls context.Context, p process, resender resender, expired []losant.OrgInvite) []renewal {
	if len(expired) == 0 {
		return nil
	}
	display := newProgress(p, len(expired))
	defer display.close()
	forget := context.AfterFunc(ctx, func() {
		display.note("Interrupted: the calls in flight are being finished. Ctrl-C again abandons them.")
	})
	defer forget()
	r := &renewer{resender: resender, org: c.org, parallel: c.parallel, timeout: c.timeout, finished: display.step}
	return r.renew(ctx, calls, expired)
}

// report prints why the invites could not be listed.
func report(stderr io.Writer, err error) int {
	fmt.Fprintf(stderr, "renew: %s\n", printable(err.Error()))
	switch {
	case errors.Is(err, losant.ErrInvalidArgument): // nothing was sent
		return misuse
	case errors.Is(err, context.Canceled):
		return interrupted
	}
	return failure
}

func exitCode(renewals []renewal) int {
	counts := countByOutcome(renewals)
	switch {
	case counts[unknown] > 0:
		return unknownOutcome
	case counts[failed] > 0:
		return failure
	case counts[notStarted] > 0:
		return interrupted
	}
	return done
}
