package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func trimmed(s string) string { return strings.TrimSpace(s) }

// TestVerdicts runs go test on a small module.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	found, err := mutantsOf("testdata/module", "module.go")
	require.NoError(t, err)
	root, err := filepath.Abs("testdata/module")
	require.NoError(t, err)
	var out strings.Builder
	tests := tester{root: root, testsOf: func(string) []testRun { return []testRun{{pkg: "."}} }, limit: 5 * time.Second, workers: 2, out: &out}

	results, err := tests.testAll(t.Context(), found)

	require.NoError(t, err)
	got := map[string]verdict{}
	for _, r := range results {
		got[r.String()] = r.verdict
	}
	assert.Equal(t, map[string]verdict{
		"module.go Tested: boundary: < -> <=":          killed,
		"module.go Tested: negation: < -> >=":          killed,
		"module.go Untested: boundary: < -> <=":        survived,
		"module.go Untested: negation: < -> >=":        survived,
		"module.go Loop: boundary: < -> <=":            survived,
		"module.go Loop: negation: < -> >=":            survived,
		"module.go Loop: constant: 3 -> 4":             survived,
		"module.go Loop: remove statement: n++ -> {}":  timedOut,
		"module.go Unused: constant: 1 -> 2":           survived,
		"module.go Unused: constant: 2 -> 3":           survived,
		"module.go Unused: remove statement: a = 2 ->": survived,
	}, got)
	assert.Contains(t, out.String(), "survived: module.go Untested: boundary: < -> <=")
}

func TestMutantThatDoesNotCompileIsInvalid(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("testdata/module")
	require.NoError(t, err)
	tests := tester{root: root, testsOf: func(string) []testRun { return []testRun{{pkg: "."}} }, limit: time.Minute}

	v, err := tests.test(t.Context(), mutant{file: "module.go", with: "no Go", end: 1})

	require.NoError(t, err)
	assert.Equal(t, invalid, v)
}

// TestAcceptedSurvivors: the page decides whether a survivor is an error, and a
// complete run finds what the page need not name any more.
func TestAcceptedSurvivors(t *testing.T) {
	t.Parallel()
	page := filepath.Join(t.TempDir(), "mutants.md")
	require.NoError(t, os.WriteFile(page, []byte("# Survivors\n\nA reason:\n\n    a.go f: boundary: < -> <=\n    a.go f: negation: < -> >=\n\n    go run .\n"), 0o600))
	known, err := readSurvivors(page)
	require.NoError(t, err)
	boundary := mutant{file: "a.go", function: "f", operator: "boundary", old: "<", with: "<="}
	other := mutant{file: "a.go", function: "g", line: 7, operator: "boundary", old: "<", with: "<="}

	var out strings.Builder
	assert.True(t, report(&out, []result{{boundary, survived}, {other, killed}}, known, true))
	assert.Contains(t, out.String(), ".: 2 mutants, 1 noticed by a test, 0 by its time limit, 1 survived")
	assert.Contains(t, out.String(), "names a mutant that no longer survives: a.go f: negation: < -> >=")
	assert.NotContains(t, out.String(), "go run")

	out.Reset()
	assert.False(t, report(&out, []result{{boundary, survived}, {other, survived}}, known, false))
	assert.Contains(t, out.String(), "a.go g: boundary: < -> <=    (line 7)")
	assert.NotContains(t, out.String(), "no longer")
}

func TestChangedLines(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	git := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"}, args...)...)
		cmd.Dir = dir
		output, err := cmd.CombinedOutput()
		require.NoError(t, err, string(output))
	}
	write := func(name, text string) {
		t.Helper()
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	git("init", "--quiet")
	write("a.go", "1\n2\n3\n4\n")
	write("b.go", "1\n")
	git("add", ".")
	git("commit", "--quiet", "--message", "first")
	write("a.go", "1\nchanged\n3\n4\nadded\nadded\n")

	lines, err := changedLines(t.Context(), dir, "HEAD")
	require.NoError(t, err)
	assert.Equal(t, map[string]map[int]bool{"a.go": {2: true, 5: true, 6: true}}, lines)

	_, err = changedLines(t.Context(), dir, "no-such-commit")
	assert.ErrorContains(t, err, "no-such-commit")
}

func TestSources(t *testing.T) {
	t.Parallel()
	files, err := sources("../..", nil)
	require.NoError(t, err)
	assert.Subset(t, files, []string{"client.go", "instance_org_invite.go", "internal/retry/client.go", "losanttest/server.go"})
	for _, file := range files {
		assert.NotContains(t, file, "_test.go")
		assert.NotContains(t, file, "internal/faults")
	}

	files, err = sources("../..", []string{"auth.go", "losanttest"})
	require.NoError(t, err)
	assert.Subset(t, files, []string{"auth.go", "losanttest/server.go"})
	assert.NotContains(t, files, "client.go")

	_, err = sources("../..", []string{"none.go"})
	assert.ErrorContains(t, err, "none.go")
}

// TestEveryFolderHasTests: the table of runs names folders and packages that exist.
func TestEveryFolderHasTests(t *testing.T) {
	t.Parallel()
	files, err := sources("../..", nil)
	require.NoError(t, err)
	for _, file := range files {
		for _, run := range testsOf(folder(file)) {
			assert.DirExists(t, filepath.Join("../..", run.pkg))
		}
	}
	for name := range testRuns {
		assert.DirExists(t, filepath.Join("../..", name))
	}
}

func TestInterruptedRunKeepsItsResults(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	results, err := (&tester{workers: 1}).testAll(ctx, make([]mutant, 3))
	require.NoError(t, err)
	assert.Empty(t, results)
}
