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

	// Short waits, because the test makes the client wait.
	client, err := srv.Client(losant.WithRetryPolicy(losant.RetryPolicy{MinWait: time.Millisecond, MaxWait: time.Millisecond}))
	if err != nil {
		fmt.Println(err)
		return
	}

	// A server error that passes: the client tries again.
	srv.Inject(losanttest.Fault{Operation: "InstanceOrgInvite.Get", StatusCode: http.StatusServiceUnavailable})
	invite, err := client.InstanceOrgInvite.Get(context.Background(), ref)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(invite.Email, invite.Role)

	// The mail goes out, but the answer is a server error: the client does
	// not send it twice, and says that it does not know.
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

// An invite that nobody accepted in time can be renewed.
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
