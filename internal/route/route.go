// Package route makes the path of a resource from a route and ids, or from
// segments. It rejects values that could change which resource the path names.
//
// A route is a path with places for ids:
//
//	/applications/{applicationId}/devices/{deviceId}
//	/applications/{applicationId}/devices/{deviceId}/attributes/{name:any}
//
// A place takes 24 hexadecimal digits, the API's pattern for ids. A place that ends
// in :any takes any safe segment instead, because a few paths of the API contain
// names. Unlike {name...} of net/http or {+name} of RFC 6570, it never contains a
// slash.
package route

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/losant-community/losant-rest-go/internal/text"
)

// Path is the path of a resource. If Err is not nil, only Template may be set.
type Path struct {
	Template string // "/instances/{instanceId}", for logs
	Expanded string // "/instances/575ec8687ae143cd83dc4a95"
	Err      error
}

// Expand replaces the places of a route of the library by ids, in order. Errors
// name the Go field for a place: InviteID for {inviteId}.
func Expand(route string, ids ...string) Path {
	return expand(route, ids, func(_ int, place string) string {
		return strings.ToUpper(place[:1]) + strings.TrimSuffix(place[1:], "Id") + "ID"
	})
}

// Fill replaces the places of a route that a user wrote by ids, in order. Errors
// name the element and the place: IDs[1] (deviceId).
func Fill(route string, ids []string) Path {
	return expand(route, ids, func(n int, place string) string {
		return "IDs[" + strconv.Itoa(n) + "] (" + place + ")"
	})
}

const idLength = 24

func expand(route string, ids []string, nameOf func(n int, place string) string) Path {
	if !strings.HasPrefix(route, "/") {
		return Path{Err: invalid("Route", route, "does not begin with a slash")}
	}
	path := Path{Template: strings.ReplaceAll(route, anySuffix+"}", "}")}
	var expanded strings.Builder
	expanded.Grow(len(route) + idLength*len(ids))
	n := 0
	for segment := range strings.SplitSeq(route[1:], "/") {
		place, isFree, reason := placeOf(segment)
		if reason != "" {
			return Path{Err: invalid("Route", route, reason)}
		}
		if place != "" {
			if n < len(ids) {
				segment, reason = ids[n], reasonInvalidID(ids[n], isFree)
			}
			if reason != "" {
				path.Err = invalid(nameOf(n, place), segment, reason)
				return path
			}
			n++
		}
		expanded.WriteByte('/')
		expanded.WriteString(segment)
	}
	if n != len(ids) {
		path.Err = invalid("Route", route, fmt.Sprintf("takes %d IDs, not %d", n, len(ids)))
		return path
	}
	path.Expanded = expanded.String()
	return path
}

// invalid returns an error that names a value and says why it is invalid.
func invalid(name, value, reason string) error {
	if value == "" {
		return fmt.Errorf("%s is empty", name)
	}
	return fmt.Errorf("%s %q %s", name, text.Truncate(value, 80), reason)
}

const anySuffix = ":any"

// placeOf returns the name in a segment such as {name}, or "" if the segment is a
// word. If it is neither, reason says why.
func placeOf(segment string) (name string, isFree bool, reason string) {
	name, opened := strings.CutPrefix(segment, "{")
	name, closed := strings.CutSuffix(name, "}")
	switch {
	case segment == "":
		return "", false, "has an empty segment"
	case isPlain(segment, "-_"):
		return "", false, ""
	case !opened || !closed:
		return "", false, fmt.Sprintf("has the segment %q, which is neither a word nor one {place}", text.Truncate(segment, 80))
	}
	name, isFree = strings.CutSuffix(name, anySuffix)
	if name == "" || !isPlain(name, "") {
		return "", false, fmt.Sprintf("has the place %q, which is neither {name} nor {name%s}", text.Truncate(segment, 80), anySuffix)
	}
	return name, isFree, ""
}

// isPlain reports whether s has only ASCII letters, ASCII digits and the characters
// of others.
func isPlain(s, others string) bool {
	for n := range len(s) {
		c := s[n]
		if ('0' > c || c > '9') && ('a' > c || c > 'z') && ('A' > c || c > 'Z') && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return true
}

func reasonInvalidID(id string, isFree bool) string {
	if isFree {
		return reasonInvalid(id)
	}
	if len(id) != idLength || strings.Trim(id, "0123456789abcdefABCDEF") != "" {
		return "is not 24 hexadecimal digits"
	}
	return ""
}

// Join makes a path of segments, each escaped. The template has {id} for each
// segment that does not look like a word of a route.
func Join(segments []string) Path {
	if len(segments) == 0 {
		return Path{Err: errors.New("Path is empty")}
	}
	var template, expanded strings.Builder
	for n, segment := range segments {
		if reason := reasonInvalid(segment); reason != "" {
			return Path{Err: invalid("Path["+strconv.Itoa(n)+"]", segment, reason)}
		}
		expanded.WriteString("/" + segment)
		if isWord(segment) {
			template.WriteString("/" + segment)
		} else {
			template.WriteString("/{id}")
		}
	}
	return Path{Template: template.String(), Expanded: expanded.String()}
}

// reasonInvalid says why a segment could change the path that it is a part of, here
// or in a proxy that unescapes the path again. It returns "" for a valid one.
func reasonInvalid(segment string) string {
	if segment == "" {
		return "is empty"
	}
	if reason := reasonUnsafe(segment); reason != "" {
		return reason
	}
	const maxEscapes = 8
	for range maxEscapes {
		unescaped := unescape(segment)
		if unescaped == segment {
			return ""
		}
		segment = unescaped
		if reason := reasonUnsafe(segment); reason != "" {
			return "is escaped: unescaped, it " + reason
		}
	}
	return "is escaped too often"
}

func reasonUnsafe(segment string) string {
	switch segment {
	case ".", "..":
		return "is a dot segment"
	}
	if !utf8.ValidString(segment) {
		return "is not UTF-8"
	}
	for _, r := range segment {
		switch {
		case r == '/':
			return "contains a slash; give one segment per element"
		case strings.ContainsRune(`\?#;`, r):
			return fmt.Sprintf("contains a %q, which is not allowed in a segment", string(r))
		case unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp):
			return "contains a control character"
		}
	}
	return ""
}

// unescape decodes every valid escape in s.
func unescape(s string) string {
	var b strings.Builder
	for n := 0; n < len(s); n++ {
		if s[n] == '%' && n+2 < len(s) {
			if c, err := strconv.ParseUint(s[n+1:n+3], 16, 8); err == nil {
				b.WriteByte(byte(c))
				n += 2
				continue
			}
		}
		b.WriteByte(s[n])
	}
	return b.String()
}

// isWord reports whether segment looks like a word of a route, such as
// "device-recipes" or "resendInvite", and not like a name or an id.
func isWord(segment string) bool {
	const longest = 32
	return len(segment) <= longest && segment[0] >= 'a' &&
		strings.Trim(segment, "-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}
