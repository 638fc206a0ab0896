package losanttest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/losant-community/losant-rest-go"
)

func TestAddInviteSetsDefaults(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	ref := srv.AddInvite(losant.OrgInvite{HasExpired: true, Links: map[string]losant.Link{"self": {Href: "/mine"}}})

	assert.Equal(t, srv.InstanceID, ref.InstanceID)
	assert.Equal(t, srv.OrgID, ref.OrgID)
	assert.Regexp(t, hex24, ref.InviteID)
	assert.Regexp(t, hex24, srv.InstanceID)
	assert.Regexp(t, hex24, srv.OrgID)

	invite, ok := srv.Invite(ref)
	require.True(t, ok)
	assert.WithinDuration(t, time.Now(), invite.InviteDate, time.Minute)
	assert.Equal(t, losant.OrgInvite{
		ID: ref.InviteID, Email: "invited@example.com", Role: losant.OrgRoleView,
		InviteDate: invite.InviteDate, TTL: week,
	}, invite)
	assert.NotEqual(t, ref, srv.AddInvite(losant.OrgInvite{}), "each invitation must have a different id")
}

func TestAddInviteKeepsFieldsThatAreSet(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	grants := []losant.ResourceGrant{{ResourceID: strings.Repeat("a", 24), Role: losant.ResourceRoleNone}}
	given := losant.OrgInvite{
		ID: strings.Repeat("aB", 12), Email: "a@example.com", Role: losant.OrgRoleAdmin,
		ApplicationRoles: grants, DashboardRoles: []losant.ResourceGrant{},
		InviteDate: time.Now().UTC(), TTL: time.Hour, DisallowTransfer: true,
	}
	ref := srv.AddInvite(given)
	assert.Equal(t, given.ID, ref.InviteID)
	invite, ok := srv.Invite(ref)
	require.True(t, ok)
	assert.Equal(t, given, invite)

	invite.ApplicationRoles[0].Role = "changed by the test"
	grants[0].Role = "changed by the test"
	invite, _ = srv.Invite(ref)
	assert.Equal(t, losant.ResourceRoleNone, invite.ApplicationRoles[0].Role, "the server must keep its own copy")

	srv.AddInvite(losant.OrgInvite{ID: strings.ToLower(given.ID), Email: "b@example.com"})
	invite, _ = srv.Invite(ref)
	assert.Equal(t, "b@example.com", invite.Email, "ids are compared without case")

	assert.PanicsWithValue(t, `losanttest: AddInvite: ID "short" is not 24 hexadecimal digits`, func() {
		srv.AddInvite(losant.OrgInvite{ID: "short"})
	})
	for _, year := range []int{-1, 10000} {
		func() {
			defer func() {
				assert.Contains(t, recover(), "losanttest: AddInvite: InviteDate: ", year)
			}()
			srv.AddInvite(losant.OrgInvite{InviteDate: time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)})
		}()
	}
	assert.Len(t, srv.Invites(), 1, "an invalid invitation is not added")
}

func TestAddInvitePanicsIfTheSchemaIsViolated(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	id := strings.Repeat("a", 24)
	for want, invite := range map[string]losant.OrgInvite{
		"invite.role must be one of":                        {Role: "overlord"},
		`["admin" "edit" "collaborate" "view" "none"]`:      {Role: "collaborator"},
		"invite.email must be an email address":             {Email: "nobody"},
		"invite.email must have at most 1024 characters":    {Email: strings.Trim(longEmail(1025), `"`)},
		"invite.applicationRoles[0].role must be one of":    {ApplicationRoles: []losant.ResourceGrant{{ResourceID: id, Role: "admin"}}},
		"invite.dashboardRoles[0].resourceId must match":    {DashboardRoles: []losant.ResourceGrant{{Role: losant.ResourceRoleView}}},
		"invite.dashboardRoles must have at most 100 items": {DashboardRoles: slices.Repeat([]losant.ResourceGrant{{ResourceID: id, Role: "view"}}, 101)},
	} {
		func() {
			defer func() { assert.Contains(t, recover(), want) }()
			srv.AddInvite(invite)
		}()
	}
	assert.Empty(t, srv.Invites())
	first, second := srv.AddInvite(losant.OrgInvite{}), srv.AddInvite(losant.OrgInvite{})
	assert.NotEqual(t, first, second)
}

func TestInviteComparesAllIDsOfTheRef(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	ref := srv.AddInvite(losant.OrgInvite{})
	other := strings.Repeat("0", 24)
	for _, wrong := range []losant.InstanceOrgInviteRef{
		{InstanceID: other, OrgID: ref.OrgID, InviteID: ref.InviteID},
		{InstanceID: ref.InstanceID, OrgID: other, InviteID: ref.InviteID},
		{InstanceID: ref.InstanceID, OrgID: ref.OrgID, InviteID: other},
	} {
		invite, ok := srv.Invite(wrong)
		assert.False(t, ok, wrong)
		assert.Zero(t, invite)
	}
	_, ok := srv.Invite(losant.InstanceOrgInviteRef{
		InstanceID: strings.ToUpper(ref.InstanceID), OrgID: strings.ToUpper(ref.OrgID), InviteID: strings.ToUpper(ref.InviteID),
	})
	assert.True(t, ok)
}

func TestInvitesReturnsCopiesOfTheCurrentState(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	assert.Empty(t, srv.Invites())
	assert.NotNil(t, srv.Invites())

	grants := []losant.ResourceGrant{{ResourceID: strings.Repeat("a", 24), Role: losant.ResourceRoleNone}}
	ref := srv.AddInvite(losant.OrgInvite{ApplicationRoles: grants, DashboardRoles: grants})
	srv.Advance(week)
	invites := srv.Invites()
	require.Len(t, invites, 1)
	one, _ := srv.Invite(ref)
	assert.Equal(t, one, invites[0])
	assert.True(t, invites[0].HasExpired)

	invites[0].ApplicationRoles[0].Role, invites[0].DashboardRoles[0].Role = "changed by the test", "changed by the test"
	assert.Equal(t, one, srv.Invites()[0], "the server must keep its own copy")
	srv.Close()
	assert.Len(t, srv.Invites(), 1, "Invites can be called after Close")
}

func TestAdvanceExpiresInvitations(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	client := newClient(t, srv)
	ref := srv.AddInvite(losant.OrgInvite{})

	srv.Advance(week - time.Hour)
	invite, err := get(t, client, ref)
	require.NoError(t, err)
	assert.False(t, invite.HasExpired)

	srv.Advance(time.Hour)
	invite, err = get(t, client, ref)
	require.NoError(t, err)
	assert.True(t, invite.HasExpired)
	state, _ := srv.Invite(ref)
	assert.True(t, state.HasExpired)
	state, _ = srv.Invite(srv.AddInvite(losant.OrgInvite{}))
	assert.False(t, state.HasExpired, "a new invitation starts at the time of the server's clock")
}
