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

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// TestHeadersAsTheyArrive: the headers of a request without a body at a server.
func TestHeadersAsTheyArrive(t *testing.T) {
	t.Parallel()
	var got http.Header
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		succeed(w, r)
	})
	require.NoError(t, get.call(t.Context(), newClient(t, server.URL), ref))
	assert.Equal(t, http.Header{
		"Accept": {"application/json"}, "Accept-Version": {"^1.30.0"}, "Authorization": {"Bearer " + canary}, "Accept-Encoding": {"gzip"},
		"User-Agent": {"losant-rest-go/0.1.0 (" + runtime.Version() + ")"},
	}, got)
}

// TestOptionsChangeHeaders: the last ones win, the call's after the client's, and
// products are put before each other. A tilde is the last character that a header
// may have.
func TestOptionsChangeHeaders(t *testing.T) {
	t.Parallel()
	api := &recorder{}
	client := through(t, api, losant.WithUserAgent("inner/1"), losant.WithUserAgent("outer/2"), losant.WithAPIVersion("^1"), losant.WithAPIVersion("~2"),
		losant.WithDefaults(losant.WithLosantDomain("a.example.com")), losant.WithDefaults(losant.WithActions(true)))
	require.NoError(t, get.call(t.Context(), client, ref))
	assert.Equal(t, "outer/2 inner/1 losant-rest-go/0.1.0 ("+runtime.Version()+")", api.request.Header.Get("User-Agent"))
	assert.Equal(t, "~2", api.request.Header.Get("Accept-Version"))
	assert.Equal(t, "a.example.com", api.request.Header.Get("Losantdomain"))
	assert.Equal(t, "true", api.request.URL.Query().Get("_actions"))

	require.NoError(t, get.call(t.Context(), client, ref, losant.WithLosantDomain("b.example.com"), losant.WithActions(false)))
	assert.Equal(t, []string{"b.example.com"}, api.request.Header.Values("Losantdomain"))
	assert.Equal(t, "false", api.request.URL.Query().Get("_actions"))

	require.NoError(t, get.call(t.Context(), client, ref, losant.WithLosantDomain("")))
	assert.Empty(t, api.request.Header.Values("Losantdomain"), "an empty domain removes the default")
}

// TestFlagsAreIndependent: each of the three is sent as it is set.
func TestFlagsAreIndependent(t *testing.T) {
	t.Parallel()
	for n := range 8 {
		actions, links, embedded := n&1 != 0, n&2 != 0, n&4 != 0
		api := &recorder{}
		require.NoError(t, get.call(t.Context(), through(t, api), ref, losant.WithActions(actions), losant.WithLinks(links), losant.WithEmbedded(embedded)))
		assert.Equal(t, url.Values{
			"_actions": {strconv.FormatBool(actions)}, "_links": {strconv.FormatBool(links)}, "_embedded": {strconv.FormatBool(embedded)},
		}, api.request.URL.Query())
	}
}

// TestNewClientRefusesInvalidOptions, and quotes no secret of theirs.
func TestNewClientRefusesInvalidOptions(t *testing.T) {
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
		"path above 1 KiB":         {losant.WithBaseURL("https://api.losant.com/" + strings.Repeat("a", 1<<10))},
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
		"MinWait over MaxWait":     {losant.WithRetryPolicy(losant.RetryPolicy{MinWait: 2, MaxWait: 1})},
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

func TestNewClientAcceptsValidOptions(t *testing.T) {
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
		"empty HTTP client":    {losant.WithHTTPClient(&http.Client{})},
		"short waits only":     {losant.WithRetryPolicy(losant.RetryPolicy{MaxWait: time.Millisecond})},
		"long waits only":      {losant.WithRetryPolicy(losant.RetryPolicy{MinWait: time.Hour})},
		"largest bound":        {losant.WithMaxResponseBytes(1<<63 - 1)},
		"source":               {losant.WithTokenSource(source)},
		"path of 1 KiB":        {losant.WithBaseURL("https://api.losant.com/" + strings.Repeat("a", 1<<10-1))},
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

// TestHTTPClientIsNotChanged, nor are its connections closed.
func TestHTTPClientIsNotChanged(t *testing.T) {
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

// TestTransportIsReadForEachCall, because tools for tests replace it late.
func TestTransportIsReadForEachCall(t *testing.T) {
	t.Parallel()
	hc := &http.Client{}
	client := newClient(t, "https://api.example.com", losant.WithHTTPClient(hc))
	api := &recorder{}
	hc.Transport = api
	require.NoError(t, get.call(t.Context(), client, ref))
	assert.Equal(t, 1, api.count)
}

// TestHTTPClientTimeoutLimitsAttempts, unless the policy's AttemptTimeout is shorter.
func TestHTTPClientTimeoutLimitsAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := roundTripper(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		for timeout, want := range map[time.Duration]time.Duration{time.Second: time.Second, time.Hour: 30 * time.Second} {
			client := newClient(t, "https://api.example.com", losant.WithHTTPClient(&http.Client{Transport: hang, Timeout: timeout}),
				losant.WithRetryPolicy(losant.RetryPolicy{MaxAttempts: 1}))
			started := time.Now()
			requireError(t, get.call(t.Context(), client, ref))
			assert.Equal(t, want, time.Since(started))
		}
	})
}

// TestErrorNamesHTTPClientTimeout that ended an attempt.
func TestErrorNamesHTTPClientTimeout(t *testing.T) {
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

// TestWithMaxAttemptsReplacesThePolicys for the call.
func TestWithMaxAttemptsReplacesThePolicys(t *testing.T) {
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

// TestWithQueryAddsParameters that the request does not send by itself.
func TestWithQueryAddsParameters(t *testing.T) {
	t.Parallel()
	api := &recorder{}
	client := through(t, api, losant.WithDefaults(losant.WithQuery("new", "1"), losant.WithQuery("other", "2")))
	require.NoError(t, get.call(t.Context(), client, ref, losant.WithQuery("new", "a b&c")))
	assert.Equal(t, "_actions=false&_embedded=true&_links=true&new=a+b%26c&other=2", api.request.URL.RawQuery)
	require.NoError(t, get.call(t.Context(), client, ref))
	assert.Equal(t, "_actions=false&_embedded=true&_links=true&new=1&other=2", api.request.URL.RawQuery, "the default is not changed")
	for _, name := range []string{"", "_actions", "_links", "_embedded"} {
		requireError(t, get.call(t.Context(), client, ref, losant.WithQuery(name, "x")), "ErrInvalidArgument")
	}
	request := losant.Request{Method: "GET", Path: []string{"x"}, Query: url.Values{"mine": {"1"}}}
	_, err := losant.Call[any](t.Context(), client, request, losant.WithQuery("mine", "2"))
	requireError(t, err, "ErrInvalidArgument")
	assert.Equal(t, 2, api.count)
}
