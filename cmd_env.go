package main

import (
	"context"
	"fmt"
	"io"
)

// printSettings is `aviary env`.
func printSettings(_ context.Context, p *program) int {
	mode := ""
	for _, arg := range p.args {
		switch arg {
		case "-md", "--md":
			mode += "md"
		case "-check", "--check":
			mode += "check"
		default:
			return misused(p, "env", fmt.Sprintf("does not know %q", arg))
		}
	}
	_, found := load(p.environ)
	switch mode {
	case "md":
		writeMarkdown(p.out)
		return exitOK
	case "check":
		if len(found) == 0 {
			fmt.Fprintln(p.out, "aviary: the settings are right")
		}
	case "":
		writeSettings(p.out, p.environ)
	default:
		return misused(p, "env", "takes one of -md and -check")
	}
	if len(found) > 0 {
		found.write(p.err)
		return exitSettings
	}
	return exitOK
}

// write prints all problems, one a line.
func (p problems) write(w io.Writer) {
	what := "setting is wrong"
	if len(p) > 1 {
		what = "settings are wrong"
	}
	fmt.Fprintf(w, "aviary: %d %s; nothing was started\n", len(p), what)
	for _, problem := range p {
		fmt.Fprintf(w, "  %s\n", problem)
	}
}
