package cmd_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"backtester/cmd"
)

// reportPDF asks for a printed page in a folder of its own, with the given PATH.
func reportPDF(t *testing.T, path string) (pdf []byte, code int, said string) {
	t.Helper()
	dir := t.TempDir()
	curve := filepath.Join(dir, "fund.csv")
	if err := os.WriteFile(curve, []byte("date,return\n2024-01-02,0.01\n2024-01-03,-0.02\n2024-01-04,0.015\n2024-01-05,0.01\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", path)
	var out, errs bytes.Buffer
	streams := cmd.System()
	streams.Out, streams.Err, streams.Environ = &out, &errs, []string{"HOME=" + dir}
	file := filepath.Join(dir, "fund.pdf")
	code = cmd.Main(context.Background(), []string{"report", "--returns", curve, "--pdf", file}, streams, "test")
	pdf, _ = os.ReadFile(file) // nil when there is none
	return pdf, code, errs.String()
}

func TestPDFWithoutABrowser(t *testing.T) {
	pdf, code, said := reportPDF(t, t.TempDir())
	if code != 1 || pdf != nil || !strings.Contains(said, "no Chromium, Chrome or Edge is installed") || !strings.Contains(said, "apt-get install chromium") {
		t.Errorf("exit code %d, %d bytes: %s", code, len(pdf), said)
	}
}

func TestPDF(t *testing.T) {
	if _, err := exec.LookPath("chromium"); err != nil || testing.Short() {
		t.Skip("needs an installed chromium")
	}
	pdf, code, said := reportPDF(t, os.Getenv("PATH"))
	if code != 0 || !bytes.HasPrefix(pdf, []byte("%PDF-")) || len(pdf) < 10000 {
		t.Errorf("exit code %d, %d bytes: %s", code, len(pdf), said)
	}
}
