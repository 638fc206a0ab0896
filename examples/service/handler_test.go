package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/losant-community/losant-rest-go"
)

func TestGetReturnsTheInvite(t *testing.T) {
	t.Parallel()
	response := send(t, fakeGet{get: func(ctx context.Context, ref losant.InstanceOrgInviteRef) (*losant.OrgInvite, error) {
		assert.Equal(t, losant.InstanceOrgInviteRef{InstanceID: instanceID, OrgID: orgID, InviteID: inviteID}, ref)
		assertBounded(ctx, t)
		return &losant.OrgInvite{ID: inviteID, Email: "ada@example.com", Role: losant.OrgRoleEdit}, nil
	}}, http.MethodGet, "/invites/"+inviteID, "")
	assert.Equal(t, http.StatusOK, response.Code)
	assert.Equal(t, "application/json", response.Header().Get("Content-Type"))
	assert.Equal(t, "no-store", response.Header().Get("Cache-Control"))
	assert.JSONEq(t, `{"id": "`+inviteID+`", "email": "ada@example.com", "role": "edit", "hasExpired": false, "disallowTransfer": false}`,
		response.Body.String())
}

func TestResendReturnsTheNewInvite(t *testing.T) {
	t.Parallel()
	response := send(t, fakeResend{resend: func(ctx context.Context, ref losant.InstanceOrgInviteRef, roleInfo losant.OrgRoleInfo) (*losant.OrgInvite, error) {
		assert.Equal(t, losant.InstanceOrgInviteRef{InstanceID: instanceID, OrgID: orgID, InviteID: inviteID}, ref)
		assert.Equal(t, losant.OrgRoleInfo{
			Role:             losant.OrgRoleView,
			ApplicationRoles: []losant.ResourceGrant{{ResourceID: newID, Role: losant.ResourceRoleNone}},
		}, roleInfo)
		assertBounded(ctx, t)
		return &losant.OrgInvite{ID: newID, Role: roleInfo.Role}, nil
	}}, http.MethodPost, "/invites/"+inviteID+"/resend",
		`{"role": "view", "applicationRoles": [{"resourceId": "`+newID+`", "role": "none"}]}`)
	assert.Equal(t, http.StatusCreated, response.Code)
	assert.Equal(t, "/invites/"+newID, response.Header().Get("Location"))
	assert.Contains(t, response.Body.String(), newID)
}

func TestResendRefusesAnInvalidBody(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"empty":         ``,
		"null":          `null`,
		"an array":      `[]`,
		"unknown field": `{"rol": "view"}`,
		"two documents": `{"role": "view"}{}`,
		"too large":     `{"role": "` + strings.Repeat("v", 64<<10) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			response := send(t, fakeResend{}, http.MethodPost, "/invites/"+inviteID+"/resend", body)
			assert.Equal(t, http.StatusBadRequest, response.Code)
			assert.Equal(t, "invalid_body", problemIn(t, response).Error)
		})
	}
}

func TestRevokeReturns204WithoutABody(t *testing.T) {
	t.Parallel()
	response := send(t, fakeDelete{remove: func(ctx context.Context, ref losant.InstanceOrgInviteRef) error {
		assert.Equal(t, losant.InstanceOrgInviteRef{InstanceID: instanceID, OrgID: orgID, InviteID: inviteID}, ref)
		assertBounded(ctx, t)
		return nil
	}}, http.MethodDelete, "/invites/"+inviteID, "")
	assert.Equal(t, http.StatusNoContent, response.Code)
	assert.Empty(t, response.Body.String())
}

func TestErrorDeterminesStatusAndProblem(t *testing.T) {
	t.Parallel()
	const secret = "message of the API"
	status := func(code int) error { return &losant.Error{StatusCode: code, Message: secret} }
	and := func(code int, err error) error { return &losant.Error{StatusCode: code, Message: secret, Err: err} }
	for name, c := range map[string]struct {
		err     error
		status  int
		problem string
		retry   string
	}{
		"invalid argument":  {fmt.Errorf("%w", losant.ErrInvalidArgument), 400, "invalid_argument", ""},
		"bad request":       {status(400), 400, "bad_request", ""},
		"unauthorized":      {status(401), 502, "credentials", ""},
		"forbidden":         {status(403), 502, "credentials", ""},
		"not found":         {status(404), 404, "not_found", ""},
		"conflict":          {status(409), 409, "conflict", ""},
		"gone":              {status(410), 410, "gone", ""},
		"another 4xx":       {status(418), 502, "upstream", ""},
		"a redirect":        {status(302), 502, "upstream", ""},
		"server error":      {status(500), 502, "upstream", ""},
		"unavailable":       {&losant.Error{StatusCode: 503, RetryAfter: time.Hour}, 502, "upstream", ""},
		"invalid response":  {and(200, losant.ErrInvalidResponse), 502, "upstream", ""},
		"no connection":     {and(0, errors.New("connection refused")), 502, "upstream", ""},
		"deadline exceeded": {and(0, context.DeadlineExceeded), 504, "timeout", ""},
		"cancelled":         {and(0, context.Canceled), 499, "cancelled", ""},

		"rate limited":                   {status(429), 503, "rate_limited", "1"},
		"rate limited for 2 s":           {&losant.Error{StatusCode: 429, RetryAfter: 2 * time.Second}, 503, "rate_limited", "2"},
		"rate limited for a bit longer":  {&losant.Error{StatusCode: 429, RetryAfter: 2*time.Second + 1}, 503, "rate_limited", "3"},
		"rate limited for ever":          {&losant.Error{StatusCode: 429, RetryAfter: math.MaxInt64}, 503, "rate_limited", "9223372037"},
		"rate limited, bare":             {losant.ErrRateLimited, 503, "rate_limited", "1"},
		"rate limited until the timeout": {and(429, context.DeadlineExceeded), 503, "rate_limited", "1"},

		"outcome unknown":              {and(0, losant.ErrOutcomeUnknown), 502, "outcome_unknown", ""},
		"outcome unknown, not found":   {and(404, losant.ErrOutcomeUnknown), 502, "outcome_unknown", ""},
		"outcome unknown, throttled":   {and(429, losant.ErrOutcomeUnknown), 502, "outcome_unknown", ""},
		"outcome unknown, unavailable": {and(503, losant.ErrOutcomeUnknown), 502, "outcome_unknown", ""},
		"outcome unknown, cancelled":   {and(0, fmt.Errorf("%w: %w", losant.ErrOutcomeUnknown, context.Canceled)), 502, "outcome_unknown", ""},
		"outcome unknown, too late":    {and(0, fmt.Errorf("%w: %w", losant.ErrOutcomeUnknown, context.DeadlineExceeded)), 502, "outcome_unknown", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for method, response := range map[string]*httptest.ResponseRecorder{
				"get": send(t, fakeGet{get: func(context.Context, losant.InstanceOrgInviteRef) (*losant.OrgInvite, error) {
					return nil, c.err
				}}, http.MethodGet, "/invites/"+inviteID, ""),
				"resend": send(t, fakeResend{resend: func(context.Context, losant.InstanceOrgInviteRef, losant.OrgRoleInfo) (*losant.OrgInvite, error) {
					return nil, c.err
				}}, http.MethodPost, "/invites/"+inviteID+"/resend", "{}"),
				"revoke": send(t, fakeDelete{remove: func(context.Context, losant.InstanceOrgInviteRef) error {
					return c.err
				}}, http.MethodDelete, "/invites/"+inviteID, ""),
			} {
				assert.Equal(t, c.status, response.Code, method)
				assert.Equal(t, c.problem, problemIn(t, response).Error, method)
				assert.Equal(t, c.retry, response.Header().Get("Retry-After"), method)
				assert.NotContains(t, response.Body.String(), secret, method)
			}
		})
	}
}

func TestOnlyAReadIsCanceledWhenTheCallerDisconnects(t *testing.T) {
	t.Parallel()
	disconnected, disconnect := context.WithCancel(context.Background())
	disconnect()
	for name, c := range map[string]struct {
		request *http.Request
		want    error
	}{
		"get":    {httptest.NewRequestWithContext(disconnected, http.MethodGet, "/invites/"+inviteID, nil), context.Canceled},
		"resend": {httptest.NewRequestWithContext(disconnected, http.MethodPost, "/invites/"+inviteID+"/resend", strings.NewReader("{}")), nil},
		"revoke": {httptest.NewRequestWithContext(disconnected, http.MethodDelete, "/invites/"+inviteID, nil), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			called := false
			see := func(ctx context.Context) {
				called = true
				assert.Equal(t, c.want, ctx.Err())
			}
			fake := struct {
				fakeGet
				fakeResend
				fakeDelete
			}{
				fakeGet{get: func(ctx context.Context, _ losant.InstanceOrgInviteRef) (*losant.OrgInvite, error) {
					see(ctx)
					return &losant.OrgInvite{}, nil
				}},
				fakeResend{resend: func(ctx context.Context, _ losant.InstanceOrgInviteRef, _ losant.OrgRoleInfo) (*losant.OrgInvite, error) {
					see(ctx)
					return &losant.OrgInvite{}, nil
				}},
				fakeDelete{remove: func(ctx context.Context, _ losant.InstanceOrgInviteRef) error {
					see(ctx)
					return nil
				}},
			}
			newHandler(fake, instanceID, orgID, slog.New(slog.DiscardHandler)).ServeHTTP(httptest.NewRecorder(), c.request)
			assert.True(t, called)
		})
	}
}

func TestCrossOriginRequestsAreRefused(t *testing.T) {
	t.Parallel()
	for method, path := range map[string]string{
		http.MethodPost:   "/invites/" + inviteID + "/resend",
		http.MethodDelete: "/invites/" + inviteID,
	} {
		request := httptest.NewRequest(method, path, strings.NewReader("{}"))
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		response := httptest.NewRecorder()
		newHandler(nil, instanceID, orgID, slog.New(slog.DiscardHandler)).ServeHTTP(response, request)
		assert.Equal(t, http.StatusForbidden, response.Code, method)
	}
}

func TestLogContainsTheCause(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := newHandler(fakeGet{get: func(context.Context, losant.InstanceOrgInviteRef) (*losant.OrgInvite, error) {
		return nil, &losant.Error{Operation: "InstanceOrgInvite.Get", StatusCode: 403, Message: "scope missing"}
	}}, instanceID, orgID, slog.New(slog.NewJSONHandler(&log, nil)))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/invites/"+inviteID, nil))
	assert.Contains(t, log.String(), `"level":"ERROR"`)
	assert.Contains(t, log.String(), "scope missing")
	assert.Contains(t, log.String(), `"route":"GET /invites/{id}","status":502`)
}
