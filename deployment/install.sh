#!/bin/sh
# Makes a machine with Debian or Ubuntu a server: payload, folders, .env, units, log rotation and the nginx
# site. Every step looks first and changes only what differs: run it as often as you like, and again
# after each change of the domain, the port or the certificate.
#
#   install.sh [--domain DOMAIN] [--dry-run]
#
# --domain   yours, for the web application; the API is at api.DOMAIN. Needed once; later .env knows it
# --dry-run  shows what would be changed
#
# It works from an unpacked release, which it copies to /var/www/backtester, and from there after the
# Debian package has been installed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=steps.sh
. "$here/steps.sh"

domain=
while [ $# -gt 0 ]; do
  case $1 in
  --domain) [ $# -gt 1 ] || fail "--domain needs a value"; domain=$2; shift ;;
  --dry-run) dry=yes ;;
  -h | --help) sed -n '2,13p' "$0" | cut -c3-; exit 0 ;;
  *) fail "unknown argument $1: want --domain DOMAIN or --dry-run" ;;
  esac
  shift
done
need_root
case $domain in
'' | *.*) ;;
*) fail "--domain $domain: want a whole domain, such as example.com" ;;
esac
case $domain in *[!a-z0-9.-]*) fail "--domain $domain: want small letters, digits, dots and dashes only" ;; esac

payload() { # from an unpacked release
  [ "$here" != "$base/deployment" ] || return 0
  release=$(dirname "$here")
  [ -x "$release/backtester" ] || fail "there is no $release/backtester: run this from an unpacked release, or install the package first"
  folder /var/www root:root 755
  for f in "$base" "$base/backend" "$base/frontend" "$base/deployment"; do folder "$f" root:root 755; done
  put "$release/backtester" "$base/backend/backtester" root:root 755 || true
  tree "$release/frontend" "$base/frontend"
  tree "$release/deployment" "$base/deployment"
  tree "$release/licenses" "$base/licenses"
  if [ "$(readlink "$link")" != "$base/backend/backtester" ] && [ ! -e "$(dirname "$link")/../../bin/backtester" ]; then
    did "link $link"
    run ln -sf "$base/backend/backtester" "$link"
  fi
}

tree() { # tree FROM TO: makes TO like FROM; what .env decides (config.js) is left to its own step
  folder "$2" root:root 755
  for d in $(cd "$1" && find . -mindepth 1 -type d | sort); do folder "$2/${d#./}" root:root 755; done
  for f in $(cd "$1" && find . -type f ! -path ./config.js | sort); do
    mode=644
    [ ! -x "$1/$f" ] || mode=755
    put "$1/$f" "$2/${f#./}" root:root $mode || true
  done
  [ -d "$2" ] || return 0
  for f in $(cd "$2" && find . -type f ! -path ./config.js | sort); do
    [ -e "$1/$f" ] || drop "$2/${f#./}"
  done
}

folders() {
  folder "$base/backend/data" www-data:www-data 750
  folder "$base/backend/data/cache" www-data:www-data 750
  folder "$base/results" www-data:www-data 750
  for f in csv tearsheets db; do folder "$base/results/$f" www-data:www-data 750; done
  folder /var/log/backtester www-data:www-data 750
  folder "$backups" www-data:www-data 750
  folder "$state" root:root 755
}

settings() {
  if [ ! -e "$base/.env" ]; then
    did "file $base/.env with a fresh secret"
    if [ -z "$dry" ]; then
      secret=$("$base/backend/backtester" secret --env-file none)
      (umask 077 && sed "s/^FLASK_SECRET_KEY=.*/FLASK_SECRET_KEY=$secret/; s/yourdomain\.com/${domain:-yourdomain.com}/g" "$here/.env.example" >"$base/.env.new")
      mv "$base/.env.new" "$base/.env"
    fi
  elif [ "$(stat -c '%U:%G %a' "$base/.env")" != 'root:root 600' ]; then
    did "owner and mode of $base/.env"
    run chown root:root "$base/.env"
    run chmod 600 "$base/.env"
  fi
  known=$(setting CORS_ORIGINS | sed -n 's|^https://\([^,/:]*\).*|\1|p')
  if [ -n "$domain" ] && [ -n "$known" ] && [ "$known" != "$domain" ] && [ "$known" != yourdomain.com ]; then
    fail "CORS_ORIGINS in $base/.env begins with $known, not $domain: change it there first"
  fi
  if [ -n "$domain" ] && [ "$known" = yourdomain.com ] && [ "$domain" != yourdomain.com ]; then
    did "domain $domain in $base/.env"
    run sed -i "s/yourdomain\.com/$domain/g" "$base/.env"
  fi
  [ -n "$domain" ] || domain=$known
}

page() { # tells the web application where the API is
  from=$(dirname "$here")/frontend/config.js
  new=$(mktemp)
  sed "s|apiBase: \"[^\"]*\"|apiBase: \"https://api.$domain\"|" "$from" >"$new"
  put "$new" "$base/frontend/config.js" root:root 644 || true
  rm -f "$new"
}

units() {
  fresh=
  for u in backtester-api.service backtester-backup.service backtester-backup.timer; do
    put "$here/$u" "/etc/systemd/system/$u" root:root 644 && fresh=yes
  done
  put "$here/logrotate" /etc/logrotate.d/backtester root:root 644 || true
  booted || { say "note:  systemd does not run here: start the service yourself"; return 0; }
  [ -z "$fresh" ] || run systemctl daemon-reload
  for u in $unit $timer; do
    systemctl is-enabled -q $u 2>/dev/null || { did "enable $u"; run systemctl enable -q $u; }
  done
  systemctl is-active -q $timer || { did "start $timer"; run systemctl start $timer; }
}

web() { # the nginx site, enabled once there is a certificate
  [ -d /etc/nginx/sites-available ] || { say "note:  nginx is not installed: apt-get install nginx, then run this again"; return 0; }
  if [ -z "$domain" ]; then
    say "note:  the domain is not known: run $0 --domain DOMAIN"
    return 0
  fi
  new=$(mktemp)
  sed "s/yourdomain\.com/$domain/g; s/127\.0\.0\.1:5000/$(address)/" "$here/nginx.conf" >"$new"
  fresh=
  put "$new" "$site" root:root 644 && fresh=yes
  rm -f "$new"
  if [ ! -e "/etc/letsencrypt/live/$domain/fullchain.pem" ]; then
    say "note:  there is no certificate for $domain yet: get one (see the guide), then run this again"
    return 0
  fi
  if [ ! -L "$enabled" ]; then
    did "enable the site"
    run ln -s "$site" "$enabled"
    fresh=yes
  fi
  if [ -n "$fresh" ] && [ -z "$dry" ]; then
    nginx -t -q || { [ "$(readlink "$enabled")" != "$site" ] || rm -f "$enabled"; fail "nginx refuses the site, so it is not enabled: mend what it says above, then run this again"; }
    if booted && systemctl is-active -q nginx; then systemctl reload nginx; fi
  fi
}

service() {
  booted || return 0
  build=$(cat "$base/backend/backtester" "$base/.env" "/etc/systemd/system/$unit" 2>/dev/null | sha256sum | cut -d' ' -f1)
  if ! systemctl is-active -q $unit || [ "$build" != "$(cat "$state/running" 2>/dev/null)" ]; then
    did "restart $unit"
    if [ -z "$dry" ]; then
      systemctl restart $unit || fail "the service does not start: journalctl -u $unit says why"
      healthy 60 || fail "the service runs but does not answer: journalctl -u $unit says more"
      echo "$build" >"$state/running"
    fi
  fi
}

payload
folders
settings
page
units
web
[ "${PACKAGING-}" = upgrade ] || service
[ -n "$changed" ] || say "nothing to change"
