package losant_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	losant "github.com/losant-community/losant-rest-go"
	"github.com/losant-community/losant-rest-go/losanttest"
)

// Invite somebody, list the invitations, send one again with another role,
// revoke it.
func Example() {
	server := losanttest.NewServer() // in a program: losant.NewClient(os.Getenv("LOSANT_API_TOKEN"))
	defer server.Close()
	client, err := server.Client()
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	invites := losant.InstanceOrgInvitesRef{InstanceID: server.InstanceID, OrgID: server.OrgID}

	_, err = client.InstanceOrgInvites.Post(ctx, invites, losant.OrgInvitePost{Email: "ada@example.com", Role: losant.OrgRoleView})
	if err != nil {
		log.Fatal(err)
	}

	list, err := client.InstanceOrgInvites.Get(ctx, invites, losant.InstanceOrgInvitesQuery{
		FilterField: losant.OrgInviteFieldEmail, Filter: "*@example.com",
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, invite := range list.Items {
		fmt.Println(invite.Email, "is invited to", invite.Role)

		resent, err := client.InstanceOrgInvite.ResendInvite(ctx, invites.Invite(invite.ID), losant.OrgRoleInfo{Role: losant.OrgRoleEdit})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(resent.Email, "is invited to", resent.Role)

		if err := client.InstanceOrgInvite.Delete(ctx, invites.Invite(resent.ID)); err != nil { // it may have a new id
			log.Fatal(err)
		}
	}
	// Output:
	// ada@example.com is invited to view
	// ada@example.com is invited to edit
}

func ExampleNewClient() {
	token := "token-of-an-example"

	client, err := losant.NewClient(token,
		losant.WithUserAgent("inviter/1.2"),
		losant.WithRetryPolicy(losant.RetryPolicy{MaxAttempts: 6, AttemptTimeout: 10 * time.Second}),
		losant.WithDefaults(losant.WithLinks(false)),
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client)
	// Output: losant.Client(https://api.losant.com)
}

// What a caller does about each kind of failure.
func ExampleError() {
	server := losanttest.NewServer()
	defer server.Close()
	client, err := server.Client()
	if err != nil {
		log.Fatal(err)
	}
	ref := server.AddInvite(losant.OrgInvite{Email: "ada@example.com"})
	server.Inject(losanttest.Fault{StatusCode: http.StatusBadGateway, TakesEffect: true})

	_, err = client.InstanceOrgInvite.ResendInvite(context.Background(), ref, losant.OrgRoleInfo{})
	switch {
	case errors.Is(err, losant.ErrOutcomeUnknown): // first: it can come with any other
		fmt.Println("look before you do it again")
	case errors.Is(err, losant.ErrNotFound):
		fmt.Println("no such invitation")
	case err != nil:
		fmt.Println("not done")
	}
	var e *losant.Error
	if errors.As(err, &e) {
		fmt.Println(e.StatusCode, e.Attempts)
	}
	// Output:
	// look before you do it again
	// 502 1
}

// A client without a token logs in; a second one uses the token that it got.
func ExampleWithoutToken() {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Printf("%s %s %q\n", r.Method, r.URL.Path, r.Header.Get("Authorization"))
		_, _ = fmt.Fprint(w, `{"userId": "575ec8687ae143cd83dc4a97", "token": "token-of-a-user"}`)
	}))
	defer api.Close()
	client, err := losant.NewClient("", losant.WithoutToken(), losant.WithBaseURL(api.URL))
	if err != nil {
		log.Fatal(err)
	}
	defer client.CloseIdleConnections()

	session, err := losant.Call[struct{ Token string }](context.Background(), client, losant.Request{
		Operation: "Auth.AuthenticateUser",
		Method:    http.MethodPost,
		Path:      []string{"auth", "user"},
		Body:      map[string]string{"email": "ada@example.com", "password": "secret of an example"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(session.Token)
	// Output:
	// POST /auth/user ""
	// token-of-a-user
}

// A token source that fails: nothing was sent, and the cause can be found.
func ExampleErrTokenSource() {
	errSealed := errors.New("the vault is sealed")
	client, err := losant.NewClient("", losant.WithTokenSource(losant.TokenSourceFunc(func(context.Context) (string, error) {
		return "", errSealed
	})))
	if err != nil {
		log.Fatal(err)
	}
	ref := losant.InstanceOrgInviteRef{InstanceID: "575ec8687ae143cd83dc4a95", OrgID: "575ec8687ae143cd83dc4a97", InviteID: "575ec8687ae143cd83dc4a94"}

	err = client.InstanceOrgInvite.Delete(context.Background(), ref)
	fmt.Println(errors.Is(err, losant.ErrTokenSource), errors.Is(err, errSealed))
	fmt.Println(err)
	// Output:
	// true true
	// losant: InstanceOrgInvite.Delete: token source: the vault is sealed
}

// A program that buffers what it sends keeps it while the API cannot be reached,
// unless the API may have acted on it.
func ExampleErrUnavailable() {
	server := losanttest.NewServer()
	defer server.Close()
	client, err := server.Client(losant.WithRetryPolicy(losant.RetryPolicy{MaxAttempts: 1}))
	if err != nil {
		log.Fatal(err)
	}
	ref := server.AddInvite(losant.OrgInvite{Email: "ada@example.com"})
	server.Inject(losanttest.Fault{StatusCode: http.StatusTooManyRequests})

	err = client.InstanceOrgInvite.Delete(context.Background(), ref)
	switch {
	case errors.Is(err, losant.ErrOutcomeUnknown):
		fmt.Println("check first")
	case errors.Is(err, losant.ErrUnavailable):
		fmt.Println("keep it, and try later")
	case err != nil:
		fmt.Println("give up")
	}
	// Output: keep it, and try later
}

// fakeInvites knows one action; any other one panics, and so fails a test.
type fakeInvites struct {
	losant.InstanceOrgInviteService
}

func (fakeInvites) Get(context.Context, losant.InstanceOrgInviteRef, ...losant.RequestOption) (*losant.OrgInvite, error) {
	return nil, &losant.Error{StatusCode: http.StatusNotFound}
}

// A fake of the interface for the tests of a program.
func ExampleInstanceOrgInviteService() {
	client := &losant.Client{InstanceOrgInvite: fakeInvites{}}

	_, err := client.InstanceOrgInvite.Get(context.Background(), losant.InstanceOrgInviteRef{})
	fmt.Println(errors.Is(err, losant.ErrNotFound))
	// Output: true
}

// The status, the headers and every attempt of a call.
func ExampleWithResponse() {
	server := losanttest.NewServer()
	defer server.Close()
	client, err := server.Client(losant.WithRetryPolicy(losant.RetryPolicy{MinWait: time.Millisecond}))
	if err != nil {
		log.Fatal(err)
	}
	ref := server.AddInvite(losant.OrgInvite{Email: "ada@example.com"})
	server.Inject(losanttest.Fault{StatusCode: http.StatusServiceUnavailable})

	var response losant.Response
	if _, err := client.InstanceOrgInvite.Get(context.Background(), ref, losant.WithResponse(&response)); err != nil {
		log.Fatal(err)
	}
	for _, attempt := range response.Attempts {
		fmt.Println(attempt.StatusCode)
	}
	// Output:
	// 503
	// 200
}

// device is a type of the program's own: the library has none for devices yet.
type device struct {
	DeviceID string `json:"deviceId"`
	Name     string `json:"name"`
}

// An action that the library has no method for goes through the door.
func ExampleCall() {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path)
		_, _ = fmt.Fprint(w, `{"deviceId": "64b0f5d29c3a7e0012ab34ce", "name": "pump"}`)
	}))
	defer api.Close()
	client, err := losant.NewClient("token-of-an-example", losant.WithBaseURL(api.URL))
	if err != nil {
		log.Fatal(err)
	}
	defer client.CloseIdleConnections()
	ctx := context.Background()

	found, err := losant.Call[device](ctx, client, losant.Request{
		Operation: "Device.Get",
		Method:    http.MethodGet,
		Path:      []string{"applications", "64b0f5d29c3a7e0012ab34cd", "devices", "64b0f5d29c3a7e0012ab34ce"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found.Name)
	// Output:
	// GET /applications/64b0f5d29c3a7e0012ab34cd/devices/64b0f5d29c3a7e0012ab34ce
	// pump
}
