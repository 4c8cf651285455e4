# shellcheck shell=sh disable=SC2034
# What install.sh, upgrade.sh and uninstall.sh share. Every change goes through one of the functions
# below, so that --dry-run shows it instead, and a second run finds nothing to change.

base=/var/www/backtester
unit=backtester-api.service
timer=backtester-backup.timer
site=/etc/nginx/sites-available/backtester
enabled=/etc/nginx/sites-enabled/backtester
state=/var/lib/backtester
backups=/var/backups/backtester
link=/usr/local/bin/backtester
dry=
changed=

say() { printf '%s\n' "$*"; }
fail() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

need_root() {
  [ "$(id -u)" = 0 ] || fail "this changes the system: run it as root (sudo $0)"
}

# did WHAT: says what was changed, or would be.
did() {
  changed=yes
  if [ -n "$dry" ]; then say "would: $*"; else say "done:  $*"; fi
}

# run COMMAND...: carries a command out, unless this is a dry run.
run() {
  [ -n "$dry" ] || "$@"
}

# folder PATH OWNER MODE
folder() {
  if [ "$(stat -c '%U:%G %a' "$1" 2>/dev/null)" != "$2 $3" ]; then
    did "folder $1, $2, mode $3"
    run install -d -o "${2%:*}" -g "${2#*:}" -m "$3" "$1"
  fi
}

# put FILE PATH OWNER MODE: copies a file where its content, owner or mode differ, in one step.
put() {
  if ! cmp -s "$1" "$2" || [ "$(stat -c '%U:%G %a' "$2" 2>/dev/null)" != "$3 $4" ]; then
    did "file $2"
    if [ -z "$dry" ]; then
      cp "$1" "$2.new" && chown "$3" "$2.new" && chmod "$4" "$2.new" && mv -f "$2.new" "$2"
    fi
    return 0
  fi
  return 1
}

# drop PATH...: removes what is there.
drop() {
  for path; do
    if [ -e "$path" ] || [ -L "$path" ]; then
      did "remove $path"
      run rm -rf "$path"
    fi
  done
}

booted() { [ -d /run/systemd/system ]; }

# setting NAME: its value in .env, without the quotes around it.
setting() {
  sed -n "s/^$1=//p" "$base/.env" 2>/dev/null | tail -n 1 | sed -E "s/^(['\"])(.*)\\1\$/\\2/"
}

port() { p=$(setting FLASK_PORT); echo "${p:-5000}"; }

# address: where the service answers on this machine.
address() {
  h=$(setting FLASK_HOST)
  case $h in '' | 0.0.0.0 | '*') h=127.0.0.1 ;; ::) h='[::1]' ;; *:*) h="[$h]" ;; esac
  echo "$h:$(port)"
}

# healthy SECONDS [VERSION]: waits until the service answers, with this version if one is given.
healthy() {
  url="http://$(address)/api/health"
  end=$(($(date +%s) + $1))
  while :; do
    answer=$(curl -fsS -m 5 "$url" 2>&1) && case $answer in *"\"version\":\"${2-}"*) return 0 ;; esac
    [ "$(date +%s)" -lt "$end" ] || break
    sleep 0.5
  done
  say "not healthy after $1 s: $url says: $answer" >&2
  return 1
}

version_of() { "$1" version --format json | sed -n 's/.*"version": *"\([^"]*\)".*/\1/p'; }
