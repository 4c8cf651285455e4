//go:build !unix

package bucket

import "os"

// flock is left to the user where the system has no advisory locks: one fetch at a time.
func flock(*os.File) error { return nil }

// syncDir is not needed where folders cannot be synced.
func syncDir(string) error { return nil }
