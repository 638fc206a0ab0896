// Package text prepares text from servers for error messages and logs.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable returns at most about 1 KiB of s as one line. It replaces control and
// formatting characters with spaces.
func Printable(s string) string {
	const long = 1 << 10
	return Truncate(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(Truncate(s, 4*long), "\ufffd")), long)
}

// Snippet returns the beginning of a body, in quotes unless it looks like JSON. It
// adds no escapes, which could hide a secret from a later search.
func Snippet(body string) string {
	const short = 120
	s := strings.Join(strings.Fields(Printable(Truncate(body, short))), " ")
	if strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[") && !strings.HasPrefix(s, "[token]") {
		return s
	}
	return `"` + s + `"`
}

// Truncate returns at most about n bytes of s, followed by "…" if s is longer. It
// cuts between two runes if possible.
func Truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for back := range min(utf8.UTFMax, n) {
		if utf8.RuneStart(s[n-back]) {
			return s[:n-back] + "…"
		}
	}
	return s[:n] + "…"
}
