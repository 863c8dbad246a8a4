package bus

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

// A stream that somebody changes while it is in use so that it takes nothing more:
// what can be changed back is, and what cannot shows as long as messages wait.
func TestStreamIsChangedInUse(t *testing.T) {
	t.Parallel()
	s := natsServer(t, t.TempDir())
	b := openBus(t, Config{URL: s.ClientURL()})
	n := follow(t, b)
	publish(t, b, 5, testPost(t, 1))
	js, err := b.jetStream()
	must(err)
	change := func(how func(*jetstream.StreamConfig)) {
		t.Helper()
		stream, err := js.Stream(t.Context(), b.config.Name)
		must(err)
		c := stream.CachedInfo().Config
		how(&c)
		_, err = js.UpdateStream(t.Context(), c)
		must(err)
	}
	p := b.Publisher(6, always)
	defer p.Close()
	change(func(c *jetstream.StreamConfig) { c.Subjects = []string{"elsewhere"} })
	must(p.Publish(testPost(t, 2)))
	n.expect(t, "1 2")
	change(func(c *jetstream.StreamConfig) { c.MaxMsgSize, c.NoAck = 10, true })
	must(p.Publish(testPost(t, 3)))
	n.expect(t, "1 2 3")

	change(func(c *jetstream.StreamConfig) { c.Sealed = true })
	must(p.Publish(testPost(t, 4)))
	eventually(t, func() error { // it may still say so of the message before
		if s := b.Status(); s.Connected || s.Hint == "" {
			return errors.New("the bus does not say that messages are not stored")
		}
		if err := b.waits(); err == nil || !strings.Contains(err.Error(), "sealed") {
			return fmt.Errorf("why messages wait: %w", err)
		}
		return nil
	})
	must(js.DeleteStream(t.Context(), b.config.Name))
	n.expect(t, "4")
	eventually(t, func() error {
		if s := b.Status(); !s.Connected {
			return errors.New("the bus is not well again: " + s.Error)
		}
		return nil
	})
}
