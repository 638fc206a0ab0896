// Renew lists the invites to an organization of a Losant instance and renews the
// expired ones. A renewed invite keeps its roles, and its email is sent again.
//
// Without a token and ids it runs a demonstration on a losanttest server in this
// process, with forty invented invites and some deliberate failures. No emails are
// sent.
//
//	go -C examples/renew run .
//	go -C examples/renew run . -resend
//
// With a token and ids it uses a real organization. It changes nothing without
// -resend.
//
//	export LOSANT_API_TOKEN=…
//	go -C examples/renew run . -instance … -org … -filter '*@example.com'
//
// With -resend, the program prints the number of emails and asks before it sends
// them. The flag -yes confirms in advance. It is required if the standard input is
// not a terminal.
//
// The table, or the JSON of -json, is written to the standard output. Everything
// else, including the summary, is written to the standard error. If the reader of
// the standard output exits, as head does, the renewal continues and the summary
// is printed. On a narrow terminal the table omits SENT, then ID, then EXPIRES.
//
// After Ctrl-C, SIGTERM or SIGHUP the program starts no more renewals, waits for
// those in progress and prints the summary. Each renewal in progress takes at most
// -timeout, including its retries. A second Ctrl-C or SIGTERM abandons them. Their
// outcome is then unknown, and the summary lists them.
//
// No invite is resent twice. After five consecutive failures that are not caused
// by the invite itself, the program starts no more renewals: the API is
// unavailable, or the token lacks a permission.
//
// The exit code is the first of these that applies. "go run" itself exits with 1,
// and prints this code, such as "exit status 3".
//
//	2    invalid flags, or -resend without a way to confirm; nothing was sent
//	3    it is unknown whether an invite was resent; the summary lists it
//	1    a call failed, or the standard output could not be written
//	130  interrupted or not confirmed; something was not done
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

// handleSignals calls stop at the first signal. It calls abandon at the next signal
// that is not SIGHUP.
func handleSignals(stop, abandon func()) {
	signal.Ignore(syscall.SIGPIPE) // a write to a closed pipe then returns EPIPE and does not terminate the process
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
			if s != syscall.SIGHUP { // when a terminal closes, the shell and the kernel each send one
				break
			}
		}
		signal.Reset(os.Interrupt, syscall.SIGTERM) // the next signal terminates the process
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
	width          func(io.Writer) int // width of a terminal; 0 if it is not one
}

// run runs the program and returns the exit code. When ctx is done, it starts no
// more renewals. When calls is done, it abandons the renewals in progress.
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
		fmt.Fprintln(p.stderr, "renew: -resend sends emails, but the standard input is not a terminal, so you cannot confirm; add -yes")
		return misuse
	}
	server := "an embedded server in this process.\nLosant is not contacted, and no emails are sent"
	if c.demonstration {
		defer startDemonstration(c).Close()
	} else {
		server = c.baseURL
	}
	client, err := losant.NewClient(c.token, losant.WithBaseURL(c.baseURL), losant.WithUserAgent("losant-renew"))
	if err != nil {
		return report(p.stderr, err)
	}
	defer client.CloseIdleConnections()
	fmt.Fprintf(p.stderr, "Using %s.\n\n", server)
	return c.execute(ctx, calls, p, client.InstanceOrgInvites, client.InstanceOrgInvite)
}

// execute lists the invites, renews the expired ones with -resend, and returns the
// exit code.
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
		fmt.Fprint(p.stderr, "\nNothing was changed. To renew the expired invites, add -resend.\n")
	}

	code := exitCode(renewals)
	if c.resend && !confirmed {
		code = interrupted
	}
	if outputErr != nil && !errors.Is(outputErr, syscall.EPIPE) { // a reader such as head may exit early
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

// renew renews the expired invites and shows the progress.
func (c *config) renew(ctx, calls context.Context, p process, resender resender, expired []losant.OrgInvite) []renewal {
	if len(expired) == 0 {
		return nil
	}
	display := newProgress(p, len(expired))
	defer display.close()
	forget := context.AfterFunc(ctx, func() {
		display.note("Interrupted. Waiting for the renewals in progress; press Ctrl-C again to abandon them.")
	})
	defer forget()
	r := &renewer{resender: resender, org: c.org, parallel: c.parallel, timeout: c.timeout, finished: display.step}
	return r.renew(ctx, calls, expired)
}

// report prints why the invites could not be listed. It returns the exit code.
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
