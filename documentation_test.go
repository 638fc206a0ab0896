package losant_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDocumentationQuotesTheExamples: the Go code of the documentation is that of
// the examples, which are compiled, and most of which run.
func TestDocumentationQuotesTheExamples(t *testing.T) {
	t.Parallel()
	unindented := func(code string) string { return regexp.MustCompile(`(?m)^[\t ]+`).ReplaceAllString(code, "") }
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		return string(text)
	}
	examples := unindented(read("example_test.go") + read("examples/minimal/main.go"))
	for name, atLeast := range map[string]int{"README.md": 5, "docs/errors.md": 1} {
		page := read(name)
		blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(page, -1)
		require.Len(t, blocks, strings.Count(page, "```go"), name)
		require.GreaterOrEqual(t, len(blocks), atLeast, name)
		for _, block := range blocks {
			assert.Contains(t, examples, unindented(block[1]), name)
		}
	}
}
