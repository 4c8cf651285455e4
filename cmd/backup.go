package cmd

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"backtester/backtest/history/backup"
	"backtester/backtest/job"
)

func newBackup(a *app) *cobra.Command {
	return group("backup", "Back up the history and the files of runs, check backups, put one back",
		newBackupCreate(a), newBackupVerify(a), newBackupRestore(a), newBackupList(a))
}

type backupOptions struct {
	*app
	to     string
	label  string
	keep   string
	verify bool
	format string
}

func newBackupCreate(a *app) *cobra.Command {
	o := &backupOptions{app: a}
	c := &cobra.Command{
		Use:   "create",
		Short: "Make a backup, also while a server runs, and print its path",
		Long: `Make a backup, also while a server runs, and print its path.

It holds the history database as it is at one instant, with everything acknowledged before, and the
files of runs, with a manifest of their checksums. Market data is not in it (fetch brings it again), nor
are settings and keys: keep .env elsewhere. The backup appears under its name when it is complete.

--keep 7,4,6 then removes old backups: of the last 7 days, 4 weeks and 6 months that have one, the newest
of each stays.`,
		Example: "  backtester backup create\n  backtester backup create --to /mnt/backups --keep 7,4,6 --verify",
		Args:    arguments(0, 0, ""),
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.create(cmd.Context()) },
	}
	c.Flags().StringVar(&o.to, "to", "", "`FOLDER` of backups (default the setting backup_dir)")
	c.Flags().StringVar(&o.label, "label", "", "`WORD` in the name of the backup")
	c.Flags().StringVar(&o.keep, "keep", "", "how many `DAYS,WEEKS,MONTHS` keep a backup, such as 7,4,6 (default all)")
	c.Flags().BoolVar(&o.verify, "verify", false, "read the new backup back and check it before old ones are removed")
	return c
}

func (o *backupOptions) create(ctx context.Context) error {
	keep, err := parseKeep(o.keep)
	if err != nil {
		return err
	}
	if o.settings.get("database_url") != "" {
		return fmt.Errorf("back up: the history is in a PostgreSQL database, which has its own tools: use pg_dump, and copy %s", o.settings.get("results_dir"))
	}
	path, m, err := backup.Create(ctx, backup.Options{Results: o.settings.get("results_dir"), To: o.folder(), Label: o.label, Version: o.version, Now: o.io.Now()})
	if err != nil {
		return err
	}
	for _, f := range m.Faults {
		o.warn("damaged_file", f)
	}
	if o.verify {
		if _, err := backup.Verify(ctx, path); err != nil {
			return err
		}
	}
	if keep != nil {
		gone, err := backup.Prune(o.folder(), *keep)
		for _, g := range gone {
			fmt.Fprintf(o.io.Err, "removed %s\n", g)
		}
		if err != nil {
			return err
		}
	}
	fmt.Fprintf(o.io.Err, "%d files, %s\n", len(m.Files), megabytes(m.Bytes()))
	_, err = fmt.Fprintln(o.io.Out, path)
	return err
}

// folder is where backups lie.
func (o *backupOptions) folder() string {
	if o.to != "" {
		return o.to
	}
	return o.settings.get("backup_dir")
}

// parseKeep reads 7,4,6; nil is everything.
func parseKeep(text string) (*backup.Keep, error) {
	if text == "" {
		return nil, nil
	}
	parts := strings.Split(text, ",")
	var n [3]int
	for i := range n {
		var err error
		if len(parts) == len(n) {
			n[i], err = strconv.Atoi(strings.TrimSpace(parts[i]))
		}
		if len(parts) != len(n) || err != nil || n[i] < 0 {
			return nil, usagef("--keep %q: want DAYS,WEEKS,MONTHS, such as 7,4,6", text)
		}
	}
	return &backup.Keep{Days: n[0], Weeks: n[1], Months: n[2]}, nil
}

func newBackupVerify(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "verify FILE...",
		Short:   "Read whole backups back and check everything in them",
		Long:    "Read whole backups back and check everything in them: checksums, the database, and that the files it names are there.",
		Example: "  backtester backup verify /var/backups/backtester/backtester-20260102T031700Z.tar.zst",
		Args:    arguments(1, -1, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, path := range args {
				m, err := backup.Verify(cmd.Context(), path)
				if err != nil {
					return err
				}
				fmt.Fprintf(a.io.Out, "%s: %d files, %s, made %s\n", path, len(m.Files), megabytes(m.Bytes()), m.Made.Format(time.RFC3339))
			}
			return nil
		},
	}
}

func newBackupRestore(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup back in place of the history and the files of runs",
		Long: `Put a backup back in place of the history and the files of runs. The server must be stopped.

The backup is checked before anything is moved, and what was there is kept in a folder beside it, which
is named at the end and can be removed.`,
		Example: "  systemctl stop backtester-api\n  backtester backup restore /var/backups/backtester/backtester-20260102T031700Z.tar.zst",
		Args:    arguments(1, 1, "FILE"),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.restore(cmd.Context(), args[0]) },
	}
}

func (a *app) restore(ctx context.Context, path string) error {
	results := a.settings.get("results_dir")
	if a.settings.get("database_url") != "" {
		return fmt.Errorf("restore %s: the history is in a PostgreSQL database, which has its own tools: use psql", path)
	}
	lock, err := job.LockFolder(results)
	if err != nil {
		return fmt.Errorf("restore %s: stop the server first: %w", path, err)
	}
	defer lock.Close()
	m, kept, err := backup.Restore(ctx, path, results, a.io.Now())
	if err != nil {
		return err
	}
	fmt.Fprintf(a.io.Out, "restored %d files, %s, made %s\n", len(m.Files), megabytes(m.Bytes()), m.Made.Format(time.RFC3339))
	if kept != "" {
		fmt.Fprintf(a.io.Out, "what was there is in %s\n", kept)
	}
	return nil
}

func newBackupList(a *app) *cobra.Command {
	o := &backupOptions{app: a}
	c := &cobra.Command{
		Use:     "ls",
		Short:   "List the backups of a folder, newest first",
		Example: "  backtester backup ls --format json",
		Args:    arguments(0, 0, ""),
		RunE:    func(*cobra.Command, []string) error { return o.list() },
	}
	c.Flags().StringVar(&o.to, "to", "", "`FOLDER` of backups (default the setting backup_dir)")
	formatFlag(c.Flags(), &o.format, "table", "json")
	return c
}

func (o *backupOptions) list() error {
	if err := checkFormat(o.format, "table", "json"); err != nil {
		return err
	}
	list, err := backup.List(o.folder())
	if err != nil {
		return err
	}
	if o.format == "json" {
		type row struct {
			Path  string    `json:"path"`
			Made  time.Time `json:"made"`
			Bytes int64     `json:"bytes"`
		}
		rows := []row{}
		for _, b := range list {
			rows = append(rows, row{b.Path, b.Made, b.Bytes})
		}
		return writeJSON(o.io.Out, rows)
	}
	var rows [][]string
	for _, b := range list {
		rows = append(rows, []string{b.Made.Format(time.RFC3339), megabytes(b.Bytes), b.Path})
	}
	return o.table(o.io.Out, []string{"made", "size", "path"}, rows, 1)
}
