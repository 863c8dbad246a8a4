package bus

import (
	"context"
	"errors"
	"fmt"
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
	s := natsServer(t, dir)
	way := newProxy(t, s.ClientURL())
	b := openBus(t, Config{URL: way.url(), AnswersTTL: time.Millisecond}) // a second at least
	put := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := b.Answers().Put(ctx, "a.question", []byte("answer"))
		return err
	}
	eventually(t, func() error { // a busy machine may be too slow to find it the first time
		if err := put(); err != nil {
			return err
		}
		value, _, err := b.Answers().Get(t.Context(), "a.question")
		if err == nil && string(value) != "answer" {
			t.Errorf("%q", value)
		}
		return err
	})
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
	s.Shutdown()
	s.WaitForShutdown()
	if err := put(); err == nil {
		t.Error("a server that is away takes an answer")
	}
	way.lead(host(t, natsServer(t, dir).ClientURL()))
	eventually(t, put)
	if bare := openBus(t, Config{DataDir: t.TempDir()}); bare.Answers() != nil {
		t.Error("answers that nobody asked for")
	}
}
