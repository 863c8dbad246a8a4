package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// Measurements of aviary alone, each with a bound.

// ingest replays a file as fast as it goes.
func (b *bench) ingest() error {
	const n = 100_000
	path := b.dir + "/posts.ndjson"
	if err := writeCapture(path, n); err != nil {
		return err
	}
	var speed []float64
	for range b.rounds {
		began := time.Now()
		g, err := b.startGateway("AVIARY_SOURCE=file", "AVIARY_FILE="+path, "AVIARY_FILE_RATE=max")
		if err != nil {
			return err
		}
		for {
			status, err := g.get("/status")
			if err != nil {
				g.stop()
				return err
			}
			if strings.Contains(status, `"halted"`) {
				break
			}
			if time.Since(began) > time.Minute {
				g.stop()
				return fmt.Errorf("the file was not read within a minute: %s", status)
			}
			time.Sleep(5 * time.Millisecond)
		}
		speed = append(speed, n/time.Since(began).Seconds())
		g.stop()
	}
	b.found.add("alone", "ingest", "aviary", median(speed))
	b.report("FILE_RATE=max into the history, process start included", median(speed), "posts/s", 30_000, false)
	return nil
}

// start is the time from exec to the first 200 of /healthz.
func (b *bench) start() error {
	var took []float64
	for range 10 {
		began := time.Now()
		g, err := b.startGateway()
		if err != nil {
			return err
		}
		took = append(took, time.Since(began).Seconds()*1000)
		g.stop()
	}
	b.found.add("alone", "start", "aviary", median(took))
	b.report("start to serving", median(took), "ms", 200, true)
	return nil
}

// size is that of the stripped binary, of which an embedded NATS server may be 13 MB.
func (b *bench) size() error {
	info, err := os.Stat(b.aviary)
	if err != nil {
		return err
	}
	b.found.add("alone", "size", "aviary", float64(info.Size())/1e6)
	b.report("stripped binary", float64(info.Size())/1e6, "MB", 33, true)
	return nil
}
