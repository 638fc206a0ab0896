package losant

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/losant-community/losant-rest-go/internal/route"
	"github.com/losant-community/losant-rest-go/internal/wire"
)

// InstanceOrgInvitesRef identifies the invitations to an organization of an
// instance. Every ID must be 24 hexadecimal digits; anything else is
// [ErrInvalidArgument].
type InstanceOrgInvitesRef struct {
	InstanceID string // of the Losant instance
	OrgID      string // of the organization
}

// Invite identifies one of the invitations.
func (r InstanceOrgInvitesRef) Invite(inviteID string) InstanceOrgInviteRef {
	return InstanceOrgInviteRef{InstanceID: r.InstanceID, OrgID: r.OrgID, InviteID: inviteID}
}

// InstanceOrgInvitesQuery selects and orders the invitations to list. A zero
// field is not sent, so that the API's default applies; the zero query lists all
// invitations.
//
// Filter and FilterField must be set together: one without the other would list
// more invitations than were meant, and is [ErrInvalidArgument].
type InstanceOrgInvitesQuery struct {
	SortField     OrgInviteField // Email, Role or InviteDate; the API's default is InviteDate
	SortDirection SortDirection  // the API's default is SortDescending
	FilterField   OrgInviteField // the field that Filter is matched against: Email or Role
	Filter        string         // a glob pattern: "*@example.com"
}

// OrgInviteField is a field of an [OrgInvite] by which invitations are sorted or
// filtered. An unknown field to sort by is sent unchanged.
type OrgInviteField string

// The fields to sort by. Only the first two can be filtered by.
const (
	OrgInviteFieldEmail      OrgInviteField = "email"
	OrgInviteFieldRole       OrgInviteField = "role"
	OrgInviteFieldInviteDate OrgInviteField = "inviteDate"
)

// SortDirection is the order of a list. An unknown one is sent unchanged.
type SortDirection string

// The orders of a list.
const (
	SortAscending  SortDirection = "asc"
	SortDescending SortDirection = "desc"
)

// validate returns an error for half a filter, which would select everything.
func (q InstanceOrgInvitesQuery) validate() error {
	canFilter := q.FilterField == OrgInviteFieldEmail || q.FilterField == OrgInviteFieldRole
	switch {
	case q.FilterField == "" && q.Filter != "":
		return invalidField("Filter", q.Filter, "has no FilterField; set FilterField to OrgInviteFieldEmail or OrgInviteFieldRole")
	case q.FilterField != "" && !canFilter:
		return invalidField("FilterField", string(q.FilterField), "cannot be filtered by; use OrgInviteFieldEmail or OrgInviteFieldRole")
	case q.FilterField != "" && q.Filter == "":
		return invalidField("FilterField", string(q.FilterField), "has no Filter; set Filter, or leave both empty to list all invitations")
	}
	return nil
}

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

// OrgInvitePost is an invitation to send.
type OrgInvitePost struct {
	Email            string          `json:"email"` // required
	Role             OrgRole         `json:"role"`  // required
	ApplicationRoles []ResourceGrant `json:"applicationRoles,omitzero"`
	DashboardRoles   []ResourceGrant `json:"dashboardRoles,omitzero"`
	DisallowTransfer bool            `json:"disallowTransfer,omitzero"` // see [OrgInvite]; false is not sent
}

func (p OrgInvitePost) validate() error {
	switch {
	case p.Email == "":
		return invalidField("Email", p.Email, "is empty")
	case !utf8.ValidString(p.Email) || strings.ContainsFunc(p.Email, unicode.IsControl):
		return invalidField("Email", p.Email, "contains a control character or is not UTF-8")
	case p.Role == "":
		return invalidField("Role", "", "is empty")
	}
	return OrgRoleInfo{ApplicationRoles: p.ApplicationRoles, DashboardRoles: p.DashboardRoles}.validate()
}

// OrgInviteCollection is a list of invitations, and the query that selected them. A
// field that the API does not return is zero.
type OrgInviteCollection struct {
	Items         []OrgInvite     `json:"items"`
	Count         int             `json:"count"` // as the API returns it; not compared with Items
	InstanceID    string          `json:"instanceId,omitzero"`
	OrgID         string          `json:"orgId,omitzero"`
	SortField     OrgInviteField  `json:"sortField,omitzero"`
	SortDirection SortDirection   `json:"sortDirection,omitzero"`
	FilterField   OrgInviteField  `json:"filterField,omitzero"`
	Filter        string          `json:"filter,omitzero"`
	Links         map[string]Link `json:"_links,omitzero"` // by relation; nil with WithLinks(false)
}

// decode reads a list of invitations. It stops at the first invitation that is
// invalid, so that a hostile list costs little.
func (c *OrgInviteCollection) decode(ctx context.Context, _ int, body []byte) error {
	var invalid error
	var links []byte
	it := wire.Object(body)
	for it.Next() {
		switch string(it.Name) {
		case "items":
			if err := c.readItems(ctx, it.Value, body); err != nil {
				return err
			}
		case "_links":
			links = it.Value
		default:
			invalid = cmp.Or(invalid, c.set(it.Name, it.Value))
		}
	}
	c.Links = readLinks(links)
	switch {
	case it.Err != nil:
		return it.Err
	case invalid != nil:
		return &decodeError{err: invalid, identified: len(c.Items) > 0}
	}
	return c.check()
}

// readItems reads the invitations in data, a part of body.
func (c *OrgInviteCollection) readItems(ctx context.Context, data, body []byte) error {
	const shortest = `{"id":"x"}`
	if c.Items != nil {
		return errors.New(`it has more than one "items"`)
	}
	err := setList(ctx, &c.Items, []byte("items"), data, len(shortest), (*OrgInvite).readItem)
	if identified(err) {
		return cmp.Or(wire.Check(body), err) // invalid JSON identifies nothing
	}
	return err
}

// set reads one member other than the items.
func (c *OrgInviteCollection) set(name, value []byte) error {
	var err error
	switch string(name) {
	case "count":
		err = setInt(&c.Count, value)
	case "instanceId":
		err = setString(&c.InstanceID, value)
	case "orgId":
		err = setString(&c.OrgID, value)
	case "sortField":
		err = setString(&c.SortField, value)
	case "sortDirection":
		err = setString(&c.SortDirection, value)
	case "filterField":
		err = setString(&c.FilterField, value)
	case "filter":
		err = setString(&c.Filter, value)
	}
	return inField("OrgInviteCollection", name, err)
}

// check returns an error if the list has no items.
func (c *OrgInviteCollection) check() error {
	if c.Items == nil {
		return errors.New(`it has no "items"`)
	}
	return nil
}

// postedInvites is the response to a Post. The schema in the API's description is a
// collection, its text says one invitation, and a similar action returns an array.
type postedInvites OrgInviteCollection

// decode reads any of the three. An array must not be empty: nothing in it says
// that anybody was invited.
func (p *postedInvites) decode(ctx context.Context, status int, body []byte) error {
	c := (*OrgInviteCollection)(p)
	switch {
	case wire.IsArray(body):
		if err := c.readItems(ctx, body, body); err != nil {
			return err
		}
		if len(c.Items) == 0 {
			return errors.New("it has no invitation")
		}
	case wire.Has(body, "items"):
		return c.decode(ctx, status, body)
	default:
		c.Items = make([]OrgInvite, 1)
		if err := c.Items[0].readItem(ctx, body); err != nil {
			return err
		}
	}
	c.Count = len(c.Items)
	return nil
}

// InstanceOrgInvitesService calls the actions of the API's resource
// instanceOrgInvites: the invitations to an organization of an instance.
//
// Route: /instances/{instanceId}/orgs/{orgId}/invites
//
// Every error is an [*Error]. A minor release may add methods to the interface:
// a fake should embed it and implement only the methods that its test needs.
type InstanceOrgInvitesService interface {
	// Get lists the invitations that query selects.
	//
	// It is safe: it is retried after any transient failure, and its outcome is
	// never unknown. If one invitation of the list is invalid, the call fails
	// with [ErrInvalidResponse].
	//
	// Route: GET /instances/{instanceId}/orgs/{orgId}/invites
	//
	// The token needs one of the scopes all.Instance, all.Instance.bounded,
	// all.Instance.read, all.User, all.User.bounded, all.User.read,
	// instanceOrgInvites.* and instanceOrgInvites.get.
	Get(ctx context.Context, ref InstanceOrgInvitesRef, query InstanceOrgInvitesQuery, opts ...RequestOption) (*OrgInviteCollection, error)

	// Post invites a person to the organization.
	//
	// The API's documentation contradicts itself about the response: a collection,
	// one invitation or an array. Post returns a collection for each of them; for
	// the last two, Count is the number of Items and the other fields are zero. The
	// collection may contain other invitations: find the new one by its Email.
	//
	// It sends an email, so it is retried only if the API certainly did not
	// process the request. If the API may have acted, the error matches
	// [ErrOutcomeUnknown]: list the invitations before you try again.
	//
	// Route: POST /instances/{instanceId}/orgs/{orgId}/invites
	//
	// The token needs one of the scopes all.Instance, all.User,
	// instanceOrgInvites.* and instanceOrgInvites.post.
	Post(ctx context.Context, ref InstanceOrgInvitesRef, invite OrgInvitePost, opts ...RequestOption) (*OrgInviteCollection, error)
}

type instanceOrgInvitesService struct{ client *Client }

func (r InstanceOrgInvitesRef) path() route.Path {
	return route.Expand("/instances/{instanceId}/orgs/{orgId}/invites", r.InstanceID, r.OrgID)
}

// Get implements [InstanceOrgInvitesService].
func (s *instanceOrgInvitesService) Get(ctx context.Context, ref InstanceOrgInvitesRef, query InstanceOrgInvitesQuery, opts ...RequestOption) (*OrgInviteCollection, error) {
	return call[OrgInviteCollection](ctx, s.client, request{
		operation: "InstanceOrgInvites.Get",
		method:    http.MethodGet,
		path:      ref.path(),
		query:     query.values(),
		err:       query.validate(),
	}, opts)
}

// Post implements [InstanceOrgInvitesService].
func (s *instanceOrgInvitesService) Post(ctx context.Context, ref InstanceOrgInvitesRef, invite OrgInvitePost, opts ...RequestOption) (*OrgInviteCollection, error) {
	list, err := call[postedInvites](ctx, s.client, request{
		operation: "InstanceOrgInvites.Post",
		method:    http.MethodPost,
		path:      ref.path(),
		body:      invite,
		err:       invite.validate(),
	}, opts)
	return (*OrgInviteCollection)(list), err
}
