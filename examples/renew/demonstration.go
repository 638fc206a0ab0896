package main

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/losant-community/losant-rest-go"
	"github.com/losant-community/losant-rest-go/losanttest"
)

// startDemonstration starts a server with forty invites, half of them expired, and
// sets it in c. Renewals are slow, and some fail.
func startDemonstration(c *config) *losanttest.Server {
	const (
		people = 20
		day    = 24 * time.Hour
		slow   = 300 * time.Millisecond
		resend = "InstanceOrgInvite.ResendInvite"
	)
	server := losanttest.NewServer()
	roles := []losant.OrgRole{losant.OrgRoleView, losant.OrgRoleCollaborate, losant.OrgRoleEdit, losant.OrgRoleNone}
	for n := range people {
		age := time.Duration(n) * time.Hour
		server.AddInvite(losant.OrgInvite{
			Email:      fmt.Sprintf("person%02d@example.com", n+1),
			Role:       roles[n%len(roles)],
			InviteDate: time.Now().Add(-age),
		})
		server.AddInvite(losant.OrgInvite{
			Email:            fmt.Sprintf("person%02d@example.org", n+1),
			Role:             roles[n%len(roles)],
			ApplicationRoles: []losant.ResourceGrant{{ResourceID: "0123456789abcdef01234567", Role: losant.ResourceRoleView}},
			InviteDate:       time.Now().Add(-30*day - age),
		})
	}
	server.Inject(
		losanttest.Fault{Operation: resend, Delay: slow, Times: 2},
		losanttest.Fault{Operation: resend, StatusCode: http.StatusTooManyRequests, RetryAfter: "0"},
		losanttest.Fault{Operation: resend, Delay: slow, Times: 3},
		losanttest.Fault{Operation: resend, Delay: slow, Cut: true, TakesEffect: true},
		losanttest.Fault{Operation: resend, Delay: slow, Times: people},
	)
	c.token, c.baseURL = server.Token, server.URL
	c.org = losant.InstanceOrgInvitesRef{InstanceID: server.InstanceID, OrgID: server.OrgID}
	return server
}

// explainDemonstration explains the failures and the exit code.
func explainDemonstration(out io.Writer, code int) {
	if code == unknownOutcome {
		fmt.Fprintf(out, "\nThe exit code is %d, because an outcome is unknown. The embedded server renewed\n"+
			"the invite and then cut the connection on purpose. Resending that invite would\n"+
			"send its email twice.\n", code)
	}
	fmt.Fprintf(out, "\nTo use your own organization, set %s and use -instance and -org.\n", tokenVariable)
}
