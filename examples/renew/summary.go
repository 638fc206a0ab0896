package main

import (
	"fmt"
	"io"
)

func countByOutcome(renewals []renewal) map[outcome]int {
	counts := make(map[outcome]int)
	for n := range renewals {
		counts[renewals[n].Outcome]++
	}
	return counts
}

// printSummary prints the number of each outcome, and lists the invites that were
// not renewed. If withErrors is true, it prints the error of each.
func printSummary(out io.Writer, renewals []renewal, interrupted, withErrors bool) {
	counts := countByOutcome(renewals)
	retries := 0
	for n := range renewals {
		retries += max(0, len(renewals[n].Statuses)-1)
	}
	fmt.Fprintf(out, "\n%d expired: %d renewed, %d failed, %d with an unknown outcome, %d not started.\nRetries: %d.\n",
		len(renewals), counts[renewed], counts[failed], counts[unknown], counts[notStarted], retries)

	printNames(out, renewals, unknown, withErrors, "Outcome unknown: these may have been renewed and mailed. Before you renew one\n"+
		"again, list the invites: if its email still has an expired invite, it was not\nrenewed.")
	printNames(out, renewals, failed, withErrors, "Failed; these were not renewed:")
	reason := "because too many consecutive calls failed"
	if interrupted {
		reason = "because the program was interrupted"
	}
	printNames(out, renewals, notStarted, withErrors, "Not started, "+reason+";\nthese were not renewed:")
}

// printNames lists the invites with that outcome, if there are any. It does not
// shorten the email or the id, so that the invites can be found.
func printNames(out io.Writer, renewals []renewal, which outcome, withErrors bool, heading string) {
	var rows [][]string
	var errs []string
	for n := range renewals {
		if r := &renewals[n]; r.Outcome == which {
			rows = append(rows, []string{printable(r.Invite.Email), printable(r.Invite.ID)})
			errs = append(errs, printable(r.Error))
		}
	}
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s\n", heading)
	for n, line := range align(rows) {
		fmt.Fprintf(out, "  %s\n", line)
		if withErrors && errs[n] != "" {
			fmt.Fprintf(out, "    %s\n", errs[n])
		}
	}
}
