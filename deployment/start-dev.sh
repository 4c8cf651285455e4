#!/bin/sh
# One command to a server for development: no keys, no accounts, the made-up market, this machine only.
# Arguments are passed on to `backtester serve`, such as --port 5001. Ctrl-C ends it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
if [ -f "$top/go.mod" ]; then # the sources: build what has changed
  command -v go >/dev/null || { echo "start-dev: Go is needed to build: https://go.dev/dl/" >&2; exit 1; }
  make -s -C "$top" build
  program=$top/bin/backtester
elif [ -x "$top/backtester" ]; then # an unpacked release
  program=$top/backtester
else
  program=$(command -v backtester) || { echo "start-dev: there is no backtester in $top or on the PATH" >&2; exit 1; }
fi
export FLASK_ENV="${FLASK_ENV:-development}" FLASK_DEBUG="${FLASK_DEBUG:-true}"
echo "start-dev: the web application and the API are at the address that follows; Ctrl-C ends the server" >&2
exec "$program" serve "$@"
