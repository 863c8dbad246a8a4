package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const (
	clients   = 1000
	rate      = 100
	seconds   = 10
	frameSize = 3000
)

// delivery compares CPU per delivery with the bare loop of send() calls.
func (b *bench) delivery() error {
	var floor, ours, ratio []float64
	for range b.rounds {
		f, err := b.runFloor()
		if err != nil {
			return err
		}
		g, err := b.runFanout()
		if err != nil {
			return err
		}
		floor, ours, ratio = append(floor, f), append(ours, g), append(ratio, g/f)
	}
	fmt.Printf("%-62s %12.2f µs\n", "floor: one send() per delivery, C", median(floor))
	fmt.Printf("%-62s %12.2f µs\n", "aviary: CPU per delivery, 1,000 clients × 100 posts/s", median(ours))
	b.report("delivery against the floor", median(ratio), "×", 2.2, true)
	return nil
}

func (b *bench) runFloor() (float64, error) {
	cmd := exec.Command(b.floor, strconv.Itoa(clients), strconv.Itoa(rate), strconv.Itoa(seconds), strconv.Itoa(frameSize))
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	c, err := join("127.0.0.1:"+lines.Text(), "/", clients, 0)
	if err != nil {
		return 0, err
	}
	defer c.leave()
	lines.Scan()
	us, err := strconv.ParseFloat(strings.Fields(lines.Text() + " 0")[0], 64)
	if err != nil {
		return 0, err
	}
	return us, cmd.Wait()
}

func (b *bench) runFanout() (float64, error) {
	url, stop := upstream(rate)
	defer stop()
	g, err := b.startGateway(twitter(url)...)
	if err != nil {
		return 0, err
	}
	defer g.stop()
	c, err := join(g.addr, "/stream", clients, 0)
	if err != nil {
		return 0, err
	}
	defer c.leave()
	time.Sleep(2 * time.Second)
	frames, cpu := c.frames.Load(), g.cpu()
	time.Sleep(seconds * time.Second)
	delivered := c.frames.Load() - frames
	if delivered < clients*rate*seconds*9/10 {
		return 0, fmt.Errorf("only %d of %d deliveries came", delivered, clients*rate*seconds)
	}
	return (g.cpu() - cpu) / float64(delivered), nil
}

// slow compares the others' p99 with and without a client that stops reading.
func (b *bench) slow() error {
	var with, without []float64
	var told string
	for range b.rounds {
		calm, _, _, err := b.runSlow(false)
		if err != nil {
			return err
		}
		stalled, rss, fate, err := b.runSlow(true)
		if err != nil {
			return err
		}
		with, without = append(with, stalled.Seconds()*1000), append(without, calm.Seconds()*1000)
		told = fmt.Sprintf("%s; gateway at %.0f MiB", fate, rss/1024)
	}
	fmt.Printf("%-62s %12.2f ms\n", "p99 of 199 clients, nobody stalled", median(without))
	fmt.Printf("%-62s %12.2f ms\n", "p99 of 199 clients, one stops reading, 30 MB pushed", median(with))
	b.report("p99 with against without", median(with)/median(without), "×", 1.3, true)
	fmt.Printf("the stalled client: %s\n", told)
	return nil
}

// runSlow pushes 30 MB in 3 KB posts to 200 clients at 250 posts a second.
func (b *bench) runSlow(stall bool) (p99 time.Duration, rss float64, fate string, err error) {
	const rate, posts = 250, 10_000
	url, stop := upstream(rate)
	defer stop()
	g, err := b.startGateway(append(twitter(url), "AVIARY_WRITE_TIMEOUT=5s")...)
	if err != nil {
		return 0, 0, "", err
	}
	defer g.stop()
	c, err := join(g.addr, "/stream", 199, 199)
	if err != nil {
		return 0, 0, "", err
	}
	last, err := dial(g.addr, "/stream") // the 200th
	if err != nil {
		return 0, 0, "", err
	}
	defer last.Close()
	if !stall {
		calm := &crowd{}
		calm.wg.Go(func() { calm.count(last) })
	}
	time.Sleep(posts / rate * time.Second)
	rss = g.rss()
	c.leave()
	if stall {
		fate = drained(last)
	}
	return c.percentile(99), rss, fate, nil
}

// drained reads what the kernel still holds for the stalled client and says how
// its stream ended.
func drained(conn interface {
	Read([]byte) (int, error)
	SetReadDeadline(time.Time) error
}) string {
	conn.SetReadDeadline(time.Now().Add(2 * time.Second))
	buf, total := make([]byte, 64<<10), 0
	for {
		n, err := conn.Read(buf)
		total += n
		if os.IsTimeout(err) {
			return fmt.Sprintf("still open after %d KB", total/1024)
		}
		if err != nil {
			return fmt.Sprintf("closed by the gateway (%v) after %d KB", err, total/1024)
		}
	}
}

// idle is the resident memory that each quiet client costs.
func (b *bench) idle() error {
	const n = 4000
	url, stop := upstream(0)
	defer stop()
	g, err := b.startGateway(append(twitter(url), "AVIARY_HEARTBEAT=5s")...)
	if err != nil {
		return err
	}
	defer g.stop()
	warm, err := join(g.addr, "/stream", 50, 0)
	if err != nil {
		return err
	}
	warm.leave()
	before := g.rss()
	c, err := join(g.addr, "/stream?track=golang", n, 0)
	if err != nil {
		return err
	}
	defer c.leave()
	time.Sleep(12 * time.Second) // two heartbeats each
	b.report("memory per idle client (RSS, 4,000 clients)", (g.rss()-before)/n, "KiB", 36, true)
	return nil
}

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
	b.report("start to serving", median(took), "ms", 200, true)
	return nil
}

// size is that of the stripped binary.
func (b *bench) size() error {
	info, err := os.Stat(b.aviary)
	if err != nil {
		return err
	}
	b.report("stripped binary", float64(info.Size())/1e6, "MB", 20, true)
	return nil
}
