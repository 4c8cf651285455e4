//go:build unix

package cmd

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// manager is the service manager that started serve, if one did: it is told when serve is ready, what
// it does and that it lives, and it keeps the listener over restarts.
type manager struct {
	socket string // NOTIFY_SOCKET
	io     IO
}

func (a *app) manager() *manager { return &manager{a.io.env("NOTIFY_SOCKET"), a.io} }

// tell sends a note. A manager that does not listen does not need to know, and must not hold serve up:
// the kernel blocks senders when the queue of notes is full.
func (m *manager) tell(state string) { _ = m.send(state) }

func (m *manager) send(state string, files ...int) error {
	if m.socket == "" {
		return nil
	}
	// Not by package net: it sends no descriptors over datagram sockets that are connected.
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	syscall.CloseOnExec(fd)
	if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &syscall.Timeval{Sec: 2}); err != nil {
		return err
	}
	var rights []byte
	if len(files) > 0 {
		rights = syscall.UnixRights(files...)
	}
	return syscall.Sendmsg(fd, []byte(state), rights, &syscall.SockaddrUnix{Name: m.socket}, 0)
}

// inherited is the listener that the manager kept from the process before, nil without one.
func (m *manager) inherited() (net.Listener, error) {
	n, _ := strconv.Atoi(m.io.env("LISTEN_FDS"))
	if pid := m.io.env("LISTEN_PID"); n < 1 || pid != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	names := strings.Split(m.io.env("LISTEN_FDNAMES"), ":")
	for i := range n {
		fd := 3 + i // where the manager puts them
		syscall.CloseOnExec(fd)
		if i < len(names) && names[i] != "" && names[i] != storedName && names[i] != "unknown" && names[i] != "stored" {
			continue
		}
		f := os.NewFile(uintptr(fd), storedName)
		l, err := net.FileListener(f)
		f.Close() // the listener has a copy of its own
		return l, err
	}
	return nil, nil
}

const storedName = "http"

// queueLength is how many connections wait while serve is restarted or has its hands full; the kernel takes as
// many as net.core.somaxconn of it.
const queueLength = 4096

// lengthen gives the listener a long queue. The Go runtime reads the kernel's limit from /proc/sys, which a service
// that is kept from it (ProcSubset=pid) does not see, and then takes 128: what comes beyond is dropped while nobody
// accepts. A listener that an earlier process made may have a short one, too.
func lengthen(l net.Listener) error {
	raw, err := l.(syscall.Conn).SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = syscall.Listen(int(fd), queueLength) })
	return errors.Join(err, failed)
}

// keep gives the manager a copy of the listener for the process after this one.
func (m *manager) keep(l net.Listener) error {
	source, ok := l.(syscall.Conn)
	if m.socket == "" || !ok {
		return nil
	}
	raw, err := source.SyscallConn()
	if err != nil {
		return err
	}
	// Not by a file's Fd: that makes the listener itself block, and closing it would wait for a client.
	var sent error
	err = raw.Control(func(fd uintptr) { sent = m.send("FDSTORE=1\nFDNAME="+storedName, int(fd)) })
	return errors.Join(err, sent)
}

// watch tells the manager that serve lives, as long as alive says so.
func (m *manager) watch(ctx context.Context, alive func(context.Context) error) {
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil || every <= 0 {
		return
	}
	t := time.NewTicker(every / 3)
	defer t.Stop()
	for {
		if alive(ctx) == nil {
			m.tell(daemon.SdNotifyWatchdog)
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}
