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

// printSummary says what became of the expired invites, and names those that
// need somebody's attention.
func printSummary(out io.Writer, renewals []renewal, interrupted bool) {
	counts := countByOutcome(renewals)
	retries := 0
	for n := range renewals {
		retries += max(0, len(renewals[n].Statuses)-1)
	}
	fmt.Fprintf(out, "\n%d expired: %d renewed, %d failed, %d with an unknown outcome, %d not started. Requests sent again: %d.\n",
		len(renewals), counts[renewed], counts[failed], counts[unknown], counts[notStarted], retries)

	printNames(out, renewals, unknown, "Outcome unknown: each of these may have been renewed and mailed, or not. "+
		"List the invites before you renew it again: if the email still has an expired one, it was not.")
	printNames(out, renewals, failed, "Failed; these were not renewed:")
	reason := "too many calls in a row failed"
	if interrupted {
		reason = "it was interrupted"
	}
	printNames(out, renewals, notStarted, "Not started, for "+reason+"; these were not renewed:")
}

// printNames names the invites with that outcome, if there are any. Neither the
// email nor the id is shortened: somebody has to find them.
func printNames(out io.Writer, renewals []renewal, which outcome, heading string) {
	table := newTable(out)
	for n := range renewals {
		r := &renewals[n]
		if r.Outcome != which {
			continue
		}
		if heading != "" {
			fmt.Fprintf(out, "\n%s\n", heading)
			heading = ""
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\n", printable(r.Invite.Email), printable(r.Invite.ID), printable(r.Error))
	}
	_ = table.Flush()
}
