package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// browsers are the programs that can print a page, by the names they are installed under.
func browsers() []string {
	return []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge"}
}

// errNoBrowser says what printing needs.
var errNoBrowser = errors.New("write PDF: no Chromium, Chrome or Edge is installed to print with: install one (Debian and Ubuntu: apt-get install chromium), name one with --browser FILE, or write --html FILE and print that from a browser")

// writePDF prints a page with the named browser, or with one it finds. The browser gets a profile of its own in a temporary folder, and the page
// needs no network.
func writePDF(ctx context.Context, path, named string, render func(io.Writer) error) error {
	browser, err := findBrowser(named)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "backtester-pdf-")
	if err != nil {
		return fmt.Errorf("write PDF: %w", err)
	}
	defer os.RemoveAll(dir)
	page, printed := filepath.Join(dir, "report.html"), filepath.Join(dir, "report.pdf")
	if err := writeFile(page, render); err != nil {
		return fmt.Errorf("write PDF: %w", err)
	}
	args := []string{"--headless", "--disable-gpu", "--no-first-run", "--disable-extensions", "--disable-background-networking", "--no-pdf-header-footer",
		"--user-data-dir=" + filepath.Join(dir, "profile"), "--print-to-pdf=" + printed}
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox") // the browser refuses to be root with one
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser, append(args, (&url.URL{Scheme: "file", Path: page}).String())...)
	cmd.WaitDelay = 5 * time.Second
	output, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return fmt.Errorf("write PDF with %s: %w", browser, ctx.Err())
	}
	pdf, readErr := os.ReadFile(printed)
	if readErr != nil || len(pdf) < 5 || string(pdf[:5]) != "%PDF-" {
		return fmt.Errorf("write PDF with %s: it made none (%v): %s", browser, err, lastLines(output, 400))
	}
	return writeFile(path, func(w io.Writer) error { _, err := w.Write(pdf); return err })
}

// findBrowser is the one that was named, or the first that is installed.
func findBrowser(named string) (string, error) {
	if named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", usagef("write PDF: --browser: %w", err)
		}
		return path, nil
	}
	for _, name := range browsers() {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errNoBrowser
}

// lastLines is the end of what a program said.
func lastLines(b []byte, n int) string {
	return string(b[max(0, len(b)-n):])
}
