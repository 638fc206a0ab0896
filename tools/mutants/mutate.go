package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// mutant is one change of one file.
type mutant struct {
	id           int
	file         string // relative to the root, with slashes
	line, last   int    // the lines that it changes
	column       int
	function     string // the function, or the variable or constant
	operator     string
	start, end   int // the bytes that it replaces
	old, new     string
	context      string        // the line, as it was
	decl         *ast.FuncDecl // nil outside functions
	first, final int           // the lines of decl
	verdict      verdict
}

func (m *mutant) pkg() string { return path.Dir(m.file) }

// name identifies a mutant, also after the lines above it have changed.
func (m *mutant) name() string {
	first, _, multiline := strings.Cut(m.old, "\n")
	if multiline {
		first += " …"
	}
	change := first
	if m.new != "" {
		change += " -> " + m.new
	}
	name := fmt.Sprintf("%s %s: %s: %s", m.file, m.function, m.operator, change)
	if m.context != m.old && !multiline {
		name += " in: " + m.context
	}
	return name
}

var (
	boundaries = map[token.Token]string{token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">"}
	negations  = map[token.Token]string{token.EQL: "!=", token.NEQ: "==", token.LSS: ">=", token.LEQ: ">", token.GTR: "<=", token.GEQ: "<"}
	arithmetic = map[token.Token]string{
		token.ADD: "-", token.SUB: "+", token.MUL: "/", token.QUO: "*", token.REM: "*",
		token.SHL: ">>", token.SHR: "<<", token.AND: "|", token.OR: "&",
		token.ADD_ASSIGN: "-=", token.SUB_ASSIGN: "+=", token.MUL_ASSIGN: "/=", token.QUO_ASSIGN: "*=", token.OR_ASSIGN: "&=", token.AND_ASSIGN: "|=",
		token.INC: "--", token.DEC: "++",
	}
)

// mutator collects the mutants of one file.
type mutator struct {
	file    string
	src     string
	fset    *token.FileSet
	decl    ast.Decl
	mutants []*mutant
}

// mutate returns the mutants of a file, in the order of their positions.
func mutate(root, file string) ([]*mutant, error) {
	src, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		return nil, err
	}
	mu := mutator{file: file, src: string(src), fset: token.NewFileSet()}
	f, err := parser.ParseFile(mu.fset, file, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, decl := range f.Decls {
		if d, ok := decl.(*ast.GenDecl); ok && d.Tok != token.VAR && d.Tok != token.CONST {
			continue
		}
		mu.decl = decl
		ast.PreorderStack(decl, nil, mu.visit)
	}
	return unambiguous(mu.mutants), nil
}

// unambiguous numbers mutants of the same name.
func unambiguous(mutants []*mutant) []*mutant {
	count := map[string]int{}
	for _, m := range mutants {
		name := m.name()
		if count[name]++; count[name] > 1 {
			m.operator += " " + strconv.Itoa(count[name])
		}
	}
	return mutants
}

// visit adds the mutants of one node. above are the nodes that it is in.
func (mu *mutator) visit(n ast.Node, above []ast.Node) bool {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		mu.binary(n)
	case *ast.UnaryExpr:
		switch n.Op {
		case token.SUB:
			mu.add("drop minus", n.OpPos, n.X.Pos(), "")
		case token.NOT:
			mu.add("drop not", n.OpPos, n.X.Pos(), "")
		}
	case *ast.IncDecStmt:
		mu.add("arithmetic", n.TokPos, n.End(), arithmetic[n.Tok])
		if loop, ok := above[len(above)-1].(*ast.ForStmt); !ok || loop.Post != n { // without it, the loop never ends
			mu.remove(n)
		}
	case *ast.AssignStmt:
		if with := arithmetic[n.Tok]; with != "" {
			mu.add("arithmetic", n.TokPos, n.TokPos+2, with)
		}
		if n.Tok != token.DEFINE && mu.text(n.Lhs[0]) != "_" {
			mu.remove(n)
		}
	case *ast.ExprStmt:
		if _, ok := n.X.(*ast.TypeAssertExpr); !ok { // the x.(type) of a switch
			mu.remove(n)
		}
	case *ast.DeferStmt, *ast.GoStmt, *ast.SendStmt:
		mu.remove(n)
	case *ast.BranchStmt:
		switch n.Tok {
		case token.BREAK:
			mu.add("branch", n.Pos(), n.Pos()+5, "continue")
			mu.remove(n)
		case token.CONTINUE:
			mu.add("branch", n.Pos(), n.Pos()+8, "break")
			mu.remove(n)
		}
	case *ast.IfStmt:
		mu.negate("negate condition", n.Cond)
	case *ast.CaseClause:
		if isConditional(above) {
			for _, e := range n.List {
				mu.negate("negate condition", e)
			}
		}
	case *ast.ReturnStmt:
		mu.returned(n, above)
	case *ast.Ident:
		switch n.Name {
		case "true":
			mu.add("boolean", n.Pos(), n.End(), "false")
		case "false":
			mu.add("boolean", n.Pos(), n.End(), "true")
		}
	case *ast.BasicLit:
		if v, err := strconv.ParseInt(n.Value, 0, 64); err == nil {
			mu.add("constant", n.Pos(), n.End(), strconv.FormatInt(v+1, 10))
			if v > 0 {
				mu.add("constant", n.Pos(), n.End(), strconv.FormatInt(v-1, 10))
			}
		}
	}
	return true
}

func (mu *mutator) binary(n *ast.BinaryExpr) {
	end := n.OpPos + token.Pos(len(n.Op.String()))
	if with := boundaries[n.Op]; with != "" {
		mu.add("boundary", n.OpPos, end, with)
	}
	if with := negations[n.Op]; with != "" {
		mu.add("negation", n.OpPos, end, with)
	}
	if with := arithmetic[n.Op]; with != "" {
		mu.add("arithmetic", n.OpPos, end, with)
	}
	switch n.Op {
	case token.LAND:
		mu.add("logical", n.OpPos, end, "||")
		mu.add("drop operand", n.X.Pos(), n.X.End(), "true")
		mu.add("drop operand", n.Y.Pos(), n.Y.End(), "true")
	case token.LOR:
		mu.add("logical", n.OpPos, end, "&&")
		mu.add("drop operand", n.X.Pos(), n.X.End(), "false")
		mu.add("drop operand", n.Y.Pos(), n.Y.End(), "false")
	}
}

// returned replaces an error by nil and negates a bool, if it is the last result.
func (mu *mutator) returned(n *ast.ReturnStmt, above []ast.Node) {
	results := functionType(above).Results
	if len(n.Results) == 0 {
		mu.remove(n)
		return
	}
	if len(n.Results) != results.NumFields() {
		return
	}
	last := n.Results[len(n.Results)-1]
	switch mu.text(results.List[len(results.List)-1].Type) {
	case "error", "*Error":
		if mu.text(last) != "nil" {
			mu.add("nil error", last.Pos(), last.End(), "nil")
		}
	case "bool":
		mu.negate("negate result", last)
	}
}

// negate negates a condition that has no operator of its own to change.
func (mu *mutator) negate(operator string, e ast.Expr) {
	inner := ast.Unparen(e)
	switch inner := inner.(type) {
	case *ast.BinaryExpr:
		return
	case *ast.UnaryExpr:
		if inner.Op == token.NOT {
			return
		}
	case *ast.Ident:
		if inner.Name == "true" || inner.Name == "false" {
			return
		}
	}
	mu.add(operator, e.Pos(), e.End(), "!("+mu.text(e)+")")
}

func (mu *mutator) remove(n ast.Node) { mu.add("remove", n.Pos(), n.End(), "") }

func (mu *mutator) add(operator string, from, to token.Pos, with string) {
	start, end := mu.fset.Position(from), mu.fset.Position(to)
	m := &mutant{
		file: mu.file, line: start.Line, last: end.Line, column: start.Column, operator: operator,
		start: start.Offset, end: end.Offset, old: mu.src[start.Offset:end.Offset], new: with,
		context: lineAt(mu.src, start.Offset),
	}
	switch d := mu.decl.(type) {
	case *ast.FuncDecl:
		m.decl, m.function = d, d.Name.Name
		m.first, m.final = mu.fset.Position(d.Pos()).Line, mu.fset.Position(d.End()).Line
		if d.Recv != nil {
			m.function = strings.TrimLeft(mu.text(d.Recv.List[0].Type), "*") + "." + m.function
		}
	case *ast.GenDecl:
		m.function = d.Tok.String()
	}
	mu.mutants = append(mu.mutants, m)
}

func (mu *mutator) text(n ast.Node) string {
	return mu.src[mu.fset.Position(n.Pos()).Offset:mu.fset.Position(n.End()).Offset]
}

// lineAt returns the line of src that contains the offset, without space around it.
func lineAt(src string, offset int) string {
	start := strings.LastIndexByte(src[:offset], '\n') + 1
	line, _, _ := strings.Cut(src[start:], "\n")
	return strings.TrimSpace(line)
}

// functionType returns the type of the innermost function.
func functionType(above []ast.Node) *ast.FuncType {
	for i := len(above) - 1; i >= 0; i-- {
		switch n := above[i].(type) {
		case *ast.FuncLit:
			return n.Type
		case *ast.FuncDecl:
			return n.Type
		}
	}
	return &ast.FuncType{}
}

// isConditional reports whether the innermost switch has no tag, so that its cases
// are conditions.
func isConditional(above []ast.Node) bool {
	for i := len(above) - 1; i >= 0; i-- {
		switch n := above[i].(type) {
		case *ast.SwitchStmt:
			return n.Tag == nil
		case *ast.TypeSwitchStmt:
			return false
		}
	}
	return false
}
