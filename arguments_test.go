package losant_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// TestHostileIDs sends every hostile id as every id of every action: nothing
// may arrive, and the error names the field.
func TestHostileIDs(t *testing.T) {
	t.Parallel()
	require.GreaterOrEqual(t, len(hostileIDs()), 40)
	for _, action := range actions {
		t.Run(action.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, succeed)
			client := newClient(t, s.URL)
			for _, hostile := range hostileIDs() {
				for field, r := range map[string]losant.InstanceOrgInviteRef{
					"InstanceID": {InstanceID: hostile, OrgID: ref.OrgID, InviteID: ref.InviteID},
					"OrgID":      {InstanceID: ref.InstanceID, OrgID: hostile, InviteID: ref.InviteID},
					"InviteID":   {InstanceID: ref.InstanceID, OrgID: ref.OrgID, InviteID: hostile},
				} {
					e := requireError(t, action.call(t.Context(), client, r), "ErrInvalidArgument")
					assert.Equal(t, action.name, e.Operation)
					assert.Zero(t, e.Attempts)
					assert.Contains(t, e.Message, field+" ")
					assert.Less(t, len(e.Error()), 400)
					assert.NotContains(t, e.Error(), "\n")
				}
			}
			assert.Zero(t, s.arrived.Load())
			require.NoError(t, action.call(t.Context(), client, losant.InstanceOrgInviteRef{
				InstanceID: strings.ToUpper(id), OrgID: strings.Repeat("0", 24), InviteID: "abcdefABCDEF0123456789aF",
			}), "either case of hexadecimal digits is an id")
			assert.Equal(t, int32(1), s.arrived.Load())
		})
	}
}

// TestInvalidArguments: everything else that is refused before it is sent.
func TestInvalidArguments(t *testing.T) {
	t.Parallel()
	for _, action := range actions {
		t.Run(action.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, succeed)
			client := newClient(t, s.URL)
			var none context.Context
			e := requireError(t, action.call(none, client, ref), "ErrInvalidArgument")
			assert.Contains(t, e.Message, "context")
			for name, option := range map[string]losant.RequestOption{
				"domain with a line end": losant.WithLosantDomain("example.com\r\nX-Evil: 1"),
				"domain with a NUL":      losant.WithLosantDomain("a\x00b"),
				"domain with DEL":        losant.WithLosantDomain("a\x7f"),
				"domain not in ASCII":    losant.WithLosantDomain("exämple.com"),
				"no destination":         losant.WithResponse(nil),
				"no option":              nil,
			} {
				requireError(t, action.call(t.Context(), client, ref, option), "ErrInvalidArgument")
				requireError(t, action.call(t.Context(), client, ref, option, losant.WithLosantDomain("fine.example.com")), "ErrInvalidArgument")
				assert.Zero(t, s.arrived.Load(), name)
			}
		})
	}
	t.Run("roles", func(t *testing.T) {
		t.Parallel()
		s := serve(t, succeed)
		client := newClient(t, s.URL)
		for field, roleInfo := range map[string]losant.OrgRoleInfo{
			"ApplicationRoles[1].ResourceID": {ApplicationRoles: []losant.ResourceGrant{{ResourceID: id}, {Role: losant.ResourceRoleView}}},
			"DashboardRoles[0].ResourceID":   {DashboardRoles: []losant.ResourceGrant{{Role: losant.ResourceRoleNone}}},
		} {
			_, err := client.InstanceOrgInvite.ResendInvite(t.Context(), ref, roleInfo)
			assert.Contains(t, requireError(t, err, "ErrInvalidArgument").Message, field)
		}
		assert.Zero(t, s.arrived.Load())
		_, err := client.InstanceOrgInvite.ResendInvite(t.Context(), ref, losant.OrgRoleInfo{Role: "overlord"})
		require.NoError(t, err, "an unknown role is the API's to judge")
	})
}
