package cmd

import (
	"context"
	"path/filepath"

	"backtester/backtest/history"
	"backtester/backtest/job"
)

// localOwner is who asked for runs of the command line.
const localOwner = "local"

// openHistory opens the database of runs and accounts.
func (a *app) openHistory(ctx context.Context) (*history.DB, error) {
	return history.Open(ctx, history.Options{Path: a.historyPath(), URL: a.settings.get("database_url"), Now: a.io.Now})
}

// dbDir holds the database and what belongs to it.
func (a *app) dbDir() string { return filepath.Join(a.settings.get("results_dir"), "db") }

func (a *app) historyPath() string { return filepath.Join(a.dbDir(), "history.db") }

// openResults opens the folder of the files that runs leave.
func (a *app) openResults() (*job.Folder, error) {
	return job.OpenFolder(a.settings.get("results_dir"))
}
