package cmd

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"backtester/backtest"
)

func newVersion(a *app) *cobra.Command {
	format := ""
	c := &cobra.Command{
		Use:   "version",
		Short: "Show the version of the program and of the engine's rules",
		Long: `Show the version of the program and of the engine's rules.

The engine version is part of every result: it changes whenever the same strategy
on the same data could give another fill.`,
		Example: "  backtester version\n  backtester version --format json",
		Args:    arguments(0, 0, ""),
		RunE:    func(*cobra.Command, []string) error { return a.showVersion(format) },
	}
	formatFlag(c.Flags(), &format, "text", "json")
	return c
}

// buildInfo says what this program is.
type buildInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"` // commit of the source
	Engine   string `json:"engine_version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (a *app) showVersion(format string) error {
	info := buildInfo{Version: a.version, Revision: a.io.Revision, Engine: backtest.EngineVersion, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if b, ok := debug.ReadBuildInfo(); ok {
		for _, s := range b.Settings {
			if s.Key == "vcs.revision" && info.Revision == "" {
				info.Revision = s.Value
			}
		}
	}
	if err := checkFormat(format, "text", "json"); err != nil {
		return err
	}
	if format == "json" {
		return writeJSON(a.io.Out, info)
	}
	commit := ""
	if len(info.Revision) >= 12 {
		commit = "commit " + info.Revision[:12] + ", "
	}
	_, err := fmt.Fprintf(a.io.Out, "backtester %s (%sengine %s, %s, %s)\n", info.Version, commit, info.Engine, info.Go, info.Platform)
	return err
}
