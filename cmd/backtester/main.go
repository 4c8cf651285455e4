// Command backtester: see package cmd.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"backtester/cmd"
)

// The build sets both: -ldflags "-X main.version=... -X main.revision=..."
var (
	version  = "development"
	revision = ""
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	// The collector runs whenever the heap has doubled, which from next to nothing is all the time. Memory
	// that is never touched costs nothing and lets it wait; for large heaps it makes no difference.
	ballast := make([]byte, cmd.Ballast)
	streams := cmd.System()
	streams.Revision = revision
	code := cmd.Main(ctx, os.Args[1:], streams, version)
	stop()
	runtime.KeepAlive(ballast)
	os.Exit(code)
}
