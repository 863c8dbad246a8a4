package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

// version and commit are set by `make build`; a plain `go build` or `go run`
// in a checkout leaves them to what the Go tool recorded.
var (
	version = "dev"
	commit  = ""
)

// revision is the commit the program was built from, or "unknown".
func revision() string {
	if commit != "" {
		return commit
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return "unknown"
}

func printVersion(_ context.Context, p *program) int {
	if len(p.args) > 0 {
		return misused(p, "version", "takes no arguments")
	}
	fmt.Fprintf(p.out, "aviary %s, commit %s, %s %s/%s\n", version, revision(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return exitOK
}

// misused says how a command is called; the exit code is that of wrong settings.
func misused(p *program, name, what string) int {
	fmt.Fprintf(p.err, "aviary %s: %s\n", name, what)
	for _, c := range commands() {
		if c.name == name {
			fmt.Fprintf(p.err, "usage: %s\n", c.line())
		}
	}
	return exitSettings
}
