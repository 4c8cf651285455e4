package cmd

import (
	"bytes"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// letGoOfProgram takes the pages of the program itself out of this process that it does not need while it
// rests. They stay in the cache of the system, from where those that are needed again come back at once.
// Only what the system says nobody ever wrote to is let go: it is read from the same file again.
func letGoOfProgram() error {
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return err
	}
	var from, to uintptr // of the mapping whose lines are being read
	for line := range bytes.Lines(maps) {
		words := strings.Fields(string(line))
		if len(words) >= 6 && strings.Contains(words[0], "-") && !strings.HasSuffix(words[0], ":") {
			from, to = 0, 0
			if words[5] == self && (words[1] == "r-xp" || words[1] == "r--p") {
				first, last, _ := strings.Cut(words[0], "-")
				a, errA := strconv.ParseUint(first, 16, 64)
				b, errB := strconv.ParseUint(last, 16, 64)
				if errA == nil && errB == nil {
					from, to = uintptr(a), uintptr(b)
				}
			}
			continue
		}
		if len(words) == 3 && words[0] == "Anonymous:" && words[1] == "0" && to > from {
			if _, _, errno := unix.Syscall(unix.SYS_MADVISE, from, to-from, unix.MADV_DONTNEED); errno != 0 {
				return errno
			}
			from, to = 0, 0
		}
	}
	return nil
}
