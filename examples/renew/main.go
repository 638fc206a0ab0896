// Renew lists the invites to an organization of a Losant instance, and renews
// those that have expired: each gets the same roles again, and a new email.
//
// Without a token and ids it works on a losanttest server in this process, with
// forty made-up invites and some failures on purpose. Nobody is mailed.
//
//	go -C examples/renew run .
//	go -C examples/renew run . -resend
//
// With a token and ids it works on a real organization. It only looks, unless
// -resend says otherwise.
//
//	export LOSANT_API_TOKEN=…
//	go -C examples/renew run . -instance … -org … -filter '*@example.com'
//
// The list, the summary and the JSON of -json go to the standard output, all
// else to the standard error.
//
// At the first Ctrl-C it starts nothing more, and waits for the calls that are
// in flight; their retries and -timeout still hold. At the second it abandons
// them at once, and names them, for their outcome is then unknown.
//
// No invite is resent twice. After five calls in a row that failed for a reason
// other than their invite it starts nothing more: the API is not well, or the
// token not good enough.
//
// It exits with the first of these that applies. Under "go run" look for "exit
// status 3" instead: go itself then exits with 1.
//
//	2    misuse; nothing was sent
//	3    an invite may have been resent or not, and the summary names it
//	1    a call failed
//	130  interrupted before all was done
//	0    all was done
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
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	calls, abandon := context.WithCancel(context.Background())
	ctx, stop := context.WithCancel(calls)
	go func() {
		<-signals
		stop()
		<-signals
		signal.Stop(signals) // a third one ends the process without a word
		abandon()
	}()
	os.Exit(run(ctx, calls, process{os.Args[1:], os.Getenv, os.Stdout, os.Stderr, isTerminal}))
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// process is what surrounds the program.
type process struct {
	args           []string
	getenv         func(string) string
	stdout, stderr io.Writer
	isTerminal     func(io.Writer) bool
}

// run is main, without the process around it. When ctx ends it starts nothing
// more; when calls ends too, it abandons what is in flight. It returns the exit
// code.
func run(ctx, calls context.Context, p process) int {
	o, err := parse(p.args, p.getenv, p.stdout)
	if errors.Is(err, flag.ErrHelp) {
		return done
	}
	if err != nil {
		fmt.Fprintf(p.stderr, "renew: %v\n", err)
		return misuse
	}
	server := "an embedded server, in this process. Losant is not contacted, and nobody is mailed"
	if o.demonstration {
		defer startDemonstration(o).Close()
	} else {
		server = printable(o.baseURL)
	}
	client, err := losant.NewClient(o.token, losant.WithBaseURL(o.baseURL), losant.WithUserAgent("losant-renew"))
	if err != nil {
		return report(p.stderr, err)
	}
	defer client.CloseIdleConnections()
	fmt.Fprintf(p.stderr, "Talking to %s.\n\n", server)
	return o.execute(ctx, calls, p, client.InstanceOrgInvites, client.InstanceOrgInvite)
}

// execute does what was ordered, and returns the exit code.
func (o *order) execute(ctx, calls context.Context, p process, lister lister, resender resender) int {
	invites, err := list(ctx, lister, o.org, o.filter)
	if err != nil {
		return report(p.stderr, err)
	}
	expired := expiredOf(invites)
	if !o.json {
		printTable(p.stdout, invites)
	}

	var renewals []renewal
	if o.resend && len(expired) > 0 {
		display := newProgress(p, len(expired))
		forget := context.AfterFunc(ctx, func() {
			display.note("Interrupted: the calls in flight are being finished. Ctrl-C again abandons them.")
		})
		r := &renewer{resender: resender, org: o.org, parallel: o.parallel, timeout: o.timeout, finished: display.step}
		renewals = r.renew(ctx, calls, expired)
		forget()
		display.close()
	}

	switch {
	case o.json:
		err = printJSON(p.stdout, invites, renewals)
	case o.resend:
		printSummary(p.stdout, renewals, ctx.Err() != nil)
	case len(expired) > 0:
		fmt.Fprint(p.stdout, "\nNothing was changed. To renew the expired ones, add -resend.\n")
	}
	if err != nil {
		return report(p.stderr, err)
	}
	code := exitCode(renewals)
	if o.demonstration {
		explainDemonstration(p.stderr, code)
	}
	return code
}

// report prints why nothing could be done.
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
