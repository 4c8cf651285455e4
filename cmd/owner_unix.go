//go:build unix

package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// becomeOwner gives up root for the owner of a folder, for the rest of the process: files that root makes
// in a folder of the service could not be written by the service. Who is not root stays who they are.
func becomeOwner(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nobody owns it yet
	}
	if err != nil {
		return fmt.Errorf("find the owner of %s: %w", dir, err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	if owner.Uid == 0 {
		return nil
	}
	err = syscall.Setgroups([]int{int(owner.Gid)})
	if err == nil {
		err = syscall.Setgid(int(owner.Gid))
	}
	if err == nil {
		err = syscall.Setuid(int(owner.Uid))
	}
	if err != nil {
		return fmt.Errorf("become the owner of %s, user %d: %w", dir, owner.Uid, err)
	}
	syscall.Umask(0o077)
	return nil
}
