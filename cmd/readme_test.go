package cmd_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"backtester/cmd"
)

// The README shows what the program prints: every command in a block marked console is run, in
// order, in one folder with the demo market, and its output compared. A line of dots at the end stands
// for the rest. -update rewrites the outputs, keeping as many lines as are shown. Blocks of fetch are
// run against a real S3 server by the tests under .ci/s3.
func TestReadme(t *testing.T) {
	const file = "../README.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(text, []byte("\n")); n > 150 {
		t.Errorf("README has %d lines, want at most 150", n)
	}
	start, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	r := &readme{t: t, data: demoData(t), start: start}
	defer r.close()
	t.Chdir(t.TempDir())
	blocks := regexp.MustCompile("(?s)```console\n(.*?)```")
	count := 0
	out := blocks.ReplaceAllStringFunc(string(text), func(block string) string {
		body := blocks.FindStringSubmatch(block)[1]
		var b strings.Builder
		for _, c := range commands(body) {
			count++
			b.WriteString("$ " + c.line + "\n" + r.check(c))
		}
		return "```console\n" + b.String() + "```"
	})
	if count < 7 {
		t.Errorf("only %d commands in README", count)
	}
	if *update && out != string(text) {
		root := filepath.Join(r.start, file)
		if err := os.WriteFile(root, []byte(out), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// A paragraph that begins with a command in bold names only flags which that command has.
func TestReadmeNamesFlagsThatExist(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, paragraph := range strings.Split(string(text), "\n\n") {
		name, rest, ok := strings.Cut(strings.TrimPrefix(paragraph, "**"), "** ")
		if !ok || !strings.HasPrefix(paragraph, "**") {
			continue
		}
		var help bytes.Buffer
		streams := cmd.IO{In: strings.NewReader(""), Out: &help, Err: io.Discard, Now: time.Now, Environ: []string{"HOME=" + t.TempDir()}}
		if code := cmd.Main(context.Background(), []string{name, "--help"}, streams, "v1"); code != 0 {
			t.Errorf("README names the command %q: exit code %d", name, code)
		}
		for _, flag := range regexp.MustCompile("`--[a-z-]+").FindAllString(rest, -1) {
			count++
			if !strings.Contains(help.String(), " "+flag[1:]+" ") {
				t.Errorf("README names %s of %s, which has no such flag", flag[1:], name)
			}
		}
	}
	if count == 0 {
		t.Error("README names no flag at all")
	}
}

// shown is a command and the output that README gives for it.
type shown struct {
	line string
	out  []string
}

func commands(body string) []shown {
	var list []shown
	for line := range strings.Lines(body) {
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, "$ "); ok {
			list = append(list, shown{line: rest})
		} else if len(list) > 0 {
			last := &list[len(list)-1]
			last.out = append(last.out, line)
		}
	}
	return list
}

// moment is a time in an answer, which README shows as a fixed one.
var moment = regexp.MustCompile(`"20\d\d-\d\d-\d\dT[0-9:.]+Z"`)

// readme runs its commands.
type readme struct {
	t       *testing.T
	data    string
	start   string
	address string
	stop    func()
}

func (r *readme) close() {
	if r.stop != nil {
		r.stop()
	}
}

// check runs a command and returns the output as README should show it.
func (r *readme) check(c shown) string {
	r.t.Helper()
	if strings.HasPrefix(c.line, "backtester fetch") {
		return joined(c.out)
	}
	got := r.output(c.line)
	want, cut := c.out, len(c.out) > 0 && c.out[len(c.out)-1] == "..."
	if cut {
		want = want[:len(want)-1]
		got = got[:min(len(got), len(want))]
	}
	if joined(got) != joined(want) && !*update {
		r.t.Errorf("README shows for %q\n%swhat comes is\n%s(go test ./cmd -run Readme -update rewrites it)", c.line, joined(want), joined(got))
	}
	if cut {
		got = append(got, "...")
	}
	return joined(got)
}

func joined(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

// output of a command line: backtester in this process, curl as a request to the server that a
// command before it started.
func (r *readme) output(line string) []string {
	r.t.Helper()
	args := strings.Fields(line)
	switch {
	case args[0] == "backtester" && args[len(args)-1] == "&":
		r.serve(args[1 : len(args)-1])
		return nil
	case args[0] == "backtester":
		var out, faults bytes.Buffer
		streams := cmd.IO{In: strings.NewReader(""), Out: &out, Err: &faults, Width: 96, Now: time.Now, Environ: r.env()}
		if code := cmd.Main(context.Background(), args[1:], streams, "v1"); code != 0 {
			r.t.Fatalf("%s: exit code %d\n%s", line, code, faults.String())
		}
		return lines(out.String())
	case args[0] == "curl":
		answer, err := http.Get(strings.Replace(args[len(args)-1], "localhost:5000", "http://"+r.address, 1))
		if err != nil {
			r.t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK {
			r.t.Fatalf("%s: status %d, %v", line, answer.StatusCode, err)
		}
		return lines(moment.ReplaceAllString(string(body), `"2026-01-05T14:30:00Z"`))
	}
	r.t.Fatalf("README runs %q: want backtester or curl", line)
	return nil
}

// lines without blanks at their ends, as an editor would keep them.
func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		out = append(out, strings.TrimRight(line, " \n"))
	}
	return out
}

func (r *readme) env() []string {
	return []string{"HOME=" + r.data, "BACKTESTER_DATA_DIR=" + r.data, "LANG=C.UTF-8"}
}

// serve starts the server on a free port and waits until it says where.
func (r *readme) serve(args []string) {
	ctx, stop := context.WithCancel(context.Background())
	read, write := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		streams := cmd.IO{In: strings.NewReader(""), Out: io.Discard, Err: write, Now: time.Now, Environ: r.env()}
		if code := cmd.Main(ctx, append(args, "--port", "0"), streams, "v1"); code != 0 && ctx.Err() == nil {
			fmt.Fprintf(write, "exit code %d\n", code)
		}
		write.Close()
	}()
	r.stop = func() { stop(); <-ended }
	scan := bufio.NewScanner(read)
	for scan.Scan() {
		if rest, ok := strings.CutPrefix(scan.Text(), "serving http://"); ok {
			r.address = rest
			break
		}
	}
	go io.Copy(io.Discard, read)
	if r.address == "" {
		r.t.Fatal("serve did not say where it serves")
	}
}
