package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/losant-community/losant-rest-go"
)

// resender is the part of losant.InstanceOrgInviteService that renew uses.
type resender interface {
	ResendInvite(context.Context, losant.InstanceOrgInviteRef, losant.OrgRoleInfo, ...losant.RequestOption) (*losant.OrgInvite, error)
}

// outcome is the result of a renewal.
type outcome string

const (
	renewed    outcome = "renewed"
	failed     outcome = "failed" // the invite is unchanged
	unknown    outcome = "unknown"
	notStarted outcome = "not started"
)

// renewal is an invite and the result of renewing it.
type renewal struct {
	Invite   losant.OrgInvite  `json:"invite"` // as it was listed
	Outcome  outcome           `json:"outcome,omitzero"`
	Renewed  *losant.OrgInvite `json:"renewed,omitzero"`  // as it is now; its id may differ
	Statuses []int             `json:"statuses,omitzero"` // HTTP status of each request; 0: no response
	Error    string            `json:"error,omitzero"`
}

// renewer renews invites, none of them twice.
type renewer struct {
	resender resender
	org      losant.InstanceOrgInvitesRef
	parallel int
	timeout  time.Duration // for one renewal
	finished func(renewal) // called for each renewal, one at a time

	mu       sync.Mutex
	started  map[string]bool // by keyOf
	failures int             // consecutive failures that are not caused by the invite
}

// renew renews the invites, at most parallel at once. When ctx is done, it starts no
// more renewals and waits for those in progress, which fail when calls is done or
// after their timeout. It skips invites that an earlier call of renew started, and
// returns the results for all others.
func (r *renewer) renew(ctx, calls context.Context, invites []losant.OrgInvite) []renewal {
	var renewals []renewal
	for _, invite := range r.fresh(invites) {
		renewals = append(renewals, renewal{Invite: invite, Outcome: notStarted})
	}
	next := 0
	var workers sync.WaitGroup
	for range min(r.parallel, len(renewals)) {
		workers.Go(func() {
			for {
				r.mu.Lock()
				n := next
				next++
				ok := n < len(renewals) && r.start(ctx, renewals[n].Invite)
				r.mu.Unlock()
				if !ok {
					return
				}
				result, err := r.resend(calls, renewals[n].Invite)
				renewals[n] = result
				r.finish(result, err)
			}
		})
	}
	workers.Wait()
	return renewals
}

// fresh returns the invites that have not been started, without duplicates.
func (r *renewer) fresh(invites []losant.OrgInvite) []losant.OrgInvite {
	r.mu.Lock()
	defer r.mu.Unlock()
	var fresh []losant.OrgInvite
	for _, invite := range unique(invites) {
		if !r.started[keyOf(invite)] {
			fresh = append(fresh, invite)
		}
	}
	return fresh
}

// start reports whether the invite may be resent. It returns true only once for
// each invite. The caller must hold r.mu.
func (r *renewer) start(ctx context.Context, invite losant.OrgInvite) bool {
	const tooMany = 5
	if ctx.Err() != nil || r.failures >= tooMany || r.started[keyOf(invite)] {
		return false
	}
	if r.started == nil {
		r.started = make(map[string]bool)
	}
	r.started[keyOf(invite)] = true
	return true
}

// resend renews an invite with its present roles.
func (r *renewer) resend(ctx context.Context, invite losant.OrgInvite) (renewal, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	var response losant.Response
	roles := invite.RoleInfo()
	now, err := r.resender.ResendInvite(ctx, r.org.Invite(invite.ID), roles, losant.WithLinks(false), losant.WithResponse(&response))

	result := renewal{Invite: invite, Outcome: renewed, Renewed: now}
	for _, attempt := range response.Attempts {
		result.Statuses = append(result.Statuses, attempt.StatusCode)
	}
	switch {
	case errors.Is(err, losant.ErrOutcomeUnknown):
		result.Outcome, result.Error = unknown, err.Error()
	case err != nil:
		result.Outcome, result.Error = failed, err.Error()
	}
	return result, err
}

func (r *renewer) finish(result renewal, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.failures = 0
	case !concernsInvite(err):
		r.failures++
	}
	r.finished(result)
}

// concernsInvite reports whether err is caused by the invite, so that the calls for
// other invites may succeed.
func concernsInvite(err error) bool {
	for _, target := range []error{
		losant.ErrInvalidArgument, losant.ErrBadRequest, losant.ErrNotFound, losant.ErrConflict, losant.ErrGone,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}
