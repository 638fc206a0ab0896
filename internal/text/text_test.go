package text

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

func TestPrintableIsOneShortLine(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                           "",
		"plain – ünï":                "plain – ünï",
		"a\nb\r\tc\x00d\x1b[31me":    "a b  c d [31me",
		"\u202egnirts\u2028\ufeff|":  " gnirts  |",
		"\xff\xfe|":                  "\ufffd|",
		strings.Repeat("a", 1<<10):   strings.Repeat("a", 1<<10),
		strings.Repeat("a", 1<<10+1): strings.Repeat("a", 1<<10) + "…",
	} {
		assert.Equal(t, want, Printable(in), "%.40q", in)
	}
	for _, unit := range []string{"\x80", "\xff", "é", "€", "𝄞", "\xc3", "\n"} {
		out := Printable(strings.Repeat(unit, 1<<20))
		assert.LessOrEqual(t, len(out), 1<<10+len("…"))
		assert.True(t, utf8.ValidString(out), "%q", unit)
		assert.NotEmpty(t, out)
	}
}

func TestSnippetQuotesWhatIsNotJSON(t *testing.T) {
	t.Parallel()
	assert.Equal(t, `"<html> <h1>Not Found</h1>"`, Snippet("<html>\n\t <h1>Not\x00Found</h1>\n"))
	assert.Equal(t, `"`+strings.Repeat("x", 120)+`…"`, Snippet(strings.Repeat("x", 1000)))
	assert.Equal(t, `{"id": 5}`, Snippet("{\"id\":\n5}"))
	assert.Equal(t, `[5]`, Snippet("[5]"))
	assert.Equal(t, `"[token] is invalid"`, Snippet("[token] is invalid"), "a redacted token is not an array")
}

func TestTruncateCutsBetweenRunes(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "abc", Truncate("abc", 3))
	assert.Equal(t, "ab…", Truncate("abc", 2))
	assert.Equal(t, "…", Truncate("abc", 0))
	assert.Equal(t, "a…", Truncate("aé", 2), "not inside a rune")
	assert.Equal(t, "\x80\x80\x80\x80\x80\x80…", Truncate(strings.Repeat("\x80", 9), 6), "bytes that are not runes")
}
