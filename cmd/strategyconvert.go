package cmd

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"backtester/backtest/strategy/legacy"
)

func newStrategyConvert(a *app) *cobra.Command {
	output := ""
	c := &cobra.Command{
		Use: "convert FILE.json", Short: "Translate a document with entry_conditions into a strategy file",
		Long: `Translate a document of the web application that came before (entry_conditions, exit_conditions,
indicators; in snake_case or camelCase) into a strategy file. The mathematics stay the same; what is
different here stands as comments at the head of the file. Unknown series are errors.`,
		Example: "  backtester strategy convert old.json > new.yaml\n  backtester strategy convert old.json --out new.yaml",
		Args:    arguments(1, 1, "the file to translate"),
		RunE: func(_ *cobra.Command, args []string) error {
			name, text, err := readText(a.io.In, args[0])
			if err != nil {
				return err
			}
			c, faults := legacy.Convert(name, text)
			if len(faults) > 0 {
				return a.faults(faults, text)
			}
			if output == "" {
				_, err = a.io.Out.Write(c.YAML)
				return err
			}
			return createFile(output, c.YAML)
		},
	}
	c.Flags().StringVar(&output, "out", "", "write to this new `FILE` instead")
	return c
}

// createFile writes a file that must not exist yet.
func createFile(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("write the new strategy: %w", err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write the new strategy: %w", err)
	}
	return nil
}
