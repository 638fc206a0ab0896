package losant_test

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
	"github.com/losant-community/losant-rest-go/losanttest"
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
	examples := unindented(read("example_test.go") + read("examples/minimal/main.go") + read("documentation_test.go"))
	for name, atLeast := range map[string]int{"README.md": 6, "docs/errors.md": 1} {
		page := read(name)
		blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(page, -1)
		require.Len(t, blocks, strings.Count(page, "```go"), name)
		require.GreaterOrEqual(t, len(blocks), atLeast, name)
		for _, block := range blocks {
			assert.Contains(t, examples, unindented(block[1]), name)
		}
	}
}

// TestFaultOfTheREADME is quoted there.
func TestFaultOfTheREADME(t *testing.T) {
	t.Parallel()
	srv := losanttest.New(t) // closes when the test ends
	ref := srv.AddInvite(losant.OrgInvite{Email: "ada@example.com"})
	client, err := srv.Client()
	require.NoError(t, err)
	srv.Inject(losanttest.Fault{StatusCode: http.StatusForbidden})
	err = client.InstanceOrgInvite.Delete(t.Context(), ref)
	require.ErrorIs(t, err, losant.ErrForbidden)
}
