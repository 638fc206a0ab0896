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

// TestServerErrorsAre5xx: all of them, and nothing else.
func TestServerErrorsAre5xx(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]bool{0: false, 499: false, 500: true, 599: true, 600: false} {
		assert.Equal(t, want, errors.Is(&losant.Error{StatusCode: code}, losant.ErrServer), code)
	}
}

// TestLogOfErrorWithoutAnswer has no attributes for what there was not.
func TestLogOfErrorWithoutAnswer(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("failed", "err", &losant.Error{Operation: "X.Y"})
	assert.Contains(t, out.String(), "err.operation=X.Y err.error=\"losant: X.Y: the call failed\" err.outcome_unknown=false\n")
}

// TestCauseOfInvalidResponse: why a body made no sense is told, and can be found.
func TestCauseOfInvalidResponse(t *testing.T) {
	t.Parallel()
	err := answered(t, get, 200, `{"id":5}`)
	var cause *json.UnmarshalTypeError
	require.ErrorAs(t, err, &cause)
	assert.Equal(t, `the response is invalid: `+cause.Error()+`: {"id":5}`, requireError(t, err, "ErrInvalidResponse").Message)
}

// TestWordsOfTheAPI are read from 300 on; a success has none, and one letter is a
// body.
func TestWordsOfTheAPI(t *testing.T) {
	t.Parallel()
	const words = `{"type":"T","message":"the API's words"}`
	for code, want := range map[int][]string{300: {"T", "the API's words"}, 301: {"T", "the API's words"}} {
		e := requireError(t, answered(t, get, code, words))
		assert.Equal(t, want, []string{e.Type, e.Message}, code)
	}
	assert.Empty(t, requireError(t, answered(t, get, 299, words), "ErrInvalidResponse").Type)
	assert.Equal(t, `unexpected body "x"`, requireError(t, answered(t, get, 404, "x"), "ErrInvalidResponse").Message)
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

// TestMessageOfAnyShape: the API's words are in Message, whatever they come in.
func TestMessageOfAnyShape(t *testing.T) {
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
		`{"errors":["role is bad",{"message":"worse"}]}`:                                                  {"", "role is bad; worse"},
		`{"type":"Validation","message":"invalid","validationErrors":[{"message":"bad"}]}`:                {"Validation", "invalid: bad"},
		`{"type":"Validation","message":"role is bad","errors":["role is bad"]}`:                          {"Validation", "role is bad"},
		`{"error":"invalid_grant","error_description":"the code expired"}`:                                {"", "invalid_grant: the code expired"},
		`{"type":["Validation"],"message":"role is bad"}`:                                                 {"", "role is bad"},
		`{"type":{"a":1},"message":"role\nis\u0000bad"}`:                                                  {"", "role is bad"},
		`{"type":"Validation","message":{"a":` + strings.Repeat(`[`, 50) + strings.Repeat(`]`, 50) + `}}`: {"Validation", ""},
	} {
		e := requireError(t, answered(t, get, 400, body), "ErrBadRequest")
		assert.Equal(t, want, [2]string{e.Type, e.Message}, body)
		assertPrintable(t, e.Error())
	}
}

// TestHugeErrorsAreCheap: the memory that an error takes is in proportion to its
// body, however deep and however full of members it is.
func TestHugeErrorsAreCheap(t *testing.T) { //nolint:paralleltest // it measures memory
	for name, unit := range map[string]string{"members": `"a":1,`, "deep": `"message":{`, "list": `"message":[[],[],[],[],[],[]],`} {
		body := []byte(`{` + strings.Repeat(unit, (4<<20)/len(unit)))
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

// TestMessages: each failure says what happened, then where.
func TestMessages(t *testing.T) {
	t.Parallel()
	suffix := " (GET " + invitePath + ")"
	for _, row := range []struct {
		code int
		body string
		want string
	}{
		{404, `{"type":"NotFound","message":"no such invite."}`, "404 NotFound: no such invite"},
		{403, `{"message":"no scope"}`, "403 Forbidden: no scope"},
		{403, `{"type":"Scope"}`, "403 Scope"},
		{404, "default backend - 404", `404 Not Found: unexpected body "default backend - 404"`},
		{418, "", "418 I'm a teapot: empty body"},
		{200, "{", "200 OK, but the response is invalid: unexpected end of JSON input: {"},
		{200, "<html>", `200 OK, but the response is invalid: invalid character '<' looking for beginning of value: "<html>"`},
	} {
		err := answered(t, get, row.code, row.body)
		if err != nil && row.body == "{" {
			assert.True(t, strings.HasPrefix(err.Error(), "losant: InstanceOrgInvite.Get: 200 OK, but the response is "), "%v", err)
			continue
		}
		assert.EqualError(t, err, "losant: InstanceOrgInvite.Get: "+row.want+suffix)
	}

	// An operation without a name is not written twice.
	client, _ := fromMemory(t, 500, []byte(`{"type":"Server","message":"oops"}`))
	_, err := losant.Call[any](t.Context(), client, losant.Request{Method: http.MethodPatch, Path: []string{"a", id}})
	assert.EqualError(t, err, "losant: PATCH /a/"+id+": 500 Server: oops; outcome unknown: the API may have acted")
}

// TestHandMadeErrors print what there is.
func TestHandMadeErrors(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom\nbang. ")
	for want, e := range map[string]*losant.Error{
		"losant: 404 Not Found":            {StatusCode: 404},
		"losant: 404 NotFound":             {StatusCode: 404, Type: "NotFound"},
		"losant: 404 Not Found: boom bang": {StatusCode: 404, Err: boom},
		"losant: 599":                      {StatusCode: 599},
		"losant: X.Get: boom bang":         {Operation: "X.Get", Err: boom},
		"losant: X.Get: words":             {Operation: "X.Get", Message: "words", Err: boom},
		"losant: invalid argument":         {Err: losant.ErrInvalidArgument},
		"losant: the call failed":          {},
		"losant: X.Get: the call failed":   {Operation: "X.Get"},
		"losant: 404 Not Found; outcome unknown: the API may have acted": {StatusCode: 404, Err: losant.ErrOutcomeUnknown},
		"losant: a b: c d: e (GET /x y; 2 attempts)":                     {Operation: "a\nb", Method: "GET", Path: "/x\ny", Type: "c\td", Message: "e\n", Attempts: 2},
		"losant: no error": nil,
	} {
		require.NotPanics(t, func() {
			assert.EqualError(t, e, want)
			assert.NotErrorIs(t, e, io.EOF)
			assert.NotEmpty(t, e.LogValue().String())
			assert.NotEmpty(t, fmt.Sprintf("%v %+v", e, e))
		})
	}
	for want, e := range map[string]*losant.Error{
		"ErrNotFound": {StatusCode: 404}, "ErrGone": {StatusCode: 410, Message: "x"}, "ErrTokenSource": {Err: losant.ErrTokenSource}, "ErrInvalidArgument": {Err: fmt.Errorf("x: %w", losant.ErrInvalidArgument)},
	} {
		requireError(t, e, want)
	}
}

// TestErrorInJSON has no cause, which could hold anything.
func TestErrorInJSON(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(&losant.Error{StatusCode: 404, Err: errors.New("boom")})
	require.NoError(t, err)
	assert.NotContains(t, string(data), "boom")
}
