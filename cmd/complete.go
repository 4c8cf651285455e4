package cmd

import (
	"strings"

	"github.com/spf13/cobra"

	"backtester/backtest/strategy"
)

// completeStrategies offers the names of built-in strategies, and the shell files, for an argument
// that is one or the other.
func completeStrategies(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, b := range strategy.Builtins() {
		if strings.HasPrefix(b.Name, begun) {
			names = append(names, cobra.CompletionWithDesc(b.Name, b.Title))
		}
	}
	return names, cobra.ShellCompDirectiveDefault
}

// completeFormats offers the words that formatFlag noted, for c and every command below it.
func completeFormats(c *cobra.Command) {
	if f := c.Flags().Lookup("format"); f != nil {
		words := cobra.FixedCompletions(f.Annotations[formatWords], cobra.ShellCompDirectiveNoFileComp)
		if err := c.RegisterFlagCompletionFunc("format", words); err != nil {
			panic("BUG: complete --format of " + c.CommandPath() + ": " + err.Error())
		}
	}
	for _, sub := range c.Commands() {
		completeFormats(sub)
	}
}
