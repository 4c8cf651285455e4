package indicator_test

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
	"testing"
)

// TestNoFusedProducts reads the sources: a product of floats must be rounded by float64(...) before it
// goes anywhere else. Otherwise compilers may fuse it with an addition further on, on some
// architectures and not on others, and the last bit differs. Package math's functions that differ
// between architectures may not be called.
func TestNoFusedProducts(t *testing.T) {
	fset := token.NewFileSet()
	var files []*ast.File
	paths, _ := filepath.Glob("*.go")
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	conf := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	if _, err := conf.Check("indicator", fset, files, info); err != nil {
		t.Fatal(err)
	}
	products := 0
	for _, f := range files {
		var stack []ast.Node
		ast.Inspect(f, func(n ast.Node) bool {
			if n == nil {
				stack = stack[:len(stack)-1]
				return true
			}
			if b, ok := n.(*ast.BinaryExpr); ok && b.Op == token.MUL && floating(info, b) {
				products++
				if !rounded(stack) {
					t.Errorf("%s: a product is not rounded; write float64(a*b)", fset.Position(n.Pos()))
				}
			}
			if a, ok := n.(*ast.AssignStmt); ok && a.Tok == token.MUL_ASSIGN && floating(info, a.Lhs[0]) {
				t.Errorf("%s: a product is not rounded; write x = float64(x*y)", fset.Position(n.Pos()))
			}
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "math" && !sameEverywhere(s.Sel.Name) {
					t.Errorf("%s: math.%s may differ between architectures", fset.Position(n.Pos()), s.Sel.Name)
				}
			}
			stack = append(stack, n)
			return true
		})
	}
	if products < 40 {
		t.Fatalf("found %d products in %d files: the test does not see the code", products, len(files))
	}
}

// floating reports whether e is a float that is not a constant.
func floating(info *types.Info, e ast.Expr) bool {
	tv := info.Types[e]
	if tv.Value != nil {
		return false
	}
	b, ok := tv.Type.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsFloat != 0
}

// rounded reports whether the product n, given the nodes around it, goes into float64(...), another
// product or quotient, or a comparison. Variables, slices, arguments and results do not count:
// compilers see through them.
func rounded(stack []ast.Node) bool {
	for i := len(stack) - 1; i >= 0; i-- {
		switch p := stack[i].(type) {
		case *ast.ParenExpr, *ast.UnaryExpr:
			continue
		case *ast.BinaryExpr:
			return p.Op != token.ADD && p.Op != token.SUB
		case *ast.CallExpr:
			f, ok := p.Fun.(*ast.Ident)
			return ok && f.Name == "float64"
		default:
			return false
		}
	}
	return false
}

// sameEverywhere are the functions of package math that are exact by definition.
func sameEverywhere(name string) bool {
	switch name {
	case "Abs", "Sqrt", "NaN", "Inf", "IsNaN", "Trunc", "Floor", "Frexp", "Ldexp", "Float64bits", "Float64frombits", "Sqrt2", "Ln2", "Pi", "Copysign", "Signbit":
		return true
	}
	return false
}
