package cmd_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The rules of the house, read from the sources themselves. A test that asked `go list` would pass
// from the test cache after a forbidden import; files read here are tracked by the cache.

// importLaw says what a room may import directly; what those may import is allowed too. Rooms that
// do not exist yet have their row already.
func importLaw() map[string][]string {
	engine := []string{"backtest/expr", "backtest/strategy", "backtest/stats", "backtest/indicator", "backtest/parallel"}
	return map[string][]string{
		"backtest/instrument": nil,
		"backtest/parallel":   nil,
		"backtest/bar":        {"backtest/instrument"},
		"backtest/store":      {"backtest/bar"},
		"backtest/barfile":    {"backtest/bar", "polygon/inflate"},
		"backtest/audit":      {"backtest/bar"},
		"backtest/indicator":  {"backtest/bar"},
		"backtest/expr":       {"backtest/bar", "backtest/indicator"},
		"backtest/order":      {"backtest/bar"},
		"backtest/fill":       {"backtest/order"},
		"backtest/portfolio":  {"backtest/fill"},
		"backtest/stats":      {"backtest/portfolio", "backtest/parallel"},
		"backtest/strategy":   {"backtest/expr", "backtest/order", "backtest/fill", "backtest/portfolio"},
		"backtest":            engine,
		"backtest/sweep":      {"backtest"},
		"backtest/validate":   {"backtest", "backtest/sweep"},
		"backtest/history":    {"backtest", "backtest/sweep", "backtest/validate"},
		"backtest/job":        {"backtest/history", "backtest/store", "backtest/barfile", "backtest/audit"},
		"polygon/inflate":     nil,
		"polygon":             {"backtest/bar", "backtest/store", "polygon/inflate"},
		"report":              {"backtest", "backtest/sweep", "backtest/validate"},
		"frontend":            nil,
		"server":              {"backtest/job", "report", "polygon"},
		"cmd":                 {"server", "frontend", "polygon", "report"},
	}
}

// allowed is the transitive closure of the law for one room.
func allowed(law map[string][]string, room string, into map[string]bool) map[string]bool {
	for _, r := range law[room] {
		if !into[r] {
			into[r] = true
			allowed(law, r, into)
		}
	}
	return into
}

// roomOf is the longest row of the law that a folder lies in, "" if none.
func roomOf(law map[string][]string, dir string) string {
	for d := dir; d != "."; d = path.Dir(d) {
		if _, ok := law[d]; ok && (d != "backtest" || dir == "backtest") {
			return d
		}
	}
	return ""
}

// source is one parsed Go file.
type source struct {
	dir, name string // slash-separated, from the root of the repository
	file      *ast.File
	fset      *token.FileSet
	lines     int
}

func (s source) test() bool { return strings.HasSuffix(s.name, "_test.go") }

// sources parses every Go file of the module.
func sources(t *testing.T) []source {
	t.Helper()
	var list []source
	root := ".."
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, p)
		rel = filepath.ToSlash(rel)
		if d.IsDir() && rel != "." {
			if strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata" || d.Name() == "bin" {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(p) != ".go" {
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, p, text, parser.ParseComments)
		if err != nil {
			return err
		}
		list = append(list, source{path.Dir(rel), path.Base(rel), f, fset, strings.Count(string(text), "\n")})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 50 {
		t.Fatalf("only %d Go files found below %s: this test looks in the wrong place", len(list), root)
	}
	return list
}

func importsOf(s source) []string {
	var list []string
	for _, i := range s.file.Imports {
		list = append(list, strings.Trim(i.Path.Value, `"`))
	}
	return list
}

func TestImportLaw(t *testing.T) {
	law := importLaw()
	for _, s := range sources(t) {
		room := roomOf(law, s.dir)
		if room == "" {
			t.Errorf("%s/%s: the folder belongs to no room of the import law", s.dir, s.name)
			continue
		}
		if s.test() {
			continue // tests may reach for a store or a market to test with
		}
		may := allowed(law, room, map[string]bool{room: true})
		for _, imp := range importsOf(s) {
			rel, own := strings.CutPrefix(imp, "backtester/")
			if !own {
				continue
			}
			to := roomOf(law, rel)
			if !may[to] {
				t.Errorf("%s/%s: room %s must not import %s", s.dir, s.name, room, rel)
			}
			if room == "server" && strings.HasPrefix(rel, "polygon/") {
				t.Errorf("%s/%s: the server must not import the vendor's parts (%s)", s.dir, s.name, rel)
			}
		}
	}
}

// What only the command line may do: everything else gets it handed in.
func TestOnlyTheCommandLineTouchesTheProcess(t *testing.T) {
	forbidden := map[string][]string{
		"os":   {"Getenv", "LookupEnv", "Environ", "Setenv", "Exit", "Args", "Stdout", "Stderr", "Stdin"},
		"time": {"Now", "Since", "Until"},
		"fmt":  {"Print", "Printf", "Println"},
		"log":  {"Print", "Printf", "Println", "Fatal", "Fatalf", "Fatalln", "Default", "SetOutput"},
	}
	for _, s := range sources(t) {
		if s.test() {
			continue
		}
		inCmd := roomOf(importLaw(), s.dir) == "cmd"
		for _, imp := range importsOf(s) {
			if (strings.HasPrefix(imp, "github.com/spf13/") || imp == "log") && !inCmd {
				t.Errorf("%s/%s: only cmd may import %s", s.dir, s.name, imp)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch x := n.(type) {
			case *ast.FuncDecl:
				if x.Name.Name == "init" && x.Recv == nil {
					t.Errorf("%s: no init functions", s.fset.Position(x.Pos()))
				}
			case *ast.SelectorExpr:
				pkg, ok := x.X.(*ast.Ident)
				if ok && pkg.Obj == nil && !inCmd && slices.Contains(forbidden[pkg.Name], x.Sel.Name) {
					t.Errorf("%s: only cmd may use %s.%s", s.fset.Position(x.Pos()), pkg.Name, x.Sel.Name)
				}
			}
			return true
		})
	}
}

// Every package says in one comment what goes in, what comes out and what it refuses.
func TestPackageComments(t *testing.T) {
	type comments struct {
		name  string
		texts []string
	}
	packages := map[string]*comments{}
	for _, s := range sources(t) {
		if s.test() {
			continue
		}
		p := packages[s.dir]
		if p == nil {
			p = &comments{name: s.file.Name.Name}
			packages[s.dir] = p
		}
		if s.file.Doc != nil {
			p.texts = append(p.texts, s.file.Doc.Text())
		}
	}
	for dir, p := range packages {
		want := "Package " + p.name + " "
		if p.name == "main" {
			want = "Command "
		}
		if len(p.texts) != 1 {
			t.Errorf("%s has %d package comments, want 1", dir, len(p.texts))
		} else if !strings.HasPrefix(p.texts[0], want) {
			t.Errorf("%s: the package comment begins %.30q, want %q", dir, p.texts[0], want)
		}
	}
}

func TestNamesThatHideWhatIsInside(t *testing.T) {
	banned := strings.Fields("utils util common helper helpers misc types type models model shared base core lib tools pkg internal")
	for _, s := range sources(t) {
		for _, part := range append(strings.Split(s.dir, "/"), strings.TrimSuffix(s.file.Name.Name, "_test")) {
			if slices.Contains(banned, part) {
				t.Errorf("%s/%s: %q says nothing about what is inside", s.dir, s.name, part)
			}
		}
	}
}

// Small stays small only under a budget.
func TestSizes(t *testing.T) {
	for _, s := range sources(t) {
		if s.lines > 500 {
			t.Errorf("%s/%s has %d lines, at most 500", s.dir, s.name, s.lines)
		}
		if s.test() {
			continue
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil || isTable(f) {
				continue
			}
			if n := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1; n > 80 {
				t.Errorf("%s: %s has %d lines, at most 80", s.fset.Position(f.Pos()), f.Name.Name, n)
			}
		}
	}
}

// isTable reports whether most of a function is one literal of data.
func isTable(f *ast.FuncDecl) bool {
	table := false
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if lit, ok := n.(*ast.CompositeLit); ok {
			table = table || 10*(lit.End()-lit.Pos()) > 7*(f.End()-f.Pos())
			return false
		}
		return true
	})
	return table
}

func TestTopLevel(t *testing.T) {
	want := strings.Fields("cmd backtest polygon report server frontend deployment go.mod go.sum Makefile README.md LICENSE")
	made := strings.Fields("bin demo-out dist") // by make, not part of the repository
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		n := e.Name()
		if !strings.HasPrefix(n, ".") && !slices.Contains(want, n) && !slices.Contains(made, n) {
			t.Errorf("%s must not lie at the top level", n)
		}
	}
}

// The six packages that the product stands on by order: required directly and really used.
func TestRequiredPackages(t *testing.T) {
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, s := range sources(t) {
		if !s.test() {
			for _, imp := range importsOf(s) {
				used[imp] = true
			}
		}
	}
	for _, p := range []string{
		"github.com/spf13/cobra",
		"github.com/spf13/viper",
		"github.com/aws/aws-sdk-go-v2",
		"github.com/olekukonko/tablewriter",
		"github.com/schollz/progressbar/v3",
		"github.com/go-chi/chi/v5",
	} {
		line := regexp.MustCompile(`(?m)^\s*(require )?` + regexp.QuoteMeta(p) + ` v\S+[ \t]*(//.*)?$`).FindString(string(mod))
		if line == "" || strings.Contains(line, "indirect") {
			t.Errorf("%s is no direct requirement of go.mod", p)
		}
		found := false
		for imp := range used {
			found = found || imp == p || strings.HasPrefix(imp, p+"/")
		}
		if !found {
			t.Errorf("%s is not imported outside tests", p)
		}
	}
}

// The Makefile stays short, and every target of it has its line of help.
func TestMakefile(t *testing.T) {
	text, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\n"); n > 60 {
		t.Errorf("the Makefile has %d lines, at most 60", n)
	}
	phony := strings.Fields(regexp.MustCompile(`(?m)^\.PHONY:(.*)$`).FindStringSubmatch(string(text))[1])
	for _, target := range phony {
		if !regexp.MustCompile(`(?m)^` + target + `:[^#\n]*## \S`).Match(text) {
			t.Errorf("make %s has no line of help", target)
		}
	}
	for _, target := range strings.Fields("build demo test race lint fuzz bench cover golden clean") {
		if !slices.Contains(phony, target) {
			t.Errorf("there is no make %s", target)
		}
	}
}
