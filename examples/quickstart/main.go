// Quickstart shows what it is like to work with the losant package.
//
// Without flags it needs no account: it starts a losanttest server in this
// process, reads an invite there, resends it, sees that the old one is gone,
// and revokes the new one.
//
//	go run ./examples/quickstart
//
// With a token and the ids of a real invite it reads that invite. It changes
// something only if -resend or -revoke says so.
//
//	export LOSANT_API_TOKEN=…
//	go run ./examples/quickstart -instance … -org … -invite …
//
// It exits with 1 if a call fails, and with 2 if it does not know what to do.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/losant-community/losant-rest-go"
	"github.com/losant-community/losant-rest-go/losanttest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main, without the process around it. It returns the exit code.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	const failed, misused = 1, 2
	w, err := parse(args, getenv, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "quickstart: %v\n", err)
		return misused
	}

	const patience = time.Minute
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if w.token == "" {
		err = demonstrate(ctx, stdout)
	} else {
		err = w.fulfil(ctx, stdout)
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, losant.ErrInvalidArgument): // nothing was sent
		fmt.Fprintf(stderr, "quickstart: %v\n", err)
		return misused
	case errors.Is(err, losant.ErrOutcomeUnknown):
		fmt.Fprintf(stderr, "quickstart: %v; do not repeat it yet: "+
			"read the invite (without -resend and -revoke) or ask the invited person first\n", err)
		return failed
	default:
		fmt.Fprintf(stderr, "quickstart: %v\n", err)
		return failed
	}
}

// fulfil reads the invite that was asked for, and then changes it if that was
// asked for too.
func (w *wish) fulfil(ctx context.Context, out io.Writer) error {
	client, err := losant.NewClient(w.token, losant.WithBaseURL(w.baseURL))
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	fmt.Fprintf(out, "Talking to %s.\n\n", w.baseURL)

	invite, err := client.InstanceOrgInvite.Get(ctx, w.ref)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "get      %s\n", summary(invite))
	switch {
	case w.resend != "":
		resent, err := client.InstanceOrgInvite.ResendInvite(ctx, w.ref, losant.OrgRoleInfo{Role: w.resend})
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "resend   %s\n", summary(resent))
	case w.revoke:
		if err := client.InstanceOrgInvite.Delete(ctx, w.ref); err != nil {
			return err
		}
		fmt.Fprintf(out, "revoke   %s is revoked\n", invite.ID)
	}
	return nil
}

// demonstrate does on an embedded server everything that can be done with an
// invite.
func demonstrate(ctx context.Context, out io.Writer) error {
	server := losanttest.NewServer()
	defer server.Close()
	ref := server.AddInvite(losant.OrgInvite{Email: "ada@example.com", Role: losant.OrgRoleView})
	client, err := server.Client()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	fmt.Fprint(out, "Talking to an embedded server, in this process. Losant is not contacted.\n\n")

	invite, err := client.InstanceOrgInvite.Get(ctx, ref)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "get      %s\n", summary(invite))

	resent, err := client.InstanceOrgInvite.ResendInvite(ctx, ref, losant.OrgRoleInfo{Role: losant.OrgRoleEdit})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "resend   %s\n", summary(resent))

	_, err = client.InstanceOrgInvite.Get(ctx, ref)
	var failure *losant.Error
	switch {
	case err == nil:
		return errors.New("the old invite is still there")
	case !errors.Is(err, losant.ErrNotFound), !errors.As(err, &failure):
		return err
	}
	fmt.Fprintf(out, "get      %s, the old one: errors.Is(err, losant.ErrNotFound)\n", ref.InviteID)
	fmt.Fprintf(out, "         losant.Error: Operation %s, StatusCode %d, Type %s, Attempts %d\n",
		failure.Operation, failure.StatusCode, failure.Type, failure.Attempts)

	ref.InviteID = resent.ID
	if err := client.InstanceOrgInvite.Delete(ctx, ref); err != nil {
		return err
	}
	fmt.Fprintf(out, "revoke   %s is revoked\n", resent.ID)
	fmt.Fprintf(out, "\nTo read an invite of yours, set %s and give -instance, -org and -invite.\n", tokenVariable)
	return nil
}

// summary is an invite in one line.
func summary(invite *losant.OrgInvite) string {
	validity := "with no date of expiry"
	switch expiry := invite.ExpiresAt(); {
	case invite.HasExpired:
		validity = "expired"
	case !expiry.IsZero():
		validity = "until " + expiry.UTC().Format(time.DateOnly)
	}
	return fmt.Sprintf("%s for %s as %s, %s", invite.ID, invite.Email, invite.Role, validity)
}
