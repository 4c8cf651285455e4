// Tests of what deployment/ ships: nginx, systemd, packages and the guide, for real.
module deploytest

go 1.26.0
