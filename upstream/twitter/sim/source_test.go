package sim

import (
	"context"
	"errors"
	"maps"
	"sync"
	"testing"
	"time"

	"aviary/fanout"
	"aviary/upstream"
	"aviary/upstream/twitter"
)

// inbox is a sink that counts.
type inbox struct {
	mu      sync.Mutex
	kinds   map[fanout.Kind]int
	dropped map[string]int
	bytes   int
}

func (b *inbox) Alive(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bytes += n
}

func (b *inbox) Emit(e *fanout.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kinds[e.Kind]++
}

func (b *inbox) Drop(reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dropped[reason]++
}

func (b *inbox) wait(t *testing.T, enough func(*inbox) bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		b.mu.Lock()
		ok, kinds := enough(b), maps.Clone(b.kinds)
		b.mu.Unlock()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("never came: %v", kinds)
		}
	}
}

// The gateway's own client and this server understand each other over TCP:
// signature, gzip, framing, notices, and the end that was announced.
func TestWithTheGatewaysClient(t *testing.T) {
	// A busy machine may read more slowly than that, which is not what this is about.
	s, base := overTCP(t, Config{Rate: 2000, Seed: 1, Queue: 1 << 20})
	source, err := twitter.New(twitter.Config{
		StreamURL: base, Track: DefaultTrack, UserAgent: "aviary/test",
		Credentials: func() (twitter.Credentials, error) { return twitter.Credentials(DefaultCredentials), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	in := &inbox{kinds: map[fanout.Kind]int{}, dropped: map[string]int{}}
	ended := make(chan error, 1)
	go func() { ended <- source.Stream(context.Background(), in) }()
	in.wait(t, func(b *inbox) bool { return b.kinds[fanout.KindPost] > 300 && b.kinds[fanout.KindDelete] > 0 })
	in.mu.Lock()
	if len(in.dropped) > 0 {
		t.Errorf("dropped %v", in.dropped)
	}
	in.mu.Unlock()
	if err := s.Do("garbage\nlimit 5\ndisconnect 7"); err != nil {
		t.Fatal(err)
	}
	err = <-ended
	var failure *upstream.Error
	if !errors.As(err, &failure) || failure.Class != upstream.Fatal {
		t.Errorf("ended with %v", err)
	}
	// Stream has returned: nothing writes any more.
	if in.kinds[fanout.KindLimit] != 1 || in.kinds[fanout.KindDisconnect] != 1 || in.dropped["malformed"] < 5 {
		t.Errorf("got %v, dropped %v", in.kinds, in.dropped)
	}
}
