#!/bin/sh
# Takes the server off this machine and keeps what is yours: .env, results, data, logs and backups.
#
#   uninstall.sh [--dry-run] [--purge]
#
# --purge  removes those too, certificates and nginx excepted; nothing brings them back
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=steps.sh
. "$here/steps.sh"

purge=
while [ $# -gt 0 ]; do
  case $1 in
  --dry-run) dry=yes ;;
  --purge) purge=yes ;;
  -h | --help) sed -n '2,7p' "$0" | cut -c3-; exit 0 ;;
  *) fail "unknown argument $1: want --dry-run or --purge" ;;
  esac
  shift
done
need_root

if booted; then
  for u in $unit $timer; do
    if [ -e "/etc/systemd/system/$u" ]; then
      did "stop and disable $u"
      run systemctl disable -q --now "$u"
    fi
  done
fi
if [ -L "$enabled" ]; then
  drop "$enabled"
  if booted && [ -z "$dry" ] && systemctl is-active -q nginx; then systemctl reload nginx; fi
fi
drop "$site" /etc/logrotate.d/backtester
drop /etc/systemd/system/backtester-api.service /etc/systemd/system/backtester-backup.service /etc/systemd/system/backtester-backup.timer
booted && run systemctl daemon-reload
drop "$state"

if [ -z "${PACKAGING-}" ]; then
  if dpkg -s backtester >/dev/null 2>&1; then
    did "remove the package"
    run env PACKAGING=remove dpkg -r backtester
  fi
  [ "$(readlink "$link")" != "$base/backend/backtester" ] || drop "$link"
  drop "$base/backend/backtester" "$base/frontend" "$base/licenses" "$base/deployment"
fi
if [ -n "$purge" ]; then
  drop "$base" /var/log/backtester "$backups" "/var/lib/systemd/timers/stamp-$timer"
elif [ -e "$base/.env" ]; then
  say "kept:  $base/.env, $base/results, $base/backend/data, /var/log/backtester, $backups"
fi
[ -n "$changed" ] || say "nothing to change"
