package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"backtester/backtest/strategy"
)

// fmtOptions of `backtester strategy fmt`.
type fmtOptions struct {
	*app
	check, write bool
}

func newStrategyFmt(a *app) *cobra.Command {
	o := &fmtOptions{app: a}
	c := &cobra.Command{
		Use: "fmt [FILE...]", Short: "Lay strategy files out in the one canonical way",
		Long: `Lay strategy files out in the one canonical way: two spaces a level, one space around operators,
quotes only where they are needed, comments at line ends aligned, long lines broken. Keys stay in
their order and every comment stays. What a file means is never changed.

Without FILE, or with -, standard input goes to standard output. A file in JSON comes out as YAML.

Exit code 1 with --check when a file is laid out otherwise, 2 when a file cannot be read.`,
		Example: "  backtester strategy fmt my.yaml\n  backtester strategy fmt -w *.yaml\n  backtester strategy fmt --check *.yaml",
		RunE:    func(_ *cobra.Command, args []string) error { return o.run(args) },
	}
	c.Flags().BoolVarP(&o.write, "write", "w", false, "write the layout back to the files that need it, and name them")
	c.Flags().BoolVar(&o.check, "check", false, "only name the files that are laid out otherwise")
	return c
}

func (o *fmtOptions) run(args []string) error {
	if o.check && o.write {
		return usagef("--check only looks, --write changes files: give one of them")
	}
	if len(args) == 0 {
		args = []string{"-"}
	}
	changed := false
	var wrong []error
	for _, arg := range args {
		differs, err := o.one(arg)
		changed = changed || differs
		wrong = append(wrong, err)
	}
	if err := errors.Join(wrong...); err != nil {
		return err
	}
	if o.check && changed {
		return &codeError{exitFailure}
	}
	return nil
}

// one lays out one file and reports whether it was laid out otherwise.
func (o *fmtOptions) one(arg string) (bool, error) {
	name, text, err := readText(o.io.In, arg)
	if err != nil {
		return false, err
	}
	if strings.HasSuffix(strings.ToLower(name), ".json") && (o.check || o.write) {
		return false, usagef("lay out %s: the layout is YAML; to convert it: %s strategy show %s > FILE.yaml", name, o.io.program(), name)
	}
	out, faults := strategy.Format(name, text)
	if len(faults) > 0 {
		return false, o.faults(faults, text)
	}
	differs := !bytes.Equal(text, out)
	switch {
	case !o.check && !o.write, o.write && arg == "-":
		_, err = o.io.Out.Write(out)
	case differs:
		if o.write {
			err = replaceFile(arg, out)
		}
		if err == nil {
			_, err = fmt.Fprintln(o.io.Out, name)
		}
	}
	return differs, err
}

// replaceFile writes a file anew: beside it, then renamed, so that an interruption leaves the old one.
// A link is followed, the rights of the file stay.
func replaceFile(path string, text []byte) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	info, err := os.Stat(target)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	f, err := os.CreateTemp(filepath.Dir(target), "."+filepath.Base(target)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(info.Mode().Perm()), f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), target)
	}
	if err != nil {
		os.Remove(f.Name()) // the first error is the one to tell
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
