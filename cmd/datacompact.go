package cmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"backtester/backtest/store"
)

func newDataCompact(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "compact", Short: "Bring the stored years into one file, so that long histories load fastest",
		Long: `Bring the stored years that are over into one file, and each month of minutes too, so that
loading a symbol's past copies nothing. Fetching does this by itself when it pays; this does the rest,
after little by little. As much free space is needed as the store takes.`,
		Example: "  backtester data compact",
		Args:    arguments(0, 0, ""),
		RunE:    func(*cobra.Command, []string) error { return a.compact() },
	}
}

// compact the store that the settings name. The demo market is made in one piece.
func (a *app) compact() error {
	if err := a.housed(); err != nil {
		return err
	}
	dir := a.storeDir()
	switch name := a.settings.get("store"); name {
	case "", vendorStore:
	case demoStore:
		return usagef("compact the demo market: it is in one piece already")
	default:
		dir = a.importedDir(name)
	}
	s, err := store.Open(dir) // so that none is made where there is none
	if err != nil {
		return err
	}
	before := s.Files()
	if err := s.Close(); err != nil {
		return err
	}
	w, err := store.Create(dir, store.Options{})
	if err != nil {
		return err
	}
	defer w.Close()
	if err := w.Compact(); err != nil {
		return err
	}
	if s, err = store.Open(dir); err != nil {
		return err
	}
	defer s.Close()
	_, err = fmt.Fprintf(a.io.Out, "%s: %d files of bars became %d\n", s.Name(), before, s.Files())
	return err
}
