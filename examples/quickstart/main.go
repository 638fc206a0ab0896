// Quickstart shows how to use package losant.
//
// Without a token and flags it runs a demonstration, which needs no account. It
// starts a losanttest server in this process, reads an invite there and resends
// it. Then it shows that the old id no longer exists, and revokes the new invite.
//
//	go run ./examples/quickstart
//
// With a token and the ids of a real invite it prints that invite. It changes the
// invite only with -resend or -revoke.
//
//	export LOSANT_API_TOKEN=…
//	go run ./examples/quickstart -instance … -org … -invite …
//
// The exit code is 1 if a call fails, and 2 if the flags or the environment are
// invalid.
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

const timeout = time.Minute // for all calls

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second Ctrl-C terminates the process
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run runs the program with these arguments and streams. It returns the exit code.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	const failed, misuse = 1, 2
	c, err := parse(args, getenv, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "quickstart: %v\n", err)
		return misuse
	}

	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if c.token == "" {
		err = demonstrate(ctx, stdout)
	} else {
		err = c.execute(ctx, stdout)
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, losant.ErrInvalidArgument): // nothing was sent
		fmt.Fprintf(stderr, "quickstart: %v\n", err)
		return misuse
	case errors.Is(err, losant.ErrOutcomeUnknown):
		fmt.Fprintf(stderr, "quickstart: %v; before you retry, "+
			"check the invite without -resend and -revoke, or ask the invited person\n", err)
		return failed
	default:
		fmt.Fprintf(stderr, "quickstart: %v\n", err)
		return failed
	}
}

// execute prints the invite. Then it resends or revokes it if a flag requests that.
func (c *config) execute(ctx context.Context, out io.Writer) error {
	client, err := losant.NewClient(c.token, losant.WithBaseURL(c.baseURL))
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	fmt.Fprintf(out, "Using %s.\n\n", c.baseURL)

	invite, err := client.InstanceOrgInvite.Get(ctx, c.ref)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "get      %s\n", summary(invite))
	switch {
	case c.resend != "":
		resent, err := client.InstanceOrgInvite.ResendInvite(ctx, c.ref, losant.OrgRoleInfo{Role: c.resend})
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "resend   %s\n", summary(resent))
	case c.revoke:
		if err := client.InstanceOrgInvite.Delete(ctx, c.ref); err != nil {
			return err
		}
		fmt.Fprintf(out, "revoke   %s is revoked\n", invite.ID)
	}
	return nil
}

// demonstrate gets, resends and revokes an invite on an embedded server.
func demonstrate(ctx context.Context, out io.Writer) error {
	server := losanttest.NewServer()
	defer server.Close()
	ref := server.AddInvite(losant.OrgInvite{Email: "ada@example.com", Role: losant.OrgRoleView})
	client, err := server.Client()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	fmt.Fprint(out, "Using an embedded server in this process. Losant is not contacted.\n\n")

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
		return errors.New("the old id still exists")
	case !errors.Is(err, losant.ErrNotFound), !errors.As(err, &failure):
		return err
	}
	fmt.Fprintf(out, "get      %s fails, because the old id no longer exists: errors.Is(err, losant.ErrNotFound)\n", ref.InviteID)
	fmt.Fprintf(out, "         losant.Error: Operation %s, StatusCode %d, Type %s, Attempts %d\n",
		failure.Operation, failure.StatusCode, failure.Type, failure.Attempts)

	ref.InviteID = resent.ID
	if err := client.InstanceOrgInvite.Delete(ctx, ref); err != nil {
		return err
	}
	fmt.Fprintf(out, "revoke   %s is revoked\n", resent.ID)
	fmt.Fprintf(out, "\nTo print an invite of your organization, set %s and use -instance, -org and -invite.\n", tokenVariable)
	return nil
}

// summary describes an invite in one line.
func summary(invite *losant.OrgInvite) string {
	validity := "expiry unknown"
	switch expiry := invite.ExpiresAt(); {
	case invite.HasExpired:
		validity = "expired"
	case !expiry.IsZero():
		validity = "expires " + expiry.UTC().Format(time.DateOnly)
	}
	return fmt.Sprintf("%s for %s as %s, %s", invite.ID, invite.Email, invite.Role, validity)
}
