package bus

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"aviary/upstream/lease"
)

// What is cheap to lose goes after its time, or with the server's memory, and is
// taken again soon after that.
func TestAnswersPass(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := natsServer(t, dir, -1)
	b := openBus(t, Config{URL: s.ClientURL(), AnswersTTL: time.Millisecond}) // a second at least
	put := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := b.Answers().Put(ctx, "a.question", []byte("answer"))
		return err
	}
	eventually(t, put)
	if value, _, err := b.Answers().Get(t.Context(), "a.question"); err != nil || string(value) != "answer" {
		t.Errorf("%q %v", value, err)
	}
	js, err := b.jetStream()
	must(err)
	stream, err := js.Stream(t.Context(), "KV_AVIARY_ANSWERS")
	must(err)
	if c := stream.CachedInfo().Config; c.Storage != jetstream.MemoryStorage || c.MaxAge != time.Second || c.MaxBytes != maxPassingBytes || c.Discard != jetstream.DiscardOld {
		t.Errorf("%+v", c)
	}
	eventually(t, func() error {
		if _, _, err := b.Answers().Get(t.Context(), "a.question"); !errors.Is(err, lease.ErrNone) {
			return fmt.Errorf("the key is still there: %v", err)
		}
		return nil
	})
	port := s.Addr().(*net.TCPAddr).Port
	s.Shutdown()
	s.WaitForShutdown()
	if err := put(); err == nil {
		t.Error("a server that is away takes an answer")
	}
	natsServer(t, dir, port)
	eventually(t, put)
	if bare := openBus(t, Config{DataDir: t.TempDir()}); bare.Answers() != nil {
		t.Error("answers that nobody asked for")
	}
}
