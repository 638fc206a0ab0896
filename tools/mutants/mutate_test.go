package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestOperators has a function for each kind of node, and the changes to it.
func TestOperators(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		source string
		want   []string
	}{
		"comparison": {
			"func f(a int) bool { return a < b }",
			[]string{"boundary: < -> <=", "negation: < -> >="},
		},
		"equality":   {"func f(a int) bool { return a == b }", []string{"negation: == -> !="}},
		"arithmetic": {"func f(a int) int { return a + b }", []string{"arithmetic: + -> -"}},
		"conjunction": {
			"func f() int { return g(a && b) }",
			[]string{"drop operand: a -> (true)", "drop operand: b -> (true)"},
		},
		"disjunction": {
			"func f() int { return g(a || b) }",
			[]string{"drop operand: a -> (false)", "drop operand: b -> (false)"},
		},
		"negation":   {"func f() int { return g(!a) }", []string{"drop operator: ! ->"}},
		"increment":  {"func f() { a++ }", []string{"remove statement: a++ -> {}"}},
		"assignment": {"func f() { a = b; _ = c; d := e }", []string{"remove statement: a = b ->"}},
		"call":       {"func f() { g() }", []string{"remove statement: g() -> {}"}},
		"defer":      {"func f() { defer g() }", []string{"remove statement: defer g() -> {}"}},
		"break": {
			"func f() { for { break } }",
			[]string{"branch: break -> continue", "remove statement: break -> {}"},
		},
		"continue": {
			"func f() { for { continue } }",
			[]string{"branch: continue -> break", "remove statement: continue -> {}"},
		},
		"condition":     {"func f() { if a {} }", []string{"negate condition: a -> !(a)"}},
		"case":          {"func f() { switch { case g(): } }", []string{"negate condition: g() -> !(g())"}},
		"case of two":   {"func f() { switch a { case b, c: } }", []string{"drop value: c -> b"}},
		"error":         {"func f() (int, error) { return a, err }", []string{"return nil: err -> nil"}},
		"nil error":     {"func f() error { return nil }", nil},
		"two results":   {"func f() (int, error) { return g() }", nil},
		"result":        {"func f() bool { return a }", []string{"negate result: a -> !(a)"}},
		"boolean":       {"func f() bool { return true }", []string{"boolean: true -> false"}},
		"early return":  {"func f() { return }", []string{"remove statement: return -> {}"}},
		"number":        {"func f() int { return 7 }", []string{"constant: 7 -> 8"}},
		"field":         {"func f() T { return T{A: a, B: b} }", []string{"remove field: A: a, ->", "remove field: B: b ->"}},
		"map":           {`func f() T { return T{"a": a} }`, nil},
		"inner closure": {"func f() int { return g(func() bool { return a }) }", []string{"negate result: a -> !(a)"}},
		"string":        {`func f() string { return "a" }`, nil},
		"method":        {"func (t *T[K]) f() { g() }", []string{"remove statement: g() -> {}"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := "package p\n" + test.source + "\n"
			found, err := mutate("file.go", []byte(source))
			require.NoError(t, err)
			var got []string
			for _, m := range found {
				function := "f"
				if name == "method" {
					function = "T.f"
				}
				assert.Equal(t, function, m.function)
				assert.Equal(t, 2, m.line)
				assert.Equal(t, m.old, source[m.start:m.end])
				got = append(got, fmt.Sprintf("%s: %s", m.operator, m.old+" -> "+m.with))
			}
			for n := range got {
				got[n] = trimmed(got[n])
			}
			assert.Equal(t, test.want, got)
		})
	}
}

func TestConstantStringsAreChanged(t *testing.T) {
	t.Parallel()
	found, err := mutate("types.go", []byte("package p\nimport \"fmt\"\nconst A, B T = \"a\", 1\n"))
	require.NoError(t, err)
	require.Len(t, found, 2)
	assert.Equal(t, `types.go : constant: "a" -> "a" + "~"`, found[0].String())
	assert.Equal(t, "types.go : constant: 1 -> 2", found[1].String())
}

func TestInvalidSourceIsAnError(t *testing.T) {
	t.Parallel()
	_, err := mutate("file.go", []byte("package"))
	assert.ErrorContains(t, err, "file.go")
}
