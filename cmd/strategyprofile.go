package cmd

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"backtester/backtest/strategy"
)

func newStrategyProfiles(a *app) *cobra.Command {
	format := ""
	c := &cobra.Command{
		Use: "profiles [NAME]", Short: "List the conventions of other tools that --profile sets, and what they leave open",
		Example: "  backtester strategy profiles\n  backtester strategy profiles vectorbt\n  backtester run my.yaml --profile vectorbt",
		Args:    arguments(0, 1, ""),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := checkFormat(format, "table", "json"); err != nil {
				return err
			}
			list := strategy.Profiles()
			if len(args) == 1 {
				p, ok := strategy.FindProfile(args[0])
				if !ok {
					return usagef("there is no profile %q%s", args[0], suggest(args[0], profileNames()))
				}
				list = []strategy.Profile{p}
			}
			if format == "json" {
				return writeJSON(a.io.Out, profileInfos(list))
			}
			return a.printProfiles(list, len(args) == 1)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return profileNames(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	formatFlag(c.Flags(), &format, "table", "json")
	return c
}

func profileNames() []string {
	var out []string
	for _, p := range strategy.Profiles() {
		out = append(out, p.Name)
	}
	return out
}

// printProfiles shows one line each, or everything about one.
func (a *app) printProfiles(list []strategy.Profile, whole bool) error {
	var rows [][]string
	for _, p := range list {
		var sets []string
		for _, s := range p.Settings {
			sets = append(sets, s.Path+"="+s.Value)
		}
		if !whole {
			rows = append(rows, []string{p.Name, p.Tool, strings.Join(sets, "  ")})
			continue
		}
		text := fmt.Sprintf("%s: %s\n%s\n\ndefaults, which the file and --set overrule:\n  %s\n\nwhat cannot be set, so that trades may differ:\n  - %s\n",
			p.Name, p.Tool, p.Basis, strings.Join(sets, "\n  "), strings.Join(p.Notes, "\n  - "))
		return a.prose(a.io.Out, text)
	}
	return a.table(a.io.Out, []string{"profile", "conventions of", "defaults"}, rows)
}

// profileInfo is a profile as JSON.
type profileInfo struct {
	Name     string            `json:"name"`
	Tool     string            `json:"tool"`
	Basis    string            `json:"basis"`
	Settings []profileSettings `json:"settings"`
	Notes    []string          `json:"notes"` // conventions that cannot be set
}

type profileSettings struct {
	Path  string `json:"path"`
	Value string `json:"value"`
}

func profileInfos(list []strategy.Profile) []profileInfo {
	var out []profileInfo
	for _, p := range list {
		info := profileInfo{p.Name, p.Tool, p.Basis, nil, p.Notes}
		for _, s := range p.Settings {
			info.Settings = append(info.Settings, profileSettings{s.Path, s.Value})
		}
		out = append(out, info)
	}
	return out
}
