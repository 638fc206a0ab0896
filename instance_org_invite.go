package losant

import (
	"context"
	"net/http"

	"github.com/losant-community/losant-rest-go/internal/route"
)

// InstanceOrgInviteRef names one invitation to an organization of an instance.
// Every id is 24 hexadecimal digits; anything else is [ErrInvalidArgument].
type InstanceOrgInviteRef struct {
	InstanceID string // of the Losant instance
	OrgID      string // of the organization
	InviteID   string // of the invitation
}

// InstanceOrgInviteService is the API's resource instanceOrgInvite: one
// invitation to an organization of an instance.
//
// Route: /instances/{instanceId}/orgs/{orgId}/invites/{inviteId}
//
// Every error is an [*Error]. The interface may get further methods in a minor
// release: embed it in a fake, and write the methods that the test needs.
type InstanceOrgInviteService interface {
	// Get returns the invitation.
	//
	// It is repeated after any passing failure, and never has an unknown
	// outcome. An invitation that does not exist is [ErrNotFound]; an answer that
	// broke off or has no id is [ErrInvalidResponse].
	//
	// Route: GET /instances/{instanceId}/orgs/{orgId}/invites/{inviteId}
	//
	// The token needs one of the scopes all.Instance, all.Instance.bounded,
	// all.Instance.read, all.User, all.User.bounded, all.User.read,
	// instanceOrgInvite.* and instanceOrgInvite.get.
	Get(ctx context.Context, ref InstanceOrgInviteRef, opts ...RequestOption) (*OrgInvite, error)

	// Delete revokes the invitation.
	//
	// It is repeated after a passing failure. If the outcome of an attempt is
	// unknown, for there was no whole answer, or a 408 or a server error, and the
	// call then fails, the error matches [ErrOutcomeUnknown] as well: then
	// [ErrNotFound] most likely means that an earlier attempt did it.
	//
	// Route: DELETE /instances/{instanceId}/orgs/{orgId}/invites/{inviteId}
	//
	// The token needs one of the scopes all.Instance, all.User,
	// instanceOrgInvite.* and instanceOrgInvite.delete.
	Delete(ctx context.Context, ref InstanceOrgInviteRef, opts ...RequestOption) error

	// ResendInvite sends the invitation again, with the roles in roleInfo
	// changed, and returns the new one. Whether that keeps the id is not
	// documented: go on with the one returned.
	//
	// It sends an email, so it is repeated only if it is certain that the API
	// did not act on it. Otherwise a failure is [ErrOutcomeUnknown]: see there.
	//
	// Route: POST /instances/{instanceId}/orgs/{orgId}/invites/{inviteId}
	//
	// The token needs one of the scopes all.Instance, all.User,
	// instanceOrgInvite.* and instanceOrgInvite.resendInvite.
	ResendInvite(ctx context.Context, ref InstanceOrgInviteRef, roleInfo OrgRoleInfo, opts ...RequestOption) (*OrgInvite, error)
}

type instanceOrgInviteService struct{ client *Client }

func (r InstanceOrgInviteRef) path() route.Path {
	return route.Expand("/instances/{instanceId}/orgs/{orgId}/invites/{inviteId}", r.InstanceID, r.OrgID, r.InviteID)
}

// Get is documented at [InstanceOrgInviteService].
func (s *instanceOrgInviteService) Get(ctx context.Context, ref InstanceOrgInviteRef, opts ...RequestOption) (*OrgInvite, error) {
	return call[OrgInvite](ctx, s.client, request{
		operation: "InstanceOrgInvite.Get",
		method:    http.MethodGet,
		path:      ref.path(),
	}, opts)
}

// Delete is documented at [InstanceOrgInviteService].
func (s *instanceOrgInviteService) Delete(ctx context.Context, ref InstanceOrgInviteRef, opts ...RequestOption) error {
	return s.client.send(ctx, request{
		operation: "InstanceOrgInvite.Delete",
		method:    http.MethodDelete,
		path:      ref.path(),
	}, new(success), opts)
}

// ResendInvite is documented at [InstanceOrgInviteService].
func (s *instanceOrgInviteService) ResendInvite(ctx context.Context, ref InstanceOrgInviteRef, roleInfo OrgRoleInfo, opts ...RequestOption) (*OrgInvite, error) {
	return call[OrgInvite](ctx, s.client, request{
		operation: "InstanceOrgInvite.ResendInvite",
		method:    http.MethodPost,
		path:      ref.path(),
		body:      roleInfo,
		err:       roleInfo.validate(),
	}, opts)
}
