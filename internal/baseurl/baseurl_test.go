package baseurl

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// longest has the longest path that Parse accepts.
var longest = "https://api.losant.com/" + strings.Repeat("a", 1<<10-1)

func TestParseAcceptsSafeURLs(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://api.losant.com":           "https://api.losant.com",
		"HTTPS://api.losant.com/":          "https://api.losant.com",
		"https://api.example.com:8443/a/b": "https://api.example.com:8443/a/b",
		"https://api.example.com/a.b/~c/":  "https://api.example.com/a.b/~c",
		"http://127.0.0.1:80":              "http://127.0.0.1:80",
		"http://127.255.1.2":               "http://127.255.1.2",
		"http://[::1]":                     "http://[::1]",
		"http://[::ffff:127.0.0.1]":        "http://[::ffff:127.0.0.1]",
		"http://localhost:8080":            "http://localhost:8080",
		"http://LOCALHOST":                 "http://LOCALHOST",
		"https://a:1":                      "https://a:1",
		"https://a:65535":                  "https://a:65535",
		"https://api.losant.com.":          "https://api.losant.com.",
		"https://my_host-1.example":        "https://my_host-1.example",
		"https://xn--exmple-cua.com":       "https://xn--exmple-cua.com",
		"https://[2001:db8::1]:8443":       "https://[2001:db8::1]:8443",
		"https://10.0.0.1":                 "https://10.0.0.1",
		longest:                            longest,
	} {
		base, err := Parse(raw, false)
		require.NoError(t, err, raw)
		assert.Equal(t, want, base.String())
	}
	base, err := Parse("http://api.example.com", true)
	require.NoError(t, err)
	assert.Equal(t, "http://api.example.com", base.String())
}

func TestParseRejectsUnsafeURLs(t *testing.T) {
	t.Parallel()
	const secret = "hunter2hunter2"
	for _, raw := range []string{
		"", "api.losant.com", "//api.losant.com", "ftp://api.losant.com", "https://", "https://:443", "https:api.losant.com", "https://user:" + secret + "@api.losant.com", "https://@api.losant.com",
		"https://user:" + secret + "/x@host", "https://api.losant.com?token=" + secret, "https://api.losant.com?", "https://api.losant.com#" + secret, "https://api.losant.com#",
		"https://api.losant.com/a/../b", "https://api.losant.com/a/..", "https://api.losant.com/..", "https://api.losant.com/./b", "https://api.losant.com/.", "https://api.losant.com/%2e%2e/b", "https://api.losant.com/a%2fb",
		"https://api.losant.com/%252e", "https://api.losant.com/a%0Ab", "https://api.losant.com/a%1B%5B31m", "https://api.losant.com//b", "https://api.losant.com/a//", "https://api.losant.com/a b", "https://api.losant.com/é",
		"https://api.losant.com/a;b", `https://api.losant.com/a\b`, "https://api.losant.com/\r\nX: y", longest + "a",
		"http://api.losant.com", "http://localhost.example.com", "http://127.1", "http://128.0.0.1", "http://0.0.0.0", "http://[::]", "http://localhost.", "http://10.0.0.1",
		"http://[::ffff:10.0.0.1]", "http://[::ffff:0.0.0.0]", "http://0177.0.0.1", "http://2130706433", "http://127.0.0.1.example.com", "http://[::1%25lo]", "https://[::1%25lo]", "https://[fe80::1%25eth0]",
		"https://api.losant.com:0", "https://api.losant.com:65536", "https://api.losant.com:99999999999999999999", "https://api.losant.com:-1", "https://api.losant.com:", "https://api.losant.com:x", "https://api.losant.com:443:443",
		"https://exämple.com", "https://ex%C3%A4mple.com", "https://\u0430pi.losant.com", "https://api.losant.com\u3002evil.example", "https://localhos\u0442", "https://a,b", "https://a'b", "https://a*", "https://api.losant.com&", "https://.",
		"https://.losant.com", "https://api..losant.com", "https://[127.0.0.1]", "https://[api.losant.com]", "https://[::1", "https://::1",
	} {
		base, err := Parse(raw, false)
		require.Error(t, err, raw)
		assert.Nil(t, base)
		assert.NotContains(t, err.Error(), secret)
	}
}
