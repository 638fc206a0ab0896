package losanttest

import "strings"

// glob is a filter: * matches any text, ? matches one byte, and everything else
// matches itself.
type glob struct {
	prefix, suffix string   // what the text begins and ends with
	middle         []string // what is between, in this order; none is empty
	hasStar        bool     // if not, prefix matches the complete text
	shortest       int      // the length of the shortest text that matches
}

// newGlob reads a filter, in time proportional to its length. It lowers its
// case: texts must be in lower case.
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

// matches takes each part where it first occurs and never goes back, so it
// looks at most once at each byte for a part without ?.
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

// index is where part first matches in text, or -1.
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

// matchesHere reports whether text, which is long enough, begins with part.
func matchesHere(part, text string) bool {
	for n := range len(part) {
		if part[n] != '?' && part[n] != text[n] {
			return false
		}
	}
	return true
}
