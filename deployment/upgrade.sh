#!/bin/sh
# Brings the server to another release and takes it back if that one does not get healthy. Requests wait
# while the service restarts; none is lost.
#
#   upgrade.sh [--dry-run] [--sums FILE] PACKAGE     a .deb, or the .tar.gz of a release
#   upgrade.sh [--dry-run] --rollback                back to the release before the last upgrade
#
# PACKAGE must be named, with its SHA-256, in the file SHA256SUMS beside it or given by --sums. Before
# anything is changed a backup is made. A rollback restores it only if the older release cannot read
# what the newer one has left.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=steps.sh
. "$here/steps.sh"

sums=
package=
back=
while [ $# -gt 0 ]; do
  case $1 in
  --dry-run) dry=yes ;;
  --rollback) back=yes ;;
  --sums) [ $# -gt 1 ] || fail "--sums needs a value"; sums=$2; shift ;;
  -h | --help) sed -n '2,11p' "$0" | cut -c3-; exit 0 ;;
  -*) fail "unknown argument $1: want --sums FILE, --rollback or --dry-run" ;;
  *) [ -z "$package" ] || fail "one package at a time"; package=$1 ;;
  esac
  shift
done
need_root
previous=$state/previous

rollback() {
  [ -x "$previous/deployment/install.sh" ] || fail "there is no release to go back to in $previous"
  old=$(version_of "$previous/backtester")
  did "back to $old"
  [ -z "$dry" ] || return 0
  PACKAGING=upgrade "$previous/deployment/install.sh" >/dev/null
  systemctl restart $unit || true
  if healthy "${GATE:-60}" "$old"; then
    say "healthy: $old"
    return 0
  fi
  backup=$(cat "$previous/backup" 2>/dev/null || true)
  [ -n "$backup" ] || fail "$old does not get healthy either, and there is no backup of before: journalctl -u $unit says why"
  did "restore $backup, which $old has made"
  systemctl stop $unit
  "$previous/deployment/restore.sh" "$backup" >/dev/null
  systemctl start $unit || true
  healthy "${GATE:-60}" "$old" || fail "$old does not get healthy with its own data: journalctl -u $unit says why"
  say "healthy: $old, with the data of the backup; what came after it lies beside it"
}

if [ -n "$back" ]; then
  [ -z "$package" ] || fail "--rollback takes no package"
  rollback
  exit 0
fi

[ -n "$package" ] || fail "which package? upgrade.sh PACKAGE, a .deb or a .tar.gz"
[ -f "$package" ] || fail "there is no file $package"
name=${package##*/}
[ -n "$sums" ] || sums=$(dirname "$package")/SHA256SUMS
[ -f "$sums" ] || fail "there is no $sums: download it with the package, or name it with --sums"
want=$(awk -v name="$name" '$2 == name || $2 == "*" name { print $1 }' "$sums")
[ -n "$want" ] || fail "$sums does not name $name"
[ "$(sha256sum <"$package" | cut -d' ' -f1)" = "$want" ] || fail "$name is not what $sums says: its SHA-256 differs; download it again"

temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
case $name in
*.deb) dpkg-deb -x "$package" "$temp"; new=$temp$base/backend/backtester ;;
*.tar.gz) tar -xzf "$package" -C "$temp" --strip-components=1; new=$temp/backtester ;;
*) fail "$name: want a .deb or a .tar.gz" ;;
esac
newer=$(version_of "$new") || fail "the program in $name does not run on this machine: is it for another processor?"
older=$(version_of "$base/backend/backtester")
say "from $older to $newer"

did "backup"
[ -n "$dry" ] || backup=$("$here/backup.sh" --label before-upgrade)

did "keep $older in $previous"
if [ -z "$dry" ]; then
  rm -rf "$previous.new" && mkdir -p "$previous.new"
  cp -p "$base/backend/backtester" "$previous.new/backtester"
  cp -a "$base/frontend" "$base/deployment" "$base/licenses" "$previous.new/"
  echo "$backup" >"$previous.new/backup"
  rm -rf "$previous" && mv "$previous.new" "$previous"
fi

did "install $newer"
if [ -z "$dry" ]; then
  export PACKAGING=upgrade
  ok=yes
  case $name in
  *.deb) dpkg -i "$package" >"$temp/log" 2>&1 || ok= ;;
  *) "$temp/deployment/install.sh" >"$temp/log" 2>&1 || ok= ;;
  esac
  [ -n "$ok" ] || cat "$temp/log" >&2
  systemctl restart $unit || ok=
  if [ -z "$ok" ] || ! healthy "${GATE:-60}" "$newer"; then
    say "$newer does not get healthy: going back" >&2
    rollback
    fail "$newer was not installed: journalctl -u $unit says why it failed"
  fi
  say "healthy: $newer"
fi
