#!/bin/sh
# Puts a backup back: `backtester backup restore FILE` with the settings of this server. Stop the service
# first; what was there before is kept beside it.
set -eu
case ${1-} in /*) ;; ?*) f=$(cd "$(dirname "$1")" && pwd)/${1##*/} && shift && set -- "$f" "$@" ;; esac
cd /var/www/backtester
exec backend/backtester backup restore "$@"
