package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// mutant is one change to one file.
type mutant struct {
	file       string // relative to the root
	function   string // "Client.send"; "" outside of functions
	line       int
	operator   string
	start, end int // bytes
	old, with  string
}

// String names the mutant without its line, so that a page can name it for long.
func (m mutant) String() string {
	const longest = 90
	old := strings.Join(strings.Fields(m.old), " ")
	if len(old) > longest {
		old = old[:longest] + "…"
	}
	return strings.Join(strings.Fields(fmt.Sprintf("%s %s: %s: %s -> %s", m.file, m.function, m.operator, old, m.with)), " ")
}

// mutator collects the mutants of a file.
type mutator struct {
	file     string
	src      []byte
	fset     *token.FileSet
	function string
	results  *ast.FieldList // of the innermost function
	constant bool           // inside a const declaration
	out      []mutant
}

// mutantsOf returns the mutants of a file, in the order of the file.
func mutantsOf(root, file string) ([]mutant, error) {
	src, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		return nil, err
	}
	return mutate(file, src)
}

func mutate(file string, src []byte) ([]mutant, error) {
	m := &mutator{file: file, src: src, fset: token.NewFileSet()}
	f, err := parser.ParseFile(m.fset, file, src, 0)
	if err != nil {
		return nil, err
	}
	ast.Inspect(f, m.visit)
	return m.out, nil
}

func (m *mutator) offset(p token.Pos) int { return m.fset.Position(p).Offset }

func (m *mutator) text(n ast.Node) string { return string(m.src[m.offset(n.Pos()):m.offset(n.End())]) }

// replace adds the mutant that has other text from one position to another.
func (m *mutator) replace(operator string, from, to token.Pos, with string) {
	start, end := m.offset(from), m.offset(to)
	m.out = append(m.out, mutant{
		file: m.file, function: m.function, line: m.fset.Position(from).Line,
		operator: operator, start: start, end: end, old: string(m.src[start:end]), with: with,
	})
}

func (m *mutator) remove(n ast.Node, with string) {
	m.replace("remove statement", n.Pos(), n.End(), with)
}

// visit adds the mutants of one node, and reports whether to visit its children.
func (m *mutator) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GenDecl:
		return m.declaration(n)
	case *ast.FuncDecl:
		m.function = functionName(n)
		m.body(n.Type, n.Body)
		m.function = ""
		return false
	case *ast.FuncLit:
		m.body(n.Type, n.Body)
		return false
	case *ast.BinaryExpr:
		m.binary(n)
	case *ast.UnaryExpr:
		if n.Op == token.SUB || n.Op == token.NOT {
			m.replace("drop operator", n.OpPos, n.OpPos+1, "")
		}
	case *ast.IncDecStmt:
		m.remove(n, "{}")
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE && m.text(n.Lhs[0]) != "_" {
			m.remove(n, "")
		}
	case *ast.ExprStmt, *ast.DeferStmt, *ast.GoStmt:
		m.remove(n, "{}")
	case *ast.BranchStmt:
		m.branch(n)
	case *ast.IfStmt:
		m.negate("negate condition", n.Cond)
	case *ast.CaseClause:
		m.caseClause(n)
	case *ast.ReturnStmt:
		m.returned(n)
	case *ast.CompositeLit:
		m.fields(n)
	case *ast.Ident:
		m.boolean(n)
	case *ast.BasicLit:
		m.literal(n)
	}
	return true
}

// declaration leaves imports as they are. The strings of constants are changed: they
// are what the API is sent.
func (m *mutator) declaration(n *ast.GenDecl) bool {
	if n.Tok != token.CONST {
		return n.Tok != token.IMPORT
	}
	m.constant = true
	for _, spec := range n.Specs {
		for _, value := range spec.(*ast.ValueSpec).Values {
			ast.Inspect(value, m.visit)
		}
	}
	m.constant = false
	return false
}

func functionName(n *ast.FuncDecl) string {
	if n.Recv == nil || len(n.Recv.List) == 0 {
		return n.Name.Name
	}
	receiver := n.Recv.List[0].Type
	if pointer, ok := receiver.(*ast.StarExpr); ok {
		receiver = pointer.X
	}
	if generic, ok := receiver.(*ast.IndexExpr); ok {
		receiver = generic.X
	}
	if name, ok := receiver.(*ast.Ident); ok {
		return name.Name + "." + n.Name.Name
	}
	return n.Name.Name
}

func (m *mutator) body(signature *ast.FuncType, body *ast.BlockStmt) {
	if body == nil {
		return
	}
	outer := m.results
	m.results = signature.Results
	ast.Inspect(body, m.visit)
	m.results = outer
}

var (
	boundaries = map[token.Token]string{token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">"}
	negations  = map[token.Token]string{token.EQL: "!=", token.NEQ: "==", token.LSS: ">=", token.LEQ: ">", token.GTR: "<=", token.GEQ: "<"}
	arithmetic = map[token.Token]string{
		token.ADD: "-", token.SUB: "+", token.MUL: "/", token.QUO: "*", token.REM: "*",
		token.SHL: ">>", token.SHR: "<<", token.AND: "|", token.OR: "&",
	}
)

func (m *mutator) binary(n *ast.BinaryExpr) {
	end := n.OpPos + token.Pos(len(n.Op.String()))
	for _, operator := range []struct {
		name string
		with string
	}{{"boundary", boundaries[n.Op]}, {"negation", negations[n.Op]}, {"arithmetic", arithmetic[n.Op]}} {
		if operator.with != "" {
			m.replace(operator.name, n.OpPos, end, operator.with)
		}
	}
	neutral := map[token.Token]string{token.LAND: "(true)", token.LOR: "(false)"}[n.Op]
	if neutral == "" {
		return
	}
	m.replace("drop operand", n.X.Pos(), n.X.End(), neutral)
	m.replace("drop operand", n.Y.Pos(), n.Y.End(), neutral)
}

func (m *mutator) branch(n *ast.BranchStmt) {
	switch n.Tok {
	case token.BREAK:
		m.replace("branch", n.Pos(), n.Pos()+token.Pos(len("break")), "continue")
	case token.CONTINUE:
		m.replace("branch", n.Pos(), n.Pos()+token.Pos(len("continue")), "break")
	default:
		return
	}
	m.remove(n, "{}")
}

// negate negates a condition, unless its own operators are changed anyway.
func (m *mutator) negate(operator string, e ast.Expr) {
	if !isOperation(e) {
		m.replace(operator, e.Pos(), e.End(), "!("+m.text(e)+")")
	}
}

func isOperation(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return isOperation(e.X)
	case *ast.BinaryExpr:
		return negations[e.Op] != "" || e.Op == token.LAND || e.Op == token.LOR
	case *ast.UnaryExpr:
		return e.Op == token.NOT
	default:
		return false
	}
}

// caseClause negates conditions, and removes what a case does.
func (m *mutator) caseClause(n *ast.CaseClause) {
	for _, e := range n.List {
		if _, call := e.(*ast.CallExpr); call {
			m.negate("negate condition", e)
		}
	}
	if len(n.List) > 1 {
		for _, e := range n.List[1:] { // one of several values; the first is left
			m.replace("drop value", e.Pos(), e.End(), m.text(n.List[0]))
		}
	}
}

// returned replaces the last result: an error by nil, a bool by its opposite.
func (m *mutator) returned(n *ast.ReturnStmt) {
	if len(n.Results) == 0 {
		m.remove(n, "{}")
		return
	}
	if m.results == nil || len(n.Results) != m.results.NumFields() {
		return
	}
	e := n.Results[len(n.Results)-1]
	switch kind, value := m.text(m.results.List[len(m.results.List)-1].Type), m.text(e); {
	case (kind == "error" || kind == "*Error") && value != "nil":
		m.replace("return nil", e.Pos(), e.End(), "nil")
	case kind == "bool" && value != "true" && value != "false":
		m.negate("negate result", e)
	}
}

// fields removes the fields of a struct, one at a time.
func (m *mutator) fields(n *ast.CompositeLit) {
	for _, element := range n.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if _, field := pair.Key.(*ast.Ident); !field {
			continue
		}
		end := pair.End()
		if m.src[m.offset(end)] == ',' {
			end++
		}
		m.replace("remove field", pair.Pos(), end, "")
	}
}

func (m *mutator) boolean(n *ast.Ident) {
	switch n.Name {
	case "true":
		m.replace("boolean", n.Pos(), n.End(), "false")
	case "false":
		m.replace("boolean", n.Pos(), n.End(), "true")
	}
}

func (m *mutator) literal(n *ast.BasicLit) {
	if n.Kind == token.STRING && m.constant {
		m.replace("constant", n.Pos(), n.End(), n.Value+` + "~"`)
	}
	if n.Kind != token.INT {
		return
	}
	value, err := strconv.ParseInt(n.Value, 0, 64)
	if err != nil {
		return
	}
	m.replace("constant", n.Pos(), n.End(), strconv.FormatInt(value+1, 10))
}
