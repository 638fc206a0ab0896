package redact

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// Anonymous removes what may name a person or a thing from the text of an
// error: the private texts, what is in quotes, and each word that may be an
// address, an id or an escape of either. The rest says what happened.
func Anonymous(s string, private ...string) string {
	slices.SortFunc(private, func(a, b string) int { return cmp.Compare(len(b), len(a)) }) // one may be a part of another
	for _, p := range private {
		const shortest = 3 // fewer are parts of many words
		if len(p) >= shortest {
			s = strings.ReplaceAll(s, p, removed)
		}
	}
	words := strings.Fields(unquote(s))
	for i, word := range words {
		if isPrivate(word) {
			words[i] = removed
		}
	}
	return strings.Join(words, " ")
}

const removed = "…"

// unquote replaces what is in quotes. A quote that is not closed reaches to the
// end.
func unquote(s string) string {
	var b strings.Builder
	for {
		open := strings.IndexAny(s, "\"`")
		if open < 0 {
			return b.String() + s
		}
		b.WriteString(s[:open] + removed)
		quote := s[open]
		s = s[open+1:]
		end := 0
		for end < len(s) && s[end] != quote {
			if s[end] == '\\' && quote == '"' {
				end++
			}
			end++
		}
		s = s[min(end+1, len(s)):]
	}
}

// isPrivate reports whether word, which has no space, may name somebody or
// something: it has a character that no plain word, number or network address
// has, or a long run of letters and digits with both in it.
func isPrivate(word string) bool {
	const (
		plain = ".,:;()[]{}<>/_-'!…"
		long  = 12
	)
	run, digits, letters := 0, false, false
	for _, r := range word {
		isDigit := '0' <= r && r <= '9'
		isLetter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		switch {
		case isDigit || isLetter:
			run, digits, letters = run+1, digits || isDigit, letters || isLetter
			if digits && run >= long {
				return true
			}
		case strings.ContainsRune(plain, r):
			run, digits, letters = 0, false, false
		case unicode.IsLetter(r) || !unicode.IsPrint(r):
			return true
		default:
			return true
		}
	}
	return false
}
