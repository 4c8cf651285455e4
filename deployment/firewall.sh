#!/bin/sh
# Closes every port of this machine but those of SSH, HTTP and HTTPS, with ufw. Run it again after the port
# of SSH has changed, and before you close the session that you are in.
#
#   firewall.sh [--dry-run]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=steps.sh
. "$here/steps.sh"
case ${1-} in
'') ;;
--dry-run) dry=yes ;;
*) fail "unknown argument $1: want --dry-run" ;;
esac
need_root
command -v ufw >/dev/null || fail "ufw is not installed: apt-get install ufw"
ssh=$(sshd -T 2>/dev/null | sed -n 's/^port //p')
did "deny what comes in, but ports ${ssh:-22} (SSH), 80 and 443"
run ufw default deny incoming
run ufw default allow outgoing
for p in ${ssh:-22} 80 443; do run ufw allow "$p/tcp"; done
run ufw --force enable
