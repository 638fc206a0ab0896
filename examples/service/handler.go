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

// handler answers requests for the invites to one organization. It holds the
// interface and not the client, so that a test can put a fake there.
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
	// Any page in a browser on this machine could post to a service on loopback.
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
	h.answer(w, r, http.StatusOK, invite)
}

func (h *handler) resend(w http.ResponseWriter, r *http.Request) {
	roleInfo, err := readRoleInfo(w, r)
	if err != nil {
		h.answer(w, r, http.StatusBadRequest, problem{"invalid_body", "The body is not one JSON object with role, applicationRoles or dashboardRoles."})
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
	h.answer(w, r, http.StatusCreated, invite)
}

func (h *handler) revoke(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := writeContext(r)
	defer cancel()
	if err := h.invites.Delete(ctx, h.ref(r)); err != nil {
		h.fail(w, r, err)
		return
	}
	h.answer(w, r, http.StatusNoContent, nil)
}

// writeContext outlives a caller who hangs up: a call that is broken off may
// have been done or not, and nobody would know.
func writeContext(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(r.Context()), callTimeout)
}

func readRoleInfo(w http.ResponseWriter, r *http.Request) (losant.OrgRoleInfo, error) {
	const most = 64 << 10
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, most))
	decoder.DisallowUnknownFields() // a mistyped "role" would change nothing and mail the invite
	var roleInfo *losant.OrgRoleInfo
	if err := decoder.Decode(&roleInfo); err != nil {
		return losant.OrgRoleInfo{}, err
	}
	if _, err := decoder.Token(); roleInfo == nil || !errors.Is(err, io.EOF) {
		return losant.OrgRoleInfo{}, errors.New("not one JSON object")
	}
	return *roleInfo, nil
}

// problem is the body of an answer that is not a success.
type problem struct {
	Error   string `json:"error"` // for programs
	Message string `json:"message"`
}

const statusClientClosedRequest = 499 // nobody reads it but the log

// problemOf returns what a caller learns of err: enough to act on it, and none of
// Losant's own words, which are for the log.
func problemOf(err error) (status int, p problem) {
	switch {
	// This one first: it can be any of the others as well, and matters more.
	case errors.Is(err, losant.ErrOutcomeUnknown):
		return http.StatusBadGateway, problem{"outcome_unknown", "This may have been done or not. Look at the invite before you repeat it."}
	case errors.Is(err, losant.ErrInvalidArgument):
		return http.StatusBadRequest, problem{"invalid_argument", "The id of the invite is not 24 hexadecimal digits, or a grant has no resourceId."}
	case errors.Is(err, losant.ErrBadRequest):
		return http.StatusBadRequest, problem{"bad_request", "Losant does not accept these roles."}
	case errors.Is(err, losant.ErrNotFound):
		return http.StatusNotFound, problem{"not_found", "There is no such invite."}
	case errors.Is(err, losant.ErrGone):
		return http.StatusGone, problem{"gone", "The invite is there no more."}
	case errors.Is(err, losant.ErrConflict):
		return http.StatusConflict, problem{"conflict", "The state of the invite does not permit this."}
	case errors.Is(err, losant.ErrRateLimited):
		return http.StatusServiceUnavailable, problem{"rate_limited", "Too many requests. Try again later."}
	case errors.Is(err, losant.ErrUnauthorized), errors.Is(err, losant.ErrForbidden):
		return http.StatusBadGateway, problem{"credentials", "Losant does not accept the credentials of this service."}
	case errors.Is(err, context.Canceled):
		return statusClientClosedRequest, problem{"cancelled", "The request was cancelled."}
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout, problem{"timeout", "Losant did not answer in time. Nothing was changed."}
	default: // ErrServer, ErrInvalidResponse, no connection
		return http.StatusBadGateway, problem{"upstream", "Losant could not answer. Nothing was changed."}
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
	h.answer(w, r, status, p)
}

// retryAfter is in whole seconds, rounded up, and at least one.
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

func (h *handler) answer(w http.ResponseWriter, r *http.Request, status int, body any) {
	h.logger.Info("request", "method", r.Method, "route", r.Pattern, "status", status)
	w.Header().Set("Cache-Control", "no-store") // invites hold email addresses
	if body == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		h.logger.Warn("answer not written", "error", err)
	}
}
