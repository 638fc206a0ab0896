package losant

import (
	"context"
	"net/http"

	"github.com/losant-community/losant-rest-go/internal/route"
)

// InstanceOrgInviteRef identifies one invitation to an organization of an
// instance. Every ID must be 24 hexadecimal digits; anything else is
// [ErrInvalidArgument].
type InstanceOrgInviteRef struct {
	InstanceID string // of the Losant instance
	OrgID      string // of the organization
	InviteID   string // of the invitation
}

// InstanceOrgInviteService calls the actions of the API's resource
// instanceOrgInvite: one invitation to an organization of an instance.
//
// Route: /instances/{instanceId}/orgs/{orgId}/invites/{inviteId}
//
// Every error is an [*Error]. A minor release may add methods to the interface:
// a fake should embed it and implement only the methods that its test needs.
type InstanceOrgInviteService interface {
	// Get returns the invitation.
	//
	// It is safe: it is retried after any transient failure, and its outcome is
	// never unknown. If the invitation does not exist, the error matches
	// [ErrNotFound]; if the response is incomplete or has no id, it matches
	// [ErrInvalidResponse].
	//
	// Route: GET /instances/{instanceId}/orgs/{orgId}/invites/{inviteId}
	//
	// The token needs one of the scopes all.Instance, all.Instance.bounded,
	// all.Instance.read, all.User, all.User.bounded, all.User.read,
	// instanceOrgInvite.* and instanceOrgInvite.get.
	Get(ctx context.Context, ref InstanceOrgInviteRef, opts ...RequestOption) (*OrgInvite, error)

	// Delete revokes the invitation.
	//
	// It is idempotent: it is retried after a transient failure. If the call
	// fails and any of its attempts may have been processed, because the response
	// was missing or incomplete, or its status was 408 or 5xx, the error also
	// matches [ErrOutcomeUnknown]. Together with [ErrNotFound], that most likely
	// means that an earlier attempt revoked the invitation.
	//
	// Route: DELETE /instances/{instanceId}/orgs/{orgId}/invites/{inviteId}
	//
	// The token needs one of the scopes all.Instance, all.User,
	// instanceOrgInvite.* and instanceOrgInvite.delete.
	Delete(ctx context.Context, ref InstanceOrgInviteRef, opts ...RequestOption) error

	// ResendInvite sends the invitation again, with the roles in roleInfo, and
	// returns the new invitation. The API does not document whether it keeps its
	// id: use the one returned.
	//
	// It sends an email, so it is retried only if the API certainly did not
	// process the request. If the API may have acted, the error matches
	// [ErrOutcomeUnknown].
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

// Get implements [InstanceOrgInviteService].
func (s *instanceOrgInviteService) Get(ctx context.Context, ref InstanceOrgInviteRef, opts ...RequestOption) (*OrgInvite, error) {
	return call[OrgInvite](ctx, s.client, request{
		operation: "InstanceOrgInvite.Get",
		method:    http.MethodGet,
		path:      ref.path(),
	}, opts)
}

// Delete implements [InstanceOrgInviteService].
func (s *instanceOrgInviteService) Delete(ctx context.Context, ref InstanceOrgInviteRef, opts ...RequestOption) error {
	return s.client.send(ctx, request{
		operation: "InstanceOrgInvite.Delete",
		method:    http.MethodDelete,
		path:      ref.path(),
	}, new(success), opts)
}

// ResendInvite implements [InstanceOrgInviteService].
func (s *instanceOrgInviteService) ResendInvite(ctx context.Context, ref InstanceOrgInviteRef, roleInfo OrgRoleInfo, opts ...RequestOption) (*OrgInvite, error) {
	return call[OrgInvite](ctx, s.client, request{
		operation: "InstanceOrgInvite.ResendInvite",
		method:    http.MethodPost,
		path:      ref.path(),
		body:      roleInfo,
		err:       roleInfo.validate(),
	}, opts)
}
