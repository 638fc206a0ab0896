package losant_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// TestInvalidIDsAreRefused as every id of every action. Nothing is sent, and the error
// names the field.
func TestInvalidIDsAreRefused(t *testing.T) {
	t.Parallel()
	for _, action := range actions {
		t.Run(action.name, func(t *testing.T) {
			t.Parallel()
			api := &recorder{}
			client := through(t, api)
			for _, invalid := range invalidIDs() {
				for field, r := range map[string]losant.InstanceOrgInviteRef{
					"InstanceID": {InstanceID: invalid, OrgID: ref.OrgID, InviteID: ref.InviteID},
					"OrgID":      {InstanceID: ref.InstanceID, OrgID: invalid, InviteID: ref.InviteID},
					"InviteID":   {InstanceID: ref.InstanceID, OrgID: ref.OrgID, InviteID: invalid},
				} {
					e := requireError(t, action.call(t.Context(), client, r), "ErrInvalidArgument")
					assert.Equal(t, action.name, e.Operation)
					assert.Zero(t, e.Attempts)
					assert.Contains(t, e.Message, field+" ")
					assert.Less(t, len(e.Error()), 400)
					assertPrintable(t, e.Error())
				}
			}
			assert.Zero(t, api.count)
			require.NoError(t, action.call(t.Context(), client, losant.InstanceOrgInviteRef{
				InstanceID: strings.ToUpper(id), OrgID: strings.Repeat("0", 24), InviteID: "abcdefABCDEF0123456789aF",
			}), "hexadecimal digits of either case are an id")
			assert.Equal(t, 1, api.count)
		})
	}
}

// TestInvalidArgumentsAreRefused: a nil context, an invalid option, an invalid role.
func TestInvalidArgumentsAreRefused(t *testing.T) {
	t.Parallel()
	for _, action := range actions {
		t.Run(action.name, func(t *testing.T) {
			t.Parallel()
			api := &recorder{}
			client := through(t, api)
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
				assert.Zero(t, api.count, name)
			}
		})
	}
	t.Run("roles", func(t *testing.T) {
		t.Parallel()
		api := &recorder{}
		client := through(t, api)
		for field, roleInfo := range map[string]losant.OrgRoleInfo{
			"ApplicationRoles[1].ResourceID": {ApplicationRoles: []losant.ResourceGrant{{ResourceID: id}, {Role: losant.ResourceRoleView}}},
			"DashboardRoles[0].ResourceID":   {DashboardRoles: []losant.ResourceGrant{{Role: losant.ResourceRoleNone}}},
		} {
			_, err := client.InstanceOrgInvite.ResendInvite(t.Context(), ref, roleInfo)
			assert.Contains(t, requireError(t, err, "ErrInvalidArgument").Message, field)
		}
		assert.Zero(t, api.count)
		_, err := client.InstanceOrgInvite.ResendInvite(t.Context(), ref, losant.OrgRoleInfo{Role: "overlord"})
		require.NoError(t, err, "the API judges an unknown role")
	})
}
