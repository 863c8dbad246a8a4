package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"aviary/upstream/twitter/sim"
)

// simulate is `aviary sim`: the simulator alone, until it is asked to stop.
func simulate(ctx context.Context, p *program) int {
	flags := flag.NewFlagSet("sim", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	address := flags.String("addr", "127.0.0.1:8090", "")
	rate := flags.Float64("rate", sim.DefaultRate, "")
	seed := flags.Uint64("seed", simSeed, "")
	script := flags.String("faults", "", "")
	if err := flags.Parse(p.args); err != nil {
		return misused(p, "sim", err.Error())
	}
	faults, err := sim.ParseFaults(*script)
	switch {
	case flags.NArg() > 0:
		return misused(p, "sim", fmt.Sprintf("does not know %q", flags.Arg(0)))
	case !(*rate >= 0 && *rate <= 1e6):
		return misused(p, "sim", "-rate takes a number of posts per second from 0 to 1000000")
	case err != nil:
		return misused(p, "sim", "-faults: "+err.Error())
	}
	listener, err := p.open("-addr "+*address, *address)
	if err != nil {
		fmt.Fprintf(p.err, "aviary sim: %v\n", err)
		return exitFailed
	}
	fake := sim.New(sim.Config{Rate: *rate, Seed: *seed, Faults: faults})
	return serveSim(ctx, p, fake, listener)
}

// serveSim prints the settings that point a gateway at the simulator and serves.
func serveSim(ctx context.Context, p *program, fake *sim.Server, listener net.Listener) int {
	fmt.Fprintln(p.out, "# A fake Twitter: nothing it sends was written by a person. These settings point a gateway at it:")
	for _, line := range fake.Settings("http://" + localAddress(listener.Addr().String())) {
		fmt.Fprintln(p.out, line)
	}
	web := &http.Server{Handler: fake, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(listener) }()
	var err error
	select {
	case <-ctx.Done():
	case <-p.signals:
	case err = <-ended:
	}
	_ = fake.Close()
	_ = web.Close()
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		fmt.Fprintf(p.err, "aviary sim: %v\n", err)
		return exitFailed
	}
	return exitOK
}
