package losant_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// TestFlags: each of the three is sent as it was set, whatever the others are.
func TestFlags(t *testing.T) {
	t.Parallel()
	for n := range 8 {
		actions, links, embedded := n&1 != 0, n&2 != 0, n&4 != 0
		var got url.Values
		client := through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			got = r.URL.Query()
			return invited(r)
		}))
		require.NoError(t, get.call(t.Context(), client, ref, losant.WithActions(actions), losant.WithLinks(links), losant.WithEmbedded(embedded)))
		assert.Equal(t, url.Values{"_actions": {strconv.FormatBool(actions)}, "_links": {strconv.FormatBool(links)}, "_embedded": {strconv.FormatBool(embedded)}}, got)
	}
}

// TestTildeIsPrintable: the last character of ASCII that a header may carry is in
// semver ranges and in tokens.
func TestTildeIsPrintable(t *testing.T) {
	t.Parallel()
	var got http.Header
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		got = r.Header
		return invited(r)
	})
	client, err := losant.NewClient("to~ken", losant.WithAPIVersion("~1.30.0"), losant.WithHTTPClient(&http.Client{Transport: transport}))
	require.NoError(t, err)
	require.NoError(t, get.call(t.Context(), client, ref))
	assert.Equal(t, []string{"Bearer to~ken", "~1.30.0"}, []string{got.Get("Authorization"), got.Get("Accept-Version")})
}

// TestLongestBaseURL has a path of 1 KiB.
func TestLongestBaseURL(t *testing.T) {
	t.Parallel()
	longest := "https://api.example.com/" + strings.Repeat("a", 1<<10-1)
	_, err := losant.NewClient(canary, losant.WithBaseURL(longest))
	require.NoError(t, err)
	_, err = losant.NewClient(canary, losant.WithBaseURL(longest+"a"))
	requireError(t, err, "ErrInvalidArgument")
}

// TestHeadersOfOptions: the headers that the wire cases do not cover.
func TestHeadersOfOptions(t *testing.T) {
	t.Parallel()
	var got http.Header
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		succeed(w, r)
	})
	agent := "losant-rest-go/0.1.0 (" + runtime.Version() + ")"
	require.NoError(t, get.call(t.Context(), newClient(t, s.URL), ref))
	assert.Equal(t, http.Header{
		"Accept": {"application/json"}, "Accept-Version": {"^1.30.0"}, "Authorization": {"Bearer " + canary}, "User-Agent": {agent}, "Accept-Encoding": {"gzip"},
	}, got)

	client := newClient(t, s.URL, losant.WithUserAgent("inviter/1.2"), losant.WithAPIVersion("^2"), losant.WithDefaults(losant.WithLosantDomain("a.example.com")))
	require.NoError(t, get.call(t.Context(), client, ref))
	assert.Equal(t, "inviter/1.2 "+agent, got.Get("User-Agent"))
	assert.Equal(t, "^2", got.Get("Accept-Version"))
	assert.Equal(t, "a.example.com", got.Get("Losantdomain"))

	require.NoError(t, get.call(t.Context(), client, ref, losant.WithLosantDomain("b.example.com")))
	assert.Equal(t, []string{"b.example.com"}, got.Values("Losantdomain"), "the call's own option wins")
	require.NoError(t, get.call(t.Context(), client, ref, losant.WithLosantDomain("")))
	assert.Empty(t, got.Values("Losantdomain"), "and can take the default back")
}

func TestNewClientRefuses(t *testing.T) {
	t.Parallel()
	const secret = "hunter2hunter2"
	for name, opts := range map[string][]losant.Option{
		"no option":                {nil},
		"no scheme":                {losant.WithBaseURL("api.losant.com")},
		"no URL":                   {losant.WithBaseURL("https://user:" + secret + "/x@host")},
		"empty":                    {losant.WithBaseURL("")},
		"another scheme":           {losant.WithBaseURL("ftp://api.losant.com")},
		"no host":                  {losant.WithBaseURL("https://")},
		"a port alone":             {losant.WithBaseURL("https://:443")},
		"opaque":                   {losant.WithBaseURL("https:api.losant.com")},
		"user info":                {losant.WithBaseURL("https://user:" + secret + "@api.losant.com")},
		"empty user info":          {losant.WithBaseURL("https://@api.losant.com")},
		"query":                    {losant.WithBaseURL("https://api.losant.com?token=" + secret)},
		"empty query":              {losant.WithBaseURL("https://api.losant.com?")},
		"fragment":                 {losant.WithBaseURL("https://api.losant.com#x")},
		"empty fragment":           {losant.WithBaseURL("https://api.losant.com#")},
		"dot segments":             {losant.WithBaseURL("https://api.losant.com/a/../b")},
		"dot segment at the end":   {losant.WithBaseURL("https://api.losant.com/a/..")},
		"dot segment":              {losant.WithBaseURL("https://api.losant.com/./b")},
		"escaped dot segments":     {losant.WithBaseURL("https://api.losant.com/%2e%2e/b")},
		"escaped slash":            {losant.WithBaseURL("https://api.losant.com/a%2fb")},
		"escaped escape":           {losant.WithBaseURL("https://api.losant.com/%252e")},
		"empty segment":            {losant.WithBaseURL("https://api.losant.com//b")},
		"line end":                 {losant.WithBaseURL("https://api.losant.com/\r\nX: y")},
		"plain HTTP":               {losant.WithBaseURL("http://api.losant.com")},
		"plain HTTP like loopback": {losant.WithBaseURL("http://localhost.example.com")},
		"plain HTTP to 127.1":      {losant.WithBaseURL("http://127.1")},
		"plain HTTP to 128.0.0.1":  {losant.WithBaseURL("http://128.0.0.1")},
		"plain HTTP to any":        {losant.WithBaseURL("http://0.0.0.0")},
		"port too large":           {losant.WithBaseURL("https://api.losant.com:65536")},
		"port zero":                {losant.WithBaseURL("https://api.losant.com:0")},
		"host not in ASCII":        {losant.WithBaseURL("https://lösant.com")},
		"host with a zone":         {losant.WithBaseURL("https://[fe80::1%25eth0]")},
		"no HTTP client":           {losant.WithHTTPClient(nil)},
		"no logger":                {losant.WithLogger(nil)},
		"no token source":          {losant.WithTokenSource(nil)},
		"no token function":        {losant.WithTokenSource(losant.TokenSourceFunc(nil))},
		"version with a line end":  {losant.WithAPIVersion("^1\r\nX: y")},
		"no version":               {losant.WithAPIVersion("")},
		"agent with a line end":    {losant.WithUserAgent("x\ny")},
		"no agent":                 {losant.WithUserAgent("")},
		"no bytes":                 {losant.WithMaxResponseBytes(0)},
		"negative bytes":           {losant.WithMaxResponseBytes(-1)},
		"negative attempts":        {losant.WithRetryPolicy(losant.RetryPolicy{MaxAttempts: -1})},
		"negative wait":            {losant.WithRetryPolicy(losant.RetryPolicy{MinWait: -1})},
		"negative longest wait":    {losant.WithRetryPolicy(losant.RetryPolicy{MaxWait: -1})},
		"negative time":            {losant.WithRetryPolicy(losant.RetryPolicy{AttemptTimeout: -1})},
		"negative budget":          {losant.WithRetryPolicy(losant.RetryPolicy{Budget: -2})},
		"waits turned round":       {losant.WithRetryPolicy(losant.RetryPolicy{MinWait: 2, MaxWait: 1})},
		"bad default":              {losant.WithDefaults(losant.WithLosantDomain("a\nb"))},
		"no default":               {losant.WithDefaults(nil)},
		"shared response":          {losant.WithDefaults(losant.WithResponse(new(losant.Response)))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := losant.NewClient(canary, opts...)
			assert.Nil(t, client)
			e := requireError(t, err, "ErrInvalidArgument")
			assert.Equal(t, "NewClient", e.Operation)
			assert.NotContains(t, err.Error(), secret)
			assert.NotContains(t, err.Error(), canary)
		})
	}
	for name, token := range map[string]string{"empty": "", "line end": secret + "\n", "space": "a " + secret, "umlaut": "ä" + secret, "NUL": secret + "\x00", "DEL": secret + "\x7f"} {
		t.Run("token/"+name, func(t *testing.T) {
			t.Parallel()
			client, err := losant.NewClient(token)
			assert.Nil(t, client)
			requireError(t, err, "ErrInvalidArgument")
			assert.NotContains(t, err.Error(), secret)
		})
	}
}

func TestNewClientAccepts(t *testing.T) {
	t.Parallel()
	source := losant.TokenSourceFunc(func(context.Context) (string, error) { return canary, nil })
	for name, opts := range map[string][]losant.Option{
		"nothing":              {},
		"https":                {losant.WithBaseURL("HTTPS://api.example.com:8443/a/b/")},
		"loopback":             {losant.WithBaseURL("http://127.3.2.1:8080")},
		"loopback by name":     {losant.WithBaseURL("http://LocalHost")},
		"loopback of IPv6":     {losant.WithBaseURL("http://[::1]:80")},
		"insecure":             {losant.WithBaseURL("http://api.example.com"), losant.WithInsecureHTTP()},
		"insecure, then URL":   {losant.WithInsecureHTTP(), losant.WithBaseURL("http://api.example.com")},
		"client without all":   {losant.WithHTTPClient(&http.Client{})},
		"short waits only":     {losant.WithRetryPolicy(losant.RetryPolicy{MaxWait: time.Millisecond})},
		"long waits only":      {losant.WithRetryPolicy(losant.RetryPolicy{MinWait: time.Hour})},
		"largest bound":        {losant.WithMaxResponseBytes(1<<63 - 1)},
		"source":               {losant.WithTokenSource(source)},
		"version with a space": {losant.WithAPIVersion(">=1.30.0 <2")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := losant.NewClient(canary, opts...)
			require.NoError(t, err)
			require.NotNil(t, client.InstanceOrgInvite)
		})
	}
}

// TestHTTPClientIsLeftAlone: what the user gave is neither changed nor closed.
func TestHTTPClientIsLeftAlone(t *testing.T) {
	t.Parallel()
	s := serve(t, status(503), succeed)
	transport := &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS13}}
	t.Cleanup(transport.CloseIdleConnections)
	hc := &http.Client{Transport: transport, Timeout: time.Minute}
	before := *hc
	client := newClient(t, s.URL, losant.WithHTTPClient(hc))
	require.NoError(t, get.call(t.Context(), client, ref))
	client.CloseIdleConnections()
	assert.Equal(t, before, *hc)
	assert.Same(t, transport, hc.Transport)
	assert.Nil(t, hc.CheckRedirect)
}

// TestTransportSetLater: the transport that the client has at the time of a call
// carries it. Tools for tests put theirs in late.
func TestTransportSetLater(t *testing.T) {
	t.Parallel()
	hc := &http.Client{}
	client := newClient(t, "https://api.example.com", losant.WithHTTPClient(hc))
	transport := httpmock.NewMockTransport()
	transport.RegisterNoResponder(invited)
	hc.Transport = transport
	require.NoError(t, get.call(t.Context(), client, ref))
	assert.Equal(t, 1, transport.GetTotalCallCount())
}

// TestOptionsAddUp: defaults and products given one after the other.
func TestOptionsAddUp(t *testing.T) {
	t.Parallel()
	var got *http.Request
	client := newClient(t, "https://api.example.com", losant.WithUserAgent("inner/1"), losant.WithUserAgent("outer/2"),
		losant.WithDefaults(losant.WithLosantDomain("example.com")), losant.WithDefaults(losant.WithActions(true)),
		losant.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			got = r
			return invited(r)
		})}))
	require.NoError(t, get.call(t.Context(), client, ref))
	assert.True(t, strings.HasPrefix(got.Header.Get("User-Agent"), "outer/2 inner/1 losant-rest-go/"))
	assert.Equal(t, "example.com", got.Header.Get("Losantdomain"))
	assert.Equal(t, "true", got.URL.Query().Get("_actions"))
}

// TestHTTPClientTimeout: a timeout that the user set still holds, unless the
// policy's is shorter.
func TestHTTPClientTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := roundTripper(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		for timeout, want := range map[time.Duration]time.Duration{time.Second: time.Second, time.Hour: 30 * time.Second} {
			client := newClient(t, "https://api.example.com", losant.WithHTTPClient(&http.Client{Transport: hang, Timeout: timeout}), losant.WithRetryPolicy(losant.RetryPolicy{MaxAttempts: 1}))
			started := time.Now()
			requireError(t, get.call(t.Context(), client, ref))
			assert.Equal(t, want, time.Since(started))
		}
	})
}

// TestHTTPClientTimeoutIsNamed: on a real connection.
func TestHTTPClientTimeoutIsNamed(t *testing.T) {
	t.Parallel()
	s := serve(t, silence)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	policy := quick
	policy.MaxAttempts = 1
	err := get.call(t.Context(), newClient(t, s.URL,
		losant.WithHTTPClient(&http.Client{Transport: transport, Timeout: 20 * time.Millisecond}), losant.WithRetryPolicy(policy)), ref)
	requireError(t, err)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorContains(t, err, "20ms")
}

// TestWithMaxAttempts: replaces the policy's, for the call.
func TestWithMaxAttempts(t *testing.T) {
	t.Parallel()
	for n, arrived := range map[int]int32{1: 1, 2: 2, 6: 6} {
		s := serve(t, status(503))
		requireError(t, remove.call(t.Context(), newClient(t, s.URL), ref, losant.WithMaxAttempts(n)), "ErrServer", "ErrOutcomeUnknown")
		assert.Equal(t, arrived, s.arrived.Load())
	}
	s := serve(t, succeed)
	for _, n := range []int{0, -1} {
		requireError(t, get.call(t.Context(), newClient(t, s.URL), ref, losant.WithMaxAttempts(n)), "ErrInvalidArgument")
	}
	assert.Zero(t, s.arrived.Load())
}

// TestWithQuery: parameters of a newer version of the API, and of nothing else.
func TestWithQuery(t *testing.T) {
	t.Parallel()
	var query string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { query = r.URL.RawQuery; succeed(w, r) })
	client := newClient(t, s.URL, losant.WithDefaults(losant.WithQuery("new", "1"), losant.WithQuery("other", "2")))
	require.NoError(t, get.call(t.Context(), client, ref, losant.WithQuery("new", "a b&c")))
	assert.Equal(t, "_actions=false&_embedded=true&_links=true&new=a+b%26c&other=2", query)
	require.NoError(t, get.call(t.Context(), client, ref))
	assert.Equal(t, "_actions=false&_embedded=true&_links=true&new=1&other=2", query, "the default is as before")
	for _, name := range []string{"", "_actions", "_links", "_embedded"} {
		requireError(t, get.call(t.Context(), client, ref, losant.WithQuery(name, "x")), "ErrInvalidArgument")
	}
	_, err := losant.Call[any](t.Context(), client, losant.Request{Method: "GET", Path: []string{"x"}, Query: map[string][]string{"mine": {"1"}}}, losant.WithQuery("mine", "2"))
	requireError(t, err, "ErrInvalidArgument")
	assert.Equal(t, int32(2), s.arrived.Load())
}
