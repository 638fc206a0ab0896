package losant

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/losant-community/losant-rest-go/internal/text"
	"github.com/losant-community/losant-rest-go/internal/wire"
)

// OrgRole is what a member may do in an organization. A role that this package
// does not know is sent and returned unchanged.
type OrgRole string

// The roles in an organization, from most to least.
const (
	OrgRoleAdmin       OrgRole = "admin"       // also manages the organization and its members
	OrgRoleEdit        OrgRole = "edit"        // also creates applications and dashboards
	OrgRoleCollaborate OrgRole = "collaborate" // also changes what is in applications and dashboards
	OrgRoleView        OrgRole = "view"        // reads
	OrgRoleNone        OrgRole = "none"        // sees nothing except what a [ResourceGrant] allows
)

// ResourceRole is what a member may do in one application or dashboard. As with
// [OrgRole], an unknown role is sent and returned unchanged.
type ResourceRole string

// The roles in one application or dashboard, from most to least.
const (
	ResourceRoleCollaborate ResourceRole = "collaborate" // changes what is in it
	ResourceRoleView        ResourceRole = "view"        // reads it
	ResourceRoleNone        ResourceRole = "none"        // does not see it
)

// ResourceGrant overrides a member's [OrgRole] in one application or dashboard.
type ResourceGrant struct {
	ResourceID string       `json:"resourceId"` // of the application or dashboard; required; the API checks its form
	Role       ResourceRole `json:"role"`
}

// OrgRoleInfo is what a member may do in an organization and in single
// applications and dashboards. The API does not document how it treats a field
// that is not sent.
type OrgRoleInfo struct {
	Role             OrgRole         `json:"role,omitzero"`             // "" is not sent
	ApplicationRoles []ResourceGrant `json:"applicationRoles,omitzero"` // nil is not sent, an empty list is
	DashboardRoles   []ResourceGrant `json:"dashboardRoles,omitzero"`   // nil is not sent, an empty list is
}

// validate returns an error for what is invalid in every version of the API. The API
// itself checks roles and the length of lists.
func (i OrgRoleInfo) validate() error {
	if err := validateGrants("ApplicationRoles", i.ApplicationRoles); err != nil {
		return err
	}
	return validateGrants("DashboardRoles", i.DashboardRoles)
}

func validateGrants(field string, grants []ResourceGrant) error {
	for n, grant := range grants {
		if grant.ResourceID == "" {
			return invalidField(fmt.Sprintf("%s[%d].ResourceID", field, n), "", "is empty")
		}
	}
	return nil
}

// invalidField says which field of an argument is invalid, and why.
func invalidField(field, value, reason string) error {
	if value == "" {
		return fmt.Errorf("%s %s", field, reason)
	}
	return fmt.Errorf("%s %q %s", field, text.Truncate(value, 80), reason)
}

// OrgInvite is an invitation to become a member of an organization.
//
// It marshals to the API's JSON and unmarshals from it. A struct that embeds an
// OrgInvite inherits that JSON, which hides its other fields; use a named field.
type OrgInvite struct {
	ID               string          `json:"id"`                        // 24 hexadecimal digits
	Email            string          `json:"email"`                     // of the invited person
	Role             OrgRole         `json:"role"`                      // the role that the member will have
	ApplicationRoles []ResourceGrant `json:"applicationRoles,omitzero"` // other roles for single applications
	DashboardRoles   []ResourceGrant `json:"dashboardRoles,omitzero"`   // other roles for single dashboards
	InviteDate       time.Time       `json:"inviteDate,omitzero"`       // when it was sent; UTC if the API names no zone; zero if unknown
	TTL              time.Duration   `json:"ttl,omitzero"`              // time from InviteDate until it expires, in JSON in milliseconds; 0 if unknown
	HasExpired       bool            `json:"hasExpired"`                // according to the API
	DisallowTransfer bool            `json:"disallowTransfer"`          // the API's documentation does not explain it
	Links            map[string]Link `json:"_links,omitzero"`           // by relation; nil with WithLinks(false)
}

// Link is the location of a related resource.
type Link struct {
	Href string `json:"href"` // a path relative to the base URL
}

// ExpiresAt returns InviteDate plus TTL, or the zero time if either is unknown.
func (i OrgInvite) ExpiresAt() time.Time {
	if i.InviteDate.IsZero() || i.TTL == 0 {
		return time.Time{}
	}
	return i.InviteDate.Add(i.TTL)
}

// RoleInfo returns the roles of the invitation, to resend it unchanged.
func (i OrgInvite) RoleInfo() OrgRoleInfo {
	return OrgRoleInfo{Role: i.Role, ApplicationRoles: i.ApplicationRoles, DashboardRoles: i.DashboardRoles}
}

type orgInviteFields OrgInvite // without its methods

// orgInviteJSON is an OrgInvite in the form that the API writes: its own fields
// replace those of the same name.
type orgInviteJSON struct {
	orgInviteFields

	InviteDate wire.Date         `json:"inviteDate,omitzero"`
	TTL        wire.Milliseconds `json:"ttl,omitzero"`
}

// MarshalJSON returns the API's JSON.
func (i OrgInvite) MarshalJSON() ([]byte, error) {
	return json.Marshal(orgInviteJSON{orgInviteFields(i), wire.Date{Time: i.InviteDate}, wire.Milliseconds(i.TTL)})
}

// UnmarshalJSON reads the API's JSON. Names must match exactly, and unknown
// members are ignored. An inviteDate, ttl or _links in an unexpected form is the
// zero value; any other member of the wrong type is an error.
func (i *OrgInvite) UnmarshalJSON(data []byte) error {
	if wire.IsNull(data) {
		return nil // by the convention of encoding/json
	}
	return i.read(context.Background(), data)
}

// decode reads an invitation, which must have an id.
func (i *OrgInvite) decode(ctx context.Context, _ int, body []byte) error {
	return i.readItem(ctx, body)
}

// readItem reads an invitation, which must have an id.
func (i *OrgInvite) readItem(ctx context.Context, data []byte) error {
	if err := i.read(ctx, data); err != nil {
		return &decodeError{err: err, identified: i.ID != ""}
	}
	return i.check()
}

// read replaces i by the invitation in data. Of several invalid members it
// reports the first, and still reads the others: i.ID is set whenever the
// JSON is valid and has one.
func (i *OrgInvite) read(ctx context.Context, data []byte) error {
	*i = OrgInvite{}
	var invalid error
	ids, links, it := 0, []byte(nil), wire.Object(data)
	for it.Next() {
		switch string(it.Name) {
		case "id":
			ids++
		case "_links":
			links = it.Value // only the last one counts: a map for each would take much memory
		}
		if err := i.set(ctx, it.Name, it.Value); err != nil && invalid == nil {
			invalid = err
		}
	}
	i.Links = readLinks(links)
	switch {
	case it.Err != nil:
		*i = OrgInvite{}
		return cmp.Or(wire.Check(data), it.Err) // it says where
	case ids > 1:
		i.ID = ""
		return errTwoIDs
	}
	return invalid
}

// set reads one member.
func (i *OrgInvite) set(ctx context.Context, name, value []byte) error {
	var err error
	switch string(name) {
	case "id":
		err = setString(&i.ID, value)
	case "email":
		err = setString(&i.Email, value)
	case "role":
		err = setRole(&i.Role, value)
	case "applicationRoles":
		err = setList(ctx, &i.ApplicationRoles, name, value, len(shortestGrant), (*ResourceGrant).read)
	case "dashboardRoles":
		err = setList(ctx, &i.DashboardRoles, name, value, len(shortestGrant), (*ResourceGrant).read)
	case "inviteDate":
		i.InviteDate = wire.ParseDate(value)
	case "ttl":
		i.TTL = wire.ParseMilliseconds(value)
	case "hasExpired":
		err = setBool(&i.HasExpired, value)
	case "disallowTransfer":
		err = setBool(&i.DisallowTransfer, value)
	}
	return inField("OrgInvite", name, err)
}

// check returns an error if the invitation has no id.
func (i *OrgInvite) check() error {
	if i.ID == "" {
		return errNoID
	}
	return nil
}

const shortestGrant = `{"resourceId":""}`

// read replaces g by the grant in data, which must name a resource.
func (g *ResourceGrant) read(_ context.Context, data []byte) error {
	named, it := false, wire.Object(data)
	for it.Next() {
		var err error
		switch string(it.Name) {
		case "resourceId":
			named = true
			err = setString(&g.ResourceID, it.Value)
		case "role":
			err = setRole(&g.Role, it.Value)
		}
		if err != nil {
			return inField("ResourceGrant", it.Name, err)
		}
	}
	if it.Err == nil && !named {
		return errors.New(`it has no "resourceId"`)
	}
	return it.Err
}

// readLinks reads links by relation. A link is an object with an href, or a list of
// them, of which the first counts. Anything else is ignored.
func readLinks(data []byte) map[string]Link {
	it := wire.Object(data)
	if it.Err != nil {
		return nil
	}
	links := map[string]Link{}
	for it.Next() {
		relation, value := "self", it.Value
		if string(it.Name) != relation { // the usual one takes no memory
			relation = string(it.Name)
		}
		if list := wire.Array(value); list.Next() {
			value = list.Value
		}
		for link := wire.Object(value); link.Next(); {
			if href, err := wire.String(link.Value); err == nil && string(link.Name) == "href" {
				links[relation] = Link{Href: href}
			}
		}
	}
	return links
}
