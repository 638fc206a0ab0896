// Package route makes the path of a resource, out of its template and its ids or
// out of segments, and refuses whatever could be the path of another one.
package route

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"

	"github.com/losant-community/losant-rest-go/internal/text"
)

// Path is the path of a resource, or the reason why there is none.
type Path struct {
	Template string // "/instances/{instanceId}"
	Expanded string // "/instances/575ec8687ae143cd83dc4a95"
	Escaped  string // Expanded as in a URL; "" if it needs no escapes
	Err      error
}

// Expand puts ids into the places of template, in order. An id is 24
// hexadecimal digits, the pattern of the API.
func Expand(template string, ids ...string) Path {
	const idLength = 24
	if strings.Count(template, "{") != len(ids) {
		return Path{Template: template, Err: fmt.Errorf("%d ids for %s", len(ids), template)}
	}
	var expanded strings.Builder
	expanded.Grow(len(template) + idLength*len(ids))
	rest := template
	for _, id := range ids {
		before, after, _ := strings.Cut(rest, "{")
		name, after, _ := strings.Cut(after, "}")
		if len(id) != idLength || strings.Trim(id, "0123456789abcdefABCDEF") != "" {
			return Path{Template: template, Err: fmt.Errorf("%s %q is not 24 hexadecimal digits", fieldOf(name), text.Truncate(id, 2*idLength))}
		}
		expanded.WriteString(before)
		expanded.WriteString(id)
		rest = after
	}
	expanded.WriteString(rest)
	if !matchesTemplate(template, expanded.String()) {
		return Path{Template: template, Err: fmt.Errorf("the path %q is not one of %s", expanded.String(), template)}
	}
	return Path{Template: template, Expanded: expanded.String()}
}

// fieldOf returns the Go field for a place: InviteID for inviteId.
func fieldOf(name string) string {
	return strings.ToUpper(name[:1]) + strings.TrimSuffix(name[1:], "Id") + "ID"
}

// matchesTemplate is the last check of a path as a whole: it has as many segments
// as its template, none of them empty, and nothing that could be an escape, a
// dot segment or the end of a path.
func matchesTemplate(template, path string) bool {
	plain := func(r rune) bool {
		return r == '/' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	return strings.HasPrefix(path, "/") && !strings.HasSuffix(path, "/") && !strings.Contains(path, "//") &&
		strings.Count(path, "/") == strings.Count(template, "/") &&
		strings.IndexFunc(path, func(r rune) bool { return !plain(r) }) < 0
}

// Join makes a path of segments, each escaped. One that is empty, or that has a
// control character or a dot segment in it, is refused. In the template, what
// does not look like a word of a route stands as {id}.
func Join(segments []string) Path {
	if len(segments) == 0 {
		return Path{Err: errors.New("the path is empty")}
	}
	var template, expanded, escaped strings.Builder
	for n, segment := range segments {
		if reason := reasonInvalid(segment); reason != "" {
			return Path{Err: fmt.Errorf("segment %d of the path, %q, %s", n, text.Truncate(segment, 80), reason)}
		}
		expanded.WriteString("/" + segment)
		escaped.WriteString("/" + url.PathEscape(segment))
		if isWord(segment) {
			template.WriteString("/" + segment)
		} else {
			template.WriteString("/{id}")
		}
	}
	p := Path{Template: template.String(), Expanded: expanded.String()}
	if escaped.String() != p.Expanded {
		p.Escaped = escaped.String()
	}
	return p
}

func reasonInvalid(segment string) string {
	if segment == "" {
		return "is empty"
	}
	if strings.ContainsFunc(segment, unicode.IsControl) || strings.ToValidUTF8(segment, "") != segment {
		return "has a control character, or is not UTF-8"
	}
	// A proxy may undo the escape of a slash, and cut off what follows a semicolon.
	for part := range strings.SplitSeq(strings.ReplaceAll(segment, `\`, "/"), "/") {
		name, _, _ := strings.Cut(part, ";")
		if part == "" || name == "." || name == ".." {
			return "has an empty or a dot segment in it"
		}
	}
	return ""
}

// isWord reports whether segment looks like a part of a route, such as
// "device-recipes" or "resendInvite", rather than like a name or an id.
func isWord(segment string) bool {
	const longest = 32
	return len(segment) <= longest && 'a' <= segment[0] && segment[0] <= 'z' &&
		strings.Trim(segment, "-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}
