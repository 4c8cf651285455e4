package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"backtester/backtest/bar"
	"backtester/backtest/store"
)

// Stores lie side by side below the data folder and are never mixed: store/ holds the vendor's data,
// demo/ the made-up market, stores/NAME/ what people imported under a name of their own. One run reads
// one of them, so that no result joins prices of two origins by accident, a fetch never overwrites
// imported bars, and an import is taken back by removing a folder.

const (
	vendorStore = "vendor"
	demoStore   = "demo"
)

// storeName checks the name of a store: lower-case letters, digits, dashes and underscores, so that
// it is one folder on every disk.
func storeName(name string) error {
	if len(name) > 40 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		return errors.New("want up to 40 lower-case letters, digits, dashes and underscores")
	}
	return nil
}

// importedDir is the folder of an imported store.
func (a *app) importedDir(name string) string {
	return filepath.Join(a.settings.get("data_dir"), "stores", name)
}

// housed refuses to work with data or results where no folder for them is known.
func (a *app) housed() error {
	if a.settings.get("data_dir") == "" {
		return usagef("find the folder of data: HOME is not set: set --data-dir or BACKTESTER_DATA_DIR")
	}
	return nil
}

// openStore opens the store that the settings name. Without a name it is the vendor's or, where
// there is none outside production, the demo market; standIn reports that.
func (a *app) openStore(ctx context.Context) (s *store.Store, standIn bool, err error) {
	if err := a.housed(); err != nil {
		return nil, false, err
	}
	name := a.settings.get("store")
	switch name {
	case "", vendorStore:
		s, err = store.Open(a.storeDir())
		if err == nil || name != "" || !errors.Is(err, bar.ErrNoData) || a.settings.get("env") == "production" {
			return s, false, err
		}
		standIn = true
	case demoStore:
	default:
		s, err = store.Open(a.importedDir(name))
		if errors.Is(err, bar.ErrNoData) {
			err = fmt.Errorf("%w; the stores are: %s", err, strings.Join(a.storeNames(), ", "))
		}
		return s, false, err
	}
	dir, err := a.ensureDemo(ctx)
	if err != nil {
		return nil, standIn, err
	}
	s, err = store.Open(dir)
	return s, standIn, err
}

// storeNames lists what --store may say here.
func (a *app) storeNames() []string {
	names := []string{vendorStore, demoStore}
	entries, _ := os.ReadDir(a.importedDir("")) // none there is no error
	for _, e := range entries {
		if e.IsDir() && storeName(e.Name()) == nil && store.Exists(a.importedDir(e.Name())) {
			names = append(names, e.Name())
		}
	}
	return names
}

// rawDir holds the downloaded files behind the store that the settings name; "" when it has none.
func (a *app) rawDir(synthetic bool) string {
	switch name := a.settings.get("store"); {
	case synthetic:
		return filepath.Join(a.demoDir(), "raw")
	case name == "" || name == vendorStore:
		return filepath.Join(a.settings.get("data_dir"), "raw")
	}
	return ""
}
