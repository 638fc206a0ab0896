package main

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/losant-community/losant-rest-go"
)

const aCall = time.Second // duration of a call of fakeService, in fake time

// fakeService takes aCall for each call, and returns the error of respond.
type fakeService struct {
	losant.InstanceOrgInviteService

	respond func(ctx context.Context, ref losant.InstanceOrgInviteRef) error // nil: success

	mu           sync.Mutex
	refs         []losant.InstanceOrgInviteRef
	roles        []losant.OrgRoleInfo
	running, top int
}

func (f *fakeService) ResendInvite(ctx context.Context, ref losant.InstanceOrgInviteRef, roles losant.OrgRoleInfo, _ ...losant.RequestOption) (*losant.OrgInvite, error) {
	f.mu.Lock()
	f.refs, f.roles = append(f.refs, ref), append(f.roles, roles)
	f.running++
	f.top = max(f.top, f.running)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.running--
	}()
	time.Sleep(aCall)
	if f.respond != nil {
		if err := f.respond(ctx, ref); err != nil {
			return nil, err
		}
	}
	return &losant.OrgInvite{ID: "new-" + ref.InviteID}, nil
}

func (f *fakeService) ids() []string {
	var ids []string
	for _, ref := range f.refs {
		ids = append(ids, ref.InviteID)
	}
	slices.Sort(ids)
	return ids
}

var organization = losant.InstanceOrgInvitesRef{InstanceID: "an instance", OrgID: "an organization"}

func newRenewer(f *fakeService, parallel int) *renewer {
	return &renewer{resender: f, org: organization, parallel: parallel, timeout: time.Minute, finished: func(renewal) {}}
}

func someInvites(count int) []losant.OrgInvite {
	var invites []losant.OrgInvite
	for n := range count {
		id := fmt.Sprintf("abcdef%02d", n)
		invites = append(invites, losant.OrgInvite{ID: id, Email: id + "@example.com", Role: losant.OrgRoleView, HasExpired: true})
	}
	return invites
}

func TestParallelLimitsConcurrentRenewals(t *testing.T) {
	t.Parallel()
	for _, parallel := range []int{1, 3, 10, 64} {
		t.Run(strconv.Itoa(parallel), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fakeService{}
				begin := time.Now()
				renewals := newRenewer(f, parallel).renew(t.Context(), t.Context(), someInvites(10))
				assert.Equal(t, map[outcome]int{renewed: 10}, countByOutcome(renewals))
				assert.Equal(t, min(parallel, 10), f.top)
				rounds := (10 + parallel - 1) / parallel
				assert.Equal(t, time.Duration(rounds)*aCall, time.Since(begin))
			})
		})
	}
}

func TestRenewedInviteKeepsItsRoles(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fakeService{}
		invite := losant.OrgInvite{
			ID: "a", Role: losant.OrgRoleNone,
			ApplicationRoles: []losant.ResourceGrant{{ResourceID: "app", Role: losant.ResourceRoleView}},
			DashboardRoles:   []losant.ResourceGrant{},
		}
		renewals := newRenewer(f, 1).renew(t.Context(), t.Context(), []losant.OrgInvite{invite})
		require.Len(t, renewals, 1)
		assert.Equal(t, renewal{Invite: invite, Outcome: renewed, Renewed: &losant.OrgInvite{ID: "new-a"}}, renewals[0])
		assert.Equal(t, []losant.InstanceOrgInviteRef{organization.Invite("a")}, f.refs)
		assert.Equal(t, []losant.OrgRoleInfo{{
			Role: invite.Role, ApplicationRoles: invite.ApplicationRoles, DashboardRoles: invite.DashboardRoles,
		}}, f.roles)
	})
}

func TestInterruptFinishesOnlyTheRenewalsInProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fakeService{respond: func(ctx context.Context, _ losant.InstanceOrgInviteRef) error { return ctx.Err() }}
		ctx, interrupt := context.WithCancel(t.Context())
		time.AfterFunc(aCall+aCall/2, interrupt) // in the second round
		begin := time.Now()
		renewals := newRenewer(f, 2).renew(ctx, t.Context(), someInvites(10))
		assert.Equal(t, 2*aCall, time.Since(begin))
		assert.Equal(t, map[outcome]int{renewed: 4, notStarted: 6}, countByOutcome(renewals))
		assert.Len(t, f.refs, 4)
	})
}

func TestInterruptBeforeTheFirstRenewalStartsNone(t *testing.T) {
	t.Parallel()
	f := &fakeService{}
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	renewals := newRenewer(f, 2).renew(ctx, t.Context(), someInvites(3))
	assert.Equal(t, map[outcome]int{notStarted: 3}, countByOutcome(renewals))
	assert.Empty(t, f.refs)
}

// noResponse waits for ctx and returns the error that the client then returns.
func noResponse(ctx context.Context, _ losant.InstanceOrgInviteRef) error {
	<-ctx.Done()
	return &losant.Error{Operation: "ResendInvite", Message: ctx.Err().Error(), Err: losant.ErrOutcomeUnknown}
}

func TestAbandonedRenewalsAreUnknown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls, abandon := context.WithCancel(t.Context())
		ctx, interrupt := context.WithCancel(calls)
		time.AfterFunc(2*aCall, interrupt)
		time.AfterFunc(3*aCall, abandon)
		begin := time.Now()
		renewals := newRenewer(&fakeService{respond: noResponse}, 2).renew(ctx, calls, someInvites(5))
		assert.Equal(t, 3*aCall, time.Since(begin))
		assert.Equal(t, map[outcome]int{unknown: 2, notStarted: 3}, countByOutcome(renewals))
	})
}

func TestTimeoutLimitsARenewal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRenewer(&fakeService{respond: noResponse}, 2)
		r.timeout = 7 * aCall
		begin := time.Now()
		renewals := r.renew(t.Context(), t.Context(), someInvites(2))
		assert.Equal(t, 7*aCall, time.Since(begin))
		assert.Equal(t, map[outcome]int{unknown: 2}, countByOutcome(renewals))
		assert.Contains(t, renewals[0].Error, "deadline exceeded")
	})
}

func TestNoInviteIsResentTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const broken = "abcdef01"
		f := &fakeService{respond: func(_ context.Context, ref losant.InstanceOrgInviteRef) error {
			if ref.InviteID == broken {
				return &losant.Error{Err: losant.ErrOutcomeUnknown}
			}
			return nil
		}}
		r := newRenewer(f, 2)
		invites := someInvites(6)
		listed := slices.Concat(invites, invites)
		upper := invites[2]
		upper.ID = strings.ToUpper(upper.ID)
		listed = append(listed, upper)

		ctx, interrupt := context.WithCancel(t.Context())
		time.AfterFunc(aCall+aCall/2, interrupt)
		first := r.renew(ctx, t.Context(), listed)
		assert.Equal(t, map[outcome]int{renewed: 3, unknown: 1, notStarted: 2}, countByOutcome(first))

		second := r.renew(t.Context(), t.Context(), listed)
		assert.Equal(t, map[outcome]int{renewed: 2}, countByOutcome(second), "only the invites that were not started")
		assert.Empty(t, r.renew(t.Context(), t.Context(), listed))
		assert.Equal(t, []string{"abcdef00", "abcdef01", "abcdef02", "abcdef03", "abcdef04", "abcdef05"}, f.ids())
	})
}

func TestConcurrentRunsResendNoInviteTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fakeService{}
		r := newRenewer(f, 2)
		var runs sync.WaitGroup
		for range 3 {
			runs.Go(func() { r.renew(t.Context(), t.Context(), someInvites(9)) })
		}
		runs.Wait()
		ids := f.ids()
		assert.Equal(t, slices.Compact(slices.Clone(ids)), ids)
	})
}

func TestRenewalStopsAfterFiveConsecutiveFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err   *losant.Error
		calls int
		want  map[outcome]int
	}{
		"an invalid token": {&losant.Error{StatusCode: http.StatusUnauthorized}, 5, map[outcome]int{failed: 5, notStarted: 7}},
		"a server that fails": {
			&losant.Error{StatusCode: http.StatusServiceUnavailable, Err: losant.ErrOutcomeUnknown}, 5,
			map[outcome]int{unknown: 5, notStarted: 7},
		},
		"invites that do not exist": {&losant.Error{StatusCode: http.StatusNotFound}, 12, map[outcome]int{failed: 12}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fakeService{respond: func(context.Context, losant.InstanceOrgInviteRef) error { return c.err }}
				renewals := newRenewer(f, 1).renew(t.Context(), t.Context(), someInvites(12))
				assert.Equal(t, c.want, countByOutcome(renewals))
				assert.Len(t, f.refs, c.calls)
			})
		})
	}
}

func TestSuccessResetsTheFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fakeService{respond: func(_ context.Context, ref losant.InstanceOrgInviteRef) error {
			if ref.InviteID == "abcdef04" {
				return nil
			}
			return &losant.Error{StatusCode: http.StatusTooManyRequests}
		}}
		renewals := newRenewer(f, 1).renew(t.Context(), t.Context(), someInvites(12))
		assert.Equal(t, map[outcome]int{renewed: 1, failed: 9, notStarted: 2}, countByOutcome(renewals))
	})
}

func TestFinishedIsCalledOnceForEachRenewal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRenewer(&fakeService{}, 8)
		finished := make(map[string]int)
		var running atomic.Int32
		r.finished = func(result renewal) {
			assert.EqualValues(t, 1, running.Add(1))
			for range 100 {
				runtime.Gosched() // lets a concurrent call start
			}
			finished[result.Invite.ID]++
			running.Add(-1)
		}
		r.renew(t.Context(), t.Context(), someInvites(20))
		assert.Len(t, finished, 20)
		for id, times := range finished {
			assert.Equal(t, 1, times, id)
		}
	})
}
