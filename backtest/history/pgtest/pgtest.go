// Package pgtest starts a real PostgreSQL server for tests.
//
// In: nothing but an installed PostgreSQL (Debian's postgresql, or postgres and initdb on the PATH). Out:
// the URL of a server on loopback with a folder of its own, which Stop removes. It refuses to run as
// root, as PostgreSQL does, and takes the rights of nobody then. Where there is no PostgreSQL it says so
// with ErrNone.
package pgtest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
)

// ErrNone says that PostgreSQL is not installed.
var ErrNone = errors.New("PostgreSQL is not installed")

// Server is a running one.
type Server struct {
	dir  string
	port int
	cmd  *exec.Cmd
	made atomic.Int64
}

// program finds one of PostgreSQL's programs.
func program(name string) (string, error) {
	debian, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil {
		return "", err
	}
	if len(debian) > 0 {
		return slices.Max(debian), nil
	}
	p, err := exec.LookPath(name)
	if err != nil {
		return "", ErrNone
	}
	return p, nil
}

// Start starts a server on a free port.
func Start() (*Server, error) {
	initdb, err := program("initdb")
	if err != nil {
		return nil, err
	}
	postgres, err := program("postgres")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "backtester-postgres-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir}
	if err := s.start(initdb, postgres); err != nil {
		return nil, errors.Join(fmt.Errorf("start PostgreSQL: %w", err), s.Stop())
	}
	return s, nil
}

func (s *Server) start(initdb, postgres string) error {
	if err := own(s.dir); err != nil {
		return err
	}
	data := filepath.Join(s.dir, "data")
	init := exec.Command(initdb, "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	init.Dir = s.dir
	lower(init)
	if out, err := init.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.port = l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return err
	}
	s.cmd = exec.Command(postgres, "-D", data, "-p", strconv.Itoa(s.port), "-k", s.dir, "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200")
	s.cmd.Dir = s.dir
	name := filepath.Join(s.dir, "log")
	log, err := os.Create(name)
	if err != nil {
		return err
	}
	defer log.Close()
	s.cmd.Stdout, s.cmd.Stderr = log, log
	lower(s.cmd)
	if err := s.cmd.Start(); err != nil {
		return err
	}
	for range 600 { // a minute: machines that test are busy
		text, err := os.ReadFile(name)
		if err != nil || bytes.Contains(text, []byte("ready to accept connections")) {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New("it is not ready after a minute")
}

// URL of a database of the server.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres://tester@127.0.0.1:%d/%s?sslmode=disable", s.port, database)
}

// Fresh is a name that no database of the server has yet.
func (s *Server) Fresh() string { return fmt.Sprintf("test_%d", s.made.Add(1)) }

// Stop ends the server and removes what it had.
func (s *Server) Stop() error {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Signal(os.Interrupt) // a fast shutdown; it may be dead
		_ = s.cmd.Wait()
	}
	return os.RemoveAll(s.dir)
}
