package losanttest

import "strings"

// glob is a compiled filter: * matches any text, ? matches one byte, and any other
// byte matches itself.
type glob struct {
	prefix, suffix string   // parts before the first * and after the last
	middle         []string // parts between stars, in order; none is empty
	hasStar        bool     // if false, prefix must match the complete text
	shortest       int      // length of the shortest text that matches
}

// newGlob compiles a filter, in time proportional to its length. It converts the
// filter to lower case, so texts to match must be in lower case.
func newGlob(filter string) glob {
	parts := strings.Split(strings.ToLower(filter), "*")
	last := len(parts) - 1
	g := glob{prefix: parts[0], hasStar: last > 0}
	for n, part := range parts {
		g.shortest += len(part)
		switch {
		case n == 0:
		case n == last:
			g.suffix = part
		case part != "":
			g.middle = append(g.middle, part)
		}
	}
	return g
}

// matches reports whether the complete text matches. It finds each part at its
// first occurrence and does not backtrack, so the time without ? is linear.
func (g glob) matches(text string) bool {
	if len(text) < g.shortest || !g.hasStar && len(text) != g.shortest {
		return false
	}
	end := len(text) - len(g.suffix)
	if !matchesHere(g.prefix, text) || !matchesHere(g.suffix, text[end:]) {
		return false
	}
	text = text[len(g.prefix):end]
	for _, part := range g.middle {
		at := index(text, part)
		if at < 0 {
			return false
		}
		text = text[at+len(part):]
	}
	return true
}

// index returns the index of the first match of part in text, or -1.
func index(text, part string) int {
	if !strings.Contains(part, "?") {
		return strings.Index(text, part)
	}
	for at := 0; at+len(part) <= len(text); at++ {
		if matchesHere(part, text[at:]) {
			return at
		}
	}
	return -1
}

// matchesHere reports whether text begins with part. The text must not be shorter
// than part.
func matchesHere(part, text string) bool {
	for n := range len(part) {
		if part[n] != '?' && part[n] != text[n] {
			return false
		}
	}
	return true
}
