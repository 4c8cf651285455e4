package cmd

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// newDocs is hidden: who builds packages calls it, nobody else needs to.
func newDocs(a *app) *cobra.Command {
	man := ""
	c := &cobra.Command{
		Use:    "docs",
		Short:  "Write the command reference, or man pages, from the commands themselves",
		Hidden: true,
		Long: `Write the command reference to standard output, or man pages into a folder, from the commands themselves.

Man pages carry the date of SOURCE_DATE_EPOCH, so that the same sources give the same bytes.`,
		Example: "  backtester docs > cmd/COMMANDS.md\n  backtester docs --man /usr/local/share/man/man1",
		Args:    arguments(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			if man != "" {
				return a.manPages(man)
			}
			text, err := commandReference(a.version)
			if err == nil {
				_, err = a.io.Out.Write(text)
			}
			return err
		},
	}
	c.Flags().StringVar(&man, "man", "", "`FOLDER` to write man pages into")
	return c
}

// documented is the tree of commands as anybody sees it: with no home folder of the one who asks.
func documented(version string) *cobra.Command {
	root := newRoot(&app{io: IO{Environ: []string{"HOME=~"}}, version: version})
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	root.DisableAutoGenTag = true
	return root
}

// commandReference is every command on one page, in the order of the help.
func commandReference(version string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("# Commands of backtester\n\nMade from the program itself by `backtester docs`; `make golden` brings it up to date. Every command knows `--help`.\n\n")
	list := commandsBelow(documented(version))
	for _, c := range list {
		fmt.Fprintf(&b, "- [`%s`](#%s) %s\n", c.CommandPath(), strings.ReplaceAll(c.CommandPath(), " ", "-"), c.Short)
	}
	for _, c := range list {
		var page bytes.Buffer
		if err := doc.GenMarkdownCustom(c, &page, func(name string) string { return "#" + strings.TrimSuffix(name, ".md") }); err != nil {
			return nil, fmt.Errorf("write the reference of %s: %w", c.CommandPath(), err)
		}
		text, _, _ := strings.Cut(page.String(), "### SEE ALSO")
		if c.HasParent() { // said once, at the top
			text, _, _ = strings.Cut(text, "### Options inherited from parent commands")
		}
		b.WriteString("\n" + strings.TrimRight(text, "\n") + "\n")
	}
	return b.Bytes(), nil
}

// commandsBelow lists a command and what is below it.
func commandsBelow(c *cobra.Command) []*cobra.Command {
	list := []*cobra.Command{c}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() && c.Name() != "completion" { // one page says how, for any shell
			list = append(list, commandsBelow(sub)...)
		}
	}
	return list
}

// manPages writes one page a command.
func (a *app) manPages(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write man pages: %w", err)
	}
	for _, c := range commandsBelow(documented(a.version)) {
		name := filepath.Join(dir, strings.ReplaceAll(c.CommandPath(), " ", "-")+".1")
		var b bytes.Buffer
		header := &doc.GenManHeader{Title: strings.ToUpper(strings.ReplaceAll(c.CommandPath(), " ", "-")), Section: "1", Source: "backtester " + a.version, Manual: "backtester"}
		err := doc.GenMan(c, header, &b)
		if err == nil {
			err = os.WriteFile(name, b.Bytes(), 0o644)
		}
		if err != nil {
			return fmt.Errorf("write man page %s: %w", name, err)
		}
	}
	return nil
}
