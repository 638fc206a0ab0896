package losanttest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/losant-community/losant-rest-go"
	"github.com/losant-community/losant-rest-go/losanttest"
)

// Each kind of fault is tested with and without TakesEffect.
func TestFaultDeterminesTheResponse(t *testing.T) {
	t.Parallel()
	const (
		page    = "<!DOCTYPE html>"
		success = `{"success":true}`
	)
	ordinary := func(f losanttest.Fault) bool {
		return f.StatusCode == 0 && !f.Cut && !f.HTML && f.Body == "" && f.RedirectTo == ""
	}
	for name, test := range map[string]struct {
		fault   losanttest.Fault
		status  int // 0: the connection is cut
		header  map[string]string
		body    string // begins so
		readErr error
	}{
		"none":  {losanttest.Fault{}, 200, nil, success, nil},
		"delay": {losanttest.Fault{Delay: time.Millisecond}, 200, nil, success, nil},
		"status": {losanttest.Fault{StatusCode: 503, Delay: time.Millisecond}, 503,
			map[string]string{"Retry-After": "", "Content-Type": "application/json; charset=utf-8"},
			`{"type":"ServiceUnavailable","message":"An injected fault"}`, nil},
		"200 with the error object":    {losanttest.Fault{StatusCode: 200}, 200, nil, `{"type":"OK","message":"An injected fault"}`, nil},
		"status without a name":        {losanttest.Fault{StatusCode: 999}, 999, nil, `{"type":"","message":"An injected fault"}`, nil},
		"no content":                   {losanttest.Fault{StatusCode: 204}, 204, map[string]string{"Content-Type": "", "Content-Length": ""}, ``, nil},
		"400":                          {losanttest.Fault{StatusCode: 400}, 400, nil, `{"type":"Validation","message":"An injected fault"}`, nil},
		"status with Type and Message": {losanttest.Fault{StatusCode: 422, Type: "Bad", Message: "no"}, 422, nil, `{"type":"Bad","message":"no"}`, nil},
		"rate limit": {losanttest.RateLimited("InstanceOrgInvite.Delete", 3), 429, map[string]string{"Retry-After": ""},
			`{"type":"TooManyRequests","message":"Over rate limit, request throttled. Retry in 3 seconds"}`, nil},
		"body":                     {losanttest.Fault{Body: `{"success":1}`}, 200, map[string]string{"Content-Type": "application/json; charset=utf-8"}, `{"success":1}`, nil},
		"body with status":         {losanttest.Fault{Body: "[", StatusCode: 404}, 404, nil, `[`, nil},
		"status with Retry-After":  {losanttest.Fault{StatusCode: 429, RetryAfter: "7"}, 429, map[string]string{"Retry-After": "7"}, `{"type"`, nil},
		"cut":                      {losanttest.Fault{Cut: true}, 0, nil, ``, nil},
		"cut body":                 {losanttest.Fault{CutBody: true}, 200, map[string]string{"Content-Length": "16"}, success[:8], io.ErrUnexpectedEOF},
		"page":                     {losanttest.Fault{HTML: true}, 200, map[string]string{"Content-Type": "text/html; charset=utf-8"}, page, nil},
		"page with status":         {losanttest.Fault{HTML: true, StatusCode: 502}, 502, map[string]string{"Content-Type": "text/html; charset=utf-8"}, page, nil},
		"page, status Retry-After": {losanttest.Fault{HTML: true, StatusCode: 503, RetryAfter: "9"}, 503, map[string]string{"Retry-After": "9"}, page, nil},
		"redirect":                 {losanttest.Fault{RedirectTo: "https://example.com/"}, 302, map[string]string{"Location": "https://example.com/"}, ``, nil},
	} {
		for _, takesEffect := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", takes effect"}[takesEffect], func(t *testing.T) {
				t.Parallel()
				srv := newServer(t)
				ref := srv.AddInvite(losant.OrgInvite{})
				fault := test.fault
				fault.TakesEffect = takesEffect
				srv.Inject(fault)

				res, body, err := roundTrip(t, newRequest(t, srv, http.MethodDelete, pathOf(ref), ""))
				if test.status == 0 {
					require.ErrorIs(t, err, syscall.ECONNRESET)
				} else {
					require.ErrorIs(t, err, test.readErr)
					assert.Equal(t, test.status, res.StatusCode)
					for name, want := range test.header {
						assert.Equal(t, want, res.Header.Get(name), name)
					}
					assert.Equal(t, test.body, body[:min(len(test.body), len(body))])
					if test.body != page && test.body != `{"type"` {
						assert.Equal(t, test.body, body)
					}
				}
				requests := srv.Requests()
				require.Len(t, requests, 1)
				assert.Equal(t, test.status, requests[0].StatusCode)
				effect := takesEffect || ordinary(test.fault)
				assert.Equal(t, effect, requests[0].TookEffect)
				_, ok := srv.Invite(ref)
				assert.Equal(t, !effect, ok)
			})
		}
	}
}

func TestInvalidRequestHasNoEffectDespiteTakesEffect(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	srv.Inject(losanttest.Fault{StatusCode: 503, TakesEffect: true, Times: 2})
	for _, path := range []string{"/", "/instances/x/orgs/x/invites/x"} {
		res, _, err := roundTrip(t, newRequest(t, srv, http.MethodDelete, path, ""))
		require.NoError(t, err)
		assert.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
	}
	for _, request := range srv.Requests() {
		assert.False(t, request.TookEffect)
	}
}

func TestFirstMatchingFaultInTheQueueApplies(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	path := pathOf(srv.AddInvite(losant.OrgInvite{}))
	status := func(method, path string) int {
		res, _, err := roundTrip(t, newRequest(t, srv, method, path, ""))
		require.NoError(t, err)
		return res.StatusCode
	}
	srv.Inject(
		losanttest.Fault{Operation: deleting, StatusCode: 500},
		losanttest.Fault{Operation: "InstanceOrgInvite.Get", StatusCode: 501, Times: 2},
		losanttest.Fault{Operation: "InstanceOrgInvite.Get"},
		losanttest.Fault{StatusCode: 502},
	)
	srv.Inject(losanttest.Fault{StatusCode: 503})

	for n, step := range []struct {
		method, path string
		want         int
	}{
		{http.MethodGet, path, 501},
		{http.MethodGet, path, 501},
		{http.MethodGet, path, 200}, // the zero Fault
		{http.MethodGet, "/", 502},  // matches every request
		{http.MethodGet, path, 503},
		{http.MethodGet, path, 200}, // the fault that remains is for Delete
		{http.MethodDelete, path, 500},
		{http.MethodDelete, path, 200},
	} {
		assert.Equal(t, step.want, status(step.method, step.path), "step %d", n)
	}
}

func TestInjectPanicsOnContradictions(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	for message, faults := range map[string][]losanttest.Fault{
		"set only one of ": {
			{StatusCode: 500, Cut: true}, {StatusCode: 500, CutBody: true}, {StatusCode: 500, RedirectTo: "/"},
			{HTML: true, Cut: true}, {HTML: true, CutBody: true}, {HTML: true, RedirectTo: "/"},
			{Body: "x", Cut: true}, {Body: "x", CutBody: true}, {Body: "x", HTML: true}, {Body: "x", RedirectTo: "/"},
			{Cut: true, CutBody: true}, {Cut: true, RedirectTo: "/"}, {CutBody: true, RedirectTo: "/"},
		},
		"RetryAfter requires StatusCode": {{RetryAfter: "1"}, {RetryAfter: "1", HTML: true}, {RetryAfter: "1", Cut: true}},
		"Type and Message require StatusCode": {
			{Type: "x"}, {Message: "x"}, {StatusCode: 204, Message: "x"}, {StatusCode: 500, HTML: true, Type: "x"},
			{StatusCode: 500, Body: "x", Message: "x"}, {Cut: true, Message: "x"},
		},
		" is not from 200 to 999":                                {{StatusCode: -1}, {StatusCode: 100}, {StatusCode: 199}, {StatusCode: 1000}},
		"Times -1 is negative":                                   {{Times: -1}},
		"Delay -1ns is negative":                                 {{Delay: -1}},
		`does not have the Operation "InstanceOrgInvite.Resend"`: {{Operation: "InstanceOrgInvite.Resend"}},
	} {
		for _, fault := range faults {
			func() {
				defer func() {
					panicked := recover()
					assert.Contains(t, panicked, "losanttest: Inject: faults[1]: ", "%+v", fault)
					assert.Contains(t, panicked, message, "%+v", fault)
				}()
				srv.Inject(losanttest.Fault{StatusCode: 500}, fault)
			}()
		}
	}
	res, _, err := roundTrip(t, newRequest(t, srv, http.MethodGet, "/", ""))
	require.NoError(t, err)
	assert.Equal(t, http.StatusMethodNotAllowed, res.StatusCode, "if one fault is invalid, none is queued")
}

// The client disconnects during the delay.
func TestActionDuringDelayDependsOnTakesEffect(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]losanttest.Fault{
		"not done":           {Delay: time.Hour},
		"not done, cut body": {Delay: time.Hour, CutBody: true},
		"done":               {Delay: time.Hour, TakesEffect: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := losanttest.NewServer()
			ref := srv.AddInvite(losant.OrgInvite{})
			srv.Inject(fault)
			ctx, leave := context.WithCancel(t.Context())
			failed := make(chan error)
			client := newClient(t, srv)
			go func() { failed <- client.InstanceOrgInvite.Delete(ctx, ref) }()
			requireArrival(t, srv, fault.TakesEffect)
			leave()
			require.ErrorIs(t, <-failed, context.Canceled)
			srv.Close() // waits for the handlers

			requests := srv.Requests()
			assert.Zero(t, requests[0].StatusCode)
			assert.Equal(t, fault.TakesEffect, requests[0].TookEffect)
			_, ok := srv.Invite(ref)
			assert.Equal(t, !fault.TakesEffect, ok)
		})
	}
}

func TestDelayEndsWhenTheClientDisconnects(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	ref := srv.AddInvite(losant.OrgInvite{})
	srv.Inject(losanttest.Fault{Delay: time.Hour})
	response, err := sendAndHangUp(t, srv, "DELETE "+pathOf(ref)+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+srv.Token+"\r\n\r\n")
	require.ErrorIs(t, err, syscall.ECONNRESET)
	assert.Empty(t, response)
	_, ok := srv.Invite(ref)
	assert.True(t, ok, "the action must not take effect")
}

func TestCutOfAGetIsRetriedByNetHTTP(t *testing.T) {
	t.Parallel()
	patient := losant.WithRetryPolicy(losant.RetryPolicy{MaxAttempts: 3, MinWait: time.Millisecond, MaxWait: time.Millisecond})
	for times, want := range map[int][]int{1: {200, 0, 200}, 2: {200, 0, 0, 200}} {
		srv := newServer(t)
		client := newClient(t, srv, patient)
		ref := srv.AddInvite(losant.OrgInvite{})
		_, err := get(t, client, ref)
		require.NoError(t, err)
		srv.Inject(losanttest.Fault{Cut: true, Times: times})
		var response losant.Response
		_, err = client.InstanceOrgInvite.Get(t.Context(), ref, losant.WithResponse(&response))
		require.NoError(t, err)
		assert.Len(t, response.Attempts, times+1, "the client reports the attempt of net/http")
		var got []int
		for _, request := range srv.Requests() {
			got = append(got, request.StatusCode)
		}
		assert.Equal(t, want, got)
	}
}

func TestClientRetriesOnlyWhatIsSafe(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	client := newClient(t, srv)

	ref := srv.AddInvite(losant.OrgInvite{})
	srv.Inject(losanttest.Fault{StatusCode: 503})
	_, err := get(t, client, ref)
	require.NoError(t, err)

	srv.Inject(losanttest.Fault{Cut: true, TakesEffect: true})
	_, err = client.InstanceOrgInvite.ResendInvite(t.Context(), ref, losant.OrgRoleInfo{})
	require.ErrorIs(t, err, losant.ErrOutcomeUnknown)

	ref = srv.AddInvite(losant.OrgInvite{})
	srv.Inject(losanttest.Fault{Cut: true, TakesEffect: true})
	err = client.InstanceOrgInvite.Delete(t.Context(), ref)
	require.ErrorIs(t, err, losant.ErrOutcomeUnknown)
	require.ErrorIs(t, err, losant.ErrNotFound)

	type seen struct {
		operation string
		status    int
		effect    bool
	}
	var got []seen
	for _, request := range srv.Requests() {
		got = append(got, seen{request.Operation, request.StatusCode, request.TookEffect})
	}
	assert.Equal(t, []seen{
		{"InstanceOrgInvite.Get", 503, false},
		{"InstanceOrgInvite.Get", 200, false},
		{resending, 0, true},
		{deleting, 0, true},
		{deleting, 404, false},
	}, got)
}

func TestFaultsOfPostThroughTheClient(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault   losanttest.Fault
		sent    int // invitations
		want    error
		unknown bool // ErrOutcomeUnknown
	}{
		"cut":                        {losanttest.Fault{Cut: true}, 0, nil, true},
		"cut, takes effect":          {losanttest.Fault{Cut: true, TakesEffect: true}, 1, nil, true},
		"server error":               {losanttest.Fault{StatusCode: 503}, 0, losant.ErrServer, true},
		"server error, takes effect": {losanttest.Fault{StatusCode: 503, TakesEffect: true}, 1, losant.ErrServer, true},
		"half a body":                {losanttest.Fault{CutBody: true}, 1, io.ErrUnexpectedEOF, true},
		"page, takes effect":         {losanttest.Fault{HTML: true, TakesEffect: true}, 1, losant.ErrInvalidResponse, true},
		"refused":                    {losanttest.Fault{StatusCode: 403}, 0, losant.ErrForbidden, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := newServer(t)
			test.fault.Operation = inviting
			srv.Inject(test.fault)
			_, err := newClient(t, srv).InstanceOrgInvites.Post(t.Context(), collectionOf(srv),
				losant.OrgInvitePost{Email: "a@example.com", Role: losant.OrgRoleView})
			require.Error(t, err)
			if test.want != nil {
				assert.ErrorIs(t, err, test.want)
			}
			assert.Equal(t, test.unknown, errors.Is(err, losant.ErrOutcomeUnknown))
			assert.Len(t, srv.Invites(), test.sent)
			requests := srv.Requests()
			require.Len(t, requests, 1)
			assert.Equal(t, test.sent == 1, requests[0].TookEffect)
		})
	}
}

func TestFaultsOfListAreRetried(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	srv.AddInvite(losant.OrgInvite{})
	for _, fault := range []losanttest.Fault{{StatusCode: 503}, {CutBody: true}, {StatusCode: 503, TakesEffect: true}} {
		fault.Operation = listing
		srv.Inject(losanttest.Fault{Operation: inviting, Cut: true}, fault)
		assert.Equal(t, 1, list(t, newClient(t, srv), srv).Count, "the client retries")
	}
	requests := srv.Requests()
	assert.Len(t, requests, 6)
	for _, request := range requests {
		assert.Equal(t, listing, request.Operation)
		assert.False(t, request.TookEffect, "a list has no effect")
	}
}
