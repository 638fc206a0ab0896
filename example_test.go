package losant_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	losant "github.com/losant-community/losant-rest-go"
	"github.com/losant-community/losant-rest-go/losanttest"
)

// Invite a person, list the invitations, send each of them again with another
// role, and revoke it.
func Example() {
	server := losanttest.NewServer() // in a program: losant.NewClient(os.Getenv("LOSANT_API_TOKEN"))
	defer server.Close()
	client, err := server.Client()
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	org := losant.InstanceOrgInvitesRef{InstanceID: server.InstanceID, OrgID: server.OrgID}

	_, err = client.InstanceOrgInvites.Post(ctx, org, losant.OrgInvitePost{Email: "ada@example.com", Role: losant.OrgRoleView})
	if err != nil {
		log.Fatal(err)
	}

	list, err := client.InstanceOrgInvites.Get(ctx, org, losant.InstanceOrgInvitesQuery{
		FilterField: losant.OrgInviteFieldEmail, Filter: "*@example.com",
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, invite := range list.Items {
		fmt.Println(invite.Email, "is invited to", invite.Role)

		resent, err := client.InstanceOrgInvite.ResendInvite(ctx, org.Invite(invite.ID), losant.OrgRoleInfo{Role: losant.OrgRoleEdit})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(resent.Email, "is invited to", resent.Role)

		err = client.InstanceOrgInvite.Delete(ctx, org.Invite(resent.ID)) // the id may have changed
		if err != nil {
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

// Handle each kind of failure.
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
	case errors.Is(err, losant.ErrOutcomeUnknown): // first: the error may match others, too
		fmt.Println("the API may have acted: check before you call again")
	case errors.Is(err, losant.ErrNotFound):
		fmt.Println("there is no such invitation")
	case err != nil:
		fmt.Println("the call failed:", err)
	}
	var e *losant.Error
	if errors.As(err, &e) {
		fmt.Println(e.StatusCode, e.Attempts)
	}
	// Output:
	// the API may have acted: check before you call again
	// 502 1
}

// Log in with a client that has no token, to get the token for another client.
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

// If the token source fails, nothing is sent, and its error is the cause.
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

// A program that buffers its requests keeps a request while the API cannot be reached,
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

// fakeInvites implements one action. Any other panics, which fails the test.
type fakeInvites struct {
	losant.InstanceOrgInviteService
}

func (fakeInvites) Get(context.Context, losant.InstanceOrgInviteRef, ...losant.RequestOption) (*losant.OrgInvite, error) {
	return nil, &losant.Error{StatusCode: http.StatusNotFound}
}

// Replace a service by a fake in the tests of a program.
func ExampleInstanceOrgInviteService() {
	client := &losant.Client{InstanceOrgInvite: fakeInvites{}}

	_, err := client.InstanceOrgInvite.Get(context.Background(), losant.InstanceOrgInviteRef{})
	fmt.Println(errors.Is(err, losant.ErrNotFound))
	// Output: true
}

// Read the status of every attempt of a call.
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

// device is a type of the program, because this package has none for devices.
type device struct {
	DeviceID string `json:"deviceId"`
	Name     string `json:"name"`
}

// serveExample starts a server for the examples of actions without a method.
func serveExample(handler http.HandlerFunc, opts ...losant.Option) (client *losant.Client, closeServer func()) {
	api := httptest.NewServer(handler)
	client, err := losant.NewClient("token-of-an-example", append(opts, losant.WithBaseURL(api.URL))...)
	if err != nil {
		log.Fatal(err)
	}
	return client, func() {
		client.CloseIdleConnections()
		api.Close()
	}
}

// Call an action that this package has no method for.
func ExampleCall() {
	client, closeServer := serveExample(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path)
		_, _ = fmt.Fprint(w, `{"deviceId": "64b0f5d29c3a7e0012ab34ce", "name": "pump"}`)
	})
	defer closeServer()
	ctx := context.Background()

	found, err := losant.Call[device](ctx, client, losant.Request{
		Operation: "Device.Get",
		Method:    http.MethodGet,
		Route:     "/applications/{applicationId}/devices/{deviceId}",
		IDs:       []string{"64b0f5d29c3a7e0012ab34cd", "64b0f5d29c3a7e0012ab34ce"},
		Require:   []string{"deviceId"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found.Name)
	// Output:
	// GET /applications/64b0f5d29c3a7e0012ab34cd/devices/64b0f5d29c3a7e0012ab34ce
	// pump
}

// Declare that a POST only reads, so that it is retried like a GET.
func ExampleSafety() {
	attempts := 0
	client, closeServer := serveExample(func(w http.ResponseWriter, _ *http.Request) {
		if attempts++; attempts == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = fmt.Fprint(w, `[{"name": "pump"}, {"name": "valve"}]`)
	}, losant.WithRetryPolicy(losant.RetryPolicy{MinWait: time.Millisecond}))
	defer closeServer()

	devices, err := losant.Call[[]device](context.Background(), client, losant.Request{
		Method: http.MethodPost,
		Path:   []string{"search"},
		Body:   map[string]string{"query": "building 7"},
		Safety: losant.SafetySafe,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(*devices), "devices after", attempts, "attempts")
	// Output:
	// 2 devices after 2 attempts
}

// Call an action that responds with 204.
func ExampleNoContent() {
	client, closeServer := serveExample(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	defer closeServer()

	_, err := losant.Call[losant.NoContent](context.Background(), client, losant.Request{
		Method: http.MethodDelete,
		Route:  "/applications/{applicationId}",
		IDs:    []string{"64b0f5d29c3a7e0012ab34cd"},
	}, losant.WithMaxAttempts(1), losant.WithQuery("dryRun", "true"))
	fmt.Println(err)
	// Output:
	// <nil>
}

// deletion is the result of an action that the API may carry out later.
type deletion struct {
	Deleted int    // with 200
	JobID   string // with 202
}

// UnmarshalStatus decodes what the API documents for the status.
func (d *deletion) UnmarshalStatus(status int, body []byte) error {
	if status == http.StatusAccepted {
		return json.Unmarshal(body, &struct {
			JobID *string `json:"jobId"`
		}{&d.JobID})
	}
	return json.Unmarshal(body, &struct {
		Deleted *int `json:"deleted"`
	}{&d.Deleted})
}

// Decode a response by its status.
func ExampleStatusUnmarshaler() {
	client, closeServer := serveExample(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		_, _ = fmt.Fprint(w, `{"jobId": "64b0f5d29c3a7e0012ab34cf"}`)
	})
	defer closeServer()

	result, err := losant.Call[deletion](context.Background(), client, losant.Request{Method: http.MethodPost, Path: []string{"devices", "delete"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("job", result.JobID)
	// Output:
	// job 64b0f5d29c3a7e0012ab34cf
}

// Upload a file without holding it in memory.
func ExampleForm() {
	client, closeServer := serveExample(func(w http.ResponseWriter, r *http.Request) {
		file, header, err := r.FormFile("file")
		if err != nil {
			log.Fatal(err)
		}
		content, _ := io.ReadAll(file)
		fmt.Printf("%s: %s\n", header.Filename, content)
		w.WriteHeader(http.StatusCreated)
	})
	defer closeServer()

	_, err := losant.Call[losant.NoContent](context.Background(), client, losant.Request{
		Method: http.MethodPost,
		Route:  "/applications/{applicationId}/files",
		IDs:    []string{"64b0f5d29c3a7e0012ab34cd"},
		Body: &losant.Form{Parts: []losant.Part{
			{Name: "parentDirectory", Content: strings.NewReader("/")},
			{Name: "file", FileName: "hello.txt", Content: strings.NewReader("Hello!")},
		}},
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// hello.txt: Hello!
}

// Read the states of a device as they arrive.
func ExampleStream() {
	client, closeServer := serveExample(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = fmt.Fprint(w, ": keep-alive\n\nevent: deviceState\ndata: {\"temperature\": 21}\n\n")
	})
	defer closeServer()

	stream, err := losant.Stream(context.Background(), client, losant.Request{
		Method: http.MethodGet,
		Route:  "/applications/{applicationId}/devices/{deviceId}/stateStream",
		IDs:    []string{"64b0f5d29c3a7e0012ab34cd", "64b0f5d29c3a7e0012ab34ce"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = stream.Close() }()
	for event, err := range stream.Events() {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %s\n", event.Type, event.Data)
	}
	// Output:
	// deviceState: {"temperature": 21}
}
