package cmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"backtester/backtest"
	"backtester/backtest/stats"
	"backtester/report"
)

// output says how results are shown and where they are kept.
type output struct {
	format string
	out    string
	save   bool
	extras func(*backtest.Result) report.Extras // for tearsheets; nil when only results are at hand
}

func (o *output) flags(f *pflag.FlagSet) {
	formatFlag(f, &o.format, resultFormats()...)
	f.StringVar(&o.out, "out", "", "write NAME.json, .html, _metrics.csv and _trades.csv of each result to this `FOLDER`")
	f.BoolVar(&o.save, "save", false, "keep the JSON in the results folder, for report ID")
}

func resultFormats() []string { return []string{"table", "json", "csv", "ndjson"} }

func (o *output) check() error { return checkFormat(o.format, resultFormats()...) }

// write shows results on Out and keeps them where asked.
func (o *output) write(a *app, results []*backtest.Result) error {
	if err := a.render(o.format, results); err != nil {
		return err
	}
	if o.out != "" {
		if err := a.writeFiles(o.out, results, o.extras); err != nil {
			return err
		}
		what := "1 result"
		if n := len(results); n > 1 {
			what = fmt.Sprintf("%d results", n)
		}
		fmt.Fprintf(a.io.Err, "wrote %s to %s\n", what, o.out)
	}
	if !o.save {
		return nil
	}
	for _, r := range results {
		id, err := a.keep(r)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.io.Err, "saved %s; see: backtester report %s\n", title(r), id)
	}
	return nil
}

// render shows results on Out.
func (a *app) render(format string, results []*backtest.Result) error {
	switch format {
	case "json":
		return report.JSON(a.io.Out, results)
	case "ndjson":
		return report.NDJSON(a.io.Out, results)
	case "csv":
		return report.MetricsCSV(a.io.Out, results)
	}
	return report.Terminal(a.io.Out, results, a.reportOptions())
}

func (a *app) reportOptions() report.Options {
	return report.Options{Width: a.io.Width, Color: a.io.color(), Unicode: a.unicode(), Limits: a.limits()}
}

// warnFlag overrides thresholds of warnings.
func warnFlag(f *pflag.FlagSet) {
	f.String("warn", "", "warn by other thresholds: `KEY=NUMBER,...` such as few_trades=50; report/WARNINGS.md lists them")
}

// limits are the thresholds of warnings that the settings change.
func (a *app) limits() stats.Limits {
	if a.settings == nil {
		return nil // commands without settings show no result
	}
	l, err := stats.ParseLimits(a.settings.get("warn"))
	if err != nil {
		panic("BUG: the setting warn was not checked: " + err.Error())
	}
	return l
}

// unicode reports whether the locale says that the terminal shows more than ASCII.
func (a *app) unicode() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToUpper(a.io.env(name)); v != "" {
			return strings.Contains(v, "UTF-8") || strings.Contains(v, "UTF8")
		}
	}
	return false
}

// writeFiles keeps each result as JSON, tearsheet and tables under a name of its own.
func (a *app) writeFiles(dir string, results []*backtest.Result, extras func(*backtest.Result) report.Extras) error {
	if extras == nil {
		extras = func(*backtest.Result) report.Extras { return report.Extras{} }
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	for i, name := range fileNames(results) {
		one := results[i : i+1]
		for _, f := range []struct {
			suffix string
			render func(io.Writer) error
		}{
			{".json", func(w io.Writer) error { return report.JSON(w, one) }},
			{".html", func(w io.Writer) error {
				e := extras(results[i])
				e.Limits = a.limits()
				return report.HTMLWith(w, results[i], e)
			}},
			{"_metrics.csv", func(w io.Writer) error { return report.MetricsCSV(w, one) }},
			{"_trades.csv", func(w io.Writer) error { return report.TradesCSV(w, one) }},
		} {
			if err := writeFile(filepath.Join(dir, name+f.suffix), f.render); err != nil {
				return fmt.Errorf("write results: %w", err)
			}
		}
	}
	return nil
}

// writeFile replaces a file only when all of its new content is there. A symbolic link stays one: its
// target is replaced. What is no regular file, such as /dev/stdout or a pipe, is written to.
func writeFile(path string, render func(io.Writer) error) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return writeDevice(path, render)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return &os.PathError{Op: "create", Path: path, Err: cause(err)} // the reader named no temporary file
	}
	err = errors.Join(render(f), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name()) // the first error is the one to tell
	}
	return err
}

func writeDevice(path string, render func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(render(f), f.Close())
}

// cause is what the system said, without the file it said it of.
func cause(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}

// fileNames gives every result a name from its strategy, its symbol when it has one only, and a
// number where names repeat.
func fileNames(results []*backtest.Result) []string {
	names, taken := make([]string, len(results)), map[string]bool{}
	for i, r := range results {
		name := slug(r.Strategy)
		if len(r.Data.Symbols) == 1 {
			name += "-" + slug(r.Data.Symbols[0])
		}
		numbered := name
		for n := 2; taken[strings.ToLower(numbered)]; n++ { // BCpC and BCPC are one file name on some disks
			numbered = fmt.Sprintf("%s-%d", name, n)
		}
		taken[strings.ToLower(numbered)] = true
		names[i] = numbered
	}
	return names
}

// slug keeps letters, digits, dots, dashes and underscores.
func slug(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
			return r
		}
		return '-'
	}, s)
	if s = strings.Trim(s, ".-"); s == "" {
		return "unnamed"
	}
	return s[:min(len(s), 80)]
}

// savedDir is where --save keeps results; "" when there is no place for them.
func (a *app) savedDir() string {
	dir := a.settings.get("results_dir")
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, "runs")
}

// idLength of a saved result's name: the first digits of its fingerprint, which names Config, data
// and engine. The same run saved twice is one file.
const idLength = 12

// keep saves a result and returns its id.
func (a *app) keep(r *backtest.Result) (id string, err error) {
	if len(r.Fingerprint) < idLength {
		return "", fmt.Errorf("save result of %s: it has no fingerprint", title(r))
	}
	if a.savedDir() == "" {
		return "", usagef("save result: HOME is not set: set --results-dir or BACKTESTER_RESULTS_DIR")
	}
	id = r.Fingerprint[:idLength]
	if err := os.MkdirAll(a.savedDir(), 0o755); err != nil {
		return "", fmt.Errorf("save result: %w", err)
	}
	err = writeFile(filepath.Join(a.savedDir(), id+".json"), func(w io.Writer) error {
		return report.JSON(w, []*backtest.Result{r})
	})
	if err != nil {
		return "", fmt.Errorf("save result: %w", err)
	}
	return id, nil
}
