package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/losant-community/losant-rest-go"
)

// lister is the part of losant.InstanceOrgInvitesService that list uses.
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

// unique removes the invites whose id occurred before.
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

// keyOf returns the invite's id in a form that does not depend on its case.
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

// printTable prints the invites in a table for a terminal of the given width. The
// width 0 means no limit.
func printTable(out io.Writer, invites []losant.OrgInvite, width int) error {
	const widestEmail, widestRole = 64, 16
	rows := [][]string{{"ID", "EMAIL", "ROLE", "SENT", "EXPIRES", "STATE"}}
	for n := range invites {
		invite := &invites[n]
		state := "open"
		if invite.HasExpired {
			state = "EXPIRED"
		}
		rows = append(rows, []string{
			cell(invite.ID, widestEmail), cell(invite.Email, widestEmail), cell(string(invite.Role), widestRole),
			date(invite.InviteDate), date(invite.ExpiresAt()), state,
		})
	}
	if width > 0 {
		fit(rows, width)
	}
	_, err := fmt.Fprintf(out, "%s\n\n%d invites, %d of them expired.\n", strings.Join(align(rows), "\n"), len(invites), len(expiredOf(invites)))
	return err
}

func date(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateOnly)
}

// printJSON prints the invites, and the outcomes of the renewals.
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
