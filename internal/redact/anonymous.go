package redact

import (
	"cmp"
	"slices"
	"strings"
)

// Anonymous removes what may identify a person or a resource from the text of an
// error: the private texts, everything in quotes, and each word that may be an
// email address, an id or an escape of either. The other words say what happened.
func Anonymous(s string, private ...string) string {
	longestFirst := func(a, b string) int { return cmp.Compare(len(b), len(a)) } // one may contain another
	for _, p := range slices.SortedStableFunc(slices.Values(private), longestFirst) {
		const shortest = 3 // shorter ones are parts of ordinary words
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

// unquote replaces everything in quotes, and after a quote that is not closed.
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

// isPrivate reports whether a word may identify someone or something: it contains a
// character that no plain word, number or network address contains, or a long run
// of letters and digits with a digit in it.
func isPrivate(word string) bool {
	const (
		plain = ".,:;()[]{}<>/_-'!…"
		long  = 12
	)
	run, hasDigit := 0, false
	for _, r := range word {
		isDigit := '0' <= r && r <= '9'
		isLetter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		switch {
		case isDigit || isLetter:
			run, hasDigit = run+1, hasDigit || isDigit
			if hasDigit && run >= long {
				return true
			}
		case strings.ContainsRune(plain, r):
			run, hasDigit = 0, false
		default:
			return true
		}
	}
	return false
}
