package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/losant-community/losant-rest-go"
)

// handler handles requests for the invites to one organization. It uses the
// interface instead of the client, so that tests can use a fake.
type handler struct {
	invites           losant.InstanceOrgInviteService
	instanceID, orgID string
	logger            *slog.Logger
}

func newHandler(invites losant.InstanceOrgInviteService, instanceID, orgID string, logger *slog.Logger) http.Handler {
	h := &handler{invites: invites, instanceID: instanceID, orgID: orgID, logger: logger}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /invites/{id}", h.get)
	mux.HandleFunc("POST /invites/{id}/resend", h.resend)
	mux.HandleFunc("DELETE /invites/{id}", h.revoke)
	// A web page in a browser on this machine can send requests to loopback.
	return http.NewCrossOriginProtection().Handler(mux)
}

func (h *handler) ref(r *http.Request) losant.InstanceOrgInviteRef {
	return losant.InstanceOrgInviteRef{InstanceID: h.instanceID, OrgID: h.orgID, InviteID: r.PathValue("id")}
}

func (h *handler) get(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
	defer cancel()
	invite, err := h.invites.Get(ctx, h.ref(r))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	h.respond(w, r, http.StatusOK, invite)
}

func (h *handler) resend(w http.ResponseWriter, r *http.Request) {
	roleInfo, err := readRoleInfo(w, r)
	if err != nil {
		h.respond(w, r, http.StatusBadRequest, problem{"invalid_body", "The body must be one JSON object. Its members are role, applicationRoles and dashboardRoles."})
		return
	}
	ctx, cancel := writeContext(r)
	defer cancel()
	invite, err := h.invites.ResendInvite(ctx, h.ref(r), roleInfo)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	w.Header().Set("Location", "/invites/"+invite.ID)
	h.respond(w, r, http.StatusCreated, invite)
}

func (h *handler) revoke(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := writeContext(r)
	defer cancel()
	if err := h.invites.Delete(ctx, h.ref(r)); err != nil {
		h.fail(w, r, err)
		return
	}
	h.respond(w, r, http.StatusNoContent, nil)
}

// writeContext returns a context that continues when the caller disconnects. If a
// call is canceled, it is unknown whether it took effect.
func writeContext(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(r.Context()), callTimeout)
}

func readRoleInfo(w http.ResponseWriter, r *http.Request) (losant.OrgRoleInfo, error) {
	const maxBytes = 64 << 10
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBytes))
	decoder.DisallowUnknownFields() // with a mistyped "role", the invite would be resent with its old role
	var roleInfo *losant.OrgRoleInfo
	if err := decoder.Decode(&roleInfo); err != nil {
		return losant.OrgRoleInfo{}, err
	}
	if _, err := decoder.Token(); roleInfo == nil || !errors.Is(err, io.EOF) {
		return losant.OrgRoleInfo{}, errors.New("not one JSON object")
	}
	return *roleInfo, nil
}

// problem is the body of an error response.
type problem struct {
	Error   string `json:"error"` // for programs
	Message string `json:"message"`
}

const statusClientClosedRequest = 499 // only for the log, because the caller has disconnected

// problemOf returns the status and the body that report err to a caller. They
// contain none of Losant's messages, which are only for the log.
func problemOf(err error) (status int, p problem) {
	switch {
	// This case is first, because such an error can match the other cases, too.
	case errors.Is(err, losant.ErrOutcomeUnknown):
		return http.StatusBadGateway, problem{"outcome_unknown", "It is unknown whether the request took effect. Check the invite before you retry."}
	case errors.Is(err, losant.ErrInvalidArgument):
		return http.StatusBadRequest, problem{"invalid_argument", "The id of the invite must be 24 hexadecimal digits, and each grant must have a resourceId."}
	case errors.Is(err, losant.ErrBadRequest):
		return http.StatusBadRequest, problem{"bad_request", "Losant does not accept these roles."}
	case errors.Is(err, losant.ErrNotFound):
		return http.StatusNotFound, problem{"not_found", "The invite does not exist."}
	case errors.Is(err, losant.ErrGone):
		return http.StatusGone, problem{"gone", "The invite no longer exists."}
	case errors.Is(err, losant.ErrConflict):
		return http.StatusConflict, problem{"conflict", "The state of the invite does not permit this."}
	case errors.Is(err, losant.ErrRateLimited):
		return http.StatusServiceUnavailable, problem{"rate_limited", "Too many requests. Try again later."}
	case errors.Is(err, losant.ErrUnauthorized), errors.Is(err, losant.ErrForbidden):
		return http.StatusBadGateway, problem{"credentials", "Losant does not accept the credentials of this service."}
	case errors.Is(err, context.Canceled):
		return statusClientClosedRequest, problem{"cancelled", "The request was cancelled."}
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout, problem{"timeout", "Losant did not respond in time. Nothing was changed."}
	default: // ErrServer, ErrInvalidResponse, or no connection
		return http.StatusBadGateway, problem{"upstream", "The request to Losant failed. Nothing was changed."}
	}
}

func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, p := problemOf(err)
	level := slog.LevelInfo
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	h.logger.Log(r.Context(), level, "call failed", "problem", p.Error, "cause", err)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter(err))
	}
	h.respond(w, r, status, p)
}

// retryAfter returns the Retry-After of err in seconds, rounded up, at least 1.
func retryAfter(err error) string {
	var failure *losant.Error
	if !errors.As(err, &failure) {
		return "1"
	}
	seconds := int64(failure.RetryAfter / time.Second)
	if failure.RetryAfter%time.Second > 0 {
		seconds++
	}
	return strconv.FormatInt(max(seconds, 1), 10)
}

func (h *handler) respond(w http.ResponseWriter, r *http.Request, status int, body any) {
	h.logger.Info("request", "method", r.Method, "route", r.Pattern, "status", status)
	w.Header().Set("Cache-Control", "no-store") // invites hold email addresses
	if body == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		h.logger.Warn("response not written", "error", err)
	}
}
