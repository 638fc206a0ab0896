// Command mutants changes the library in one small place after another, and runs
// its tests on each change: a test must fail. It prints the changes that none
// noticed, and the score.
//
//	go -C tools/mutants run .
//
// It takes about an hour on two cores; with names of files it takes those alone.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

type mutant struct {
	File       string
	Line       int
	Operator   string
	Start, End int
	Old, New   string
}

func main() {
	workers := flag.Int("workers", 2, "how many `tests` run at once")
	flag.Parse()
	root, err := filepath.Abs("../..")
	if err != nil {
		log.Fatal(err)
	}
	files := flag.Args()
	if len(files) == 0 {
		if files, err = sources(root); err != nil {
			log.Fatal(err)
		}
	}
	var all []*mutant
	for _, file := range files {
		some, err := mutants(root, file)
		if err != nil {
			log.Fatal(err)
		}
		all = append(all, some...)
	}
	work := make(chan *mutant)
	var group sync.WaitGroup
	var mu sync.Mutex
	score := map[string]int{}
	for range *workers {
		group.Go(func() {
			for m := range work {
				result, err := judge(root, m)
				if err != nil {
					log.Fatal(err)
				}
				mu.Lock()
				score[result]++
				if result == "survived" || result == "timed out" {
					fmt.Printf("%s: %s:%d %s: %q -> %q\n", result, m.File, m.Line, m.Operator, m.Old, m.New)
				}
				mu.Unlock()
			}
		})
	}
	for _, m := range all {
		work <- m
	}
	close(work)
	group.Wait()
	fmt.Println(len(all), "mutants:", score)
}

// sources returns the files of the library, relative to root.
func sources(root string) ([]string, error) {
	var files []string
	for _, pattern := range []string{"*.go", "internal/baseurl/*.go", "internal/retry/*.go", "internal/route/*.go", "internal/text/*.go", "internal/wire/*.go"} {
		matches, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		for _, match := range matches {
			if strings.HasSuffix(match, "_test.go") {
				continue
			}
			file, err := filepath.Rel(root, match)
			if err != nil {
				return nil, err
			}
			files = append(files, file)
		}
	}
	return files, nil
}

// judge runs the tests of the package of a mutant, then those of the root.
func judge(root string, m *mutant) (string, error) {
	scratch, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	original := filepath.Join(root, m.File)
	src, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	changed, overlay := filepath.Join(scratch, "changed.go"), filepath.Join(scratch, "overlay.json")
	text := string(src[:m.Start]) + m.New + string(src[m.End:])
	if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{original: changed}})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(overlay, replace, 0o600); err != nil {
		return "", err
	}
	packages := []string{"."}
	if dir := filepath.Dir(m.File); dir != "." {
		packages = []string{"./" + dir, "."}
	}
	for _, name := range packages {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
		cmd := exec.CommandContext(ctx, "go", "test", "-overlay", overlay, "-short", "-failfast", "-vet=off", "-timeout", "60s", name)
		cmd.Dir = root
		output, err := cmd.CombinedOutput()
		cancel()
		switch {
		case err == nil:
		case bytes.Contains(output, []byte("[build failed]")), bytes.Contains(output, []byte("[setup failed]")):
			return "not Go", nil
		case bytes.Contains(output, []byte("panic: test timed out")), ctx.Err() == context.DeadlineExceeded:
			return "timed out", nil
		default:
			return "killed", nil
		}
	}
	return "survived", nil
}

// mutants returns the changes that the usual operators make to a file, one each.
func mutants(dir, file string) ([]*mutant, error) {
	src, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, src, 0)
	if err != nil {
		return nil, err
	}
	var out []*mutant
	off := func(p token.Pos) int { return fset.Position(p).Offset }
	add := func(operator string, from, to token.Pos, with string) {
		line := fset.Position(from).Line
		out = append(out, &mutant{File: file, Line: line, Operator: operator, Start: off(from), End: off(to), New: with, Old: string(src[off(from):off(to)])})
	}
	text := func(n ast.Node) string { return string(src[off(n.Pos()):off(n.End())]) }
	boundary := map[token.Token]string{token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">"}
	negation := map[token.Token]string{token.EQL: "!=", token.NEQ: "==", token.LSS: ">=", token.LEQ: ">", token.GTR: "<=", token.GEQ: "<"}
	arithmetic := map[token.Token]string{token.ADD: "-", token.SUB: "+", token.MUL: "/", token.QUO: "*", token.REM: "*", token.SHL: ">>", token.SHR: "<<", token.AND: "|", token.OR: "&"}
	assign := map[token.Token]string{token.ADD_ASSIGN: "-=", token.SUB_ASSIGN: "+=", token.MUL_ASSIGN: "/=", token.QUO_ASSIGN: "*="}
	isComparison := func(e ast.Expr) bool {
		for {
			p, ok := e.(*ast.ParenExpr)
			if !ok {
				break
			}
			e = p.X
		}
		switch b := e.(type) {
		case *ast.BinaryExpr:
			return negation[b.Op] != "" || b.Op == token.LAND || b.Op == token.LOR
		case *ast.UnaryExpr:
			return b.Op == token.NOT
		}
		return false
	}
	condition := func(e ast.Expr) {
		if e == nil || isComparison(e) {
			return
		}
		add("negate condition", e.Pos(), e.End(), "!("+text(e)+")")
	}
	var funcs []*ast.FuncType
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			if n.Tok == token.IMPORT {
				return false
			}
		case *ast.FuncDecl:
			funcs = append(funcs, n.Type)
			if n.Body != nil {
				ast.Inspect(n.Body, visit)
			}
			funcs = funcs[:len(funcs)-1]
			return false
		case *ast.FuncLit:
			funcs = append(funcs, n.Type)
			ast.Inspect(n.Body, visit)
			funcs = funcs[:len(funcs)-1]
			return false
		case *ast.BinaryExpr:
			opEnd := n.OpPos + token.Pos(len(n.Op.String()))
			if r := boundary[n.Op]; r != "" {
				add("boundary", n.OpPos, opEnd, r)
			}
			if r := negation[n.Op]; r != "" {
				add("negation", n.OpPos, opEnd, r)
			}
			if r := arithmetic[n.Op]; r != "" {
				add("arithmetic", n.OpPos, opEnd, r)
			}
			switch n.Op {
			case token.LAND:
				add("logical", n.OpPos, opEnd, "||")
				add("drop operand", n.X.Pos(), n.X.End(), "(true)")
				add("drop operand", n.Y.Pos(), n.Y.End(), "(true)")
			case token.LOR:
				add("logical", n.OpPos, opEnd, "&&")
				add("drop operand", n.X.Pos(), n.X.End(), "(false)")
				add("drop operand", n.Y.Pos(), n.Y.End(), "(false)")
			}
		case *ast.UnaryExpr:
			switch n.Op {
			case token.SUB:
				add("drop minus", n.OpPos, n.OpPos+1, "")
			case token.NOT:
				add("drop not", n.OpPos, n.OpPos+1, "")
			}
		case *ast.IncDecStmt:
			if n.Tok == token.INC {
				add("increment", n.TokPos, n.TokPos+2, "--")
			} else {
				add("increment", n.TokPos, n.TokPos+2, "++")
			}
			add("remove statement", n.Pos(), n.End(), "{}")
		case *ast.AssignStmt:
			if r := assign[n.Tok]; r != "" {
				add("assignment", n.TokPos, n.TokPos+2, r)
			}
			if n.Tok != token.DEFINE && (len(n.Lhs) != 1 || text(n.Lhs[0]) != "_") {
				add("remove statement", n.Pos(), n.End(), "")
			}
		case *ast.ExprStmt, *ast.DeferStmt:
			add("remove statement", n.Pos(), n.End(), "{}")
		case *ast.BranchStmt:
			switch n.Tok {
			case token.BREAK:
				add("branch", n.Pos(), n.Pos()+5, "continue")
				add("remove statement", n.Pos(), n.End(), "{}")
			case token.CONTINUE:
				add("branch", n.Pos(), n.Pos()+8, "break")
				add("remove statement", n.Pos(), n.End(), "{}")
			}
		case *ast.IfStmt:
			condition(n.Cond)
		case *ast.CaseClause:
			for _, e := range n.List {
				switch e.(type) {
				case *ast.Ident, *ast.BasicLit, *ast.SelectorExpr:
				default:
					condition(e)
				}
			}
		case *ast.ReturnStmt:
			if len(funcs) > 0 && len(n.Results) > 0 {
				ft := funcs[len(funcs)-1]
				if ft.Results != nil {
					last := ft.Results.List[len(ft.Results.List)-1]
					e := n.Results[len(n.Results)-1]
					t := text(last.Type)
					if (t == "error" || t == "*Error") && text(e) != "nil" && len(n.Results) == ft.Results.NumFields() {
						add("return nil", e.Pos(), e.End(), "nil")
					}
					if t == "bool" && text(e) != "true" && text(e) != "false" && !isComparison(e) {
						add("negate return", e.Pos(), e.End(), "!("+text(e)+")")
					}
				}
			}
			if len(n.Results) == 0 {
				add("remove statement", n.Pos(), n.End(), "{}")
			}
		case *ast.Ident:
			if n.Name == "true" {
				add("boolean", n.Pos(), n.End(), "false")
			}
			if n.Name == "false" {
				add("boolean", n.Pos(), n.End(), "true")
			}
		case *ast.BasicLit:
			if n.Kind == token.INT {
				v, err := strconv.ParseInt(n.Value, 0, 64)
				if err == nil {
					add("constant", n.Pos(), n.End(), strconv.FormatInt(v+1, 10))
					if v > 0 {
						add("constant", n.Pos(), n.End(), strconv.FormatInt(v-1, 10))
					}
				}
			}
		}
		return true
	}
	ast.Inspect(f, visit)
	return out, nil
}
