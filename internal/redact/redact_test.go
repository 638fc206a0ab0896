package redact

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// escapes are the ways in which servers and proxies write a token.
var escapes = map[string]func(string) string{
	"plain": func(s string) string { return s },
	"JSON": func(s string) string {
		quoted, _ := json.Marshal(s)
		return string(quoted[1 : len(quoted)-1])
	},
	"%q":               func(s string) string { quoted := strconv.Quote(s); return quoted[1 : len(quoted)-1] },
	"query":            url.QueryEscape,
	"path":             url.PathEscape,
	"lower-case query": func(s string) string { return lowerEscapes(url.QueryEscape(s)) },
	"HTML":             html.EscapeString,
	"every % code":     everyByte("%%%02X"),
	"every \\u code":   everyByte(`\u%04x`),
	"every \\U code":   everyByte(`\U%08X`),
	"every \\x code":   everyByte(`\x%02x`),
	"octal":            everyByte(`\%03o`),
	"HTML decimal":     everyByte("&#%d;"),
	"HTML hexadecimal": everyByte("&#x%04X;"),
	"a slash in JSON":  func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "/", `\/`) },
	"every other code": func(s string) string {
		var b strings.Builder
		for i := range len(s) {
			if i%2 == 0 || strings.ContainsRune(`%\&+`, rune(s[i])) {
				fmt.Fprintf(&b, "%%%02x", s[i])
			} else {
				b.WriteByte(s[i])
			}
		}
		return b.String()
	},
}

func everyByte(format string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for i := range len(s) {
			fmt.Fprintf(&b, format, s[i])
		}
		return b.String()
	}
}

// lowerEscapes writes %2F as %2f.
func lowerEscapes(s string) string {
	out := []byte(s)
	for i := 0; i+2 < len(out); i++ {
		if out[i] == '%' {
			copy(out[i:], strings.ToLower(s[i:i+3]))
			i += 2
		}
	}
	return string(out)
}

var hostile = []string{
	"canary-token-5up3rs3cr3t", `a"b\c/d<e>f&g'h`, "aaaaaaaaaaaaaab", "abcabcabcX", "eyJhbGciOi.J9+/=x", `%41%42%43%44%45%46`, `\u0041\u0042cd`, `&amp;&lt;x&#65;`,
	`.*+?^${}()|[x]`, "123456", `\\\\\\\\`, "%%%%%%%%",
}

// TestTextHidesEveryFormOfASecret: also of each prefix of six bytes or more.
func TestTextHidesEveryFormOfASecret(t *testing.T) {
	t.Parallel()
	for _, token := range hostile {
		for inner, escape := range escapes {
			for outer, again := range escapes {
				for n := Shortest; n <= len(token); n++ {
					checkHidden(t, token, n, inner+" in "+outer, func(s string) string { return again(escape(s)) })
				}
			}
		}
	}
}

func checkHidden(t *testing.T, token string, n int, name string, escape func(string) string) {
	t.Helper()
	out := Text("before "+escape(token[:n])+" after", token)
	require.NotContains(t, out, token[:Shortest], name)
	require.NotContains(t, out, escape(token[:Shortest]), name)
	require.True(t, strings.HasPrefix(out, "before [token]") && strings.HasSuffix(out, "after"), "%s: %q as %q", name, escape(token[:n]), out)
}

// TestTextKeepsOrdinaryText: only secrets are replaced, and a short text is none.
func TestTextKeepsOrdinaryText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                              "",
		"no secre t":                    "no secre t",
		"secre t":                       "secre t",
		"a secret-token b":              "a [token] b",
		"secret-tok":                    "[token]",
		"secresecret-token-":            "secre[token]-",
		"secret-secret-token":           "[token]",
		`%zz \u12 & &# \ % secret-`:     `%zz \u12 & &# \ % [token]`,
		"ünïcödé secret-token ünïcödé":  "ünïcödé [token] ünïcödé",
		"100% of %41, \\n and &amp;":    "100% of %41, \\n and &amp;",
		"sec\x00ret-token":              "sec\x00ret-token",
		"other-secret and secret-token": "[token] and [token]",
		"short five!":                   "short five!",
	} {
		assert.Equal(t, want, Text(in, "", "five!", "secret-token", "other-secret"))
	}
	assert.Equal(t, "Bearer [token]", Text("Bearer a b-c d", "a+b-c+d"), "a query that was decoded")
	assert.Equal(t, "abc", Text("abc"), "no secrets")
}

// TestTextFindsSecretsAfterFalseStarts: a secret that repeats itself may begin inside
// what looked like its beginning.
func TestTextFindsSecretsAfterFalseStarts(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "[token]", Text("abcabcabcabd", "abcabcabd"))
	assert.Equal(t, "a[token]", Text("aaaaaab", "aaaaab"))
	assert.Equal(t, "axbcabc", Text("axbcabc", "abcabcabd"))
}

// TestTextDecodesSeveralTimes: an escape within an escape within an escape.
func TestTextDecodesSeveralTimes(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "[token]", Text("%252573ecret-token", "secret-token"))
	assert.Equal(t, "[token]", Text(`secret-\/`, "secret-/"), "an escape at the end")
	assert.Equal(t, "[token]", Text("secret-toke%6e", "secret-token"), "an escape at the end")
	assert.Equal(t, `\u0173ecret-token`, Text(`\u0173ecret-token`, "secret-token"), "not the escape of an ASCII character")
}

// TestSecretThatLooksEscaped: it is found unescaped too, unless its first bytes are
// then too few to tell them from an ordinary word.
func TestSecretThatLooksEscaped(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "x [token] y", Text("x <ab y", "&lt;abcdef"))
	assert.Equal(t, "AB and ABC", Text("AB and ABC", "%41%42%43%44%45%46"))
}

// TestTextTakesLinearTime: comparing the secret at each byte of these texts would
// take minutes.
func TestTextTakesLinearTime(t *testing.T) {
	t.Parallel()
	const size = 512 << 10
	started := time.Now()
	for _, unit := range []string{"a", "%61", `\`, "&", "&#97;", "%25"} {
		Text(strings.Repeat(unit, size/len(unit)), strings.Repeat("a", size/2)+"b")
	}
	assert.Less(t, time.Since(started), 30*time.Second)
}

// FuzzRedact looks for a token, surrounding text and escapes that show the token.
func FuzzRedact(f *testing.F) {
	for n, token := range hostile {
		f.Add(token, "before", "after", n, n+3, n)
	}
	names := []string{"plain", "JSON", "%q", "query", "path", "lower-case query", "HTML", "every % code", "every \\u code", "HTML decimal", "every other code"}
	f.Fuzz(func(t *testing.T, token, before, after string, inner, outer, length int) {
		if len(token) < Shortest || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' || r == '[' || r == ']' }) {
			return
		}
		for v, changed := (view{text: token}).decode(); changed; v, changed = v.decode() {
			if v.from(Shortest) < 3 {
				return // unescaped, its first bytes are too short to be a secret
			}
		}
		at := func(n int) func(string) string { return escapes[names[uint(n)%uint(len(names))]] }
		escape := func(s string) string { return at(outer)(at(inner)(s)) }
		n := Shortest + int(uint(length)%uint(len(token)-Shortest+1))
		out := Text(before+" "+escape(token[:n])+" "+after, token)
		require.NotContains(t, out, token[:Shortest])
		require.NotContains(t, out, escape(token[:Shortest]))
	})
}

// TestAnonymousRemovesPrivateWords: ids, addresses and quotations are removed, and
// the words that say what happened stay.
func TestAnonymousRemovesPrivateWords(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":               "",
		"unexpected EOF": "unexpected EOF",
		"dial tcp 127.0.0.1:8080: connect: connection refused": "dial tcp 127.0.0.1:8080: connect: connection refused",
		"dial tcp [2001:db8::1]:443: i/o timeout":              "dial tcp [2001:db8::1]:443: i/o timeout",
		`malformed HTTP status code "ada@example.com"`:         "malformed HTTP status code …",
		`malformed HTTP response "a\"ada@example.com\"" x`:     "malformed HTTP response … x",
		`"a\" plain b" x`:                  "… x",
		`"first" word`:                     "… word",
		`say "" now`:                       "say … now",
		"raw `a\\` now":                    "raw … now",
		`open "quote ada@example.com`:      "open …",
		"no route for ada@example.com now": "no route for … now",
		"ada%40example.com &lt;ada&#64;example.com> ada\\u0040example.com": "… … …",
		"invite 575ec8687ae143cd83dc4a94, 575EC8687AE143CD83DC4A94!":       "invite … …",
		"/instances/575ec8687ae143cd83dc4a94/orgs":                         "…",
		"half of it: 575ec8687ae1":                                         "half of it: …",
		"1abcdefghijk abcdefghijk1 123456789012":                           "… … …",
		"1abcdefghij abcdefghij1 12345678901":                              "1abcdefghij abcdefghij1 12345678901",
		"x-abcdefghij1 abcdefgh-ijkl1 1-abcdefghijkl":                      "x-abcdefghij1 abcdefgh-ijkl1 1-abcdefghijkl",
		"authentication unexpectedly":                                      "authentication unexpectedly",
		"0 9 azAZ09":                                                       "0 9 azAZ09",
		`a~b a^b a\b é @ a=b`:                                              "… … … … … …",
		"stream error: stream ID 1; REFUSED_STREAM; received from peer":    "stream error: stream ID 1; REFUSED_STREAM; received from peer",
	} {
		assert.Equal(t, want, Anonymous(in), in)
	}
}

// TestAnonymousRemovesPrivateTexts: also one that contains another, but not one
// that is a part of ordinary words.
func TestAnonymousRemovesPrivateTexts(t *testing.T) {
	t.Parallel()
	private := []string{"secret", "secret name", "of", "Ada"}
	assert.Equal(t, "users/… of … and nobody", Anonymous("users/secret name of Ada and\nnobody", private...))
	assert.Equal(t, []string{"secret", "secret name", "of", "Ada"}, private, "the caller's slice is not sorted")
}

type requestError struct {
	error

	hidden any
}

type locked struct {
	sync.Mutex

	text string
}

type ring struct{ next *ring }

func (*ring) Error() string { return "ring" }

func isSecret(s string) bool { return strings.Contains(s, "secret") }

// TestPlainAcceptsErrorValues that hold only numbers, texts and the like.
func TestPlainAcceptsErrorValues(t *testing.T) {
	t.Parallel()
	endless := &ring{}
	endless.next = endless
	for name, v := range map[string]any{
		"nothing": nil, "text": errors.New("x"), "number": syscall.ECONNRESET, "time": &struct{ at time.Time }{time.Now()},
		"network": &net.OpError{Op: "dial", Addr: &net.TCPAddr{IP: net.IPv4zero}, Err: &net.DNSError{}}, "ring": endless, "nil pointer": (*ring)(nil),
		"JSON": json.Unmarshal([]byte("5"), new(string)), "joined": errors.Join(io.EOF, io.ErrUnexpectedEOF), "no body": http.NoBody,
		"map": map[string]int{"a": 1}, "bytes": [3]byte{}, "bools": make([]bool, 20_000), "numbers": make([]complex128, 20_000), "many texts": make([]string, 9_999),
		"certificate": x509.HostnameError{Certificate: &x509.Certificate{PublicKey: &ecdsa.PublicKey{Curve: elliptic.P256()}}},
	} {
		assert.True(t, Plain(v, isSecret), name)
	}
}

// TestPlainRejectsRequestsAndSecrets: also where a value only leads to one.
func TestPlainRejectsRequestsAndSecrets(t *testing.T) {
	t.Parallel()
	request := &http.Request{}
	for name, v := range map[string]any{
		"request": request, "response": http.Response{}, "hidden": &requestError{hidden: request}, "list": []any{1, request}, "map": map[string]any{"a": &http.Response{}},
		"function": func() {}, "method": requestError{hidden: func() *http.Request { return request }}, "channel": make(chan int), "lock": &locked{text: "x"},
		"wrapped": &net.OpError{Err: &requestError{hidden: request}}, "header": &struct{ h http.Header }{http.Header{}},
		"secret": errors.New("a secret"), "secret bytes": &struct{ b []byte }{[]byte("secret")}, "secret byte array": [6]byte([]byte("secret")),
		"secret key": map[string]int{"secret": 1}, "secret value": map[int]string{1: "secret"}, "too many texts": make([]string, 10_000),
	} {
		assert.False(t, Plain(v, isSecret), name)
	}
}

// TestPlainDoesNotReadSharedStructs: a struct with a lock, a channel or a function
// may change while it is read.
func TestPlainDoesNotReadSharedStructs(t *testing.T) {
	t.Parallel()
	for _, v := range []any{
		&locked{}, struct {
			text string
			mu   *sync.Mutex
		}{mu: &sync.Mutex{}}, struct {
			text string
			done chan int
		}{}, struct {
			text string
			stop func()
		}{},
	} {
		assert.False(t, Plain(v, func(string) bool {
			t.Errorf("a field of a %T was read", v)
			return false
		}))
	}
}
