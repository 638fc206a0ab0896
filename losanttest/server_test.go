package losanttest_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/losant-community/losant-rest-go"
	"github.com/losant-community/losant-rest-go/losanttest"
)

func TestClientAppliesItsOptions(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	client := newClient(t, srv, losant.WithUserAgent("inviter/1.2"))
	_, err := get(t, client, srv.AddInvite(losant.OrgInvite{}))
	require.NoError(t, err)
	assert.Contains(t, srv.Requests()[0].Header.Get("User-Agent"), "inviter/1.2")

	_, err = srv.Client(nil)
	require.ErrorIs(t, err, losant.ErrInvalidArgument)
}

// Each method runs in two goroutines beside all others. Only the race detector can
// report a missing lock.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	ref := srv.AddInvite(losant.OrgInvite{})
	client := newClient(t, srv)
	var group sync.WaitGroup
	for _, use := range []func(){
		func() { srv.AddInvite(losant.OrgInvite{ID: ref.InviteID}) },
		func() { srv.Advance(time.Millisecond) },
		func() { srv.Inject(losanttest.Fault{}) },
		func() { srv.Invite(ref) },
		func() { srv.Invites() },
		func() { srv.RequestCount() },
		func() {
			_, err := srv.Client()
			assert.NoError(t, err)
		},
		func() {
			for _, request := range srv.Requests() {
				request.Header.Set("Changed", "true")
			}
		},
		func() {
			_, err := get(t, client, ref)
			assert.NoError(t, err)
		},
		func() {
			posted, err := client.InstanceOrgInvites.Post(t.Context(), collectionOf(srv), losant.OrgInvitePost{Email: "a@example.com", Role: losant.OrgRoleView})
			if !assert.NoError(t, err) {
				return
			}
			created := collectionOf(srv).Invite(posted.Items[0].ID)
			renewed, err := client.InstanceOrgInvite.ResendInvite(t.Context(), created, losant.OrgRoleInfo{})
			if !assert.NoError(t, err) {
				return
			}
			assert.NoError(t, client.InstanceOrgInvite.Delete(t.Context(), collectionOf(srv).Invite(renewed.ID)))
		},
		func() {
			_, err := client.InstanceOrgInvites.Get(t.Context(), collectionOf(srv), losant.InstanceOrgInvitesQuery{})
			assert.NoError(t, err)
		},
	} {
		for range 2 {
			group.Go(func() {
				for range 25 {
					use()
				}
			})
		}
	}
	group.Wait()
	assert.Len(t, srv.Invites(), 1)
	assert.Equal(t, 250, srv.RequestCount())
}

func TestNewClosesTheServerWhenTheTestEnds(t *testing.T) {
	t.Parallel()
	fake := new(fakeT)
	srv := losanttest.New(fake, losanttest.WithResendID(losanttest.ResendKeepsID))
	ref := srv.AddInvite(losant.OrgInvite{})
	client := newClient(t, srv)
	invite, err := client.InstanceOrgInvite.ResendInvite(t.Context(), ref, losant.OrgRoleInfo{})
	require.NoError(t, err)
	assert.Equal(t, ref.InviteID, invite.ID, "New must apply its options")

	for _, cleanup := range fake.cleanups {
		cleanup()
	}
	_, err = get(t, client, ref)
	require.Error(t, err)
	assert.Empty(t, fake.failure)
}

// fakeT is a TB whose cleanups run when the test calls them.
type fakeT struct {
	cleanups []func()
	failure  string
}

func (*fakeT) Helper() {}

func (f *fakeT) Cleanup(cleanup func()) { f.cleanups = append(f.cleanups, cleanup) }

func (f *fakeT) Fatalf(format string, _ ...any) { f.failure = format }
