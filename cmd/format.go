package cmd

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// formatFlag adds --format with its words; the first is the default.
func formatFlag(f *pflag.FlagSet, to *string, words ...string) {
	f.StringVar(to, "format", words[0], "output `FORMAT`: "+strings.Join(words, ", "))
	f.Lookup("format").Annotations = map[string][]string{formatWords: words}
}

// formatWords is the annotation of --format that lists what it takes, for shell completion.
const formatWords = "words"

// checkFormat refuses other words.
func checkFormat(format string, words ...string) error {
	if slices.Contains(words, format) {
		return nil
	}
	return usagef("unknown --format %q%s: want %s", format, suggest(format, words), strings.Join(words, ", "))
}
