package text

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestWordsReadsEveryShape of JSON.
func TestWordsReadsEveryShape(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		``:                                    "",
		`null`:                                "",
		`""`:                                  "",
		`{}`:                                  "",
		`[]`:                                  "",
		`[null,"",{},[[]]]`:                   "",
		`"role is bad"`:                       "role is bad",
		`["a","","b"]`:                        "a; b",
		`5`:                                   "5",
		`1e400`:                               "1e400",
		`false`:                               "false",
		`["role is bad"]`:                     "role is bad",
		`["role is bad","email is bad",5]`:    "role is bad; email is bad; 5",
		`{"message":"role is bad"}`:           "role is bad",
		`{"role":"is bad","none":null,"n":5}`: "role: is bad; n: 5",
		`{"role":{"view":["bad","worse"]},"x":"y"}`: "role: view: bad; worse; x: y",
		`{"a":{"b":{}},"c":"d"}`:                    "c: d",
		`[{"message":"bad","path":"role"}]`:         "bad; path: role",
		`{"":"x"}`:                                  "x",
		`["cut off`:                                 "",
		`["a","cut off`:                             "a",
	} {
		assert.Equal(t, want, Words([]byte(in)), in)
	}
}

// TestWordsTruncates long names and long texts, and then reads no further.
func TestWordsTruncates(t *testing.T) {
	t.Parallel()
	x := func(n int) string { return strings.Repeat("x", n) }
	for in, want := range map[string]string{
		`{"` + x(64) + `":1}`:            x(64) + ": 1",
		`{"` + x(65) + `":1}`:            x(64) + "…: 1",
		`["` + x(4<<10) + `","y"]`:       x(4<<10) + "; y",
		`["` + x(4<<10+1) + `","y"]`:     x(4<<10) + "…",
		`["a","` + x(4<<10-2) + `","y"]`: "a; " + x(4<<10-2),
	} {
		assert.Equal(t, want, Words([]byte(in)), "%.100s", in)
	}
}

// TestWordsAreBounded: neither size nor depth costs more than a page of text.
func TestWordsAreBounded(t *testing.T) { //nolint:paralleltest // AllocsPerRun refuses it
	for name, value := range map[string]string{
		"long":       `"` + strings.Repeat("x", 1<<20) + `"`,
		"list":       "[" + strings.Repeat(`"x",`, 1<<20) + `"x"]`,
		"names":      "{" + strings.Repeat(`"`+strings.Repeat("n", 1000)+`":1,`, 1000) + `"x":1}`,
		"deep":       strings.Repeat("[", 9_000) + `"x"` + strings.Repeat("]", 9_000),
		"deep names": strings.Repeat(`{"a":`, 9_000) + `"x"` + strings.Repeat("}", 9_000),
	} {
		value := []byte(value)
		assert.LessOrEqual(t, len(Words(value)), 9<<10, name)
		allocated := testing.AllocsPerRun(1, func() { Words(value) })
		assert.Less(t, allocated, 50_000.0, name)
	}
}
