package losant_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReadmeCode: the Go code of the README is that of the examples, which are
// compiled and run.
func TestReadmeCode(t *testing.T) {
	t.Parallel()
	plain := func(code string) string { return regexp.MustCompile(`(?m)^[\t ]+`).ReplaceAllString(code, "") }
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	examples, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	require.Len(t, blocks, strings.Count(string(readme), "```go"))
	require.GreaterOrEqual(t, len(blocks), 4)
	for _, block := range blocks {
		assert.Contains(t, plain(string(examples)), plain(block[1]))
	}
}
