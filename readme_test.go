package losant_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReadmeQuotesTheExamples, which are compiled and most of which run.
func TestReadmeQuotesTheExamples(t *testing.T) {
	t.Parallel()
	plain := func(code string) string { return regexp.MustCompile(`(?m)^[\t ]+`).ReplaceAllString(code, "") }
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	var code strings.Builder
	for _, name := range []string{"example_test.go", "examples/minimal/main.go"} {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		code.Write(text)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	require.Len(t, blocks, strings.Count(string(readme), "```go"))
	require.GreaterOrEqual(t, len(blocks), 4)
	for _, block := range blocks {
		assert.Contains(t, plain(code.String()), plain(block[1]))
	}
}
