package losant_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

const id = "575ec8687ae143cd83dc4a94"

func hostileIDs() []string {
	ids := []string{
		"", " ", ".", "..", "...", "/", "//", "../", "/..", "../..", "a/b", "./" + id, id + "/", "/" + id, id + "/..", "../" + id,
		"%2e%2e", "%2E%2E%2F", "%2e", "..%2f", "%00", "%252e%252e", "..;", "..;/", `..\`, `\..\`, "a/b c%2e?#", "?", "#", "?x=1", id + "?x=1", id + "#",
		"\x00", id + "\x00", id[:23] + "\x00", id + "\n", id + "\r\n", "\n" + id, id + " ", " " + id, id + "\t", id[:12] + "\n" + id[13:],
		id[:23], id + "a", id[:22], id + id, strings.Repeat("a", 1<<16), strings.Repeat(".", 24), strings.Repeat("/", 24), strings.Repeat("../", 8),
		id[:23] + "g", id[:23] + "G", id[:23] + "-", id[:23] + ".", id[:23] + "/", id[:23] + "%", id[:23] + ":", id[:23] + "@", id[:23] + "`",
		id[:21] + "٣4", id[:21] + "３", strings.Repeat("３", 8), strings.Repeat("٣", 12), strings.Repeat("٣", 24), "é" + id[2:], id[:23] + "\xff", "\ufeff" + id[3:],
		"{inviteId}", "*", "me", "null", "undefined", "NaN", "0x" + id[2:], "-" + id[1:], "+" + id[1:], "0", "[object Object]", canary,
	}
	return ids
}

// TestHostileIDs sends every hostile id as every id of every action: nothing
// may arrive, and the error names the field.
func TestHostileIDs(t *testing.T) {
	t.Parallel()
	require.GreaterOrEqual(t, len(hostileIDs()), 40)
	for _, action := range actions {
		t.Run(action.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, succeed)
			client := newClient(t, s.URL)
			for _, hostile := range hostileIDs() {
				for field, r := range map[string]losant.InstanceOrgInviteRef{
					"InstanceID": {InstanceID: hostile, OrgID: ref.OrgID, InviteID: ref.InviteID},
					"OrgID":      {InstanceID: ref.InstanceID, OrgID: hostile, InviteID: ref.InviteID},
					"InviteID":   {InstanceID: ref.InstanceID, OrgID: ref.OrgID, InviteID: hostile},
				} {
					e := requireError(t, action.call(t.Context(), client, r), "ErrInvalidArgument")
					assert.Equal(t, action.name, e.Operation)
					assert.Zero(t, e.Attempts)
					assert.Contains(t, e.Message, field+" ")
					assert.Less(t, len(e.Error()), 400)
					assert.NotContains(t, e.Error(), "\n")
				}
			}
			assert.Zero(t, s.arrived.Load())
			require.NoError(t, action.call(t.Context(), client, losant.InstanceOrgInviteRef{
				InstanceID: strings.ToUpper(id), OrgID: strings.Repeat("0", 24), InviteID: "abcdefABCDEF0123456789aF",
			}), "either case of hexadecimal digits is an id")
			assert.Equal(t, int32(1), s.arrived.Load())
		})
	}
}

// TestInvalidArguments: everything else that is refused before it is sent.
func TestInvalidArguments(t *testing.T) {
	t.Parallel()
	for _, action := range actions {
		t.Run(action.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, succeed)
			client := newClient(t, s.URL)
			var none context.Context
			e := requireError(t, action.call(none, client, ref), "ErrInvalidArgument")
			assert.Contains(t, e.Message, "context")
			for name, option := range map[string]losant.RequestOption{
				"domain with a line end": losant.WithLosantDomain("example.com\r\nX-Evil: 1"),
				"domain with a NUL":      losant.WithLosantDomain("a\x00b"),
				"domain with DEL":        losant.WithLosantDomain("a\x7f"),
				"domain not in ASCII":    losant.WithLosantDomain("exämple.com"),
				"no destination":         losant.WithResponse(nil),
				"no option":              nil,
			} {
				requireError(t, action.call(t.Context(), client, ref, option), "ErrInvalidArgument")
				requireError(t, action.call(t.Context(), client, ref, option, losant.WithLosantDomain("fine.example.com")), "ErrInvalidArgument")
				assert.Zero(t, s.arrived.Load(), name)
			}
		})
	}
	t.Run("roles", func(t *testing.T) {
		t.Parallel()
		s := serve(t, succeed)
		client := newClient(t, s.URL)
		for field, roleInfo := range map[string]losant.OrgRoleInfo{
			"ApplicationRoles[1].ResourceID": {ApplicationRoles: []losant.ResourceGrant{{ResourceID: id}, {Role: losant.ResourceRoleView}}},
			"DashboardRoles[0].ResourceID":   {DashboardRoles: []losant.ResourceGrant{{Role: losant.ResourceRoleNone}}},
		} {
			_, err := client.InstanceOrgInvite.ResendInvite(t.Context(), ref, roleInfo)
			assert.Contains(t, requireError(t, err, "ErrInvalidArgument").Message, field)
		}
		assert.Zero(t, s.arrived.Load())
		_, err := client.InstanceOrgInvite.ResendInvite(t.Context(), ref, losant.OrgRoleInfo{Role: "overlord"})
		require.NoError(t, err, "an unknown role is the API's to judge")
	})
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
