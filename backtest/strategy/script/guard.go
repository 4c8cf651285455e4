package script

import (
	"fmt"

	"go.starlark.net/syntax"

	"backtester/backtest/expr"
)

// Starlark counts steps, but one step can make a text of a gigabyte ("x" * 1000000000) or a number of a
// million digits. So before a script is compiled, its operators and calls that can grow are replaced by
// functions that look at their operands first. What can only add or compare stays as it is.

// guard rewrites a syntax tree in place and refuses what has no bound.
type guard struct {
	name   string
	faults expr.Diagnostics
}

// Names of the replacements: no script can write them.
const (
	guardAdd    = "+"
	guardMul    = "*"
	guardMod    = "%"
	guardShift  = "<<"
	guardTuple  = "(,)"
	guardMethod = "."
	guardExtend = "+="
	guardSlice  = "[:]"
)

// watched are the methods of texts, lists, dicts and sets whose work grows with what they are called on.
func watched(method string) bool {
	switch method {
	case "join", "replace", "format", "extend", "update", "union", "intersection", "difference", "symmetric_difference",
		"issubset", "issuperset", "index", "rindex", "insert", "remove", "pop", "count", "find", "rfind", "split", "rsplit", "splitlines",
		"partition", "rpartition", "upper", "lower", "title", "capitalize", "strip", "lstrip", "rstrip", "removeprefix", "removesuffix",
		"elems", "elem_ords", "codepoints", "codepoint_ords", "items", "keys", "values", "islower", "isupper", "isspace", "istitle",
		"isalnum", "isalpha", "isdigit", "startswith", "endswith":
		return true
	}
	return false
}

func (g *guard) refuse(pos syntax.Position, format string, args ...any) {
	g.faults = append(g.faults, expr.Diagnostic{Pos: expr.Pos{File: g.name, Line: int(pos.Line), Column: int(pos.Col)}, Length: 1,
		Code: "script", Message: fmt.Sprintf(format, args...)})
}

func (g *guard) file(f *syntax.File) { g.block(f.Stmts) }

func (g *guard) block(list []syntax.Stmt) {
	for _, s := range list {
		g.statement(s)
	}
}

func (g *guard) statement(s syntax.Stmt) {
	switch s := s.(type) {
	case *syntax.AssignStmt:
		g.assignment(s)
	case *syntax.DefStmt:
		g.parameters(s.Params)
		g.block(s.Body)
	case *syntax.ExprStmt:
		s.X = g.expr(s.X)
	case *syntax.ForStmt:
		g.target(s.Vars)
		s.X = g.expr(s.X)
		g.block(s.Body)
	case *syntax.WhileStmt:
		s.Cond = g.expr(s.Cond)
		g.block(s.Body)
	case *syntax.IfStmt:
		s.Cond = g.expr(s.Cond)
		g.block(s.True)
		g.block(s.False)
	case *syntax.LoadStmt:
		g.refuse(s.Load, "load is not available: a script is one file")
	case *syntax.ReturnStmt:
		if s.Result != nil {
			s.Result = g.expr(s.Result)
		}
	}
}

// assignment turns x += y into x = x + y where + is guarded. What stands on the left is evaluated twice
// then, so it must not call anything.
func (g *guard) assignment(s *syntax.AssignStmt) {
	g.target(s.LHS)
	s.RHS = g.expr(s.RHS)
	name := map[syntax.Token]string{syntax.PLUS_EQ: guardExtend, syntax.STAR_EQ: guardMul, syntax.PERCENT_EQ: guardMod, syntax.LTLT_EQ: guardShift}[s.Op]
	if name == "" {
		return
	}
	syntax.Walk(s.LHS, func(n syntax.Node) bool {
		if call, ok := n.(*syntax.CallExpr); ok && !isGuard(call) {
			g.refuse(call.Lparen, "a call stands on the left of %s: put its result into a name first", s.Op)
		}
		return true
	})
	s.RHS = call(name, s.OpPos, copyOf(s.LHS), s.RHS)
	s.Op = syntax.EQ
}

// copyOf is an assignable expression as a tree of its own: names are bound once for each place.
func copyOf(e syntax.Expr) syntax.Expr {
	switch e := e.(type) {
	case *syntax.Ident:
		return &syntax.Ident{NamePos: e.NamePos, Name: e.Name}
	case *syntax.Literal:
		c := *e
		return &c
	case *syntax.ParenExpr:
		return &syntax.ParenExpr{Lparen: e.Lparen, X: copyOf(e.X), Rparen: e.Rparen}
	case *syntax.DotExpr:
		return &syntax.DotExpr{X: copyOf(e.X), Dot: e.Dot, NamePos: e.NamePos, Name: &syntax.Ident{NamePos: e.NamePos, Name: e.Name.Name}}
	case *syntax.IndexExpr:
		return &syntax.IndexExpr{X: copyOf(e.X), Lbrack: e.Lbrack, Y: copyOf(e.Y), Rbrack: e.Rbrack}
	case *syntax.BinaryExpr:
		return &syntax.BinaryExpr{X: copyOf(e.X), OpPos: e.OpPos, Op: e.Op, Y: copyOf(e.Y)}
	case *syntax.UnaryExpr:
		return &syntax.UnaryExpr{OpPos: e.OpPos, Op: e.Op, X: copyOf(e.X)}
	}
	if c, ok := e.(*syntax.CallExpr); ok && isGuard(c) {
		args := make([]syntax.Expr, len(c.Args))
		for i := range args {
			args[i] = copyOf(c.Args[i])
		}
		return call(c.Fn.(*syntax.Ident).Name, c.Lparen, args...)
	}
	return e // refused: it calls something
}

// isGuard reports a call that was put in here.
func isGuard(c *syntax.CallExpr) bool {
	id, ok := c.Fn.(*syntax.Ident)
	if !ok {
		return false
	}
	return !isLetter(id.Name[0]) || id.Name == "in" || id.Name == "not in"
}

func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

// target looks at the left of an assignment: names, places and members, each found without a call.
func (g *guard) target(e syntax.Expr) {
	switch e := e.(type) {
	case *syntax.TupleExpr:
		for _, x := range e.List {
			g.target(x)
		}
	case *syntax.ListExpr:
		for _, x := range e.List {
			g.target(x)
		}
	case *syntax.ParenExpr:
		g.target(e.X)
	case *syntax.DotExpr:
		e.X = g.expr(e.X)
	case *syntax.IndexExpr:
		e.X, e.Y = g.expr(e.X), g.expr(e.Y)
	}
}

// parameters refuses collecting ones: a call of f(*args) can double what it is given.
func (g *guard) parameters(list []syntax.Expr) {
	for _, p := range list {
		switch p := p.(type) {
		case *syntax.UnaryExpr:
			if p.X != nil {
				g.refuse(p.OpPos, "*args and **kwargs are not available in scripts: name the arguments")
			}
		case *syntax.BinaryExpr:
			p.Y = g.expr(p.Y)
		}
	}
}

func (g *guard) exprs(list []syntax.Expr) {
	for i := range list {
		list[i] = g.expr(list[i])
	}
}

// expr rewrites an expression that is read.
func (g *guard) expr(e syntax.Expr) syntax.Expr {
	switch e := e.(type) {
	case *syntax.BinaryExpr:
		return g.binary(e)
	case *syntax.CallExpr:
		return g.call(e)
	case *syntax.Comprehension:
		g.clauses(e)
	case *syntax.CondExpr:
		e.Cond, e.True, e.False = g.expr(e.Cond), g.expr(e.True), g.expr(e.False)
	case *syntax.DictEntry:
		e.Key, e.Value = g.expr(e.Key), g.expr(e.Value)
	case *syntax.DictExpr:
		g.exprs(e.List)
	case *syntax.DotExpr:
		e.X = g.expr(e.X)
		if watched(e.Name.Name) {
			name := &syntax.Literal{Token: syntax.STRING, TokenPos: e.NamePos, Raw: `"` + e.Name.Name + `"`, Value: e.Name.Name}
			return call(guardMethod, e.Dot, e.X, name)
		}
	case *syntax.IndexExpr:
		e.X, e.Y = g.expr(e.X), g.expr(e.Y)
	case *syntax.LambdaExpr:
		g.parameters(e.Params)
		e.Body = g.expr(e.Body)
	case *syntax.ListExpr:
		g.exprs(e.List)
	case *syntax.ParenExpr:
		e.X = g.expr(e.X)
	case *syntax.SliceExpr:
		return g.slice(e)
	case *syntax.TupleExpr:
		g.exprs(e.List)
		if len(e.List) > 0 {
			start, _ := e.Span()
			return call(guardTuple, start, e.List...)
		}
	case *syntax.UnaryExpr:
		if e.X != nil {
			e.X = g.expr(e.X)
		}
	}
	return e
}

func (g *guard) clauses(e *syntax.Comprehension) {
	if entry, ok := e.Body.(*syntax.DictEntry); ok {
		entry.Key, entry.Value = g.expr(entry.Key), g.expr(entry.Value)
	} else {
		e.Body = g.expr(e.Body)
	}
	for _, c := range e.Clauses {
		switch c := c.(type) {
		case *syntax.ForClause:
			g.target(c.Vars)
			c.X = g.expr(c.X)
		case *syntax.IfClause:
			c.Cond = g.expr(c.Cond)
		}
	}
}

// binary guards what can grow or look at much, unless one side says that it cannot.
func (g *guard) binary(e *syntax.BinaryExpr) syntax.Expr {
	e.Y = g.expr(e.Y)
	if e.Op == syntax.EQ { // an argument by name
		return e
	}
	e.X = g.expr(e.X)
	name := ""
	switch e.Op {
	case syntax.PLUS:
		if !number(e.X, false) && !number(e.Y, false) {
			name = guardAdd
		}
	case syntax.STAR:
		if !number(e.X, true) && !number(e.Y, true) {
			name = guardMul
		}
	case syntax.PERCENT:
		if !number(e.X, false) && !number(e.Y, false) {
			name = guardMod
		}
	case syntax.LTLT:
		name = guardShift
	case syntax.IN, syntax.NOT_IN, syntax.PIPE, syntax.AMP, syntax.CIRCUMFLEX:
		name = e.Op.String()
	case syntax.MINUS, syntax.EQL, syntax.NEQ, syntax.LT, syntax.LE, syntax.GT, syntax.GE:
		if !scalar(e.X) && !scalar(e.Y) {
			name = e.Op.String()
		}
	}
	if name == "" {
		return e
	}
	return call(name, e.OpPos, e.X, e.Y)
}

// scalar reports an expression whose value is never large: a literal, a member of a bar or of now, a
// number.
func scalar(e syntax.Expr) bool {
	switch e := e.(type) {
	case *syntax.Literal, *syntax.DotExpr:
		return true
	case *syntax.ParenExpr:
		return scalar(e.X)
	case *syntax.UnaryExpr:
		return true
	case *syntax.BinaryExpr:
		return e.Op == syntax.SLASH || e.Op == syntax.SLASHSLASH || scalar(e.X) && scalar(e.Y)
	case *syntax.Ident:
		return e.Name == "None" || e.Name == "True" || e.Name == "False"
	}
	return false
}

// number reports a literal number; with float, one that makes a float of any number.
func number(e syntax.Expr, float bool) bool {
	switch e := e.(type) {
	case *syntax.ParenExpr:
		return number(e.X, float)
	case *syntax.UnaryExpr:
		return e.X != nil && (e.Op == syntax.MINUS || e.Op == syntax.PLUS) && number(e.X, float)
	case *syntax.Literal:
		return e.Token == syntax.FLOAT || !float && e.Token == syntax.INT
	}
	return false
}

func (g *guard) call(e *syntax.CallExpr) syntax.Expr {
	e.Fn = g.expr(e.Fn)
	for i, a := range e.Args {
		if u, ok := a.(*syntax.UnaryExpr); ok && (u.Op == syntax.STAR || u.Op == syntax.STARSTAR) {
			g.refuse(u.OpPos, "*args and **kwargs are not available in scripts: name the arguments")
			continue
		}
		e.Args[i] = g.expr(a)
	}
	return e
}

func (g *guard) slice(e *syntax.SliceExpr) syntax.Expr {
	e.X = call(guardSlice, e.Lbrack, g.expr(e.X))
	for _, x := range []*syntax.Expr{&e.Lo, &e.Hi, &e.Step} {
		if *x != nil {
			*x = g.expr(*x)
		}
	}
	return e
}

// call of a guard.
func call(name string, pos syntax.Position, args ...syntax.Expr) syntax.Expr {
	return &syntax.CallExpr{Fn: &syntax.Ident{NamePos: pos, Name: name}, Lparen: pos, Args: args, Rparen: pos}
}
