package losant_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// answered returns what a call makes of one answer.
func answered(t *testing.T, a action, code int, body string) error {
	t.Helper()
	transport := httpmock.NewMockTransport()
	transport.RegisterNoResponder(httpmock.NewStringResponder(code, body))
	return a.call(t.Context(), newClient(t, "https://api.example.com", losant.WithHTTPClient(&http.Client{Transport: transport})), ref)
}

// TestSuccessThatIsNone: 2xx alone is not success, nor are names in another case
// or names that occur twice.
func TestSuccessThatIsNone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", " ", "null", "true", "1", `""`, "[]", "[" + inviteJSON + "]", "{}", `{"id":""}`, `{"id":null}`, `{"id":5}`, `{"success":false}`, `{"success":null}`,
		`{"success":"true"}`, `{"success":1}`, "{", inviteJSON[:len(inviteJSON)-1], inviteJSON + "{}", inviteJSON + "x", inviteJSON + "\x00", "\ufeff" + inviteJSON,
		`{"success":false,"SUCCESS":true}`, `{"SUCCESS":true}`, `{"success":true,"success":false}`, `{"success":false,"success":true}`, `{"success":true,"success":true}`, `{"success":true}x`,
		`{"ID":"` + id + `"}`, `{"id":"","ID":"` + id + `"}`, `{"id":"` + id + `","id":"` + id + `"}`, `{"id":"` + id + `","\u0069d":""}`, `{"id":"` + id + `","role":[]`,
		"<html>sign in</html>", `{"error":"x"}`, strings.Repeat("[", 20_000), `{"a":` + strings.Repeat(`{"a":`, 20_000),
	} {
		for _, action := range actions {
			e := &losant.Error{}
			err := answered(t, action, 200, text)
			require.ErrorAs(t, err, &e, "%s of %.80q", action.name, text)
			want := []string{"ErrInvalidResponse", "ErrOutcomeUnknown"}
			if action.method == http.MethodGet {
				want = want[:1]
			}
			requireError(t, err, want...)
			assert.Equal(t, 200, e.StatusCode)
			assert.Equal(t, 1, e.Attempts)
			assertPrintable(t, err.Error())
		}
	}
	for _, code := range []int{200, 201, 203} {
		require.NoError(t, answered(t, get, code, " \t\r\n"+inviteJSON+"\n"))
		require.NoError(t, answered(t, remove, code, `{"success":true,"more":1,"SUCCESS":false}`))
	}
}

// TestNoContent: a 204 is a success of a Delete, and of nothing else.
func TestNoContent(t *testing.T) {
	t.Parallel()
	require.NoError(t, answered(t, remove, 204, ""))
	requireError(t, answered(t, remove, 204, `{"success":false}`), "ErrInvalidResponse", "ErrOutcomeUnknown")
	requireError(t, answered(t, remove, 200, ""), "ErrInvalidResponse", "ErrOutcomeUnknown")
	requireError(t, answered(t, get, 204, ""), "ErrInvalidResponse")
	requireError(t, answered(t, resend, 204, ""), "ErrInvalidResponse", "ErrOutcomeUnknown")
}

// TestInvalidMember: a response that has the id proves that the API acted, even
// if another member has the wrong type.
func TestInvalidMember(t *testing.T) {
	t.Parallel()
	for member, value := range map[string]string{
		"email": "5", "role": "[]", "applicationRoles": "{}", "dashboardRoles": `[{"role":"view"}]`, "hasExpired": `"true"`, "disallowTransfer": "1",
	} {
		for _, text := range []string{`{"id":"` + id + `","` + member + `":` + value + `}`, `{"` + member + `":` + value + `,"email":{},"id":"` + id + `"}`} {
			assert.Contains(t, requireError(t, answered(t, get, 200, text), "ErrInvalidResponse").Message, member)
			requireError(t, answered(t, resend, 201, text), "ErrInvalidResponse")
			requireError(t, answered(t, resend, 201, text+"x"), "ErrInvalidResponse", "ErrOutcomeUnknown")
		}
		requireError(t, answered(t, resend, 201, `{"`+member+`":`+value+`}`), "ErrInvalidResponse", "ErrOutcomeUnknown")
	}
	requireError(t, answered(t, resend, 201, `{"id":5}`), "ErrInvalidResponse", "ErrOutcomeUnknown")
	for _, grant := range []string{"null", "1", "{}", `{"role":"view"}`, `{"resourceId":1}`, `{"resourceId":"x","role":1}`} {
		requireError(t, answered(t, resend, 201, `{"id":"`+id+`","applicationRoles":[{"resourceId":"x"},`+grant+`]}`), "ErrInvalidResponse")
	}
}

// TestAncillaryMembers: links, a date and a ttl in an odd form never fail a call.
func TestAncillaryMembers(t *testing.T) {
	t.Parallel()
	date := time.Date(2026, 5, 13, 4, 0, 0, 0, time.UTC)
	self := map[string]losant.Link{"self": {Href: "/x"}}
	none := map[string]losant.Link{}
	for text, want := range map[string]losant.OrgInvite{
		`"_links":[]`: {}, `"_links":null`: {}, `"_links":5`: {}, `"_links":"/x"`: {}, `"_links":true`: {}, `"_links":{}`: {Links: none},
		`"_links":{"self":5,"a":null,"b":[],"c":{},"d":[1],"e":{"href":null},"f":{"href":[]},"g":{"HREF":"/x"}}`: {Links: none},
		`"_links":{"self":{"href":"/x"},"odd":5}`:                         {Links: self},
		`"_links":{"self":[{"href":"/x"},{"href":"/y"}]}`:                 {Links: self},
		`"_links":{"self":{"href":"/y"}},"_links":{"self":{"href":"/x"}}`: {Links: self},
		`"inviteDate":""`:                        {},
		`"inviteDate":null`:                      {},
		`"inviteDate":"yesterday"`:               {},
		`"inviteDate":5`:                         {},
		`"inviteDate":{}`:                        {},
		`"inviteDate":"2026-05-13T04:00:00.000"`: {InviteDate: date},
		`"inviteDate":"2026-05-13 04:00:00"`:     {InviteDate: date},
		`"ttl":"1000"`:                           {TTL: time.Second},
		`"ttl":"soon"`:                           {},
		`"ttl":{}`:                               {},
		`"ttl":null`:                             {},
		`"ttl":true`:                             {},
	} {
		want.ID = id
		text = `{"id":"` + id + `",` + text + `}`
		client, _ := fromMemory(t, 200, []byte(text))
		var response losant.Response
		invite, err := client.InstanceOrgInvite.Get(t.Context(), ref, losant.WithResponse(&response))
		require.NoError(t, err, text)
		assert.Equal(t, want, *invite, text)
		assert.Equal(t, text, string(response.Body))
		client, _ = fromMemory(t, 200, []byte(`{"items":[`+text+`],"_links":[],"count":1}`))
		list, err := client.InstanceOrgInvites.Get(t.Context(), invitesRef, losant.InstanceOrgInvitesQuery{})
		require.NoError(t, err, text)
		assert.Equal(t, &losant.OrgInviteCollection{Items: []losant.OrgInvite{want}, Count: 1}, list)
	}
}

func assertPrintable(t *testing.T, text string) {
	t.Helper()
	assert.Less(t, len(text), 1600)
	assert.NotContains(t, text, "\n")
	for _, r := range text {
		if !unicode.IsPrint(r) {
			t.Errorf("%q has the unprintable %q", text, r)
		}
	}
}

// TestErrorBodies: whatever an error answer says, its status stays.
func TestErrorBodies(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long ", 1<<16)
	for _, row := range []struct{ body, wantType, wantMessage string }{
		{`{"type":"NotFound","message":"Invitation was not found"}`, "NotFound", "Invitation was not found"},
		{`{"type":"NotFound"}`, "NotFound", ""},
		{`{"message":"gone fishing"}`, "", "gone fishing"},
		{`{"type":5,"message":"still read"}`, "", "still read"},
		{`{"type":"T","message":{}}`, "T", ""},
		{"", "", "empty body"},
		{"{}", "", `unexpected body {}`},
		{"null", "", `unexpected body "null"`},
		{"<html>\n<h1>Not\tFound</h1>\x1b[31m\x00\xff</html>", "", "unexpected body \"<html> <h1>Not Found</h1> [31m \ufffd</html>\""},
		{`{"type":"` + "\u202e" + `T\n","message":"a\u0000b\nc\u001b[31m\u2028d"}`, " T ", "a b c [31m d"},
		{`{"message":"` + long + `"}`, "", long[:1024] + "…"},
		{long, "", ""},
	} {
		for _, action := range actions {
			err := answered(t, action, 404, row.body)
			want := "ErrNotFound"
			if !strings.HasPrefix(row.body, "{") {
				want = "ErrInvalidResponse" // of a proxy: the API says it in JSON
			}
			e := requireError(t, err, want)
			assert.Equal(t, 404, e.StatusCode)
			assert.Equal(t, row.wantType, e.Type)
			if row.wantMessage != "" || row.wantType != "" {
				assert.Equal(t, row.wantMessage, e.Message)
			}
			require.NoError(t, e.Err)
			assertPrintable(t, err.Error())
		}
	}
}

// TestErrorText fixes how an error reads.
func TestErrorText(t *testing.T) {
	t.Parallel()
	const path = "/instances/575ec8687ae143cd83dc4a95/orgs/575ec8687ae143cd83dc4a97/invites/575ec8687ae143cd83dc4a94"
	assert.EqualError(t, answered(t, get, 404, `{"type":"NotFound","message":"no such invite"}`),
		"losant: InstanceOrgInvite.Get: 404 NotFound: no such invite (GET "+path+")")
	assert.EqualError(t, answered(t, resend, 500, `{"type":"InternalServer","message":"oops"}`),
		"losant: InstanceOrgInvite.ResendInvite: 500 InternalServer: oops (POST "+path+"); outcome unknown: the API may have acted")
	assert.EqualError(t, answered(t, remove, 429, `{"type":"TooManyRequests"}`),
		"losant: InstanceOrgInvite.Delete: 429 TooManyRequests (DELETE "+path+"; 4 attempts)")
	assert.EqualError(t, answered(t, get, 521, ""), "losant: InstanceOrgInvite.Get: 521: empty body (GET "+path+"; 4 attempts)")
	assert.EqualError(t, &losant.Error{Operation: "X.Y", StatusCode: 429, RetryAfter: 90 * time.Second}, "losant: X.Y: 429 Too Many Requests (retry after 1m30s)")
	_, err := losant.NewClient("")
	assert.EqualError(t, err, "losant: NewClient: the token is empty")
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("failed", "err", &losant.Error{Operation: "X.Y", StatusCode: 502, Type: "T", Attempts: 2, Err: losant.ErrOutcomeUnknown})
	assert.Contains(t, log.String(), `err.operation=X.Y err.error="losant: X.Y: 502 T (2 attempts); outcome unknown: the API may have acted" err.outcome_unknown=true err.status=502 err.type=T err.attempts=2`)
	text, err := json.Marshal(answered(t, get, 404, `{"type":"NotFound","message":"no such invite"}`))
	require.NoError(t, err)
	assert.JSONEq(t, `{"Operation":"InstanceOrgInvite.Get","Method":"GET","Path":"`+path+`","StatusCode":404,"Type":"NotFound","Message":"no such invite","RetryAfter":0,"Attempts":1}`, string(text))
}

// TestErrorOfFakes: a fake service makes errors that match as real ones do.
func TestErrorOfFakes(t *testing.T) {
	t.Parallel()
	requireError(t, &losant.Error{StatusCode: 404}, "ErrNotFound")
	requireError(t, &losant.Error{StatusCode: 503, Err: losant.ErrOutcomeUnknown}, "ErrServer", "ErrOutcomeUnknown")
	requireError(t, &losant.Error{Err: losant.ErrInvalidArgument}, "ErrInvalidArgument")
	assert.NotErrorIs(t, &losant.Error{StatusCode: 404}, errors.New("another"))
}

// TestMaxResponseBytes: no more is read, of success or of failure, whether the
// size is announced, hidden by compression or never ends.
func TestMaxResponseBytes(t *testing.T) {
	t.Parallel()
	const most = 1 << 10
	whole := inviteJSON[:len(inviteJSON)-1] + `,"pad":"` + strings.Repeat("x", most-len(inviteJSON)-len(`,"pad":""`)) + `"}`
	require.Len(t, whole, most)
	var compressed bytes.Buffer
	zip := gzip.NewWriter(&compressed)
	_, _ = zip.Write(bytes.Repeat([]byte(" "), 1<<20))
	_ = zip.Close()
	endless := func(code int) answer {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			for {
				if _, err := w.Write(bytes.Repeat([]byte("x"), 1<<12)); err != nil {
					return
				}
			}
		}
	}
	for _, row := range []struct {
		name   string
		answer answer
		expected
	}{
		{"as many", body(whole), success(1)},
		{"one more", body(whole + " "), failure(1, "ErrInvalidResponse")},
		{"64 MiB announced", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(64<<20))
			endless(200)(w, r)
		}, failure(1, "ErrInvalidResponse")},
		{"without end", endless(200), failure(1, "ErrInvalidResponse")},
		{"an error without end", endless(404), failure(1, "ErrInvalidResponse")},
		{"an error of 64 MiB announced", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(64<<20))
			endless(404)(w, r)
		}, failure(1, "ErrInvalidResponse")},
		{"compressed", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(compressed.Bytes())
		}, failure(1, "ErrInvalidResponse")},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, row.answer)
			var response losant.Response
			err := get.call(t.Context(), newClient(t, s.URL, losant.WithMaxResponseBytes(most)), ref, losant.WithResponse(&response))
			row.check(t, s, err)
			assert.LessOrEqual(t, len(response.Body), most)
			if strings.Contains(row.name, "announced") {
				assert.Empty(t, response.Body, "what is announced as too large is not even begun")
				assert.NotContains(t, err.Error(), "empty body")
			}
		})
	}
}

// TestBodyThatEndsWithItsConnection: without a length a broken body looks whole.
func TestBodyThatEndsWithItsConnection(t *testing.T) {
	t.Parallel()
	until := func(body string) answer {
		return func(w http.ResponseWriter, _ *http.Request) {
			conn := hijack(w)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"+body)
			_ = conn.Close()
		}
	}
	s := serve(t, until(inviteJSON[:20]), until(inviteJSON))
	require.NoError(t, get.call(t.Context(), newClient(t, s.URL), ref))
	assert.Equal(t, int32(2), s.arrived.Load())
	for _, whole := range []string{"<html>", inviteJSON + inviteJSON, "{]"} {
		s = serve(t, until(whole))
		failure(1, "ErrInvalidResponse").check(t, s, get.call(t.Context(), newClient(t, s.URL), ref))
	}
}

// TestWithResponse: what came back is there on success and on failure, and
// nothing of an earlier call stays.
func TestWithResponse(t *testing.T) {
	t.Parallel()
	s := serve(t, status(503, "X-Request-Id", "first"), cut, succeed, // net/http itself comes back from the cut
		status(404, "X-Request-Id", "last"))
	client := newClient(t, s.URL)
	response := losant.Response{StatusCode: 999, Body: []byte("stale")}
	_, err := client.InstanceOrgInvite.Get(t.Context(), ref, losant.WithResponse(&response))
	require.NoError(t, err)
	assert.Equal(t, 200, response.StatusCode)
	assert.JSONEq(t, inviteJSON, string(response.Body))
	require.Len(t, response.Attempts, 3)
	assert.Equal(t, []int{503, 0, 200}, []int{response.Attempts[0].StatusCode, response.Attempts[1].StatusCode, response.Attempts[2].StatusCode})
	require.Error(t, response.Attempts[1].Err)
	assert.Zero(t, response.Attempts[0].Wait)
	for n, attempt := range response.Attempts {
		assert.Equal(t, n != 1, attempt.Duration > 0)
		assert.Equal(t, n == 1, attempt.Wait > 0, "the one that was lost was waited for")
	}

	_, err = client.InstanceOrgInvite.Get(t.Context(), ref, losant.WithResponse(&response))
	requireError(t, err, "ErrNotFound")
	assert.Equal(t, 404, response.StatusCode)
	assert.Equal(t, "last", response.Header.Get("X-Request-Id"))
	assert.JSONEq(t, `{"type":"Type404","message":"message 404"}`, string(response.Body))
	assert.Len(t, response.Attempts, 1)

	second := losant.Response{}
	_, err = client.InstanceOrgInvite.Get(t.Context(), ref, losant.WithResponse(&response), losant.WithResponse(&second), losant.WithResponse(&second))
	requireError(t, err, "ErrNotFound")
	response.Attempts[0].Duration, second.Attempts[0].Duration = 0, 0
	assert.Equal(t, response, second, "both are filled")

	_, err = client.InstanceOrgInvite.Get(t.Context(), losant.InstanceOrgInviteRef{}, nil, losant.WithResponse(&response))
	requireError(t, err, "ErrInvalidArgument")
	assert.Equal(t, losant.Response{}, response)
}

// TestOrgInviteJSON: an invite survives JSON, and keeps the API's form.
func TestOrgInviteJSON(t *testing.T) {
	t.Parallel()
	const text = `{"id":"64b0f5d29c3a7e0012ab34cd","email":"a@example.com","role":"edit","applicationRoles":[],"dashboardRoles":[{"resourceId":"x","role":"none"}],
		"inviteDate":"2026-05-13T04:00:00.000Z","ttl":604800000,"hasExpired":true,"disallowTransfer":false,"_links":{"self":{"href":"/x"}}}`
	var invite losant.OrgInvite
	require.NoError(t, json.Unmarshal([]byte(text), &invite))
	again, err := json.Marshal(invite)
	require.NoError(t, err)
	assert.JSONEq(t, text, string(again))
	for _, invite := range []losant.OrgInvite{
		{},
		{ID: id, TTL: 1, InviteDate: time.Date(2026, 5, 13, 4, 0, 0, 1, time.UTC)},
		{ID: id, TTL: math.MaxInt64 - 1, InviteDate: time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)},
		{ID: id, TTL: math.MinInt64, ApplicationRoles: []losant.ResourceGrant{}, Links: map[string]losant.Link{}},
	} {
		data, err := json.Marshal(invite)
		require.NoError(t, err)
		var back losant.OrgInvite
		require.NoError(t, json.Unmarshal(data, &back))
		assert.Equal(t, invite, back)
	}
	require.NoError(t, json.Unmarshal([]byte(`{"id":"x"}`), &invite))
	assert.Equal(t, losant.OrgInvite{ID: "x"}, invite, "nothing of the last one stays")
	require.NoError(t, json.Unmarshal([]byte("null"), &invite))
	assert.Equal(t, "x", invite.ID, "as encoding/json has it")
	for _, invalid := range []string{"", "[]", "5", `{"id":"x"`, `{"id":5}`, `{"id":"x"}{}`} {
		require.Error(t, invite.UnmarshalJSON([]byte(invalid)), invalid)
	}
	_, err = json.Marshal(losant.OrgInvite{InviteDate: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)})
	require.Error(t, err)
}

func TestRoleInfo(t *testing.T) {
	t.Parallel()
	grants := []losant.ResourceGrant{{ResourceID: id, Role: losant.ResourceRoleView}}
	invite := losant.OrgInvite{ID: id, Email: "a@example.com", Role: losant.OrgRoleEdit, ApplicationRoles: grants, DashboardRoles: []losant.ResourceGrant{}}
	assert.Equal(t, losant.OrgRoleInfo{Role: losant.OrgRoleEdit, ApplicationRoles: grants, DashboardRoles: []losant.ResourceGrant{}}, invite.RoleInfo())
}

func TestExpiresAt(t *testing.T) {
	t.Parallel()
	date := time.Date(2026, 5, 13, 4, 0, 0, 0, time.UTC)
	assert.Equal(t, date.Add(time.Hour), losant.OrgInvite{InviteDate: date, TTL: time.Hour}.ExpiresAt())
	assert.True(t, losant.OrgInvite{InviteDate: date}.ExpiresAt().IsZero())
	assert.True(t, losant.OrgInvite{TTL: time.Hour}.ExpiresAt().IsZero())
}
