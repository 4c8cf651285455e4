package frontend_test

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"testing"

	"backtester/frontend"
)

// Whichever page is served, the plain one or the application's, it needs nothing from elsewhere and nothing that its policy forbids.
func TestPageNeedsNothingFromElsewhere(t *testing.T) {
	files := frontend.Files()
	page, err := fs.ReadFile(files, "index.html")
	if err != nil {
		t.Fatal(err)
	}
	if m := regexp.MustCompile(`(?i)<script>|<script[^>]*>\s*[^<\s]|(src|href)="(https?:)?//|\sstyle="|\son\w+="|<style`).Find(page); m != nil {
		t.Errorf("index.html has %q: the page must work without networks and inline scripts and styles", m)
	}
	for _, m := range regexp.MustCompile(`(?:src|href)="([^"/:][^":]*)"`).FindAllSubmatch(page, -1) {
		if _, err := fs.Stat(files, string(m[1])); err != nil {
			t.Errorf("index.html names %s: %v", m[1], err)
		}
	}
}

// The names of the files are a contract with web servers, which keep those under modules/ for ever.
func TestFilesOfTheApplication(t *testing.T) {
	if !frontend.Built() {
		t.Skip("the application was not built: make frontend")
	}
	fixed := []string{"config.js", "index.html", "renderer.js", "style.css"}
	part := regexp.MustCompile(`^modules/[a-z]+-[\w-]{8}\.js$`)
	parts := 0
	err := fs.WalkDir(frontend.Files(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || d.IsDir() || path.Base(name) == ".gitkeep":
			return err
		case part.MatchString(name):
			parts++
		case !slices.Contains(fixed, name):
			t.Errorf("%s is no file of the application: want %v and modules/NAME-HASH.js", name, fixed)
		}
		return nil
	})
	if err != nil || parts == 0 {
		t.Errorf("%d parts under modules/, %v", parts, err)
	}
}
