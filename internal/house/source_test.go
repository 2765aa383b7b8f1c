package house

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Lines of a file: one that is longer than goodLines is worth a look, one that is longer than maxLines has to be split.
const (
	goodLines = 500
	maxLines  = 800
)

// files calls f with each file of the repository that people write, path relative to the root.
func files(t *testing.T, f func(path string, content []byte)) {
	t.Helper()
	dir := root(t)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name == ".git" || name == "testdata" || name == "bin" || name == "dist" {
				return filepath.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || !slices.Contains([]string{".go", ".md", ".sh", ".mod", ".yml", ".yaml", ".xml", ".conf", ".properties", ""}, filepath.Ext(path)) {
			return nil
		}
		content, err := os.ReadFile(path)
		if err == nil {
			f(filepath.ToSlash(rel), content)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFilesAreShort(t *testing.T) {
	files(t, func(path string, content []byte) {
		if filepath.Ext(path) != ".go" {
			return
		}
		switch n := bytes.Count(content, []byte("\n")); {
		case n > maxLines:
			t.Errorf("%s has %d lines, at most %d are allowed: is it one noun?", path, n, maxLines)
		case n > goodLines:
			t.Logf("%s has %d lines, %d are a good limit", path, n, goodLines)
		}
	})
}

// obvious are methods whose contract is that of an interface that everybody knows.
var obvious = []string{"Error", "Unwrap", "Is", "String", "Len", "Less", "Swap"}

func TestExportedIsDocumented(t *testing.T) {
	files(t, func(path string, content []byte) {
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return
		}
		positions := token.NewFileSet()
		file, err := parser.ParseFile(positions, path, content, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		undocumented := func(n ast.Node, name string) {
			t.Errorf("%s: %s has no doc comment", positions.Position(n.Pos()), name)
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Doc == nil && d.Name.IsExported() && (d.Recv == nil || exportedReceiver(d) && !slices.Contains(obvious, d.Name.Name)) {
					undocumented(d, d.Name.Name)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						if s.Name.IsExported() && s.Doc == nil && d.Doc == nil {
							undocumented(s, s.Name.Name)
						}
					case *ast.ValueSpec:
						for _, name := range s.Names {
							// A comment on a group of constants speaks for all of them.
							if name.IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
								undocumented(s, name.Name)
							}
						}
					}
				}
			}
		}
	})
}

func exportedReceiver(d *ast.FuncDecl) bool {
	x := d.Recv.List[0].Type
	for {
		switch y := x.(type) {
		case *ast.StarExpr:
			x = y.X
		case *ast.IndexExpr:
			x = y.X
		case *ast.IndexListExpr:
			x = y.X
		case *ast.Ident:
			return y.IsExported()
		default:
			return false
		}
	}
}

// forbidden are texts that have no place in the repository.
var forbidden = []struct {
	text *regexp.Regexp
	why  string
}{
	{regexp.MustCompile(`(^|[\s"'=(:,])/(home|Users|root|work)/[A-Za-z0-9._-]+/`), "a path of somebody's machine means nothing on another one"},
	{regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME)\b`), "work that is not finished belongs in an issue, where it is found"},
	{regexp.MustCompile(`(?m)^(<<<<<<<|>>>>>>>) `), "a merge was left half done"},
}

func TestForbiddenTexts(t *testing.T) {
	files(t, func(path string, content []byte) {
		for _, f := range forbidden {
			for _, at := range f.text.FindAllIndex(content, -1) {
				t.Errorf("%s:%d: %q: %s", path, 1+bytes.Count(content[:at[0]], []byte("\n")), bytes.TrimSpace(content[at[0]:at[1]]), f.why)
			}
		}
	})
}

// A test that sleeps is slow on a fast machine and fails on a slow one. In a synctest bubble a sleep takes no time.
func TestTestsDoNotSleep(t *testing.T) {
	sleep := []byte("time." + "Sleep(")
	files(t, func(path string, content []byte) {
		if strings.HasSuffix(path, "_test.go") && bytes.Contains(content, sleep) && !bytes.Contains(content, []byte("synctest.")) {
			t.Errorf("%s sleeps outside of synctest", path)
		}
	})
}

// Plugins are registered by the program that wants them, and what one package does at start-up others can't undo.
func TestNoInit(t *testing.T) {
	init := regexp.MustCompile(`(?m)^func ini` + `t\(\)`)
	files(t, func(path string, content []byte) {
		if filepath.Ext(path) == ".go" && init.Match(content) {
			t.Errorf("%s has an init function", path)
		}
	})
}
