package losant

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/losant-community/losant-rest-go/internal/wire"
)

// OrgRole is what a member may do in an organization. The API may know roles
// that this package does not: they are passed on as they are.
type OrgRole string

// The roles in an organization, from most to least.
const (
	OrgRoleAdmin       OrgRole = "admin"       // also manages the organization and its members
	OrgRoleEdit        OrgRole = "edit"        // also creates applications and dashboards
	OrgRoleCollaborate OrgRole = "collaborate" // also changes what is in applications and dashboards
	OrgRoleView        OrgRole = "view"        // reads
	OrgRoleNone        OrgRole = "none"        // sees nothing but what a [ResourceGrant] gives
)

// ResourceRole is what a member may do in one application or dashboard. As
// with [OrgRole], an unknown one is passed on.
type ResourceRole string

// The roles in one application or dashboard, from most to least.
const (
	ResourceRoleCollaborate ResourceRole = "collaborate" // changes what is in it
	ResourceRoleView        ResourceRole = "view"        // reads it
	ResourceRoleNone        ResourceRole = "none"        // does not see it
)

// ResourceGrant gives a member another role in one application or dashboard
// than the [OrgRole] gives.
type ResourceGrant struct {
	ResourceID string       `json:"resourceId"` // of the application or dashboard
	Role       ResourceRole `json:"role"`
}

// OrgRoleInfo is what a member may do in an organization and in its single
// applications and dashboards. The API does not document what becomes of a field
// that is left out.
type OrgRoleInfo struct {
	Role             OrgRole         `json:"role,omitzero"`             // "" is left out
	ApplicationRoles []ResourceGrant `json:"applicationRoles,omitzero"` // nil is left out, an empty list is sent
	DashboardRoles   []ResourceGrant `json:"dashboardRoles,omitzero"`   // likewise
}

// validate refuses what no API could mean. Roles and the length of lists are
// the API's to judge.
func (i OrgRoleInfo) validate() error {
	if err := validateGrants("ApplicationRoles", i.ApplicationRoles); err != nil {
		return err
	}
	return validateGrants("DashboardRoles", i.DashboardRoles)
}

func validateGrants(field string, grants []ResourceGrant) error {
	for n, grant := range grants {
		if grant.ResourceID == "" {
			return fmt.Errorf("%s[%d].ResourceID is empty", field, n)
		}
	}
	return nil
}

// OrgInvite is an invitation to become a member of an organization. Its JSON
// form is the API's, both ways; a struct that embeds one has that form too, so
// give it a name there.
type OrgInvite struct {
	ID               string          `json:"id"`                        // 24 hexadecimal digits
	Email            string          `json:"email"`                     // who is invited
	Role             OrgRole         `json:"role"`                      // the role that the member will have
	ApplicationRoles []ResourceGrant `json:"applicationRoles,omitzero"` // other roles for single applications
	DashboardRoles   []ResourceGrant `json:"dashboardRoles,omitzero"`   // other roles for single dashboards
	InviteDate       time.Time       `json:"inviteDate,omitzero"`       // when it was sent; zero if the API did not say
	TTL              time.Duration   `json:"ttl,omitzero"`              // how long from InviteDate it can be accepted; milliseconds in JSON
	HasExpired       bool            `json:"hasExpired"`                // by the API's clock
	DisallowTransfer bool            `json:"disallowTransfer"`          // as the API has it, which does not explain it
	Links            map[string]Link `json:"_links,omitzero"`           // by relation; nil with WithLinks(false)
}

// Link is where a related resource is found.
type Link struct {
	Href string `json:"href"` // a path relative to the base URL
}

// ExpiresAt is InviteDate plus TTL, or the zero time if either is missing.
func (i *OrgInvite) ExpiresAt() time.Time {
	if i.InviteDate.IsZero() || i.TTL == 0 {
		return time.Time{}
	}
	return i.InviteDate.Add(i.TTL)
}

// RoleInfo returns the roles that the invitation gives, for sending it again as
// it is.
func (i *OrgInvite) RoleInfo() OrgRoleInfo {
	return OrgRoleInfo{Role: i.Role, ApplicationRoles: i.ApplicationRoles, DashboardRoles: i.DashboardRoles}
}

type orgInviteFields OrgInvite // without its methods

// orgInviteJSON is an OrgInvite as the API writes it: its own fields stand in
// for those of the same name.
type orgInviteJSON struct {
	orgInviteFields

	InviteDate wire.Date         `json:"inviteDate,omitzero"`
	TTL        wire.Milliseconds `json:"ttl,omitzero"`
}

// MarshalJSON writes the API's form.
func (i OrgInvite) MarshalJSON() ([]byte, error) {
	return json.Marshal(orgInviteJSON{orgInviteFields(i), wire.Date{Time: i.InviteDate}, wire.Milliseconds(i.TTL)})
}

// UnmarshalJSON reads the API's form. It ignores fields that it does not know.
func (i *OrgInvite) UnmarshalJSON(data []byte) error {
	var form orgInviteJSON
	if err := json.Unmarshal(data, &form); err != nil {
		return err
	}
	*i = OrgInvite(form.orgInviteFields)
	i.InviteDate, i.TTL = form.InviteDate.Time, time.Duration(form.TTL)
	return nil
}

// check says what is missing for an invite.
func (i *OrgInvite) check() error {
	if i.ID == "" {
		return errors.New("it has no id")
	}
	return nil
}

// success is all that the API answers to a deletion.
type success struct {
	Success bool `json:"success"`
}

func (s *success) check() error {
	if !s.Success {
		return errors.New("it does not say success")
	}
	return nil
}
