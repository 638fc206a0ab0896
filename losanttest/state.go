package losanttest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/losant-community/losant-rest-go"
)

// AddInvite adds an invitation to the organization and returns its ref. It
// replaces an invitation with the same ID.
//
// Zero fields get default values: a new ID, the Email invited@example.com, the
// Role view, the server's time as InviteDate, and a TTL of seven days. HasExpired
// and Links are ignored, because the server computes them.
//
// AddInvite panics if the invitation violates the API's schema: an ID or
// ResourceID that is not 24 hexadecimal digits, an invalid Email, a role that is
// not in the API description, more than 100 grants in a list, or an InviteDate
// that RFC 3339 cannot represent. To test responses that violate the schema,
// inject a [Fault] with a Body.
func (s *Server) AddInvite(invite losant.OrgInvite) losant.InstanceOrgInviteRef {
	s.mu.Lock()
	defer s.mu.Unlock()
	if invite.ID != "" && !idPattern.MatchString(invite.ID) {
		panic(fmt.Sprintf("losanttest: AddInvite: ID %q is not 24 hexadecimal digits", invite.ID))
	}
	if _, err := invite.InviteDate.MarshalJSON(); err != nil {
		panic(fmt.Sprintf("losanttest: AddInvite: InviteDate: %v", err))
	}
	invite.Email = cmp.Or(invite.Email, "invited@example.com")
	invite.Role = cmp.Or(invite.Role, losant.OrgRoleView)
	if err := checkInvite(s.complete(invite)); err != nil {
		panic(fmt.Sprintf("losanttest: AddInvite: %v", err))
	}
	invite = s.add(invite)
	return losant.InstanceOrgInviteRef{InstanceID: s.InstanceID, OrgID: s.OrgID, InviteID: invite.ID}
}

// checkInvite checks an invitation against the schema of responses.
func checkInvite(invite losant.OrgInvite) error {
	data, err := json.Marshal(invite)
	if err != nil {
		return err
	}
	var document any
	if err := json.Unmarshal(data, &document); err != nil {
		return err
	}
	return apiDescription().Types["orgInvite"].check("invite", document)
}

// complete returns invite with an ID, InviteDate and TTL. A new ID is not used up
// until add is called.
func (s *Server) complete(invite losant.OrgInvite) losant.OrgInvite {
	const week = 7 * 24 * time.Hour
	if invite.ID == "" {
		invite.ID = fmt.Sprintf("%s%08x", s.idPrefix, s.lastID+1)
	}
	if invite.InviteDate.IsZero() {
		invite.InviteDate = s.now()
	}
	invite.TTL = cmp.Or(invite.TTL, week)
	invite.Links = nil
	return invite
}

// add stores invite and returns it completed. The caller must hold s.mu.
func (s *Server) add(invite losant.OrgInvite) losant.OrgInvite {
	completed := s.complete(invite)
	s.lastID++
	s.invites[strings.ToLower(completed.ID)] = clone(completed)
	return completed
}

// Invite returns the current state of an invitation, and whether the invitation
// exists. Links is nil.
func (s *Server) Invite(ref losant.InstanceOrgInviteRef) (losant.OrgInvite, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	invite, ok := s.invites[strings.ToLower(ref.InviteID)]
	if !ok || !strings.EqualFold(ref.InstanceID, s.InstanceID) || !strings.EqualFold(ref.OrgID, s.OrgID) {
		return losant.OrgInvite{}, false
	}
	return s.current(invite), true
}

// Invites returns the current state of all invitations, sorted by InviteDate and
// then by ID. Links is nil. If there are no invitations, Invites returns an empty
// slice that is not nil.
func (s *Server) Invites() []losant.OrgInvite {
	invites := s.snapshot()
	sortInvites(invites, losant.OrgInviteFieldInviteDate)
	return invites
}

// snapshot returns the current state of all invitations, in no particular order.
func (s *Server) snapshot() []losant.OrgInvite {
	s.mu.Lock()
	defer s.mu.Unlock()
	invites := make([]losant.OrgInvite, 0, len(s.invites))
	for _, invite := range s.invites {
		invites = append(invites, s.current(invite))
	}
	return invites
}

// sortInvites sorts in ascending order by field and then by id.
func sortInvites(invites []losant.OrgInvite, field losant.OrgInviteField) {
	slices.SortFunc(invites, func(a, b losant.OrgInvite) int {
		byField := a.InviteDate.Compare(b.InviteDate)
		if field != losant.OrgInviteFieldInviteDate {
			byField = cmp.Compare(lowerText(a, field), lowerText(b, field))
		}
		return cmp.Or(byField, cmp.Compare(strings.ToLower(a.ID), strings.ToLower(b.ID)))
	})
}

// lowerText returns the email or the role of an invitation, in lower case.
func lowerText(invite losant.OrgInvite, field losant.OrgInviteField) string {
	if field == losant.OrgInviteFieldRole {
		return strings.ToLower(string(invite.Role))
	}
	return strings.ToLower(invite.Email)
}

// current returns a copy of invite, with HasExpired by the server's clock. The
// caller must hold s.mu.
func (s *Server) current(invite losant.OrgInvite) losant.OrgInvite {
	invite.HasExpired = !s.now().Before(invite.ExpiresAt())
	return clone(invite)
}

// clone returns an invite that shares no memory with invite.
func clone(invite losant.OrgInvite) losant.OrgInvite {
	invite.ApplicationRoles = slices.Clone(invite.ApplicationRoles)
	invite.DashboardRoles = slices.Clone(invite.DashboardRoles)
	return invite
}

// Advance moves the server's clock forward by d, so that invitations expire. It
// does not shorten the Delay of a [Fault].
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead += d
}

// now returns the server's time, with the precision of the API. The caller must
// hold s.mu.
func (s *Server) now() time.Time {
	return time.Now().Add(s.ahead).UTC().Truncate(time.Millisecond)
}
