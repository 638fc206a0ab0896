package losanttest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/losant-community/losant-rest-go"
	"github.com/losant-community/losant-rest-go/losanttest"
)

func Example() {
	srv := losanttest.NewServer()
	defer srv.Close()
	ref := srv.AddInvite(losant.OrgInvite{Email: "new.member@example.com", Role: losant.OrgRoleView})

	// Short waits between attempts keep the test fast.
	client, err := srv.Client(losant.WithRetryPolicy(losant.RetryPolicy{MinWait: time.Millisecond, MaxWait: time.Millisecond}))
	if err != nil {
		fmt.Println(err)
		return
	}

	// One 503: the client retries.
	srv.Inject(losanttest.Fault{Operation: "InstanceOrgInvite.Get", StatusCode: http.StatusServiceUnavailable})
	invite, err := client.InstanceOrgInvite.Get(context.Background(), ref)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(invite.Email, invite.Role)

	// The action takes effect, but the response is a server error. The client does
	// not retry, and reports that the outcome is unknown.
	srv.Inject(losanttest.Fault{
		Operation:   "InstanceOrgInvite.ResendInvite",
		TakesEffect: true,
		StatusCode:  http.StatusServiceUnavailable,
	})
	_, err = client.InstanceOrgInvite.ResendInvite(context.Background(), ref, losant.OrgRoleInfo{Role: losant.OrgRoleEdit})
	fmt.Println("outcome unknown:", errors.Is(err, losant.ErrOutcomeUnknown))

	for _, request := range srv.Requests() {
		fmt.Println(request.Operation, request.StatusCode, request.TookEffect)
	}
	// Output:
	// new.member@example.com view
	// outcome unknown: true
	// InstanceOrgInvite.Get 503 false
	// InstanceOrgInvite.Get 200 false
	// InstanceOrgInvite.ResendInvite 503 true
}

// This example renews an expired invitation.
func ExampleServer_Advance() {
	srv := losanttest.NewServer()
	defer srv.Close()
	client, err := srv.Client()
	if err != nil {
		fmt.Println(err)
		return
	}
	ref := srv.AddInvite(losant.OrgInvite{TTL: 24 * time.Hour})
	srv.Advance(25 * time.Hour)

	before, _ := srv.Invite(ref)
	renewed, err := client.InstanceOrgInvite.ResendInvite(context.Background(), ref, losant.OrgRoleInfo{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("expired before:", before.HasExpired, "after:", renewed.HasExpired)
	// Output: expired before: true after: false
}

// This program uses the id from the response, so it works with both values.
func ExampleWithResendID() {
	for _, id := range []losanttest.ResendID{losanttest.ResendMakesID, losanttest.ResendKeepsID} {
		srv := losanttest.NewServer(losanttest.WithResendID(id))
		defer srv.Close()
		client, err := srv.Client()
		if err != nil {
			fmt.Println(err)
			return
		}
		ref := srv.AddInvite(losant.OrgInvite{})
		invite, err := client.InstanceOrgInvite.ResendInvite(context.Background(), ref, losant.OrgRoleInfo{})
		if err != nil {
			fmt.Println(err)
			return
		}
		_, exists := srv.Invite(losant.InstanceOrgInviteRef{InstanceID: ref.InstanceID, OrgID: ref.OrgID, InviteID: invite.ID})
		fmt.Println("same id:", invite.ID == ref.InviteID, "exists:", exists)
	}
	// Output:
	// same id: false exists: true
	// same id: true exists: true
}

// This example connects a client that the program creates itself. It also works in
// a bubble of testing/synctest.
func ExampleWithMemoryNetwork() {
	srv := losanttest.NewServer(losanttest.WithMemoryNetwork())
	defer srv.Close()
	ref := srv.AddInvite(losant.OrgInvite{Email: "new.member@example.com"})

	client, err := losant.NewClient(srv.Token,
		losant.WithBaseURL(srv.URL),
		losant.WithHTTPClient(&http.Client{Transport: srv.Transport()}))
	if err != nil {
		fmt.Println(err)
		return
	}
	invite, err := client.InstanceOrgInvite.Get(context.Background(), ref)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(invite.Email)
	// Output: new.member@example.com
}

// This example exceeds the rate limit of the API.
func ExampleRateLimited() {
	srv := losanttest.NewServer()
	defer srv.Close()
	client, err := srv.Client(losant.WithRetryPolicy(losant.RetryPolicy{MaxAttempts: 1}))
	if err != nil {
		fmt.Println(err)
		return
	}
	srv.Inject(losanttest.RateLimited("InstanceOrgInvite.Get", 3))
	_, err = client.InstanceOrgInvite.Get(context.Background(), srv.AddInvite(losant.OrgInvite{}))
	if apiErr := new(losant.Error); errors.As(err, &apiErr) {
		fmt.Println(apiErr.StatusCode, apiErr.Message)
	}
	// Output: 429 Over rate limit, request throttled. Retry in 3 seconds
}

// This example resends the expired invitations.
func ExampleServer_Invites() {
	srv := losanttest.NewServer()
	defer srv.Close()
	client, err := srv.Client()
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	org := losant.InstanceOrgInvitesRef{InstanceID: srv.InstanceID, OrgID: srv.OrgID}

	const days = 24 * time.Hour
	for _, email := range []string{"early@example.com", "late@example.com"} {
		if _, err := client.InstanceOrgInvites.Post(ctx, org, losant.OrgInvitePost{Email: email, Role: losant.OrgRoleView}); err != nil {
			fmt.Println(err)
			return
		}
		srv.Advance(4 * days) // an invitation expires after seven days
	}

	invites, err := client.InstanceOrgInvites.Get(ctx, org, losant.InstanceOrgInvitesQuery{SortDirection: losant.SortAscending})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, invite := range invites.Items {
		fmt.Println(invite.Email, "expired:", invite.HasExpired)
		if !invite.HasExpired {
			continue
		}
		if _, err := client.InstanceOrgInvite.ResendInvite(ctx, org.Invite(invite.ID), losant.OrgRoleInfo{}); err != nil {
			fmt.Println(err)
			return
		}
	}

	fmt.Println("after:")
	for _, invite := range srv.Invites() {
		fmt.Println(invite.Email, "expired:", invite.HasExpired)
	}
	// Output:
	// early@example.com expired: true
	// late@example.com expired: false
	// after:
	// late@example.com expired: false
	// early@example.com expired: false
}
