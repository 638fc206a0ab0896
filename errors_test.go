package losant_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

const invitePath = "/instances/575ec8687ae143cd83dc4a95/orgs/575ec8687ae143cd83dc4a97/invites/575ec8687ae143cd83dc4a94"

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

// TestRedirectIsNamed: by its host, and by nothing that may be private.
func TestRedirectIsNamed(t *testing.T) {
	t.Parallel()
	for location, want := range map[string]string{
		"https://login.example.com":                       "redirect to https://login.example.com not followed",
		"https://user:pw@login.example.com/in/x?q=s#frag": "redirect to https://login.example.com not followed",
		"http://login.example.com:8080/" + canary:         "redirect to http://login.example.com:8080 not followed",
		"https://" + canary + ".example.com/":             "redirect to https://[token].example.com not followed",
		"//other.example.com/x":                           "redirect to https://other.example.com not followed",
		"/elsewhere?token=x":                              "redirect to https://api.example.com not followed",
		"mailto:ada@example.com":                          "redirect not followed",
		"https://[::1":                                    "redirect not followed",
		"https://\u202eexample.com/":                      "redirect not followed",
		"":                                                `unexpected body "moved"`,
	} {
		client := through(t, roundTripper(func(*http.Request) (*http.Response, error) {
			resp := reply(302, "moved")
			if location != "" {
				resp.Header.Set("Location", location)
			}
			return resp, nil
		}))
		assert.EqualError(t, get.call(t.Context(), client, ref), "losant: InstanceOrgInvite.Get: 302 Found: "+want+" (GET "+invitePath+")")
	}
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

// TestNotFoundIsTheAPIs: a 404 or 410 of a proxy does not say that a resource is
// absent.
func TestNotFoundIsTheAPIs(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]string{404: "ErrNotFound", 410: "ErrGone"} {
		for body, shaped := range map[string]bool{
			`{"type":"NotFound","message":"x"}`: true, " \r\n{}": true, "": false, "default backend - 404": false, "<html>": false, `"x"`: false, "[]": false, "null": false,
			`{"type":"NotFound"`: false, `{"type":"NotFound"}x`: false, `{type}`: false,
		} {
			for _, action := range actions {
				sentinel := "ErrInvalidResponse"
				if shaped {
					sentinel = want
				}
				e := requireError(t, answered(t, action, code, body), sentinel)
				assert.Equal(t, code, e.StatusCode)
			}
		}
	}
}

// TestUnavailable: no response, 408, 429 and 5xx, and nothing else.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	for code := 300; code <= 600; code++ {
		want := code == 408 || code == 429 || code >= 500 && code <= 599
		assert.Equal(t, want, errors.Is(&losant.Error{StatusCode: code}, losant.ErrUnavailable), code)
		assert.Equal(t, want, errors.Is(answered(t, resend, code, "{}"), losant.ErrUnavailable), code)
	}
	require.NotErrorIs(t, &losant.Error{}, losant.ErrUnavailable)
	require.ErrorIs(t, &losant.Error{Err: losant.ErrUnavailable}, losant.ErrUnavailable)
	require.NotErrorIs(t, answered(t, get, 200, "<html>"), losant.ErrUnavailable)

	dial := func(err error) func(context.Context, string, string) (net.Conn, error) {
		return func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
		}
	}
	for name, row := range map[string]struct {
		err  error
		want bool
	}{
		"refused":              {errors.New("connection refused"), true},
		"DNS trouble":          {&net.DNSError{Err: "server misbehaving", IsTemporary: true}, true},
		"no such host":         {&net.DNSError{Err: "no such host", IsNotFound: true}, true},
		"a bad certificate":    {&tls.CertificateVerificationError{Err: errors.New("of nobody")}, false},
		"no TLS at the server": {tls.RecordHeaderError{Msg: "not TLS"}, false},
	} {
		transport := &http.Transport{DialContext: dial(row.err)}
		for _, action := range actions {
			err := action.call(t.Context(), newClient(t, "https://api.example.com", losant.WithHTTPClient(&http.Client{Transport: transport})), ref)
			requireError(t, err)
			assert.Equal(t, row.want, errors.Is(err, losant.ErrUnavailable), "%s: %v", name, err)
		}
	}
}

// TestUnavailableByTime: an attempt that took too long tells of the API; a call
// that its caller ended does not.
func TestUnavailableByTime(t *testing.T) {
	t.Parallel()
	s := serve(t, silence)
	policy := quick
	policy.MaxAttempts, policy.AttemptTimeout = 1, 20*time.Millisecond
	err := resend.call(t.Context(), through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done() // it may have been sent: nothing says otherwise
		return nil, r.Context().Err()
	}), losant.WithRetryPolicy(policy)), ref)
	require.ErrorIs(t, err, losant.ErrUnavailable)
	require.ErrorIs(t, err, losant.ErrOutcomeUnknown)

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err = get.call(ctx, newClient(t, s.URL), ref)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, losant.ErrUnavailable)

	over, stop := context.WithCancel(t.Context())
	stop()
	require.NotErrorIs(t, get.call(over, newClient(t, s.URL), ref), losant.ErrUnavailable)

	// In the wait for another attempt.
	waiting, end := context.WithCancel(t.Context())
	dials := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		time.AfterFunc(time.Millisecond, end)
		return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
	}}
	patient := losant.WithRetryPolicy(losant.RetryPolicy{MinWait: time.Minute, MaxWait: time.Hour})
	err = get.call(waiting, newClient(t, s.URL, losant.WithHTTPClient(&http.Client{Transport: dials}), patient), ref)
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, losant.ErrUnavailable)
}

// TestTruncatedIsNotUnavailable: a response was received.
func TestTruncatedIsNotUnavailable(t *testing.T) {
	t.Parallel()
	err := remove.call(t.Context(), newClient(t, serve(t, breakOff).URL), ref)
	requireError(t, err, "ErrInvalidResponse", "ErrOutcomeUnknown")
	require.NotErrorIs(t, err, losant.ErrUnavailable)
	assert.ErrorContains(t, err, "200 OK, but the response is incomplete: unexpected EOF (DELETE ")
}

// TestErrorInJSON has no cause, which could hold anything.
func TestErrorInJSON(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(&losant.Error{StatusCode: 404, Err: errors.New("boom")})
	require.NoError(t, err)
	assert.NotContains(t, string(data), "boom")
}
