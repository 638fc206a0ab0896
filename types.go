package losant

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"time"
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
// applications and dashboards. What is left out stays as it is: the zero value
// changes nothing.
type OrgRoleInfo struct {
	Role             OrgRole         `json:"role,omitzero"`             // "" is left out
	ApplicationRoles []ResourceGrant `json:"applicationRoles,omitzero"` // nil is left out, an empty list clears
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
// form is the API's, both ways.
type OrgInvite struct {
	ID               string          // 24 hexadecimal digits
	Email            string          // who is invited
	Role             OrgRole         // the role that the member will have
	ApplicationRoles []ResourceGrant // other roles for single applications
	DashboardRoles   []ResourceGrant // other roles for single dashboards
	InviteDate       time.Time       // when it was sent; zero if the API did not say
	TTL              time.Duration   // how long from InviteDate it can be accepted; the API counts milliseconds
	HasExpired       bool            // by the API's clock
	DisallowTransfer bool            // as the API has it, which does not explain it
	Links            map[string]Link // _links, by relation; nil with WithLinks(false)
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

// orgInviteJSON is an OrgInvite as the API writes it.
type orgInviteJSON struct {
	ID               string          `json:"id"`
	Email            string          `json:"email"`
	Role             OrgRole         `json:"role"`
	ApplicationRoles []ResourceGrant `json:"applicationRoles,omitzero"`
	DashboardRoles   []ResourceGrant `json:"dashboardRoles,omitzero"`
	InviteDate       date            `json:"inviteDate,omitzero"`
	TTL              milliseconds    `json:"ttl,omitzero"`
	HasExpired       bool            `json:"hasExpired"`
	DisallowTransfer bool            `json:"disallowTransfer"`
	Links            map[string]Link `json:"_links,omitzero"`
}

// MarshalJSON writes the API's form.
func (i OrgInvite) MarshalJSON() ([]byte, error) {
	return json.Marshal(orgInviteJSON{
		ID: i.ID, Email: i.Email, Role: i.Role,
		ApplicationRoles: i.ApplicationRoles, DashboardRoles: i.DashboardRoles,
		InviteDate: date{i.InviteDate}, TTL: milliseconds(i.TTL),
		HasExpired: i.HasExpired, DisallowTransfer: i.DisallowTransfer, Links: i.Links,
	})
}

// UnmarshalJSON reads the API's form. It ignores fields that it does not know.
func (i *OrgInvite) UnmarshalJSON(data []byte) error {
	var wire orgInviteJSON
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	*i = OrgInvite{
		ID: wire.ID, Email: wire.Email, Role: wire.Role,
		ApplicationRoles: wire.ApplicationRoles, DashboardRoles: wire.DashboardRoles,
		InviteDate: wire.InviteDate.Time, TTL: time.Duration(wire.TTL),
		HasExpired: wire.HasExpired, DisallowTransfer: wire.DisallowTransfer, Links: wire.Links,
	}
	return nil
}

// whole reports whether the API answered with an invite at all.
func (i *OrgInvite) whole() error {
	if i.ID == "" {
		return errNoID
	}
	return nil
}

// date is a time as the API writes it, with the milliseconds even if none.
type date struct{ time.Time }

func (d date) MarshalJSON() ([]byte, error) {
	if d.Nanosecond()%int(time.Millisecond) != 0 || d.Year() < 0 || d.Year() > 9999 {
		return d.Time.MarshalJSON() // keeps what is finer, and refuses the years
	}
	return []byte(d.Format(`"2006-01-02T15:04:05.000Z07:00"`)), nil
}

// milliseconds is a Duration as the API writes it: any JSON number.
type milliseconds time.Duration

func (m milliseconds) MarshalJSON() ([]byte, error) {
	whole, rest := m/milliseconds(time.Millisecond), m%milliseconds(time.Millisecond)
	if rest == 0 {
		return strconv.AppendInt(nil, int64(whole), 10), nil
	}
	return []byte(new(big.Rat).SetFrac64(int64(m), int64(time.Millisecond)).FloatString(6)), nil
}

func (m *milliseconds) UnmarshalJSON(data []byte) error {
	const longest = math.MaxInt64 / int64(time.Millisecond)
	if whole, err := strconv.ParseInt(string(data), 10, 64); err == nil && whole > -longest && whole < longest {
		*m = milliseconds(whole * int64(time.Millisecond))
		return nil
	}
	number := string(data)
	if number == "null" {
		return nil
	}
	nearest, err := strconv.ParseFloat(number, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) { // which gives infinity, to be clamped
		return fmt.Errorf("ttl: %.40s is not a number", number)
	}
	exact := big.NewFloat(nearest)
	const digits, bits = 64, 128 // a hostile server could send millions, and big.Float is quadratic
	if len(number) <= digits && math.Abs(nearest) < math.MaxInt64 {
		if parsed, _, err := big.ParseFloat(number, 10, bits, big.ToNearestEven); err == nil {
			exact = parsed
		}
	}
	exact.SetPrec(bits)
	exact.Mul(exact, big.NewFloat(float64(time.Millisecond)))
	exact.Add(exact, big.NewFloat(math.Copysign(0.5, float64(exact.Sign())))) // Int64 cuts the fraction off
	nanoseconds, _ := exact.Int64()                                           // and clamps
	*m = milliseconds(nanoseconds)
	return nil
}

// success is all that the API answers to a deletion.
type success struct {
	Success bool `json:"success"`
}

func (s *success) whole() error {
	if !s.Success {
		return errNoSuccess
	}
	return nil
}
