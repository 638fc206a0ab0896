package losant

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/losant-community/losant-rest-go/internal/route"
)

// InstanceOrgInvitesRef names the invitations to an organization of an
// instance. Every id is 24 hexadecimal digits; anything else is
// [ErrInvalidArgument].
type InstanceOrgInvitesRef struct {
	InstanceID string // of the Losant instance
	OrgID      string // of the organization
}

// Invite names one of the invitations.
func (r InstanceOrgInvitesRef) Invite(inviteID string) InstanceOrgInviteRef {
	return InstanceOrgInviteRef{InstanceID: r.InstanceID, OrgID: r.OrgID, InviteID: inviteID}
}

// InstanceOrgInvitesQuery says which invitations to list, and in which order. A
// field that is zero is not sent, so that the API's default holds.
type InstanceOrgInvitesQuery struct {
	SortField     OrgInviteField // Email, Role or InviteDate; the API's default is InviteDate
	SortDirection SortDirection  // the API's default is SortDescending
	FilterField   OrgInviteField // Email or Role: what Filter is held against; without it, nothing is filtered
	Filter        string         // with globbing: "*@example.com"; without it, nothing is filtered
}

// OrgInviteField is a field of an [OrgInvite] by which invitations are sorted
// or filtered. An unknown one is passed on.
type OrgInviteField string

// The fields to sort by. To filter by, there are the first two.
const (
	OrgInviteFieldEmail      OrgInviteField = "email"
	OrgInviteFieldRole       OrgInviteField = "role"
	OrgInviteFieldInviteDate OrgInviteField = "inviteDate"
)

// SortDirection is the order of a list. An unknown one is passed on.
type SortDirection string

// The orders of a list.
const (
	SortAscending  SortDirection = "asc"
	SortDescending SortDirection = "desc"
)

func (q InstanceOrgInvitesQuery) values() url.Values {
	values := url.Values{}
	for name, value := range map[string]string{
		"sortField": string(q.SortField), "sortDirection": string(q.SortDirection), "filterField": string(q.FilterField), "filter": q.Filter,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return values
}

// OrgInvitePost is an invitation to be sent.
type OrgInvitePost struct {
	Email            string          `json:"email"` // required
	Role             OrgRole         `json:"role"`  // required
	ApplicationRoles []ResourceGrant `json:"applicationRoles,omitzero"`
	DashboardRoles   []ResourceGrant `json:"dashboardRoles,omitzero"`
	DisallowTransfer bool            `json:"disallowTransfer,omitzero"` // as in [OrgInvite]; false is left out
}

func (p OrgInvitePost) validate() error {
	switch {
	case p.Email == "":
		return errors.New("the Email is empty")
	case !utf8.ValidString(p.Email) || strings.ContainsFunc(p.Email, unicode.IsControl):
		return fmt.Errorf("the Email %q has a control character, or is not UTF-8", p.Email)
	case p.Role == "":
		return errors.New("the Role is empty")
	}
	return OrgRoleInfo{ApplicationRoles: p.ApplicationRoles, DashboardRoles: p.DashboardRoles}.validate()
}

// OrgInviteCollection is a list of invitations, with what it was asked for.
type OrgInviteCollection struct {
	Items         []OrgInvite     `json:"items"`
	Count         int             `json:"count"` // of Items
	InstanceID    string          `json:"instanceId,omitzero"`
	OrgID         string          `json:"orgId,omitzero"`
	SortField     OrgInviteField  `json:"sortField,omitzero"`
	SortDirection SortDirection   `json:"sortDirection,omitzero"`
	FilterField   OrgInviteField  `json:"filterField,omitzero"`
	Filter        string          `json:"filter,omitzero"`
	Links         map[string]Link `json:"_links,omitzero"` // by relation; nil with WithLinks(false)
}

// check says what is missing for a list of invitations.
func (c *OrgInviteCollection) check() error {
	if c.Items == nil {
		return errors.New("it has no items")
	}
	for n := range c.Items {
		if err := c.Items[n].check(); err != nil {
			return fmt.Errorf("items[%d]: %w", n, err)
		}
	}
	return nil
}

// InstanceOrgInvitesService is the API's resource instanceOrgInvites: the
// invitations to an organization of an instance.
//
// Route: /instances/{instanceId}/orgs/{orgId}/invites
//
// Every error is an [*Error]. The interface may get further methods in a minor
// release: embed it in a fake, and write the methods that the test needs.
type InstanceOrgInvitesService interface {
	// Get lists the invitations that query asks for.
	//
	// It is repeated after any passing failure, and never has an unknown
	// outcome.
	//
	// Route: GET /instances/{instanceId}/orgs/{orgId}/invites
	Get(ctx context.Context, ref InstanceOrgInvitesRef, query InstanceOrgInvitesQuery, opts ...RequestOption) (*OrgInviteCollection, error)

	// Post invites somebody to the organization, and returns invitations: the
	// API's description has a list here, and does not say whether others than
	// the new one are in it. Look for the Email.
	//
	// It sends an email, so it is repeated only if it is certain that the API
	// did not act on it. Otherwise a failure is [ErrOutcomeUnknown]: see there,
	// and list the invitations before another try.
	//
	// Route: POST /instances/{instanceId}/orgs/{orgId}/invites
	Post(ctx context.Context, ref InstanceOrgInvitesRef, invite OrgInvitePost, opts ...RequestOption) (*OrgInviteCollection, error)
}

type instanceOrgInvitesService struct{ client *Client }

func (r InstanceOrgInvitesRef) path() route.Path {
	return route.Expand("/instances/{instanceId}/orgs/{orgId}/invites", r.InstanceID, r.OrgID)
}

// Get is documented at [InstanceOrgInvitesService].
func (s *instanceOrgInvitesService) Get(ctx context.Context, ref InstanceOrgInvitesRef, query InstanceOrgInvitesQuery, opts ...RequestOption) (*OrgInviteCollection, error) {
	return call[OrgInviteCollection](ctx, s.client, request{
		operation: "InstanceOrgInvites.Get",
		method:    http.MethodGet,
		path:      ref.path(),
		query:     query.values(),
	}, opts)
}

// Post is documented at [InstanceOrgInvitesService].
func (s *instanceOrgInvitesService) Post(ctx context.Context, ref InstanceOrgInvitesRef, invite OrgInvitePost, opts ...RequestOption) (*OrgInviteCollection, error) {
	return call[OrgInviteCollection](ctx, s.client, request{
		operation: "InstanceOrgInvites.Post",
		method:    http.MethodPost,
		path:      ref.path(),
		body:      invite,
		err:       invite.validate(),
	}, opts)
}
