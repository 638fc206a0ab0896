// Package text makes foreign texts safe to print.
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

// Snippet quotes the beginning of a body, without escapes: what follows one
// could spell what was redacted.
func Snippet(body string) string {
	const short = 120
	return `"` + strings.Join(strings.Fields(Printable(Truncate(body, short))), " ") + `"`
}

// Truncate shortens s to about n bytes, at the border of a rune if there is one near.
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
