package cmd

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"backtester/backtest/history/backup"
)

// leap is how far a record may lie in the future before the clock is taken to have gone back.
const leap = 2 * time.Minute

// clock looks whether somebody keeps the clock right, and whether it stands behind what was written
// down already: sessions end, backups age and runs sort by it.
func (d *doctorBag) clock(ctx context.Context) finding {
	now := d.io.Now()
	newest, what := d.newestRecord()
	if ahead := newest.Sub(now); ahead > leap {
		return mend("set the clock right (timedatectl status); a time that was in the future once leaves dates in the history that stay",
			"the clock says %s, but %s is of %s: it has gone back", now.UTC().Format(time.RFC3339), what, newest.UTC().Format(time.RFC3339))
	}
	out, err := d.run(ctx, "timedatectl", "show", "--property=NTPSynchronized", "--value")
	if err != nil {
		return mend("apt-get install systemd-timesyncd", "it cannot be seen whether the clock is right: %s", reason(out, err))
	}
	if out == "yes" {
		return okay("kept right by the network")
	}
	for _, unit := range []string{"systemd-timesyncd.service", "chrony.service", "ntpsec.service", "ntp.service"} {
		if _, err := d.run(ctx, "systemctl", "is-active", unit); err == nil {
			return mend("journalctl -u "+unit+" says why; port 123/udp must be open outwards", "the clock is not synchronized, though %s runs", unit)
		}
	}
	return mend("systemctl enable --now systemd-timesyncd", "nothing keeps the clock right")
}

// newestRecord is when the server last wrote something down, as the clock said then.
func (d *doctorBag) newestRecord() (newest time.Time, what string) {
	later := func(at time.Time, name string) {
		if at.After(newest) {
			newest, what = at, name
		}
	}
	for _, name := range []string{"history.db", "history.db-wal"} {
		path := filepath.Join(d.settings.get("results_dir"), "db", name)
		if info, err := os.Stat(path); err == nil {
			later(info.ModTime(), path)
		}
	}
	list, _ := backup.List(d.settings.get("backup_dir")) // the check of backups says what is wrong with them
	if len(list) > 0 {
		later(list[0].Made, list[0].Path)
	}
	return newest, what
}
