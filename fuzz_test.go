package losant_test

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// FuzzPath: an id is refused, or the path is that of the invitation and nothing else.
func FuzzPath(f *testing.F) {
	for _, invalid := range invalidIDs() {
		f.Add(invalid, id, id)
		f.Add(id, invalid, id)
		f.Add(id, id, invalid)
	}
	f.Add(id, id, id)
	valid := regexp.MustCompile(`\Ahttps://api\.losant\.com/instances/[A-Fa-f0-9]{24}/orgs/[A-Fa-f0-9]{24}/invites/[A-Fa-f0-9]{24}\?_actions=false&_embedded=true&_links=true\z`)
	f.Fuzz(func(t *testing.T, instance, org, invite string) {
		client, urls := fromMemory(t, 200, []byte(inviteJSON))
		ref := losant.InstanceOrgInviteRef{InstanceID: instance, OrgID: org, InviteID: invite}
		err := get.call(t.Context(), client, ref)
		if err != nil {
			requireError(t, err, "ErrInvalidArgument")
			require.Empty(t, *urls)
			return
		}
		require.Len(t, *urls, 1)
		require.Regexp(t, valid, (*urls)[0])
		require.Contains(t, (*urls)[0], "/instances/"+instance+"/orgs/"+org+"/invites/"+invite+"?")
	})
}

// addBodies adds the seeds of the fuzz tests of bodies.
func addBodies(f *testing.F) {
	f.Helper()
	for _, text := range []string{
		"", "{}", "null", inviteJSON, fullInviteJSON, inviteJSON + "{}", `{"success":true}`, `{"id":"x","ttl":1e400}`, `{"id":"x","inviteDate":"2026-05-13T04:00:00.000Z"}`,
		`{"type":"NotFound","message":"x"}`, `{"type":5}`, "<html>", "\x00\xff", `{"id":"` + "\u202e" + `"}`, `{"ID":"x","_links":{"self":{"href":null}}}`, canary, `{"message":"` + canary + `"}`,
	} {
		f.Add([]byte(text))
	}
}

// FuzzSuccessBody: only the requested resource is a success, and any other body is a
// printable error.
func FuzzSuccessBody(f *testing.F) {
	addBodies(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, action := range actions {
			client, _ := fromMemory(t, 200, data)
			err := action.call(t.Context(), client, ref) // which checks the id
			if err == nil {
				require.True(t, json.Valid(data))
				continue
			}
			e := checkBodyError(t, err, 200)
			require.ErrorIs(t, e, losant.ErrInvalidResponse)
			if action.method == http.MethodGet {
				require.NotErrorIs(t, err, losant.ErrOutcomeUnknown)
			} else if !errors.Is(err, losant.ErrOutcomeUnknown) { // the body has the id, which proves that the API acted
				var invite map[string]any
				require.NoError(t, json.Unmarshal(data, &invite))
				require.NotEmpty(t, invite["id"])
			}
		}
	})
}

// FuzzErrorBody: the status stays, whatever the body is, and the error is printable.
func FuzzErrorBody(f *testing.F) {
	addBodies(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		client, _ := fromMemory(t, 404, data)
		for _, action := range actions {
			e := checkBodyError(t, action.call(t.Context(), client, ref), 404)
			object := json.Valid(data) && strings.HasPrefix(strings.TrimLeft(string(data), " \t\r\n"), "{")
			require.Equal(t, object, errors.Is(e, losant.ErrNotFound))
			require.Equal(t, !object, errors.Is(e, losant.ErrInvalidResponse))
			require.NotErrorIs(t, e, losant.ErrOutcomeUnknown)
		}
	})
}

// checkBodyError asserts that err has the status, is printable, and has no token.
func checkBodyError(t *testing.T, err error, code int) *losant.Error {
	t.Helper()
	var e *losant.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, code, e.StatusCode)
	require.LessOrEqual(t, len(e.Message), 1100)
	assertPrintable(t, e.Message)
	assertPrintable(t, e.Type)
	assertPrintable(t, e.Error())
	require.NotContains(t, e.Error(), canary)
	return e
}

// FuzzTTL: a JSON number is milliseconds, limited to the range of a Duration. Any other
// valid JSON is 0.
func FuzzTTL(f *testing.F) {
	for _, number := range []string{"0", "-0", "1", "4.2336e9", "1e400", "-1e400", "1e-400", "9223372036854775808", "0.000001", "null", `"1"`, "NaN", "1e999999999", "1E2170000000", "01", "+1", "0x10"} {
		f.Add(number)
	}
	f.Fuzz(func(t *testing.T, number string) {
		text := `{"id":"x","ttl":` + number + `}`
		var plain struct {
			TTL *json.Number `json:"ttl"`
		}
		plainErr := json.Unmarshal([]byte(text), &plain)
		var invite losant.OrgInvite
		err := json.Unmarshal([]byte(text), &invite)
		if strings.Contains(number, `"`) {
			return // a string may hold a number for json.Number, and other fields may follow
		}
		require.Equal(t, json.Valid([]byte(text)), err == nil, "%v, %v", plainErr, err)
		if err != nil || plainErr != nil || plain.TTL == nil {
			return
		}
		if float, parseErr := plain.TTL.Float64(); parseErr == nil {
			nanoseconds := min(max(float*1e6, math.MinInt64), math.MaxInt64)
			require.InDelta(t, nanoseconds, float64(invite.TTL), 1+1e-15*max(nanoseconds, -nanoseconds))
		}
	})
}

// FuzzOrgInvite: an invitation that is marshaled and unmarshaled is the same.
func FuzzOrgInvite(f *testing.F) {
	f.Add(id, "a@example.com", "edit", "resource", "view", int64(1778644800), int64(0), int64(604800000000000), true, false, "self", "/x", byte(0))
	f.Add("", "", "", "", "", int64(-62135596800), int64(1), int64(1), false, true, "", "", byte(255))
	f.Add("<>&", "\u2028", "x", "y", "z", int64(253402300799), int64(999999999), int64(-1), false, true, "a", "b", byte(5))
	f.Fuzz(func(t *testing.T, inviteID, email, role, resource, resourceRole string, seconds, nanoseconds, ttl int64, expired, disallow bool, relation, href string, shape byte) {
		for _, text := range []string{inviteID, email, role, resource, resourceRole, relation, href} {
			if !utf8.ValidString(text) {
				return // JSON has only valid UTF-8
			}
		}
		date := time.Unix(seconds%253402300799, nanoseconds).UTC()
		if date.Year() < 0 || date.Year() > 9999 {
			return // RFC 3339 has only these years
		}
		invite := losant.OrgInvite{ID: inviteID, Email: email, Role: losant.OrgRole(role), TTL: time.Duration(ttl), HasExpired: expired, DisallowTransfer: disallow}
		if shape&1 != 0 {
			invite.InviteDate = date
		}
		if shape&2 != 0 {
			invite.ApplicationRoles = []losant.ResourceGrant{}
		}
		if shape&4 != 0 {
			invite.DashboardRoles = []losant.ResourceGrant{{ResourceID: resource, Role: losant.ResourceRole(resourceRole)}, {}}
		}
		if shape&8 != 0 {
			invite.Links = map[string]losant.Link{relation: {Href: href}}
		}
		data, err := json.Marshal(invite)
		require.NoError(t, err)
		var back losant.OrgInvite
		require.NoError(t, json.Unmarshal(data, &back), "%s", data)
		assert.Equal(t, invite, back)
	})
}

// FuzzOrgRoleInfo: nil is not sent, an empty list is, and everything else is marshaled
// and unmarshaled without loss.
func FuzzOrgRoleInfo(f *testing.F) {
	f.Add("edit", "resource", "view", byte(0))
	f.Add("", "", "", byte(255))
	f.Fuzz(func(t *testing.T, role, resource, resourceRole string, shape byte) {
		if !utf8.ValidString(role) || !utf8.ValidString(resource) || !utf8.ValidString(resourceRole) {
			return
		}
		info := losant.OrgRoleInfo{Role: losant.OrgRole(role)}
		if shape&1 != 0 {
			info.ApplicationRoles = []losant.ResourceGrant{}
		}
		if shape&2 != 0 {
			info.DashboardRoles = []losant.ResourceGrant{{ResourceID: resource, Role: losant.ResourceRole(resourceRole)}}
		}
		data, err := json.Marshal(info)
		require.NoError(t, err)
		var members map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(data, &members))
		for name, present := range map[string]bool{"role": role != "", "applicationRoles": shape&1 != 0, "dashboardRoles": shape&2 != 0} {
			_, ok := members[name]
			assert.Equal(t, present, ok, "%s in %s", name, data)
		}
		var back losant.OrgRoleInfo
		require.NoError(t, json.Unmarshal(data, &back))
		assert.Equal(t, info, back)
	})
}
