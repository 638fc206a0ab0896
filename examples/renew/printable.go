package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// printable is s without what could do anything to a terminal but appear there:
// control characters, and those that change the direction of writing.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
}

// cell is s, printable and not too long for a column.
func cell(s string) string {
	const widest = 64
	runes := []rune(printable(s))
	switch {
	case len(runes) == 0:
		return "-"
	case len(runes) > widest:
		return string(runes[:widest-1]) + "…"
	}
	return string(runes)
}

// escaped is a JSON document that means the same, and prints no such characters
// either.
func escaped(document string) string {
	var b strings.Builder
	for _, r := range document {
		switch {
		case unicode.IsPrint(r) || r == '\n':
			b.WriteRune(r)
		default:
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		}
	}
	return b.String()
}
