// Package text makes text from outside fit to print.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable returns at most about 1 KiB of s as one line without control or
// formatting characters.
func Printable(s string) string {
	const long = 1 << 10
	return Truncate(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(Truncate(s, 4*long), "\ufffd")), long)
}

// Snippet returns the beginning of a body: JSON as it is, anything else in
// quotes. It adds no escapes, which could spell out what was redacted.
func Snippet(body string) string {
	const short = 120
	s := strings.Join(strings.Fields(Printable(Truncate(body, short))), " ")
	if strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[") && !strings.HasPrefix(s, "[token]") {
		return s
	}
	return `"` + s + `"`
}

// Truncate shortens s to about n bytes, between two runes if possible.
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
