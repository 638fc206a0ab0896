package losanttest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/losant-community/losant-rest-go"
)

// maxInvites is the number of invitations at which Post refuses to add another.
const maxInvites = 10_000

func noSuchInvite() *response {
	return apiError(http.StatusNotFound, "NotFound", "No such invitation")
}

func (s *Server) getInvite(c *call) *response {
	s.mu.Lock()
	invite, ok := s.invites[strings.ToLower(c.ids["inviteId"])]
	if ok {
		invite = s.current(invite)
	}
	s.mu.Unlock()
	if !ok {
		return noSuchInvite()
	}
	return s.inviteResponse(c, invite)
}

func (s *Server) deleteInvite(c *call) *response {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := strings.ToLower(c.ids["inviteId"])
	if _, ok := s.invites[id]; !ok {
		return noSuchInvite()
	}
	delete(s.invites, id)
	c.TookEffect = true
	return jsonResponse(c.route.status, map[string]bool{"success": true})
}

func (s *Server) resendInvite(c *call) *response {
	var changes losant.OrgRoleInfo
	decode(c.Body, &changes)
	invite, ok := s.resend(c, changes)
	if !ok {
		return noSuchInvite()
	}
	return s.inviteResponse(c, invite)
}

// resend renews an invitation with changes. It returns false if the invitation does
// not exist.
func (s *Server) resend(c *call, changes losant.OrgRoleInfo) (losant.OrgInvite, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := strings.ToLower(c.ids["inviteId"])
	invite, ok := s.invites[id]
	if !ok {
		return losant.OrgInvite{}, false
	}
	if s.config.resendID != ResendKeepsID {
		delete(s.invites, id)
		invite.ID = "" // add creates a new one
	}
	invite.InviteDate = time.Time{} // add sets it to now
	invite.Role = cmp.Or(changes.Role, invite.Role)
	if changes.ApplicationRoles != nil {
		invite.ApplicationRoles = changes.ApplicationRoles
	}
	if changes.DashboardRoles != nil {
		invite.DashboardRoles = changes.DashboardRoles
	}
	c.TookEffect = true
	return s.current(s.add(invite)), true
}

// getInvites filters and sorts a snapshot of the invitations, without holding the
// lock.
func (s *Server) getInvites(c *call) *response {
	sortField := cmp.Or(losant.OrgInviteField(c.Query.Get("sortField")), losant.OrgInviteFieldInviteDate)
	sortDirection := cmp.Or(c.Query.Get("sortDirection"), string(losant.SortDescending))
	filterField, filter := c.Query.Get("filterField"), c.Query.Get("filter")

	invites := s.snapshot()
	if filterField != "" && filter != "" {
		pattern := newGlob(filter)
		invites = slices.DeleteFunc(invites, func(i losant.OrgInvite) bool {
			return !pattern.matches(lowerText(i, losant.OrgInviteField(filterField)))
		})
	}
	sortInvites(invites, sortField)
	if strings.EqualFold(sortDirection, string(losant.SortDescending)) {
		slices.Reverse(invites)
	}
	collection := s.collectionDocument(c, invites)
	collection["sortField"], collection["sortDirection"] = sortField, sortDirection
	if filterField != "" {
		collection["filterField"] = filterField
	}
	if filter != "" {
		collection["filter"] = filter
	}
	return jsonResponse(c.route.status, collection)
}

func (s *Server) postInvite(c *call) *response {
	var post losant.OrgInvitePost
	decode(c.Body, &post)
	invite, ok := s.post(c, post)
	if !ok {
		return apiError(http.StatusBadRequest, "Validation",
			fmt.Sprintf("The organization has %d invitations; Post adds no more", maxInvites))
	}
	return jsonResponse(c.route.status, s.collectionDocument(c, []losant.OrgInvite{invite}))
}

// post adds an invitation. It returns false if there are maxInvites already.
func (s *Server) post(c *call, post losant.OrgInvitePost) (losant.OrgInvite, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.invites) >= maxInvites {
		return losant.OrgInvite{}, false
	}
	c.TookEffect = true
	return s.current(s.add(losant.OrgInvite{
		Email:            post.Email,
		Role:             post.Role,
		ApplicationRoles: post.ApplicationRoles,
		DashboardRoles:   post.DashboardRoles,
		DisallowTransfer: post.DisallowTransfer,
	})), true
}

// collectionDocument returns a collection of invitations in the API's format.
func (s *Server) collectionDocument(c *call, invites []losant.OrgInvite) map[string]any {
	items := make([]map[string]any, len(invites))
	for n, invite := range invites {
		items[n] = s.inviteDocument(c, invite)
	}
	document := map[string]any{
		"items": items, "count": len(items), "instanceId": s.InstanceID, "orgId": s.OrgID,
	}
	s.link(c, document, "orgInviteCollection", "")
	return document
}

// inviteResponse returns a response with one invitation.
func (s *Server) inviteResponse(c *call, invite losant.OrgInvite) *response {
	return jsonResponse(c.route.status, s.inviteDocument(c, invite))
}

// inviteDocument returns an invitation in the API's format.
func (s *Server) inviteDocument(c *call, invite losant.OrgInvite) map[string]any {
	document := make(map[string]any)
	decode(jsonResponse(0, invite).body, &document)
	s.link(c, document, "orgInvite", "/"+invite.ID)
	return document
}

// link adds _type and _links to a document, unless _links is false in the request.
func (s *Server) link(c *call, document map[string]any, kind, path string) {
	switch c.Query.Get("_links") {
	case "false", "False", "0":
		return
	}
	document["_type"] = kind
	document["_links"] = map[string]losant.Link{
		"self": {Href: "/instances/" + s.InstanceID + "/orgs/" + s.OrgID + "/invites" + path},
	}
}
