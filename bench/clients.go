package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// crowd is a number of open streams that are read as fast as they come.
type crowd struct {
	conns  []net.Conn
	wg     sync.WaitGroup
	frames atomic.Int64 // blank lines seen: events
	mu     sync.Mutex
	ages   []time.Duration // owned by mu: of every post the timed readers got
}

// join opens n streams of path at addr. The first timed of them look at every
// post's age, the others only count.
func join(addr, path string, n, timed int) (*crowd, error) {
	c := &crowd{}
	for i := range n {
		conn, err := dial(addr, path)
		if err != nil {
			c.leave()
			return nil, fmt.Errorf("client %d: %w", i, err)
		}
		c.conns = append(c.conns, conn)
		read := c.count
		if i < timed {
			read = c.time
		}
		c.wg.Go(func() { read(conn) })
	}
	return c, nil
}

func dial(addr, path string) (net.Conn, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\n\r\n", path, addr)
	return conn, err
}

func (c *crowd) count(conn net.Conn) {
	buf := make([]byte, 16<<10)
	last := byte(0)
	for {
		n, err := conn.Read(buf)
		if n > 0 {
			frames := bytes.Count(buf[:n], []byte("\n\n"))
			if last == '\n' && buf[0] == '\n' {
				frames++
			}
			last = buf[n-1]
			c.frames.Add(int64(frames))
		}
		if err != nil {
			return
		}
	}
}

func (c *crowd) time(conn net.Conn) {
	r := bufio.NewReaderSize(conn, 64<<10)
	var ages []time.Duration
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			break
		}
		if len(line) == 1 {
			c.frames.Add(1)
		}
		if at := bytes.Index(line, []byte("sent=")); at > 0 {
			ns, _ := strconv.ParseInt(string(line[at+5:at+24]), 10, 64)
			ages = append(ages, time.Since(time.Unix(0, ns)))
		}
	}
	c.mu.Lock()
	c.ages = append(c.ages, ages...)
	c.mu.Unlock()
}

// leave closes all streams and waits for their readers.
func (c *crowd) leave() {
	for _, conn := range c.conns {
		conn.Close()
	}
	c.wg.Wait()
}

// percentile is valid after leave.
func (c *crowd) percentile(p float64) time.Duration {
	if len(c.ages) == 0 {
		return 0
	}
	slices.Sort(c.ages)
	return c.ages[min(int(float64(len(c.ages))*p/100), len(c.ages)-1)]
}
