// Package redact removes secrets from text, and finds values from which a secret
// can be reached.
package redact

import (
	"html"
	"sort"
	"strconv"
	"strings"
)

const (
	// Placeholder replaces a secret in the result of [Text].
	Placeholder = "[token]"

	// Shortest is the length of the shortest secret, and of the shortest prefix of
	// a secret, that [Text] replaces, in bytes. Shorter ones occur in ordinary words.
	Shortest = 6

	maxDepth = 4 // escapes within escapes, such as JSON in JSON in HTML
)

// Text returns s without the secrets. It replaces each secret, and each prefix
// of a secret of at least [Shortest] bytes, with [Placeholder]. It also finds
// secrets of which any characters are escaped as in JSON, URLs, HTML or Go strings,
// once or several times. It takes time and memory in proportion to s.
func Text(s string, secrets ...string) string {
	patterns := compile(secrets)
	if len(patterns) == 0 {
		return s
	}
	hidden, found := make([]bool, len(s)), false
	v := view{text: s}
	for range maxDepth {
		for _, p := range patterns {
			found = p.mark(v, hidden) || found
		}
		decoded, changed := v.decode()
		if !changed {
			break
		}
		v = decoded
	}
	if !found {
		return s
	}
	return replace(s, hidden)
}

// replace writes [Placeholder] for each run of hidden bytes.
func replace(s string, hidden []bool) string {
	var b strings.Builder
	for i := range len(s) {
		if !hidden[i] {
			b.WriteByte(s[i])
		} else if i == 0 || !hidden[i-1] {
			b.WriteString(Placeholder)
		}
	}
	return b.String()
}

// pattern finds the prefixes of a secret (Knuth, Morris and Pratt).
type pattern struct {
	secret   string
	border   []int // the longest proper prefix of secret[:i+1] that is its suffix
	shortest int   // length of the shortest prefix that is hidden
}

// compile returns the patterns of the secrets. A secret that contains what looks
// like an escape has a second pattern, of the unescaped secret.
func compile(secrets []string) []pattern {
	const tooCommon = 3 // shorter patterns occur in ordinary words
	var patterns []pattern
	for _, secret := range secrets {
		if len(secret) < Shortest {
			continue
		}
		v := view{text: secret}
		for range maxDepth {
			shortest := v.from(Shortest)
			if shortest < tooCommon {
				break
			}
			patterns = append(patterns, newPattern(v.text, shortest))
			decoded, changed := v.decode()
			if !changed {
				break
			}
			v = decoded
		}
	}
	return patterns
}

func newPattern(secret string, shortest int) pattern {
	p := pattern{secret, make([]int, len(secret)), shortest}
	for i, n := 1, 0; i < len(secret); i++ {
		n = p.next(n, secret[i])
		p.border[i] = n
	}
	return p
}

// next returns the length of the longest prefix of the secret that a text ends
// with after c, if the text ended with a prefix of n bytes before c.
func (p pattern) next(n int, c byte) int {
	for n > 0 && (n == len(p.secret) || p.secret[n] != c) {
		n = p.border[n-1]
	}
	if p.secret[n] == c {
		n++
	}
	return n
}

// mark marks the bytes of the secret in v as hidden, and reports whether there are
// any.
func (p pattern) mark(v view, hidden []bool) bool {
	found := false
	for i, n := 0, 0; i < len(v.text); i++ {
		c := v.text[i]
		if c == ' ' {
			c = '+' // a decoded query has spaces for plus signs, and no token has a space
		}
		n = p.next(n, c)
		if n < p.shortest {
			continue
		}
		first := i
		if n == p.shortest {
			first = i - n + 1
		}
		for at := v.start(first); at < v.end(i); at++ {
			hidden[at] = true
		}
		found = true
	}
	return found
}

// view is a text with its escapes decoded, and the position of each byte in the
// original.
type view struct {
	text string
	ends []int // where each byte ends in the original; nil if text is the original
}

func (v view) end(i int) int {
	if v.ends == nil {
		return i + 1
	}
	return v.ends[i]
}

func (v view) start(i int) int {
	if i == 0 {
		return 0
	}
	return v.end(i - 1)
}

// from returns how many bytes came from the first n bytes of the original.
func (v view) from(n int) int {
	if v.ends == nil {
		return n
	}
	return sort.SearchInts(v.ends, n+1)
}

// decode decodes one level of escapes, and reports whether there was any.
func (v view) decode() (view, bool) {
	if !strings.ContainsAny(v.text, `%\&`) {
		return v, false
	}
	text, ends := make([]byte, 0, len(v.text)), make([]int, 0, len(v.text))
	for i := 0; i < len(v.text); {
		c, size := unescape(v.text[i:])
		i += size
		text, ends = append(text, c), append(ends, v.end(i-1))
	}
	return view{string(text), ends}, len(text) < len(v.text)
}

// unescape returns the first character of s and its length in s. It decodes only
// escapes of ASCII characters.
func unescape(s string) (c byte, size int) {
	switch s[0] {
	case '%':
		return number(s, 1, 2, 16)
	case '\\':
		return unescapeBackslash(s)
	case '&':
		const longest = 40
		end := strings.IndexByte(s[:min(len(s), longest)], ';')
		if plain := html.UnescapeString(s[:end+1]); len(plain) == 1 {
			return plain[0], end + 1
		}
	}
	return s[0], 1
}

func unescapeBackslash(s string) (c byte, size int) {
	if len(s) < 2 {
		return s[0], 1
	}
	switch s[1] {
	case 'x':
		return number(s, 2, 2, 16)
	case 'u':
		return number(s, 2, 4, 16)
	case 'U':
		return number(s, 2, 8, 16)
	case '0', '1', '2', '3', '4', '5', '6', '7':
		return number(s, 1, 3, 8)
	case '\\', '/', '"', '\'', '`':
		return s[1], 2
	default:
		return s[0], 1
	}
}

// number returns the ASCII character whose code is the digits after s[:skip].
func number(s string, skip, digits, base int) (c byte, size int) {
	if size = skip + digits; len(s) >= size {
		if code, err := strconv.ParseUint(s[skip:size], base, 32); err == nil && code < 0x80 {
			return byte(code), size
		}
	}
	return s[0], 1
}
