package main

import (
	"bufio"
	"context"
	"fmt"
	"strings"
)

// needsConfirmation reports whether the program must ask before it sends emails.
func (c *config) needsConfirmation() bool { return c.resend && !c.yes && !c.demonstration }

// confirm asks whether to send the emails, unless there are none or -yes is set. It
// returns true only if the reply is y or yes. At the end of the input, or when ctx
// is done, it returns false.
func (c *config) confirm(ctx context.Context, p process, emails int) bool {
	if emails == 0 || !c.needsConfirmation() {
		return true
	}
	what := fmt.Sprintf("Renewing %d expired invites sends %d emails.", emails, emails)
	if emails == 1 {
		what = "Renewing 1 expired invite sends 1 email."
	}
	fmt.Fprintf(p.stderr, "\n%s\n  organization  %s\n  instance      %s\n  API           %s\nContinue? [y/N] ",
		what, c.org.OrgID, c.org.InstanceID, c.baseURL)

	reply := make(chan string, 1)
	go func() { // a read from a terminal cannot be canceled
		line, err := bufio.NewReader(p.stdin).ReadString('\n')
		if err != nil {
			line = "" // not a complete line
		}
		reply <- line
	}()
	select {
	case line := <-reply:
		line = strings.ToLower(strings.TrimSpace(line))
		return (line == "y" || line == "yes") && ctx.Err() == nil
	case <-ctx.Done():
		fmt.Fprintln(p.stderr)
		return false
	}
}
