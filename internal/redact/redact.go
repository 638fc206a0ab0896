// Package redact removes secrets from text, and keeps values that may hold
// secrets out of reach.
package redact

import (
	"html"
	"sort"
	"strconv"
	"strings"
)

const (
	// Placeholder is what [Text] writes instead of a secret.
	Placeholder = "[token]"

	// Shortest is the length, in bytes, of the shortest text that counts as a
	// secret. Shorter secrets, and shorter prefixes of a secret, are parts of
	// ordinary words.
	Shortest = 6

	maxDepth = 4 // escapes within escapes, such as JSON in JSON in HTML
)

// Text returns s without the secrets. It replaces each secret, and each prefix
// of a secret of at least [Shortest] bytes, with [Placeholder]: plain, or with
// any of its characters escaped as in JSON, URLs, HTML or Go strings, also
// several times over. It takes time and memory in proportion to s.
func Text(s string, secrets ...string) string {
	patterns := compile(secrets)
	if s == "" || len(patterns) == 0 {
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

// compile returns the patterns of secrets: as they are, and also unescaped, in
// case a secret itself looks like an escape.
func compile(secrets []string) []pattern {
	const tooCommon = 3
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

// next returns the length of the longest prefix that a text ends with, if it
// ended with one of n bytes before c.
func (p pattern) next(n int, c byte) int {
	for n > 0 && (n == len(p.secret) || p.secret[n] != c) {
		n = p.border[n-1]
	}
	if p.secret[n] == c {
		n++
	}
	return n
}

// mark hides what v shows of the secret, and reports whether it shows any.
func (p pattern) mark(v view, hidden []bool) bool {
	found := false
	for i, n := 0, 0; i < len(v.text); i++ {
		c := v.text[i]
		if c == ' ' {
			c = '+' // a query that was decoded: no token has a space
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

// view is a text with its escapes decoded, and where each byte came from.
type view struct {
	text string
	ends []int // of each byte, in the original; nil: this is the original
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

// from returns how many bytes came from the first n of the original.
func (v view) from(n int) int {
	if v.ends == nil {
		return n
	}
	return sort.SearchInts(v.ends, n+1)
}

// decode decodes the outermost escapes, and reports whether there were any.
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

// unescape returns the first character of s and the bytes that it takes. What
// is not the escape of an ASCII character stands for itself.
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
