package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// asksForHelp reports whether an argument asks what a command is for.
func asksForHelp(arg string) bool {
	return slices.Contains([]string{"-h", "-help", "--help"}, arg)
}

// usage says what the program can do.
func usage(w io.Writer) {
	fmt.Fprint(w, "aviary: one upstream stream of posts in, thousands of filtered live feeds out\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %s\n      %s\n", c.line(), c.does)
	}
	fmt.Fprint(w, "\nWithout a command it is serve. `aviary COMMAND --help` says more of each.\n"+
		"Settings come from the environment; `aviary env` lists them.\n")
}

// line is how the command is called.
func (c command) line() string { return strings.TrimSpace("aviary " + c.name + " " + c.args) }

// usage says what the command does, and how.
func (c command) usage(w io.Writer) { fmt.Fprintf(w, "usage: %s\n\n%s", c.line(), c.help) }

const serveHelp = `The gateway: reads posts from AVIARY_SOURCE, which is simulated data unless it is
set, and serves them on AVIARY_LISTEN. It takes no arguments: settings come from
the environment. ` + "`aviary env`" + ` lists them, ` + "`aviary env -check`" + ` says what is wrong.

SIGTERM, SIGINT  says goodbye to every client and ends, within AVIARY_DRAIN;
                 a second one ends it at once
SIGHUP           reads secret and TLS files again, and leaves a halt

Exit code 0: it was asked to stop. 1: it failed while running, or was asked twice to
stop. 2: settings are wrong; all problems were printed, and nothing was opened.
`

const simHelp = `A fake Twitter with the streams and searches of v1.1 and v2, whose posts are made
up. It prints the settings that point a gateway at it, and runs until it is stopped.

  -addr HOST:PORT  where it listens
  -rate N          posts a second, 0 to 1000000
  -seed N          the same number makes the same posts
  -faults SCRIPT   what goes wrong, and when, one order a line, such as
                       after 5m  drop
                                 status 503 for 20s
                       loop
                   ` + "`go doc aviary/upstream/twitter/sim`" + ` has the language.

Exit code 0: it was asked to stop. 1: the address cannot be had. 2: the command
line is wrong.
`

const tailHelp = `Shows a stream of a gateway in a terminal, one readable line a post. It reconnects and
goes on where it was. Notes about the connection begin with --.

  URL   what goes without saying may be left out: localhost:8080 is
        http://localhost:8080/stream. Filters stand in the URL, in quotes:
        'localhost:8080/stream?track=football'. /search/pages can be followed too
  -n N  ends after N posts

There is colour on a terminal, unless NO_COLOR is set.

Exit code 0: it was stopped, or there is no more. 1: the gateway refuses. 2: the
command line is wrong.
`

const envHelp = `Every setting with its type, default and value, as the gateway would find it in this
environment; secrets are masked. What is wrong is printed too.

  -check  only says what is wrong
  -md     the table of the README, whatever the environment

Exit code 0: the settings are right. 2: some are wrong.
`

const healthcheckHelp = `Asks the gateway that runs on this machine with the same AVIARY_LISTEN for /healthz:
for images that have no shell and no curl.

Exit code 0: it answers. 1: it does not. 2: AVIARY_LISTEN is wrong.
`

const versionHelp = `Version, commit, Go version, system.
`
