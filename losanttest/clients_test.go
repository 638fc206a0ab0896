package losanttest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/losant-community/losant-rest-go"
)

// The API accepts what Losant's own clients send, so this server does, too. The
// rows are requests of losant-rest-js, losant-rest-python and losant-rest-ruby.
func TestRequestsOfLosantsClientsAreAccepted(t *testing.T) {
	t.Parallel()
	const (
		javascript = "Accept-Encoding: gzip, compress, deflate, br\nAccept-Version: ^1.30.0\nUser-Agent: axios/1.7.9"
		python     = "Accept-Encoding: gzip, deflate\nAccept-Version: ^1.29.3\nUser-Agent: python-requests/2.32.3"
		ruby       = "Content-Type: application/json\nAccept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3\n" +
			"Accept-Version: ^1.29.1\nLosantdomain: example.com\nUser-Agent: Ruby"
		isJSON = "\nContent-Type: application/json"
		flags  = "?_actions=false&_links=true&_embedded=true"
	)
	for name, test := range map[string]struct {
		method, query, body, header string
		ofCollection                bool
	}{
		"JavaScript deletes":                     {method: http.MethodDelete, query: flags, body: `{}`, header: javascript + isJSON},
		"an older JavaScript deletes":            {method: http.MethodDelete, query: flags, body: `{}`, header: javascript + isJSON + ";charset=utf-8"},
		"a delete with {} and no content type":   {method: http.MethodDelete, query: flags, body: "{ }\n", header: javascript},
		"Python deletes":                         {method: http.MethodDelete, query: flags, header: python},
		"Ruby deletes":                           {method: http.MethodDelete, query: flags, header: ruby},
		"Python gets, True and False":            {method: http.MethodGet, query: "?_actions=True&_links=False&_embedded=True", header: python},
		"Python gets, numbers, another order":    {method: http.MethodGet, query: "?_embedded=1&_links=0&_actions=1", header: python},
		"Ruby gets, with a content type":         {method: http.MethodGet, query: flags, header: ruby},
		"no flags":                               {method: http.MethodGet, header: javascript},
		"JavaScript resends without role info":   {method: http.MethodPost, query: flags, body: `{}`, header: javascript + isJSON},
		"Python resends":                         {method: http.MethodPost, query: "?_links=False", body: `{"role": "view"}`, header: python + isJSON},
		"Ruby resends":                           {method: http.MethodPost, query: flags, body: `{"role":"view"}`, header: ruby},
		"Python lists, + for a space":            {method: http.MethodGet, query: "?_links=False&filterField=email&filter=a+b", header: python, ofCollection: true},
		"JavaScript lists, unescaped characters": {method: http.MethodGet, query: flags + "&filterField=email&filter=[a]:$,*", header: javascript, ofCollection: true},
		"Ruby lists, nil as a blank":             {method: http.MethodGet, query: "?_actions=false&filterField=&filter=&sortDirection=", header: ruby, ofCollection: true},
		"Python invites":                         {method: http.MethodPost, query: "?_embedded=False", body: invitation, header: python + isJSON, ofCollection: true},
		"Ruby invites":                           {method: http.MethodPost, query: flags, body: invitation, header: ruby, ofCollection: true},
		"a filter without a filterField":         {method: http.MethodGet, query: "?filter=nobody", header: javascript, ofCollection: true},
		"a filterField without a filter":         {method: http.MethodGet, query: "?filterField=role", header: javascript, ofCollection: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := newServer(t)
			path := pathOf(srv.AddInvite(losant.OrgInvite{}))
			if test.ofCollection {
				path = collectionPath(srv)
			}
			req := newRequest(t, srv, test.method, path+test.query, test.body)
			req.Header.Del("Content-Type")
			req.Header.Set("Accept", "application/json")
			for line := range strings.SplitSeq(test.header, "\n") {
				name, value, _ := strings.Cut(line, ": ")
				req.Header.Set(name, value)
			}
			res, body, err := roundTrip(t, req)
			require.NoError(t, err)
			want := http.StatusOK
			if test.method == http.MethodPost {
				want = http.StatusCreated
			}
			require.Equal(t, want, res.StatusCode, body)
			assert.Equal(t, test.method != http.MethodGet, srv.Requests()[0].TookEffect)
			noLinks := strings.Contains(test.query, "_links=False") || strings.Contains(test.query, "_links=0")
			assert.Equal(t, test.method != http.MethodDelete && !noLinks, strings.Contains(body, `"_links"`), body)
			if strings.HasPrefix(name, "a filter") {
				assert.Contains(t, body, `"count":1`)
			}
		})
	}
}
