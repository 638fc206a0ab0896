package losant_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// TestErrorText: an error says what happened, then what was called.
func TestErrorText(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		action action
		code   int
		body   string
		want   string
	}{
		{get, 404, `{"type":"NotFound","message":"no such invite."}`, "404 NotFound: no such invite (GET " + invitePath + ")"},
		{get, 403, `{"message":"no scope"}`, "403 Forbidden: no scope (GET " + invitePath + ")"},
		{get, 403, `{"type":"Scope"}`, "403 Scope (GET " + invitePath + ")"},
		{get, 404, "default backend - 404", `404 Not Found: the response is not from the API: "default backend - 404" (GET ` + invitePath + ")"},
		{get, 418, "", "418 I'm a teapot: empty body (GET " + invitePath + ")"},
		{get, 521, "", "521: empty body (GET " + invitePath + "; 4 attempts)"},
		{get, 200, "{", "200 OK, but the response is not valid JSON: unexpected end of JSON input: { (GET " + invitePath + ")"},
		{get, 200, "", "200 OK, but the response is not valid JSON: unexpected end of JSON input (GET " + invitePath + ")"},
		{get, 202, "{}", "202 Accepted, but this status is unexpected here: {} (GET " + invitePath + ")"},
		{get, 202, "", "202 Accepted, but this status is unexpected here: empty body (GET " + invitePath + ")"},
		{get, 200, "<html>", `200 OK, but the response is not valid JSON: invalid character '<' looking for beginning of value: "<html>" (GET ` + invitePath + ")"},
		{remove, 429, `{"type":"TooManyRequests"}`, "429 TooManyRequests (DELETE " + invitePath + "; 4 attempts)"},
		{resend, 500, `{"type":"InternalServer","message":"oops"}`, "500 InternalServer: oops (POST " + invitePath + "); outcome unknown: the API may have acted"},
	} {
		assert.EqualError(t, errorFrom(t, row.action, row.code, row.body), "losant: "+row.action.name+": "+row.want)
	}
	_, err := losant.NewClient("")
	assert.EqualError(t, err, "losant: NewClient: the token is empty")

	client, _ := fromMemory(t, 500, []byte(`{"type":"Server","message":"oops"}`))
	_, err = losant.Call[any](t.Context(), client, losant.Request{Method: http.MethodPatch, Path: []string{"a", id}})
	assert.EqualError(t, err, "losant: PATCH /a/"+id+": 500 Server: oops; outcome unknown: the API may have acted", "a call without an Operation is named once")
}

// TestErrorMadeByHand matches and prints as a real one does, for the fakes of a
// program.
func TestErrorMadeByHand(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom\nbang. ")
	for want, e := range map[string]*losant.Error{
		"losant: 404 Not Found":               {StatusCode: 404},
		"losant: 404 NotFound":                {StatusCode: 404, Type: "NotFound"},
		"losant: 404 Not Found: boom bang":    {StatusCode: 404, Err: boom},
		"losant: 599":                         {StatusCode: 599},
		"losant: 199: words":                  {StatusCode: 199, Message: "words"},
		"losant: 200 OK, but words":           {StatusCode: 200, Message: "words"},
		"losant: 299, but words":              {StatusCode: 299, Message: "words"},
		"losant: 300 Multiple Choices: words": {StatusCode: 300, Message: "words"},
		"losant: X.Get: boom bang":            {Operation: "X.Get", Err: boom},
		"losant: X.Get: words":                {Operation: "X.Get", Message: "words", Err: boom},
		"losant: invalid argument":            {Err: losant.ErrInvalidArgument},
		"losant: the call failed":             {},
		"losant: X.Get: the call failed":      {Operation: "X.Get"},
		"losant: 404 Not Found; outcome unknown: the API may have acted": {StatusCode: 404, Err: losant.ErrOutcomeUnknown},
		"losant: a b: c d: e (GET /x y; 2 attempts)":                     {Operation: "a\nb", Method: "GET", Path: "/x\ny", Type: "c\td", Message: "e\n", Attempts: 2},
		"losant: X.Y: 429 Too Many Requests (retry after 1m30s)":         {Operation: "X.Y", StatusCode: 429, RetryAfter: 90 * time.Second},
		"losant: X.Y: 429 Too Many Requests (retry after 1ns)":           {Operation: "X.Y", StatusCode: 429, RetryAfter: 1},
		"losant: no error": nil,
	} {
		require.NotPanics(t, func() {
			assert.EqualError(t, e, want)
			assert.NotErrorIs(t, e, io.EOF)
			assert.False(t, e.Is(nil))
			assert.Contains(t, fmt.Sprintf("%v", e), want)
			assert.Contains(t, e.LogValue().String(), want)
		})
	}
	for _, row := range []struct {
		err  *losant.Error
		want []string
	}{
		{&losant.Error{}, nil},
		{&losant.Error{StatusCode: 404}, []string{"ErrNotFound"}},
		{&losant.Error{StatusCode: 410, Message: "x"}, []string{"ErrGone"}},
		{&losant.Error{StatusCode: 503, Err: losant.ErrOutcomeUnknown}, []string{"ErrServer", "ErrOutcomeUnknown"}},
		{&losant.Error{Err: losant.ErrTokenSource}, []string{"ErrTokenSource"}},
		{&losant.Error{Err: fmt.Errorf("x: %w", losant.ErrInvalidArgument)}, []string{"ErrInvalidArgument"}},
	} {
		requireError(t, row.err, row.want...)
	}
}

// TestErrorLogValue has an attribute for each field that is set.
func TestErrorLogValue(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]*losant.Error{
		`err.operation=X.Y err.error="losant: X.Y: the call failed" err.outcome_unknown=false`: {Operation: "X.Y"},
		`err.operation=X.Y err.error="losant: X.Y: 502 T (2 attempts); outcome unknown: the API may have acted" err.outcome_unknown=true err.status=502 err.type=T err.attempts=2`: {
			Operation: "X.Y", StatusCode: 502, Type: "T", Attempts: 2, Err: losant.ErrOutcomeUnknown,
		},
	} {
		var out bytes.Buffer
		slog.New(slog.NewTextHandler(&out, nil)).Info("failed", "err", e)
		assert.Contains(t, out.String(), " msg=failed "+want+"\n")
	}
}

// TestErrorInJSONHasNoCause, which could hold anything.
func TestErrorInJSONHasNoCause(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(&losant.Error{
		Operation: "X.Y", Method: "GET", Path: "/x", StatusCode: 404, Type: "NotFound", Message: "no such invite", RetryAfter: 7, Attempts: 1, Err: errors.New("boom"),
	})
	require.NoError(t, err)
	assert.JSONEq(t, `{"Operation":"X.Y","Method":"GET","Path":"/x","StatusCode":404,"Type":"NotFound","Message":"no such invite","RetryAfter":7,"Attempts":1}`, string(data))
}

// TestDecodingErrorIsTheCause of an ErrInvalidResponse. It names the member, and is in
// the message.
func TestDecodingErrorIsTheCause(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][2]string{
		`{"hasExpired":1,"email":"a","role":true}`: {"OrgInvite.hasExpired", "number"}, // the first of two
		`{"id":5}`:                                                  {"OrgInvite.id", "number"},
		`{"id":"x","hasExpired":"true"}`:                            {"OrgInvite.hasExpired", "string"},
		`{"id":"x","applicationRoles":{}}`:                          {"OrgInvite.applicationRoles", "object"},
		`{"id":"x","disallowTransfer":[]}`:                          {"OrgInvite.disallowTransfer", "array"},
		`{"id":"x","email":true}`:                                   {"OrgInvite.email", "bool"},
		`{"id":"x","dashboardRoles":[{"resourceId":"y","role":1}]}`: {"ResourceGrant.role", "number"},
	} {
		err := errorFrom(t, get, 200, body)
		var cause *json.UnmarshalTypeError
		require.ErrorAs(t, err, &cause, body)
		assert.Equal(t, want, [2]string{cause.Struct + "." + cause.Field, cause.Value})
		assert.Contains(t, requireError(t, err, "ErrInvalidResponse").Message, cause.Error()+": "+body)
	}
	client, _ := fromMemory(t, 200, []byte(`{"items":[],"count":"one","filter":true}`)) // the first of two
	_, err := client.InstanceOrgInvites.Get(t.Context(), invitesRef, losant.InstanceOrgInvitesQuery{})
	var cause *json.UnmarshalTypeError
	require.ErrorAs(t, err, &cause)
	assert.Equal(t, "OrgInviteCollection.count", cause.Struct+"."+cause.Field)
}

// TestTypeAndMessageAreReadFromStatus300On, because below the body is the resource.
func TestTypeAndMessageAreReadFromStatus300On(t *testing.T) {
	t.Parallel()
	const words = `{"type":"T","message":"the API's words"}`
	for _, code := range []int{300, 301} {
		e := requireError(t, errorFrom(t, get, code, words))
		assert.Equal(t, []string{"T", "the API's words"}, []string{e.Type, e.Message}, code)
	}
	assert.Empty(t, requireError(t, errorFrom(t, get, 299, words), "ErrInvalidResponse").Type)
}

// TestErrorBodyBecomesTypeAndMessage: printable and short, whatever it is. The
// status stays.
func TestErrorBodyBecomesTypeAndMessage(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long ", 1<<16)
	for _, row := range []struct{ body, wantType, wantMessage string }{
		{`{"type":"NotFound","message":"Invitation was not found"}`, "NotFound", "Invitation was not found"},
		{`{"type":"NotFound"}`, "NotFound", ""},
		{`{"message":"no such invite"}`, "", "no such invite"},
		{`{"type":5,"message":"still read"}`, "", "still read"},
		{`{"type":"T","message":{}}`, "T", ""},
		{"", "", "empty body"},
		{"{}", "", `unexpected body {}`},
		{"null", "", `the response is not from the API: "null"`},
		{"<html>\n<h1>Not\tFound</h1>\x1b[31m\x00\xff</html>", "", "the response is not from the API: \"<html> <h1>Not Found</h1> [31m \ufffd</html>\""},
		{`{"type":"` + "\u202e" + `T\n","message":"a\u0000b\nc\u001b[31m\u2028d"}`, " T ", "a b c [31m d"},
		{`{"message":"` + long + `"}`, "", long[:1024] + "…"},
		{`{"type":"` + long + `","message":"x"}`, long[:100] + "…", "x"},
		{"x", "", `the response is not from the API: "x"`},
		{long, "", `the response is not from the API: "` + long[:120] + `…"`},
	} {
		for _, action := range actions {
			err := errorFrom(t, action, 404, row.body)
			want := "ErrNotFound"
			if !strings.HasPrefix(row.body, "{") {
				want = "ErrInvalidResponse" // of a proxy, because the API's errors are JSON
			}
			e := requireError(t, err, want)
			assert.Equal(t, 404, e.StatusCode)
			assert.Equal(t, row.wantType, e.Type)
			assert.Equal(t, row.wantMessage, e.Message)
			require.NoError(t, e.Err)
			assertPrintable(t, err.Error())
		}
	}
}

// TestMessageIsReadFromAnyShape: a string, a list, an object, or another member.
func TestMessageIsReadFromAnyShape(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][2]string{
		`{"type":"Validation","message":["role is bad"]}`:                                                 {"Validation", "role is bad"},
		`{"type":"Validation","message":["role is bad","so is the email"]}`:                               {"Validation", "role is bad; so is the email"},
		`{"type":"Validation","message":{"role":"is bad"}}`:                                               {"Validation", "role: is bad"},
		`{"type":"Validation","message":{"message":{"text":["role is bad"]}}}`:                            {"Validation", "text: role is bad"},
		`{"type":"Validation","message":17}`:                                                              {"Validation", "17"},
		`{"type":"Validation","message":null,"error":"role is bad"}`:                                      {"Validation", "role is bad"},
		`{"type":"Validation","error":"role is bad"}`:                                                     {"Validation", "role is bad"},
		`{"error":{"message":"role is bad"}}`:                                                             {"", "role is bad"},
		`{"error":{"type":"Validation","message":"role is bad"}}`:                                         {"Validation", "type: Validation; role is bad"},
		`{"message":"role is bad","error":{"type":"Inner","message":"not read"}}`:                         {"", "role is bad"},
		`{"message":"role","errors":["role is bad"]}`:                                                     {"", "role is bad"},
		`{"message":"role is bad","errors":["bad"]}`:                                                      {"", "role is bad"},
		`{"errors":["role is bad",{"message":"worse"}]}`:                                                  {"", "role is bad; worse"},
		`{"type":"Validation","message":"invalid","validationErrors":[{"message":"bad"}]}`:                {"Validation", "invalid: bad"},
		`{"type":"Validation","message":"role is bad","errors":["role is bad"]}`:                          {"Validation", "role is bad"},
		`{"error":"invalid_grant","error_description":"the code expired"}`:                                {"", "invalid_grant: the code expired"},
		`{"type":["Validation"],"message":"role is bad"}`:                                                 {"", "role is bad"},
		`{"type":{"a":1},"message":"role\nis\u0000bad"}`:                                                  {"", "role is bad"},
		`{"type":"Validation","message":{"a":` + strings.Repeat(`[`, 50) + strings.Repeat(`]`, 50) + `}}`: {"Validation", ""},
	} {
		e := requireError(t, errorFrom(t, get, 400, body), "ErrBadRequest")
		assert.Equal(t, want, [2]string{e.Type, e.Message}, body)
		assertPrintable(t, e.Error())
	}
}

// TestErrorAllocatesAtMost20TimesTheBody, however deep it is and however many
// members it has.
func TestErrorAllocatesAtMost20TimesTheBody(t *testing.T) { //nolint:paralleltest // it measures memory
	for name, unit := range map[string]string{"members": `"a":1,`, "deep": `"message":{`, "list": `"message":[[],[],[],[],[],[]],`} {
		body := []byte(`{` + strings.Repeat(unit, (256<<10)/len(unit)))
		if name != "deep" {
			body = append(body[:len(body)-1], '}')
		}
		client, _ := fromMemory(t, 500, body)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		require.Error(t, get.call(t.Context(), client, ref))
		runtime.ReadMemStats(&after)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(20*len(body)), name)
	}
}
