package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mutantsOf returns the changed lines of the mutants of a function body.
func mutantsOf(t *testing.T, src string) []*mutant {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "x.go"), []byte(src), 0o600))
	mutants, err := mutate(dir, "x.go")
	require.NoError(t, err)
	return mutants
}

// TestMutants lists, for each kind of statement and expression, what it becomes.
func TestMutants(t *testing.T) {
	t.Parallel()
	for source, want := range map[string][]string{
		"_ = a < b":                   {"_ = a <= b", "_ = a >= b"},
		"_ = a == b":                  {"_ = a != b"},
		"_ = a + b":                   {"_ = a - b"},
		"_ = a << b":                  {"_ = a >> b"},
		"_ = a && b":                  {"_ = a || b", "_ = true && b", "_ = a && true"},
		"_ = a || b":                  {"_ = a && b", "_ = false || b", "_ = a || false"},
		"_ = -a":                      {"_ = a"},
		"_ = !a":                      {"_ = a"},
		"_ = true":                    {"_ = false"},
		"_ = false":                   {"_ = true"},
		"_ = 7":                       {"_ = 8", "_ = 6"},
		"_ = 0":                       {"_ = 1"},
		"_ = 0x10":                    {"_ = 17", "_ = 15"},
		"_ = 1.5":                     nil,
		`_ = "1"`:                     nil,
		"a++":                         {"a--", ""},
		"a += b":                      {"a -= b", ""},
		"a = b":                       {""},
		"a := b":                      nil,
		"f()":                         {""},
		"defer f()":                   {""},
		"go f()":                      {""},
		"c <- a":                      {""},
		"for ; ; a++ { }":             {"for ; ; a-- { }"},
		"for { break }":               {"for { continue }", "for {  }"},
		"for { continue }":            {"for { break }", "for {  }"},
		"if f() { }":                  {"if !(f()) { }"},
		"if a < b { }":                {"if a <= b { }", "if a >= b { }"},
		"if !a { }":                   {"if a { }"},
		"switch { case f(): }":        {"switch { case !(f()): }"},
		"switch { case a: }":          {"switch { case !(a): }"},
		"switch x { case f(): }":      nil,
		"switch x.(type) { case T: }": nil,
		"return":                      {""},
	} {
		var got []string
		const head, tail = "package x\n\nfunc f() {\n", "\n}\n"
		src := head + source + tail
		for _, m := range mutantsOf(t, src) {
			changed := m.apply(src)
			got = append(got, changed[len(head):len(changed)-len(tail)])
			assert.Equal(t, 4, m.line, source)
			assert.Equal(t, "f", m.function)
		}
		assert.Equal(t, want, got, source)
	}
}

// TestResultMutants: an error becomes nil, and a bool is negated.
func TestResultMutants(t *testing.T) {
	t.Parallel()
	for source, want := range map[string][]string{
		"func f() error { return err }":              {"func f() error { return nil }"},
		"func f() (int, *Error) { return a, e }":     {"func f() (int, *Error) { return a, nil }"},
		"func f() error { return nil }":              nil,
		"func f() (int, error) { return g() }":       nil,
		"func f() bool { return a }":                 {"func f() bool { return !(a) }"},
		"func f() bool { return true }":              {"func f() bool { return false }"},
		"func f() bool { return false }":             {"func f() bool { return true }"},
		"func f() bool { return a == b }":            {"func f() bool { return a != b }"},
		"func f() { func() error { return err }() }": {"func f() {  }", "func f() { func() error { return nil }() }"},
		"const c = 1":   {"const c = 2", "const c = 0"},
		"type t [5]int": nil,
	} {
		var got []string
		const head = "package x\n\n"
		for _, m := range mutantsOf(t, head+source) {
			got = append(got, m.apply(head + source)[len(head):])
		}
		assert.Equal(t, want, got, source)
	}
}

// TestNamesAreUniqueWithoutLineNumbers: names survive an edit above the mutant.
func TestNamesAreUniqueWithoutLineNumbers(t *testing.T) {
	t.Parallel()
	const function = "func (t *T[V]) f() bool { return a == 1 || b == 1 }\n"
	names := func(src string) []string {
		var names []string
		for _, m := range mutantsOf(t, src) {
			names = append(names, m.name())
		}
		return names
	}
	before := names("package x\n" + function)
	assert.Equal(t, before, names("package x\n\n// A comment.\n\n"+function))
	assert.Contains(t, before, "x.go T[V].f: constant: 1 -> 2 in: func (t *T[V]) f() bool { return a == 1 || b == 1 }")
	assert.Contains(t, before, "x.go T[V].f: constant 2: 1 -> 2 in: func (t *T[V]) f() bool { return a == 1 || b == 1 }")
	assert.Equal(t, []string{"x.go f: remove: g( …"}, names("package x\nfunc f() {\n\tg(\n\t\t\"a\",\n\t)\n}\n"), "the first line of several")
	unique := map[string]bool{}
	for _, name := range before {
		assert.False(t, unique[name], name)
		unique[name] = true
	}
}

// TestInstrumentedFunctions: a function calls the copy of the active mutant with
// all its parameters, named or not.
func TestInstrumentedFunctions(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"func f() { g() }": "func f() { switch activeMutant { case 1: mutant1_f(); return; }; g() }\n//line mutant1.go:1\nfunc mutant1_f() {  }\n",
		"func f(a, b int, c ...T) error { return err }": "func f(a, b int, c ...T) error { switch activeMutant { case 1: return mutant1_f(a, b, c...); }; return err }\n//line mutant1.go:1\nfunc mutant1_f(a, b int, c ...T) error { return nil }\n",
		"func (T) f(int, ...string) { g() }":            "func (unnamed0 T) f(unnamed1 int, unnamed2 ...string) { switch activeMutant { case 1: unnamed0.mutant1_f(unnamed1, unnamed2...); return; }; g() }\n//line mutant1.go:1\nfunc (T) mutant1_f(int, ...string) {  }\n",
		"func (t *T) f(_ int) { g() }":                  "func (t *T) f(unnamed0 int) { switch activeMutant { case 1: t.mutant1_f(unnamed0); return; }; g() }\n//line mutant1.go:1\nfunc (t *T) mutant1_f(_ int) {  }\n",
		"func f[K, V any](k K) { g() }":                 "func f[K, V any](k K) { switch activeMutant { case 1: mutant1_f[K, V](k); return; }; g() }\n//line mutant1.go:1\nfunc mutant1_f[K, V any](k K) {  }\n",
	} {
		const head = "package x\n\n"
		mutants := mutantsOf(t, head+source)
		require.Len(t, mutants, 1)
		mutants[0].id = 1
		assert.True(t, mutants[0].isSwitchable())
		assert.Equal(t, head+want, instrument(head+source, mutants))
	}
	assert.False(t, mutantsOf(t, "package x\nfunc f() { recover() }")[0].isSwitchable())
	assert.False(t, mutantsOf(t, "package x\nvar a = 1")[0].isSwitchable())
}

// TestReachingTests: those of the innermost block; in the condition of a case,
// those of the function; outside functions, all.
func TestReachingTests(t *testing.T) {
	t.Parallel()
	s := suite{
		Tests: []*test{{Name: "outer"}, {Name: "inner"}, {Name: "other"}},
		Blocks: []*block{
			{span{"x.go", 2, 1, 8, 2}, []int{0, 1}},
			{span{"x.go", 3, 5, 4, 9}, []int{1}},
			{span{"x.go", 20, 1, 21, 9}, []int{2}},
			{span{"y.go", 3, 5, 4, 9}, []int{2}},
		},
	}
	function := mutantsOf(t, "package x\nfunc f() { g() }")[0]
	for _, row := range []struct {
		line, column int
		want         []string
	}{
		{3, 4, []string{"outer", "inner"}},
		{3, 5, []string{"inner"}},
		{4, 8, []string{"inner"}},
		{4, 9, []string{"outer", "inner"}},
		{20, 1, []string{"other"}},
		{9, 1, []string{"outer", "inner"}}, // in no block, but in the function
	} {
		m := &mutant{file: "x.go", line: row.line, column: row.column, decl: function.decl, first: 1, final: 10}
		assert.Equal(t, row.want, namesOf(s.reaching(m)), "%d:%d", row.line, row.column)
	}
	assert.Equal(t, []string{"outer", "inner", "other"}, namesOf(s.reaching(&mutant{file: "x.go", line: 30})))
	assert.Empty(t, namesOf(s.reaching(&mutant{file: "z.go", line: 3, decl: function.decl, first: 1, final: 10})))
}

func namesOf(tests []*test) []string {
	var names []string
	for _, t := range tests {
		names = append(names, t.Name)
	}
	return names
}
