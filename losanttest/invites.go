package losanttest

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/losant-community/losant-rest-go"
)

// withInvite is for the routes of one invitation.
func (s *Server) withInvite(act func(*call, losant.OrgInvite) answer) func(*call) answer {
	return func(c *call) answer {
		invite, ok := s.invites[strings.ToLower(c.ids["inviteId"])]
		if !ok {
			return *apiError(http.StatusNotFound, "NotFound", "No such invitation")
		}
		return act(c, invite)
	}
}

func (s *Server) getInvite(c *call, invite losant.OrgInvite) answer {
	return s.inviteAnswer(c, http.StatusOK, invite)
}

func (s *Server) deleteInvite(_ *call, invite losant.OrgInvite) answer {
	delete(s.invites, strings.ToLower(invite.ID))
	return jsonAnswer(http.StatusOK, map[string]bool{"success": true})
}

func (s *Server) resendInvite(c *call, invite losant.OrgInvite) answer {
	var changes losant.OrgRoleInfo
	decode(c.Body, &changes)
	delete(s.invites, strings.ToLower(invite.ID))
	invite.ID, invite.InviteDate = "", time.Time{} // it gets new ones
	if changes.Role != "" {
		invite.Role = changes.Role
	}
	if changes.ApplicationRoles != nil {
		invite.ApplicationRoles = changes.ApplicationRoles
	}
	if changes.DashboardRoles != nil {
		invite.DashboardRoles = changes.DashboardRoles
	}
	return s.inviteAnswer(c, http.StatusCreated, s.add(invite))
}

// getInvites lists those that match, in the order asked for.
func (s *Server) getInvites(c *call) answer {
	sortField := cmp.Or(losant.OrgInviteField(c.Query.Get("sortField")), losant.OrgInviteFieldInviteDate)
	sortDirection := cmp.Or(c.Query.Get("sortDirection"), string(losant.SortDescending))
	filterField, filter := c.Query.Get("filterField"), c.Query.Get("filter")

	invites := s.sorted(sortField)
	if strings.EqualFold(sortDirection, string(losant.SortDescending)) {
		slices.Reverse(invites)
	}
	if filterField != "" && filter != "" {
		pattern := glob(filter)
		invites = slices.DeleteFunc(invites, func(i losant.OrgInvite) bool {
			return !pattern.MatchString(text(i, losant.OrgInviteField(filterField)))
		})
	}
	collection := s.collectionDocument(c, invites)
	collection["sortField"], collection["sortDirection"] = sortField, sortDirection
	if filterField != "" {
		collection["filterField"] = filterField
	}
	if filter != "" {
		collection["filter"] = filter
	}
	return jsonAnswer(http.StatusOK, collection)
}

func (s *Server) postInvite(c *call) answer {
	var post losant.OrgInvitePost
	decode(c.Body, &post)
	invite := s.add(losant.OrgInvite{
		Email:            post.Email,
		Role:             post.Role,
		ApplicationRoles: post.ApplicationRoles,
		DashboardRoles:   post.DashboardRoles,
		DisallowTransfer: post.DisallowTransfer,
	})
	return jsonAnswer(http.StatusCreated, s.collectionDocument(c, []losant.OrgInvite{s.current(invite)}))
}

// sorted is the state, ascending by a field and then by the id.
func (s *Server) sorted(field losant.OrgInviteField) []losant.OrgInvite {
	invites := make([]losant.OrgInvite, 0, len(s.invites))
	for _, invite := range s.invites {
		invites = append(invites, s.current(invite))
	}
	slices.SortFunc(invites, func(a, b losant.OrgInvite) int {
		byField := a.InviteDate.Compare(b.InviteDate)
		if field != losant.OrgInviteFieldInviteDate {
			byField = cmp.Compare(strings.ToLower(text(a, field)), strings.ToLower(text(b, field)))
		}
		return cmp.Or(byField, cmp.Compare(strings.ToLower(a.ID), strings.ToLower(b.ID)))
	})
	return invites
}

// text is one of the fields of an invite that are text.
func text(invite losant.OrgInvite, field losant.OrgInviteField) string {
	if field == losant.OrgInviteFieldRole {
		return string(invite.Role)
	}
	return invite.Email
}

// glob is what a filter means.
func glob(filter string) *regexp.Regexp {
	literally := regexp.QuoteMeta(filter)
	return regexp.MustCompile(`(?is)^` + strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(literally) + `$`)
}

// collectionDocument is a list of invites as the API writes it.
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

// inviteAnswer is the answer with one invite.
func (s *Server) inviteAnswer(c *call, status int, invite losant.OrgInvite) answer {
	return jsonAnswer(status, s.inviteDocument(c, s.current(invite)))
}

// inviteDocument is an invite as the API writes it.
func (s *Server) inviteDocument(c *call, invite losant.OrgInvite) map[string]any {
	document := make(map[string]any)
	decode(jsonAnswer(http.StatusOK, invite).body, &document)
	s.link(c, document, "orgInvite", "/"+invite.ID)
	return document
}

// link adds to a document what the API adds to each, unless told not to.
func (s *Server) link(c *call, document map[string]any, kind, path string) {
	if c.Query.Get("_links") == "false" {
		return
	}
	document["_type"] = kind
	document["_links"] = map[string]losant.Link{
		"self": {Href: "/instances/" + s.InstanceID + "/orgs/" + s.OrgID + "/invites" + path},
	}
}

// current is a copy of invite as it is by the server's clock.
func (s *Server) current(invite losant.OrgInvite) losant.OrgInvite {
	invite.HasExpired = !s.now().Before(invite.ExpiresAt())
	return detached(invite)
}

// detached shares no memory with invite.
func detached(invite losant.OrgInvite) losant.OrgInvite {
	invite.ApplicationRoles = slices.Clone(invite.ApplicationRoles)
	invite.DashboardRoles = slices.Clone(invite.DashboardRoles)
	return invite
}
