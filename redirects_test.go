package losant_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// TestErrorNamesHostOfRedirect, and not the rest of the URL, which may be private.
func TestErrorNamesHostOfRedirect(t *testing.T) {
	t.Parallel()
	for location, want := range map[string]string{
		"https://login.example.com":                       "redirect to https://login.example.com not followed",
		"https://user:pw@login.example.com/in/x?q=s#frag": "redirect to https://login.example.com not followed",
		"http://login.example.com:8080/" + canary:         "redirect to http://login.example.com:8080 not followed",
		"https://" + canary + ".example.com/":             "redirect to https://[token].example.com not followed",
		"//other.example.com/x":                           "redirect to https://other.example.com not followed",
		"/elsewhere?token=x":                              "redirect to https://api.example.com not followed",
		"https://" + strings.Repeat("a", 300) + "/":       "redirect to https://" + strings.Repeat("a", 255) + "… not followed",
		"mailto:ada@example.com":                          "redirect not followed",
		"ftp://files.example.com/":                        "redirect not followed",
		"https:///in":                                     "redirect not followed",
		"https://[::1":                                    "redirect not followed",
		"https://\u202eexample.com/":                      "redirect not followed",
		"":                                                `unexpected body "moved"`,
	} {
		moved := httpmock.NewStringResponder(302, "moved")
		if location != "" {
			moved = moved.HeaderSet(http.Header{"Location": {location}})
		}
		client := through(t, mock(moved))
		assert.EqualError(t, get.call(t.Context(), client, ref), "losant: InstanceOrgInvite.Get: 302 Found: "+want+" (GET "+invitePath+")")
	}
}

// TestOnlyA3xxRedirects: the location of any other status is that of something else.
func TestOnlyA3xxRedirects(t *testing.T) {
	t.Parallel()
	const redirect = "redirect to https://login.example.com not followed"
	for code, want := range map[int]string{
		200: "the response is not valid JSON: invalid character 'w' looking for beginning of value: \"words\"",
		299: `this status is unexpected here: "words"`, 300: redirect, 399: redirect, 400: `unexpected body "words"`, 404: `the response is not from the API: "words"`,
	} {
		client := through(t, mock(httpmock.NewStringResponder(code, "words").HeaderSet(http.Header{"Location": {"https://login.example.com/x"}})))
		var e *losant.Error
		require.ErrorAs(t, get.call(t.Context(), client, ref), &e)
		assert.Equal(t, want, e.Message, code)
	}
	client := through(t, mock(httpmock.NewStringResponder(302, `{"message":"moved"}`).HeaderSet(http.Header{"Location": {"https://login.example.com/x"}})))
	assert.Equal(t, redirect, requireError(t, get.call(t.Context(), client, ref)).Message, "the host says more than a message")
}

// TestRedirectsAreNotFollowed: neither to another server, nor to another path of the
// same server.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	for _, code := range []int{300, 301, 302, 303, 307, 308} {
		for _, location := range []string{"elsewhere", "/same", "", "%zz://", "https://[::1", "//elsewhere.example"} {
			for _, action := range actions {
				t.Run(fmt.Sprint(code, " ", location, "/", action.name), func(t *testing.T) {
					t.Parallel()
					other := serve(t, succeed)
					target := location
					if target == "elsewhere" {
						target = other.URL + "/x"
					}
					s := serve(t, status(code, "Location", target), succeed)
					var response losant.Response
					sentinels := []string{}
					if code == 303 && action.method != http.MethodGet {
						sentinels = []string{"ErrOutcomeUnknown"} // the usual response to a POST that was done
					}
					e := requireError(t, action.call(t.Context(), newClient(t, s.URL), ref, losant.WithResponse(&response)), sentinels...)
					assert.Equal(t, code, e.StatusCode)
					assert.Equal(t, 1, e.Attempts)
					assert.Equal(t, target, response.Header.Get("Location"))
					assert.Equal(t, int32(1), s.arrived.Load())
					assert.Zero(t, other.arrived.Load())
				})
			}
		}
	}
}
