package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// printable removes the characters that control a terminal, and those that
// change the direction of text.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
}

// cell returns s as text for a cell of a table: printable, not empty, and not wider
// than widest.
func cell(s string, widest int) string {
	if s = printable(s); s == "" {
		return "-"
	}
	return shorten(s, widest)
}

// escaped returns an equal JSON document with the unprintable characters
// escaped.
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
