package s3test

import (
	"bytes"
	"context"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"backtester/backtest/instrument"
	"backtester/cmd"
	"backtester/polygon/demo"
	"backtester/polygon/flatfile"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

var update = flag.Bool("update", false, "rewrite what README shows for fetch")

// README shows what fetch prints: the command is run in this process against the server, which has the
// demo market's day files, and its output compared. The other commands are run by package cmd's tests.
func TestReadmeShowsFetch(t *testing.T) {
	file := filepath.Join(start, "..", "..", "README.md")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	demoBucket(t)
	block := regexp.MustCompile("(?m)^\\$ (backtester fetch .*)\n((?:[^$`].*\n)*)")
	found := 0
	out := block.ReplaceAllStringFunc(string(text), func(shown string) string {
		found++
		parts := block.FindStringSubmatch(shown)
		got := fetchOutput(t, strings.Fields(parts[1])[1:])
		if got != parts[2] && !*update {
			t.Errorf("README shows for %q\n%swhat comes is\n%s(go test -run Readme -update in .ci/s3 rewrites it)", parts[1], parts[2], got)
		}
		return "$ " + parts[1] + "\n" + got
	})
	if found != 1 {
		t.Errorf("%d commands of fetch in README, want 1", found)
	}
	if n := strings.Count(out, "\n"); n > 150 {
		t.Errorf("README would have %d lines, want at most 150", n)
	}
	if *update && out != string(text) {
		if err := os.WriteFile(file, []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// demoBucket puts the day files of the demo market of 2024 into the bucket that fetch asks by default.
func demoBucket(t *testing.T) {
	t.Helper()
	raw := t.TempDir()
	if err := demo.Write(t.Context(), raw, 2); err != nil {
		t.Fatal(err)
	}
	name, c := "flatfiles", client()
	if _, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	put := 0
	err := filepath.WalkDir(raw, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(raw, path)
		if err != nil {
			return err
		}
		key := filepath.ToSlash(rel)
		d, session, ok := flatfile.ParseKey(key)
		if !ok || d != flatfile.Day || session < instrument.NewDate(2024, 1, 1) {
			return nil
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		put++
		_, err = c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &name, Key: &key, Body: bytes.NewReader(body)})
		return err
	})
	if err != nil || put != 252 {
		t.Fatalf("%d day files: %v", put, err)
	}
}

// fetchOutput is what the command prints on standard output.
func fetchOutput(t *testing.T, args []string) string {
	t.Helper()
	var out, faults bytes.Buffer
	home := t.TempDir()
	streams := cmd.IO{
		In: strings.NewReader(""), Out: &out, Err: &faults, Width: 96,
		Now: func() time.Time { return time.Date(2025, 1, 2, 12, 0, 0, 0, time.UTC) },
		Environ: []string{
			"HOME=" + home, "LANG=C.UTF-8", "BACKTESTER_DATA_DIR=" + filepath.Join(home, "data"),
			"MASSIVE_S3_ENDPOINT=" + endpoint, "AWS_ACCESS_KEY_ID=" + accessKey, "AWS_SECRET_ACCESS_KEY=" + secretKey,
		},
	}
	if code := cmd.Main(context.Background(), append(args, "--env-file", "none"), streams, "v1"); code != 0 {
		t.Fatalf("%v: exit code %d\n%s", args, code, faults.String())
	}
	if !strings.Contains(faults.String(), "no_actions") || strings.Contains(out.String()+faults.String(), secretKey) {
		t.Errorf("%v on standard error:\n%s", args, faults.String())
	}
	var lines []string
	for line := range strings.Lines(out.String()) {
		lines = append(lines, strings.TrimRight(line, " \n")+"\n")
	}
	return strings.Join(lines, "")
}
