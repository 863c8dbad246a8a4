package bus

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// longWay is a TCP proxy on which every byte takes so long each way; it returns its address.
func longWay(t *testing.T, to string, each time.Duration) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	t.Cleanup(func() { _ = l.Close() })
	carry := func(to io.WriteCloser, from io.Reader) {
		type parcel struct {
			bytes []byte
			due   time.Time
		}
		way := make(chan parcel, 10_000)
		go func() {
			defer to.Close()
			for p := range way {
				time.Sleep(time.Until(p.due))
				_, _ = to.Write(p.bytes)
			}
		}()
		defer close(way)
		for {
			b := make([]byte, 32<<10)
			n, err := from.Read(b)
			if err != nil {
				return
			}
			way <- parcel{b[:n], time.Now().Add(each)}
		}
	}
	go func() {
		for {
			here, err := l.Accept()
			if err != nil {
				return
			}
			there, err := net.Dial("tcp", to)
			if err != nil { // the test is over
				_ = here.Close()
				return
			}
			go carry(there, here)
			go carry(here, there)
		}
	}()
	return l.Addr().String()
}

// Servers on which nobody can hold a lease can be used, but not without a word.
func TestServersAreTooFarAway(t *testing.T) {
	t.Parallel()
	s := natsServer(t, t.TempDir())
	b := openBus(t, Config{URL: "nats://" + longWay(t, strings.TrimPrefix(s.ClientURL(), "nats://"), 40*time.Millisecond), LeaseTTL: 400 * time.Millisecond})
	eventually(t, func() error {
		if s := b.Status(); !s.Connected || !strings.Contains(s.Error, "too late") || s.Hint == "" {
			return errors.New("it says nothing: " + s.Error)
		}
		return nil
	})
}
