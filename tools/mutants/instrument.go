package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// active is the environment variable that holds the id of the mutant to run.
const active = "ACTIVE_MUTANT"

// activator declares the number of the active mutant in each changed package.
const activator = `package %s

import (
	"os"
	"strconv"
)

var activeMutant, _ = strconv.Atoi(os.Getenv("` + active + `"))
`

const overlayName = "overlay.json"

// overlay writes changed copies of the files of mutants into dir, and the file
// that makes the go command use them. A test binary built with it has all mutants:
// each is a copy of its function, which the function calls if the mutant is active.
//
//	func Truncate(s string, n int) string { switch activeMutant { case 17: return mutant17_Truncate(s, n) }
//		…
//	}
//
//	//line mutant17.go:1
//	func mutant17_Truncate(s string, n int) string {
//		…
//	}
//
// So one build serves many mutants, and a mutant costs no more than the tests that
// it runs.
func overlay(root, dir string, mutants []*mutant) error {
	byFile := map[string][]*mutant{}
	for _, m := range mutants {
		byFile[m.file] = append(byFile[m.file], m)
	}
	files := map[string]string{}
	for file, some := range byFile {
		src, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), "", src, parser.PackageClauseOnly)
		if err != nil {
			return err
		}
		files[file] = instrument(string(src), some)
		files[some[0].pkg()+"/active_mutant.go"] = fmt.Sprintf(activator, f.Name.Name)
	}
	return writeOverlay(root, dir, files)
}

// overlayAlone is like overlay, for one mutant that its file has in place of what
// it changes.
func overlayAlone(root, dir string, m *mutant) error {
	src, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return err
	}
	return writeOverlay(root, dir, map[string]string{m.file: m.apply(string(src))})
}

func writeOverlay(root, dir string, files map[string]string) error {
	replace := map[string]string{}
	for file, text := range files {
		name := filepath.Join(dir, fmt.Sprintf("file%d.go", len(replace)))
		replace[filepath.Join(root, file)] = name
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			return err
		}
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, overlayName), data, 0o600)
}

// apply returns src with the change.
func (m *mutant) apply(src string) string { return src[:m.start] + m.new + src[m.end:] }

// isSwitchable reports whether a copy of the function can hold the mutant. A
// variable or a constant has no function, and recover works only in the function
// that was deferred.
func (m *mutant) isSwitchable() bool {
	if m.decl == nil {
		return false
	}
	recovers := false
	ast.Inspect(m.decl.Body, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		recovers = recovers || ok && id.Name == "recover"
		return true
	})
	return !recovers
}

// edit replaces the bytes from start to end.
type edit struct {
	start, end int
	text       string
}

// instrument returns a file with copies of functions for its mutants. Lines keep
// their numbers.
func instrument(src string, mutants []*mutant) string {
	byFunction := map[*ast.FuncDecl][]*mutant{}
	for _, m := range mutants {
		byFunction[m.decl] = append(byFunction[m.decl], m)
	}
	var edits []edit
	var copies strings.Builder
	for _, m := range mutants {
		if some := byFunction[m.decl]; some[0] == m {
			edits = append(edits, dispatch(some)...)
		}
		copies.WriteString(m.copy(src))
	}
	var out strings.Builder
	at := 0
	for _, e := range edits {
		out.WriteString(src[at:e.start] + e.text)
		at = e.end
	}
	return out.String() + src[at:] + copies.String()
}

func (m *mutant) prefix() string { return fmt.Sprintf("mutant%d_", m.id) }

// offset converts a position, which counts from 1: each file has its own set.
func offset(p token.Pos) int { return int(p) - 1 }

// copy returns the function of the mutant, changed and renamed. The line directive
// makes the compiler name the mutant in its errors.
func (m *mutant) copy(src string) string {
	name, changed := offset(m.decl.Name.Pos()), m.apply(src)
	end := offset(m.decl.End()) + len(changed) - len(src)
	return fmt.Sprintf("\n//line mutant%d.go:1\n%s%s%s\n", m.id, src[offset(m.decl.Pos()):name], m.prefix(), changed[name:end])
}

// dispatch returns the edits of a function that make it call the copy of the
// active mutant, in order. Parameters need names for that.
func dispatch(mutants []*mutant) []edit {
	decl := mutants[0].decl
	var edits []edit
	named := func(fields *ast.FieldList) []string {
		var names []string
		if fields == nil {
			return nil
		}
		for _, field := range fields.List {
			variadic := ""
			if _, ok := field.Type.(*ast.Ellipsis); ok {
				variadic = "..."
			}
			if len(field.Names) == 0 {
				name := fmt.Sprintf("unnamed%d", len(edits))
				edits = append(edits, edit{offset(field.Type.Pos()), offset(field.Type.Pos()), name + " "})
				names = append(names, name+variadic)
			}
			for _, id := range field.Names {
				name := id.Name
				if name == "_" {
					name = fmt.Sprintf("unnamed%d", len(edits))
					edits = append(edits, edit{offset(id.Pos()), offset(id.End()), name})
				}
				names = append(names, name+variadic)
			}
		}
		return names
	}
	receiver, types := "", ""
	if decl.Recv != nil {
		receiver = named(decl.Recv)[0] + "."
	}
	if parameters := decl.Type.TypeParams; parameters != nil {
		var names []string
		for _, field := range parameters.List {
			for _, id := range field.Names {
				names = append(names, id.Name)
			}
		}
		types = "[" + strings.Join(names, ", ") + "]"
	}
	arguments := strings.Join(named(decl.Type.Params), ", ")
	var b strings.Builder
	b.WriteString(" switch activeMutant {")
	for _, m := range mutants {
		call := receiver + m.prefix() + decl.Name.Name + types + "(" + arguments + ")"
		if decl.Type.Results == nil {
			fmt.Fprintf(&b, " case %d: %s; return;", m.id, call)
		} else {
			fmt.Fprintf(&b, " case %d: return %s;", m.id, call)
		}
	}
	b.WriteString(" };")
	brace := offset(decl.Body.Lbrace) + 1
	return append(edits, edit{brace, brace, b.String()})
}
