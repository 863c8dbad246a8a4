package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"aviary/fanout/filter"
)

// Exit codes of the program.
const (
	exitOK       = 0 // asked to stop, and stopped
	exitFailed   = 1 // failed while running, or told twice to stop
	exitSettings = 2 // settings or command line wrong; nothing was opened
)

// program is all of the world that the program touches, so that a test can
// stand in for it.
type program struct {
	args    []string // without the program's name
	environ []string // "NAME=value" each
	listen  func(network, address string) (net.Listener, error)
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	out     io.Writer // what a command prints
	err     io.Writer // the log, and what went wrong

	signals     <-chan os.Signal    // SIGINT, SIGTERM, SIGHUP; nil: none come
	outTerminal bool                // out is a terminal
	errTerminal bool                // err is a terminal
	descriptors func() (int, error) // raises and returns the descriptor limit; nil: no limit
	memoryLimit func(bytes int64)   // sets the soft memory limit; nil: leave it
}

func main() {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	os.Exit(run(context.Background(), &program{
		args:        os.Args[1:],
		environ:     os.Environ(),
		listen:      listen,
		dial:        new(net.Dialer).DialContext,
		out:         os.Stdout,
		err:         os.Stderr,
		signals:     signals,
		outTerminal: isTerminal(os.Stdout),
		errTerminal: isTerminal(os.Stderr),
		descriptors: raiseDescriptorLimit,
		memoryLimit: func(bytes int64) { debug.SetMemoryLimit(bytes) },
	}))
}

// listen is net.Listen without TCP keep-alives, which would cost each connection
// four system calls: streams have heartbeats, other connections an idle timeout,
// and TCP_USER_TIMEOUT ends those on which nobody answers. Not with Multipath TCP,
// whose sockets take neither that option nor a filter (Linux 6.18).
func listen(network, address string) (net.Listener, error) {
	config := net.ListenConfig{KeepAlive: -1}
	config.SetMultipathTCP(false)
	return config.Listen(context.Background(), network, address)
}

// command is one of the program's commands.
type command struct {
	name string
	args string // for the usage text
	does string
	help string
	run  func(context.Context, *program) int // program.args are the command's own
}

// commands returns the commands in the order of the usage text.
func commands() []command {
	return []command{
		{"serve", "", "the gateway; what happens without a command", serveHelp, serve},
		{"sim", "[-addr 127.0.0.1:8090] [-rate 10] [-seed 1] [-faults script]", "the simulator alone: a fake Twitter on the real wire", simHelp, simulate},
		{"tail", "URL [-n N]", "follows a gateway's stream in a terminal", tailHelp, tail},
		{"bench", "URL … [-n 100] [-for 10s] [-warm 1s] [-pid PID]", "loads a gateway with many streams and says what came, and how late", benchHelp, bench},
		{"env", "[-md|-check]", "every setting, its default and its value", envHelp, printSettings},
		{"healthcheck", "", "exits 0 if the local gateway answers", healthcheckHelp, healthcheck},
		{"version", "", "version, commit, Go version", versionHelp, printVersion},
	}
}

// run is the whole program; it returns the exit code. It ends when its command
// does, when ctx does, or when signals say so.
func run(ctx context.Context, p *program) int {
	name := "serve"
	if len(p.args) > 0 {
		name, p.args = p.args[0], p.args[1:]
	}
	help := slices.ContainsFunc(p.args, asksForHelp)
	if name == "help" && len(p.args) > 0 {
		help, name, p.args = true, p.args[0], nil
	}
	if name == "help" || asksForHelp(name) {
		usage(p.out)
		return exitOK
	}
	var names []string
	for _, c := range commands() {
		switch {
		case c.name == name && help:
			c.usage(p.out)
			return exitOK
		case c.name == name:
			return c.run(ctx, p)
		}
		names = append(names, c.name)
	}
	fmt.Fprintf(p.err, "aviary: there is no command %q", name)
	if near := filter.Nearest(name, names); near != "" {
		fmt.Fprintf(p.err, "; did you mean %s?", near)
	}
	fmt.Fprintf(p.err, "\nIt has %s; `aviary help` says what they do.\n", strings.Join(names, ", "))
	return exitSettings
}

// isTerminal reports whether a person reads the file: a character device, and
// not the null device, which is one too.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
