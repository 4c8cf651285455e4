#!/bin/sh
# Builds the web application into dist/ when its sources are newer. Without npm, or without a network
# on the first time, the program is built all the same and shows one plain page; --required makes that
# a failure, for releases and for the CI.
set -eu
cd "$(dirname "$0")"
if [ -f dist/index.html ] && [ -z "$(find . -path ./node_modules -prune -o -path ./dist -prune -o -type f -newer dist/index.html -print | head -n 1)" ]; then exit 0; fi
lacking() {
  echo "the web application is not built: $1; the program will show its plain page" >&2
  [ $required = no ] || exit 1
  exit 0
}
required=no
[ "${1-}" != --required ] || required=yes
command -v npm >/dev/null 2>&1 || lacking "there is no npm"
node -e 'process.exit(+(Number(process.versions.node.split(".")[0]) < 18))' || lacking "node is older than 18"
[ -f node_modules/.package-lock.json ] && [ ! package-lock.json -nt node_modules/.package-lock.json ] ||
  npm ci --no-audit --no-fund --loglevel=error || lacking "npm could not bring its packages"
node build.mjs >/dev/null
