package wire

// maxDepth is how deep arrays and objects may be nested, as in encoding/json.
const maxDepth = 10000

// valueEnd returns the length of the JSON value that data begins with, or -1 if
// it is invalid. It takes a third of the time of [encoding/json.Valid].
func valueEnd(data []byte) int {
	switch {
	case len(data) == 0:
		return -1
	case data[0] == '"':
		return stringEnd(data, 0)
	case data[0] != '{' && data[0] != '[':
		return literalEnd(data, 0)
	}
	var few [1]uint64
	if end, tooDeep := (&scanner{data: data, objects: few[:]}).scan(); !tooDeep {
		return end
	}
	var many [maxDepth/64 + 1]uint64
	end, _ := (&scanner{data: data, objects: many[:]}).scan()
	return end
}

// scanner checks the syntax of a value.
type scanner struct {
	data    []byte
	objects []uint64 // one bit per level: 1 in an object, 0 in an array
	depth   int
}

// scan returns the end of the value, or -1, or that objects is too small.
func (s *scanner) scan() (end int, tooDeep bool) {
	n := 0
	for {
		if n >= len(s.data) {
			return -1, false
		}
		switch c := s.data[n]; c {
		case '{', '[':
			if s.depth == min(64*len(s.objects), maxDepth-1) {
				return -1, s.depth < maxDepth-1
			}
			n = s.open(n)
		case '"':
			n = s.close(stringEnd(s.data, n))
		default:
			n = s.close(literalEnd(s.data, n))
		}
		if n < 0 || s.depth == 0 {
			return n, false
		}
	}
}

// open reads the beginning of an object or array up to its first value, or all of
// it if it is empty.
func (s *scanner) open(n int) int {
	first := skipSpace(s.data, n+1)
	if first < len(s.data) && s.data[first] == s.data[n]+('}'-'{') { // as ']' - '['
		return s.close(first + 1)
	}
	word, bit := &s.objects[s.depth/64], uint64(1)<<(s.depth%64)
	s.depth++
	if s.data[n] == '[' {
		*word &^= bit
		return first
	}
	*word |= bit
	return nameEnd(s.data, first)
}

// close reads what follows a value, up to the next value or the end.
func (s *scanner) close(n int) int {
	for ; s.depth > 0; n++ {
		if n < 0 {
			return -1
		}
		n = skipSpace(s.data, n)
		if n >= len(s.data) {
			return -1
		}
		level := s.depth - 1
		inObject := s.objects[level/64]>>(level%64)&1 == 1
		switch c := s.data[n]; {
		case c == ',' && inObject:
			return nameEnd(s.data, skipSpace(s.data, n+1))
		case c == ',':
			return skipSpace(s.data, n+1)
		case c == '}' && inObject, c == ']' && !inObject:
			s.depth--
		default:
			return -1
		}
	}
	return n
}

// nameEnd returns the index of the value after the name at n and its colon.
func nameEnd(data []byte, n int) int {
	if n >= len(data) || data[n] != '"' {
		return -1
	}
	n = stringEnd(data, n)
	if n < 0 {
		return -1
	}
	n = skipSpace(data, n)
	if n >= len(data) || data[n] != ':' {
		return -1
	}
	return skipSpace(data, n+1)
}

// skipSpace returns the index of the first byte from n on that is not space.
func skipSpace(data []byte, n int) int {
	for n < len(data) && (data[n] == ' ' || data[n] == '\n' || data[n] == '\r' || data[n] == '\t') {
		n++
	}
	return n
}

// stringEnd returns the index after the string at start, or -1.
func stringEnd(data []byte, start int) int {
	if start >= len(data) || data[start] != '"' {
		return -1
	}
	for n := start + 1; n < len(data); n++ {
		switch c := data[n]; {
		case c == '"':
			return n + 1
		case c < ' ':
			return -1
		case c == '\\':
			n++
			if n >= len(data) || !isEscape(data[n:]) {
				return -1
			}
		}
	}
	return -1
}

// isEscape reports whether s begins like an escape after its backslash.
func isEscape(s []byte) bool {
	switch s[0] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		const digits = 4
		for n := 1; n <= digits; n++ {
			if n >= len(s) || !isHex(s[n]) {
				return false
			}
		}
		return true
	default:
		return false
	}
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// literalEnd returns the index after the number, true, false or null at n, or -1.
func literalEnd(data []byte, n int) int {
	for _, word := range [...]string{"true", "false", "null"} {
		if data[n] == word[0] {
			if end := n + len(word); end <= len(data) && string(data[n:end]) == word {
				return end
			}
			return -1
		}
	}
	if data[n] == '-' {
		n++
	}
	integer := n
	for n < len(data) && '0' <= data[n] && data[n] <= '9' {
		n++
	}
	if n == integer || data[integer] == '0' && n > integer+1 {
		return -1
	}
	if n < len(data) && data[n] == '.' {
		if n = digitsEnd(data, n+1); n < 0 {
			return -1
		}
	}
	if n < len(data) && (data[n] == 'e' || data[n] == 'E') {
		n++
		if n < len(data) && (data[n] == '+' || data[n] == '-') {
			n++
		}
		return digitsEnd(data, n)
	}
	return n
}

// digitsEnd returns the index after the digits at start, or -1 if there are none.
func digitsEnd(data []byte, start int) int {
	n := start
	for n < len(data) && '0' <= data[n] && data[n] <= '9' {
		n++
	}
	if n == start {
		return -1
	}
	return n
}
