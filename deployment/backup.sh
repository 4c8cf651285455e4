#!/bin/sh
# Makes a backup while the server runs and prints its name: `backtester backup create` with the settings
# of this server, as the owner of its files. Arguments are passed on.
set -eu
cd /var/www/backtester
[ -r .env ] || set -- --env-file none "$@" # the timer has the settings from systemd
exec backend/backtester backup create "$@"
