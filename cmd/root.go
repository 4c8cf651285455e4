// Package cmd is the command line of backtester: one file a command, each with its options, its
// flags and its run function.
//
// In: arguments and an IO (streams, environment, clock). Out: data on Out, everything else on Err,
// and an exit code from one table (see exitCode). It computes nothing: commands fill a
// backtest.Config, call the engine or the vendor's room, and hand results to package report. It is
// the only package that reads the environment, the clock and settings files. It refuses unknown
// flags, settings and words, with the nearest known one as a suggestion.
package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"backtester/backtest/strategy"
)

// app is what commands share.
type app struct {
	io       IO
	version  string
	settings *settings // read before a command runs
	config   string    // --config
	envFile  string    // --env-file
}

// Ballast is memory that package main holds without touching it, in bytes. The runtime counts it.
const Ballast = 32 << 20

// Main runs one command line and returns the exit code. Cancelling ctx interrupts it. version is
// what `backtester version` shows.
func Main(ctx context.Context, args []string, streams IO, version string) int {
	out := &sink{w: streams.Out}
	streams.Out = out
	a := &app{io: streams, version: version}
	root := newRoot(a)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if out.err != nil && !errors.Is(err, out.err) { // help and lines of text do not tell
		err = errors.Join(err, fmt.Errorf("write to standard output: %w", out.err))
	}
	a.report(cmd.CommandPath(), err)
	return exitCode(err)
}

// sink remembers the first fault of writing to standard output: what was lost there is a failure, whoever
// wrote it.
type sink struct {
	w   io.Writer
	mu  sync.Mutex
	err error
}

func (s *sink) Write(b []byte) (int, error) {
	n, err := s.w.Write(b)
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.err == nil {
			s.err = err
		}
	}
	return n, err
}

// report prints errors on Err, each joined one by itself. Faults of strategy files stand alone, one a
// line, as compilers print them, so that editors can jump to them. What was shown already, and only
// carries its exit code, is not shown again.
func (a *app) report(command string, err error) {
	for _, e := range flatten(err) {
		var coded *codeError
		var faults strategy.Diagnostics
		switch {
		case e == nil, errors.As(e, &coded):
		case errors.As(e, &faults):
			fmt.Fprintln(a.io.Err, strings.TrimRight(e.Error(), "\n"))
		case errors.Is(e, context.Canceled):
			fmt.Fprintf(a.io.Err, "%s: interrupted\n", command)
		default:
			fmt.Fprintf(a.io.Err, "%s: %s\n", command, e)
		}
	}
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "backtester",
		Short: "Backtest trading ideas on US stocks, from raw exchange data to a result you can check",
		Long: `Backtest trading ideas on US stocks, from raw exchange data to a result you can check.

Try it without any data of your own: backtester demo

Exit codes:
` + strings.TrimRight(exitCodes(), "\n"),
		Args:          noCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			err := filled(cmd.Flags())
			if err == nil {
				err = a.load(cmd.Flags())
			}
			if err != nil && cmd.Name() == "serve" {
				return &unsafeError{err} // a service must not come up with settings nobody understands
			}
			if err == nil && slices.Contains(ownersCommands(), topName(cmd)) {
				err = becomeOwner(a.settings.get("results_dir"))
			}
			return err
		},
	}
	root.SetIn(a.io.In)
	root.SetOut(a.io.Out)
	root.SetErr(a.io.Err)
	root.SetFlagErrorFunc(flagError)
	flags := root.PersistentFlags()
	flags.StringVar(&a.config, "config", "", "settings `FILE` (default backtester.yaml here or in the user's configuration folder)")
	flags.StringVar(&a.envFile, "env-file", "", "`FILE` with KEY=value settings; none ignores .env")
	flags.String("data-dir", "", "`FOLDER` of downloaded data (default "+userDataDir(a.io)+")")
	flags.String("store", "", "`NAME` of the store to read: vendor, demo, or one that was imported (default vendor; demo where there is none)")
	flags.String("results-dir", "", "`FOLDER` of saved results (default results/ in the data folder)")
	root.AddGroup(&cobra.Group{ID: "main", Title: "Main commands:"}, &cobra.Group{ID: "more", Title: "Around them:"})
	root.SetHelpCommandGroupID("more")
	root.SetCompletionCommandGroupID("more")
	for _, c := range []*cobra.Command{newFetch(a), newRun(a), newPreview(a), newReport(a), newServe(a)} {
		c.GroupID = "main"
		root.AddCommand(c)
	}
	for _, c := range []*cobra.Command{newDemo(a), newSweep(a), newValidate(a), newMerge(a), newStrategy(a), newIndicators(a), newData(a), newHistory(a), newWorker(a),
		newBackup(a), newDoctor(a),
		newSecret(a), newUser(a), newDocs(a), newVersion(a)} {
		c.GroupID = "more"
		root.AddCommand(c)
	}
	completeFormats(root)
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Args = noShell
			c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
	if n := a.io.Width; n > 0 {
		root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), "FlagUsages", fmt.Sprintf("FlagUsagesWrapped %d", n)))
	}
	return root
}

// ownersCommands write into the folders of a service, or open its database, which writes too. Run by
// root they do so as the owner of those folders.
func ownersCommands() []string {
	return []string{"serve", "worker", "user", "history", "backup", "fetch", "data", "run", "sweep", "validate", "merge", "report", "preview"}
}

// topName is the first word of a command behind the program's name.
func topName(c *cobra.Command) string {
	for c.HasParent() && c.Parent().HasParent() {
		c = c.Parent()
	}
	return c.Name()
}

// load reads the settings and shows what is odd about them.
func (a *app) load(flags *pflag.FlagSet) error {
	s, err := loadSettings(settingsInput{io: a.io, flags: flags, config: a.config, envFile: a.envFile})
	if err != nil {
		return err
	}
	a.settings = s
	for _, n := range s.notes {
		a.warn("settings", n)
	}
	return nil
}

// warn prints a warning with its stable code.
func (a *app) warn(code, message string) {
	fmt.Fprintf(a.io.Err, "warning: %s: %s\n", code, message)
}

// noCommand refuses arguments where a command was expected.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var known []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			known = append(known, c.Name())
		}
	}
	return usagef("unknown command %q%s; see %s --help", args[0], suggest(args[0], known), cmd.CommandPath())
}

// noShell refuses shells without a completion script.
func noShell(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	shells := []string{"bash", "fish", "powershell", "zsh"}
	return usagef("there is no completion for the shell %q%s: want %s", args[0], suggest(args[0], shells), strings.Join(shells, ", "))
}

// group is a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short, Args: noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(commands...)
	return c
}

// arguments checks how many there are; what names one in messages.
func arguments(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usagef("%s is missing; usage: %s", what, cmd.UseLine())
		case most >= 0 && len(args) > most:
			return usagef("unexpected argument %q; usage: %s", args[most], cmd.UseLine())
		}
		return nil
	}
}

// filled refuses a flag given with an empty value: that is what an unset variable of a script leaves,
// and --symbols "" must not mean every symbol there is.
func filled(flags *pflag.FlagSet) error {
	var err error
	flags.Visit(func(f *pflag.Flag) {
		if err == nil && f.Value.Type() == "string" && f.Value.String() == "" {
			err = usagef("--%s is empty: give it a value, or leave it out", f.Name)
		}
	})
	return err
}

// flagError adds the nearest known flag to a mistake.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || len(unknown.GetSpecifiedName()) < 2 {
		return usagef("%w; see %s --help", err, cmd.CommandPath())
	}
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, "--"+f.Name) })
	name := "--" + unknown.GetSpecifiedName()
	return usagef("unknown flag %s%s; see %s --help", name, suggest(name, known), cmd.CommandPath())
}
