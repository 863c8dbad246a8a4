package bus

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// What somebody else made under aviary's names and cannot be changed is told with what
// to do about it, and is not used; once it is gone all goes on.
func TestForeignStreams(t *testing.T) {
	t.Parallel()
	s := natsServer(t, t.TempDir())
	for _, c := range []struct {
		name        string
		config      jetstream.StreamConfig
		error, hint string
	}{
		{"in memory", jetstream.StreamConfig{Name: "one", Subjects: []string{"one.>"}, Storage: jetstream.MemoryStorage}, "in memory", "nats stream rm"},
		{"leases in memory", jetstream.StreamConfig{Name: "KV_TWO_LEASE", Subjects: []string{"$KV.TWO_LEASE.>"}, Storage: jetstream.MemoryStorage}, "in memory", "nats stream rm"},
		{"a queue", jetstream.StreamConfig{Name: "three", Subjects: []string{"three.>"}, Retention: jetstream.WorkQueuePolicy}, "retention", "nats stream rm"},
		{"deletes are denied", jetstream.StreamConfig{Name: "four", Subjects: []string{"four.>"}, DenyDelete: true}, "deletes", "nats stream rm"},
		{"its subjects are taken", jetstream.StreamConfig{Name: "other", Subjects: []string{"five.ev"}}, "overlap", "five."},
	} {
		t.Run(c.name, func(t *testing.T) {
			nc, err := nats.Connect(s.ClientURL())
			must(err)
			defer nc.Close()
			js, err := jetstream.New(nc)
			must(err)
			_, err = js.CreateStream(t.Context(), c.config)
			must(err)
			name := c.config.Name
			switch {
			case name == "other":
				name = "five"
			case strings.HasPrefix(name, "KV_"):
				name = "two"
			}
			b, err := Open(context.Background(), testConfig(Config{URL: s.ClientURL(), Name: name}))
			must(err)
			defer b.Close()
			eventually(t, func() error {
				if s := b.Status(); s.Connected || !strings.Contains(s.Error, c.error) || !strings.Contains(s.Hint, c.hint) {
					return errors.New("told: " + s.Error + ": " + s.Hint)
				}
				return nil
			})
			select {
			case <-b.Ready():
				t.Error("it is used")
			default:
			}
			must(js.DeleteStream(t.Context(), c.config.Name))
			select {
			case <-b.Ready():
			case <-time.After(20 * time.Second):
				t.Errorf("it is gone, and still: %+v", b.Status())
			}
		})
	}
}

// An account that may not hold what is published, or not publish at all, is told by
// what has to be changed there.
func TestAccountTakesNothing(t *testing.T) {
	t.Parallel()
	s := natsServer(t, t.TempDir())
	limit := func(bytes int64) { // the server keeps the map
		must(s.GlobalAccount().UpdateJetStreamLimits(map[string]server.JetStreamAccountLimits{"": {MaxMemory: -1, MaxStore: bytes, MaxStreams: -1, MaxConsumers: -1}}))
	}
	limit(40_000)
	b := openBus(t, Config{URL: s.ClientURL()})
	p := b.Publisher(1, always)
	defer p.Close()
	for n := range 200 {
		must(p.Publish(testPost(t, n)))
	}
	eventually(t, func() error {
		if s := b.Status(); s.Connected || !strings.Contains(s.Hint, "full") || !strings.Contains(s.Hint, "limits") {
			return errors.New("told: " + s.Error + ": " + s.Hint)
		}
		return nil
	})
	limit(-1)
	must(p.Flush(t.Context()))
	eventually(t, func() error {
		if s := b.Status(); !s.Connected {
			return errors.New("told: " + s.Error)
		}
		return nil
	})
}

// A user that may ask, but not publish: what it lacks is told, not that the disk may be full.
func TestUserMayNotPublish(t *testing.T) {
	t.Parallel()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir(),
		Users: []*server.User{{Username: "u", Password: "p", Permissions: &server.Permissions{Publish: &server.SubjectPermission{Deny: []string{"aviary.>"}}}}}})
	must(err)
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("no server")
	}
	b := openBus(t, Config{URL: "nats://u:p@" + s.Addr().String()})
	p := b.Publisher(1, always)
	defer p.Close()
	must(p.Publish(testPost(t, 1)))
	eventually(t, func() error {
		if s := b.Status(); s.Connected || !strings.Contains(s.Error, "ermission") || !strings.Contains(s.Hint, "lacks a permission") {
			return errors.New("told: " + s.Error + ": " + s.Hint)
		}
		return nil
	})
}

// A node that never leads leaves the bounds that others have set: one with less memory
// must not cut everybody's history, nor one whose settings lack the replicas the copies.
func TestGuestLeavesTheBounds(t *testing.T) {
	t.Parallel()
	s := natsServer(t, t.TempDir())
	bounds := func(b *Bus) (events int64, age time.Duration) {
		js, err := b.jetStream()
		must(err)
		stream, err := js.Stream(t.Context(), b.config.Name)
		must(err)
		c := stream.CachedInfo().Config
		return c.MaxMsgsPerSubject, c.MaxAge
	}
	owner := Config{URL: s.ClientURL(), Events: 500, Age: 30 * 24 * time.Hour}
	guest := Config{URL: s.ClientURL(), Events: 10, Age: time.Hour, Guest: true}
	first := openBus(t, guest) // there is nothing yet to be left
	if events, _ := bounds(first); events != 10 {
		t.Errorf("made for %d events", events)
	}
	b := openBus(t, owner)
	publish(t, b, 1, posts(t, 1, 100)...)
	again := openBus(t, guest)
	if events, age := bounds(again); events != 500 || age != owner.Age+24*time.Hour {
		t.Errorf("a guest made it %d events for %v", events, age)
	}
	follow(t, again).expect(t, numbers(1, 100))
	three := Config{Replicas: 3, Events: 10, Age: time.Hour}.withDefaults()
	have := three.wanted(jetstream.StreamConfig{})
	one := Config{Guest: true}.withDefaults()
	if got := one.wanted(have); !same(got, have) {
		t.Errorf("a guest would make %+v of %+v", got, have)
	}
	k := (&Bus{config: one}).newBucket("lease", time.Second)
	if got := k.wanted(jetstream.StreamConfig{Name: "KV_X", Replicas: 3}).Replicas; got != 3 {
		t.Errorf("a guest would leave a bucket %d replicas", got)
	}
	lesser := owner
	lesser.Events = 50
	if events, _ := bounds(openBus(t, lesser)); events != 50 {
		t.Errorf("a node that may lead did not bring its setting: %d", events)
	}
}
