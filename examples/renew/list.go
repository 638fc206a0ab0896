package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/losant-community/losant-rest-go"
)

// lister is what listing needs of losant.InstanceOrgInvitesService.
type lister interface {
	Get(context.Context, losant.InstanceOrgInvitesRef, losant.InstanceOrgInvitesQuery, ...losant.RequestOption) (*losant.OrgInviteCollection, error)
}

// list returns the invites whose email matches filter, each once.
func list(ctx context.Context, service lister, org losant.InstanceOrgInvitesRef, filter string) ([]losant.OrgInvite, error) {
	query := losant.InstanceOrgInvitesQuery{SortField: losant.OrgInviteFieldEmail, SortDirection: losant.SortAscending}
	if filter != "" {
		query.FilterField, query.Filter = losant.OrgInviteFieldEmail, filter
	}
	collection, err := service.Get(ctx, org, query, losant.WithLinks(false))
	if err != nil {
		return nil, err
	}
	return unique(collection.Items), nil
}

// unique leaves out the invites whose id was there before.
func unique(invites []losant.OrgInvite) []losant.OrgInvite {
	seen := make(map[string]bool)
	var kept []losant.OrgInvite
	for _, invite := range invites {
		if key := keyOf(invite); !seen[key] {
			seen[key] = true
			kept = append(kept, invite)
		}
	}
	return kept
}

// keyOf is the same for all the ways to write an invite's id.
func keyOf(invite losant.OrgInvite) string { return strings.ToLower(invite.ID) }

func expiredOf(invites []losant.OrgInvite) []losant.OrgInvite {
	var expired []losant.OrgInvite
	for _, invite := range invites {
		if invite.HasExpired {
			expired = append(expired, invite)
		}
	}
	return expired
}

func printTable(out io.Writer, invites []losant.OrgInvite) {
	table := newTable(out)
	fmt.Fprintln(table, "ID\tEMAIL\tROLE\tSENT\tEXPIRES\tSTATE")
	for n := range invites {
		invite := &invites[n]
		state := "open"
		if invite.HasExpired {
			state = "EXPIRED"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", cell(invite.ID), cell(invite.Email), cell(string(invite.Role)),
			date(invite.InviteDate), date(invite.ExpiresAt()), state)
	}
	_ = table.Flush() // a reader that has gone, as with head, misses nothing
	fmt.Fprintf(out, "\n%d invites, %d of them expired.\n", len(invites), len(expiredOf(invites)))
}

func newTable(out io.Writer) *tabwriter.Writer {
	const gap = 2 // columns between cells
	return tabwriter.NewWriter(out, 0, 0, gap, ' ', 0)
}

func date(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateOnly)
}

// printJSON prints the invites, and what became of those that were renewed.
func printJSON(out io.Writer, invites []losant.OrgInvite, renewals []renewal) error {
	known := make(map[string]renewal)
	for _, r := range renewals {
		known[keyOf(r.Invite)] = r
	}
	document := struct {
		Invites []renewal `json:"invites"`
	}{make([]renewal, 0, len(invites))}
	for _, invite := range invites {
		r, ok := known[keyOf(invite)]
		if !ok {
			r = renewal{Invite: invite}
		}
		document.Invites = append(document.Invites, r)
	}
	text, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, escaped(string(text)))
	return err
}
