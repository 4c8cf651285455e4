//go:build unix

package cmd

import (
	"errors"
	"net"
	"path/filepath"
	"testing"
	"time"
)

func TestListensAt(t *testing.T) {
	tcp := func(ip string, port int) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: port} }
	for _, c := range []struct {
		have       net.Addr
		host, port string
		want       bool
	}{
		{tcp("127.0.0.1", 5000), "127.0.0.1", "5000", true},
		{tcp("127.0.0.1", 5000), "127.0.0.1", "0", true},
		{tcp("127.0.0.1", 5000), "127.0.0.1", "5001", false},
		{tcp("127.0.0.1", 5000), "127.0.0.2", "5000", false},
		{tcp("127.0.0.1", 5000), "0.0.0.0", "5000", false},
		{tcp("::", 5000), "0.0.0.0", "5000", true},
		{tcp("::1", 5000), "::1", "5000", true},
		{tcp("127.0.0.1", 5000), "unix:/run/x", "5000", false},
		{&net.UnixAddr{Name: "/run/x", Net: "unix"}, "unix:/run/x", "5000", true},
		{&net.UnixAddr{Name: "/run/x", Net: "unix"}, "127.0.0.1", "5000", false},
	} {
		if got := listensAt(c.have, c.host, c.port); got != c.want {
			t.Errorf("%v for %s port %s: %v", c.have, c.host, c.port, got)
		}
	}
}

// The manager gets the listener itself, with its name, and the listener can still be closed while somebody
// waits for a connection.
func TestManagerKeepsTheListener(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &app{io: IO{Environ: []string{"NOTIFY_SOCKET=" + path}}}
	if err := a.manager().keep(l); err != nil {
		t.Fatal(err)
	}
	text, rights := make([]byte, 100), make([]byte, 100)
	n, r, _, _, err := manager.ReadMsgUnix(text, rights)
	if err != nil || string(text[:n]) != "FDSTORE=1\nFDNAME=http" || r == 0 {
		t.Fatalf("the manager got %q, %d bytes of rights, %v", text[:n], r, err)
	}
	ended := make(chan error, 1)
	go func() { _, err := l.Accept(); ended <- err }()
	time.Sleep(50 * time.Millisecond)
	l.Close()
	select {
	case err := <-ended:
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("accept: %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("closing the listener does not wake who accepts")
	}
}
