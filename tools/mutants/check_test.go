package main

import (
	"bytes"
	"context"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// checkOf returns a check of the module in testdata.
func checkOf(t *testing.T) check {
	t.Helper()
	root, err := filepath.Abs("testdata/module")
	require.NoError(t, err)
	return check{
		root: root, cache: t.TempDir(), workers: 2, patience: 5 * time.Second, page: filepath.Join(root, "page.md"), log: io.Discard,
		plan: testPlan{tests: map[string][]string{".": {"."}, "leaf": {"leaf", "."}}, sharing: []string{"module.go"}},
	}
}

// TestVerdicts runs the check of a module that has mutants of each verdict.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	c := checkOf(t)
	mutants, err := c.mutants(t.Context())
	require.NoError(t, err)
	require.NoError(t, c.judgeAll(t.Context(), mutants))
	verdicts := map[string]verdict{}
	for _, m := range mutants {
		verdicts[m.name()] = m.verdict
	}
	for name, want := range map[string]verdict{
		"module.go Max: negation: > -> <= in: if a > b {":                                                            killed,
		"module.go Max: boundary: > -> >= in: if a > b {":                                                            survived,
		"module.go Sum: arithmetic: ++ -> -- in: for i := 0; i != n; i++ {":                                          timedOut,
		"module.go Greeting: arithmetic: + -> - in: func Greeting(name string) string { return \"hello, \" + name }": invalid,
		"module.go Unused: drop not: ! in: func Unused(a bool) bool { return !a }":                                   unreached,
		"module.go var: constant: 2 -> 3 in: var step = 2 // outside functions: its mutants are compiled alone":      killed,
		"module.go Sign: negation: > -> <= in: case n > 0:":                                                          killed,
		"module.go Counter.Value: remove: defer c.mu.Unlock()":                                                       timedOut,
		"module.go newPoint: arithmetic: + -> - in: func newPoint(x int) *point { return &point{x, x + 1} }":         killed,
		"leaf/leaf.go Double: constant: 2 -> 3 in: func Double(n int) int { return n * 2 }":                          killed,
	} {
		assert.Equal(t, want, verdicts[name], name)
	}
}

// TestRaceDetectorKillsRemovedLocks compares two checks: only one may use it.
func TestRaceDetectorKillsRemovedLocks(t *testing.T) {
	t.Parallel()
	for _, sharing := range [][]string{nil, {"module.go"}} {
		c := checkOf(t)
		c.plan.sharing = sharing
		mutants, err := c.mutants(t.Context())
		require.NoError(t, err)
		var unlocked []*mutant
		for _, m := range mutants {
			if m.function == "Counter.Value" && strings.Contains(m.old, "ock") {
				m.old, m.new, m.end = "both lines", "", offset(m.decl.Body.List[1].End())
				unlocked = append(unlocked, m)
				break
			}
		}
		require.Len(t, unlocked, 1)
		require.NoError(t, c.judgeAll(t.Context(), unlocked))
		want := survived
		if sharing != nil {
			want = killed
		}
		assert.Equal(t, want, unlocked[0].verdict)
	}
}

// TestReportNamesUnknownSurvivors: the check fails for those that the page does not
// name, and names entries of the page that are no longer true.
func TestReportNamesUnknownSurvivors(t *testing.T) {
	t.Parallel()
	c := checkOf(t)
	c.paths = []string{"module.go"}
	var out bytes.Buffer
	require.ErrorIs(t, c.run(t.Context(), &out), errSurvivors)
	assert.Contains(t, out.String(), "module.go:36 unreached\nmodule.go Unused: drop not: ! in: func Unused(a bool) bool { return !a }\n")
	assert.NotContains(t, out.String(), "Max: boundary")
	assert.Contains(t, out.String(), "no longer survives, remove from docs/mutants.md:\nmodule.go Max: negation: > -> <= in: if a > b {\n")
	assert.Contains(t, out.String(), "no longer survives, remove from docs/mutants.md:\nmodule.go Minimum: boundary: < -> <= in: if a < b {\n")
	assert.NotContains(t, out.String(), "leaf", "only the chosen file runs")
}

// TestInterruptedRunReports what it knows, and fails.
func TestInterruptedRunReports(t *testing.T) {
	t.Parallel()
	c := checkOf(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	require.ErrorIs(t, c.run(ctx, &out), context.Canceled)
	assert.Contains(t, out.String(), "did not run")
	assert.NotContains(t, out.String(), "no longer survives")
}

// TestSinceChecksChangedLines makes a repository, changes one line, and expects
// only its mutants.
func TestSinceChecksChangedLines(t *testing.T) {
	t.Parallel()
	c := checkOf(t)
	source := c.root
	c.root = t.TempDir()
	require.NoError(t, os.CopyFS(c.root, os.DirFS(source)))
	git := func(arguments ...string) {
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", c.root, "-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"}, arguments...)...)
		output, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", output)
	}
	git("init", "-q")
	git("add", ".")
	git("commit", "-q", "-m", "a commit")
	replaceIn(t, filepath.Join(c.root, "module.go"), "if a > b {", "if b < a {")
	c.since = "HEAD"
	mutants, err := c.mutants(t.Context())
	require.NoError(t, err)
	var names []string
	for _, m := range mutants {
		names = append(names, m.name())
	}
	want := []string{"module.go Max: boundary: < -> <= in: if b < a {", "module.go Max: negation: < -> >= in: if b < a {"}
	assert.Equal(t, want, names, "not committed")
	git("commit", "-q", "-a", "-m", "another")
	c.since = "HEAD~1"
	mutants, err = c.mutants(t.Context())
	require.NoError(t, err)
	assert.Len(t, mutants, 2, "committed")
	c.since = "HEAD"
	mutants, err = c.mutants(t.Context())
	require.NoError(t, err)
	assert.Empty(t, mutants)
	c.since = "no-such-ref"
	_, err = c.mutants(t.Context())
	require.ErrorContains(t, err, "git diff no-such-ref")
}

func replaceIn(t *testing.T, name, old, replacement string) {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Contains(t, string(data), old)
	require.NoError(t, os.WriteFile(name, []byte(strings.Replace(string(data), old, replacement, 1)), 0o600))
}

// TestPlanListsEveryPackage: a new package of the library must be in the plan, with
// its own tests first, and the files of plan.sharing exist.
func TestPlanListsEveryPackage(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob("../../internal/*")
	require.NoError(t, err)
	for _, dir := range append(dirs, "../../losanttest", "../..") {
		name, err := filepath.Rel("../..", dir)
		require.NoError(t, err)
		if name == filepath.Join("internal", "faults") {
			continue
		}
		name = filepath.ToSlash(name)
		if assert.NotEmpty(t, plan.tests[name], name) {
			assert.Equal(t, name, plan.tests[name][0])
		}
	}
	for _, file := range plan.sharing {
		assert.FileExists(t, filepath.Join("../..", file))
	}
}

// TestPlanListsFilesWithLocks: a file that uses sync shares memory.
func TestPlanListsFilesWithLocks(t *testing.T) {
	t.Parallel()
	files, err := plan.files("../..", nil)
	require.NoError(t, err)
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("../..", file), nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, spec := range f.Imports {
			if spec.Path.Value == `"sync"` || spec.Path.Value == `"sync/atomic"` {
				assert.Contains(t, plan.sharing, file)
			}
		}
	}
}

// TestCoverageIsCached: the second measurement is the first one's, unless a test
// failed.
func TestCoverageIsCached(t *testing.T) {
	t.Parallel()
	c := checkOf(t)
	j := judge{check: c, module: "example.com/module", out: t.TempDir()}
	first, err := j.collect(t.Context(), "leaf")
	require.NoError(t, err)
	assert.Equal(t, []string{"TestDoubleOfZero"}, namesOf(first.Tests))
	cached, err := filepath.Glob(filepath.Join(c.cache, "*.json"))
	require.NoError(t, err)
	require.Len(t, cached, 1)
	replaceIn(t, cached[0], "TestDoubleOfZero", "TestOfTheCache")
	second, err := j.collect(t.Context(), "leaf")
	require.NoError(t, err)
	assert.Equal(t, []string{"TestOfTheCache"}, namesOf(second.Tests))
	assert.Equal(t, first.Blocks, second.Blocks)

	failing, err := j.collect(t.Context(), ".")
	require.NoError(t, err)
	assert.True(t, failing.Tests[len(failing.Tests)-1].Failed)
	cached, err = filepath.Glob(filepath.Join(c.cache, "*.json"))
	require.NoError(t, err)
	assert.Len(t, cached, 1)
}

// TestFilesOfPaths: a path is a file, a folder, or none for all.
func TestFilesOfPaths(t *testing.T) {
	t.Parallel()
	c := checkOf(t)
	for _, row := range []struct{ paths, want []string }{
		{nil, []string{"leaf/leaf.go", "module.go"}},
		{[]string{"leaf"}, []string{"leaf/leaf.go"}},
		{[]string{".", "./module.go"}, []string{"module.go"}},
	} {
		files, err := c.plan.files(c.root, row.paths)
		require.NoError(t, err)
		assert.Equal(t, row.want, files)
	}
	for _, wrong := range []string{"other", "other/x.go", "missing.go"} {
		_, err := c.plan.files(c.root, []string{wrong})
		require.ErrorContains(t, err, wrong)
	}
}

func TestPageNamesSurvivorsInBlocks(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "page.md")
	require.NoError(t, os.WriteFile(name, []byte("text\n```survivors\na\nb: c\n```\nd\n```\ne\n```\n"), 0o600))
	known, err := readPage(name)
	require.NoError(t, err)
	assert.Equal(t, map[string]bool{"a": true, "b: c": true}, known)
	require.NoError(t, os.WriteFile(name, []byte("```survivors\na\na\n```\n"), 0o600))
	_, err = readPage(name)
	require.ErrorContains(t, err, "names twice: a")
}
