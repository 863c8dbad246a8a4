package bus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"aviary/fanout"
	"aviary/upstream/lease"
)

func posts(t testing.TB, from, to int) (list []*fanout.Event) {
	for i := from; i <= to; i++ {
		list = append(list, testPost(t, i))
	}
	return list
}

// What is published comes, in order, numbered and dated, to who reads already and
// to who comes later; a process that comes back finds epoch and sequences again.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := openBus(t, Config{DataDir: dir})
	live := follow(t, b)
	publish(t, b, 1, posts(t, 1, 50)...)
	publish(t, b, 2, testDelete(t, 7), testPost(t, 51))
	live.expect(t, numbers(1, 50)+" delete:7 51")
	epoch := b.Epoch()
	live.mu.Lock()
	ids := fmt.Sprint(func() (c []fanout.Cursor) {
		for _, e := range live.events {
			if e.ID.Epoch != epoch {
				t.Errorf("%v is not of epoch %d", e.ID, epoch)
			}
			c = append(c, e.ID)
		}
		return c
	}())
	received := live.events[3].Received
	live.mu.Unlock()
	live.stop()
	b.Close()

	b = openBus(t, Config{DataDir: dir})
	if b.Epoch() != epoch {
		t.Errorf("the epoch %d became %d", epoch, b.Epoch())
	}
	late := follow(t, b)
	late.filled(t)
	late.expect(t, numbers(1, 50)+" delete:7 51")
	late.mu.Lock()
	defer late.mu.Unlock()
	again := []fanout.Cursor{}
	for _, e := range late.events {
		again = append(again, e.ID)
	}
	if fmt.Sprint(again) != ids {
		t.Errorf("sequences\n%v\nbecame\n%v", ids, again)
	}
	if !late.events[3].Received.Round(0).Equal(received.Round(0)) {
		t.Errorf("received at %v became %v", received, late.events[3].Received)
	}
	if got := fmt.Sprint(late.markers); got != "[{1 test 1} {2 test 1}]" {
		t.Errorf("markers: %s", got)
	}
	if e := late.events[50]; !e.Seen || e.Aim == fanout.AimUnfiltered {
		t.Errorf("the delete does not say that its post was seen: %+v aim %v", e.Target, e.Aim)
	}
}

// A lower term is dropped by who was there and by who comes later, also when
// the messages that raised the term are no longer held.
func TestFence(t *testing.T) {
	t.Parallel()
	b := openBus(t, Config{DataDir: t.TempDir(), Events: 3})
	live := follow(t, b)
	old := b.Publisher(5, always)
	defer old.Close()
	mark(t, old, 5)
	publishAll(t, old, testPost(t, 1))
	fresh := b.Publisher(6, always)
	defer fresh.Close()
	mark(t, fresh, 6)
	publishAll(t, fresh, testPost(t, 2))
	live.expect(t, "1 2")
	publishAll(t, old, testPost(t, 3), testPost(t, 4), testPost(t, 5)) // all that is held: three events
	live.expect(t, "1 2")
	eventually(t, func() error {
		if got := b.Status().Stale; got != 3 {
			return fmt.Errorf("%d stale messages were counted, not 3", got)
		}
		return nil
	})
	live.expect(t, "1 2")
	if err := b.Delete(t.Context(), testDelete(t, 2)); err != nil { // no term, no fence
		t.Fatal(err)
	}
	live.expect(t, "1 2 delete:2")
	live.stop()

	late := &Source{bus: b, filled: make(chan struct{})}
	b.source = late
	b.begun()
	second := follow(t, b)
	second.filled(t)
	second.expect(t, "delete:2")
}

// begun makes the bus look as if nothing had been read.
func (b *Bus) begun() {
	b.last.Store(0)
	b.term.Store(0)
}

func mark(t testing.TB, p *Publisher, term uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	if err := p.Mark(ctx, lease.Marker{Term: term, Node: "test", Slot: 1}); err != nil {
		t.Fatal(err)
	}
}

func publishAll(t testing.TB, p *Publisher, events ...*fanout.Event) {
	t.Helper()
	for _, e := range events {
		if err := p.Publish(e); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

// Deleted posts, and what repeats their words, are overwritten in the store.
func TestErase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := openBus(t, Config{DataDir: dir})
	n := follow(t, b)
	p := b.Publisher(1, always)
	defer p.Close()
	mark(t, p, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go b.Lead(ctx, p)
	secret := decoded(t, rawPost(100, 1, "unrepeatablewords", 600))
	repost := decoded(t, []byte(strings.Replace(string(rawPost(101, 2, "RT unrepeatablewords", 600)), `"lang"`, `"retweeted_status":`+string(rawPost(100, 1, "unrepeatablewords", 600))+`,"lang"`, 1)))
	other := testPost(t, 102)
	publishAll(t, p, secret, repost, other)
	n.expect(t, "100 101 102")
	if !onDisk(t, dir, "unrepeatablewords") {
		t.Fatal("the words are not on the disk before: this test proves nothing")
	}
	publishAll(t, p, testDelete(t, 100))
	late := decoded(t, rawPost(100, 1, "unrepeatablewords", 600)) // a late copy
	publishAll(t, p, late, testPost(t, 103))
	eventually(t, func() error {
		if got := b.Status().Erased; got != 3 {
			return fmt.Errorf("%d messages were erased, not 3", got)
		}
		return nil
	})
	if onDisk(t, dir, "unrepeatablewords") {
		t.Error("the deleted words are still on the disk")
	}
	if !onDisk(t, dir, "word102") {
		t.Error("other words are not")
	}
	if !n.hub.Has(other.Post.Key) || n.hub.Has(secret.Post.Key) {
		t.Error("the hub holds the wrong posts")
	}
}

func onDisk(t testing.TB, dir, words string) (found bool) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // removed meanwhile
		}
		content, err := os.ReadFile(path)
		found = found || err == nil && strings.Contains(string(content), words)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// One process to a directory.
func TestDirectoryIsLocked(t *testing.T) {
	dir := t.TempDir()
	b := openBus(t, Config{DataDir: dir})
	if _, err := Open(context.Background(), testConfig(Config{DataDir: dir})); !errors.Is(err, errLocked) {
		t.Errorf("a second bus on the directory: %v", err)
	}
	b.Close()
	openBus(t, Config{DataDir: dir})
}

func TestSettingsAreChecked(t *testing.T) {
	for name, c := range map[string]Config{
		"neither":        {},
		"both":           {DataDir: t.TempDir(), URL: "nats://localhost"},
		"scheme":         {URL: "http://localhost:4222"},
		"no host":        {URL: "nats://localhost:4222,what"},
		"no credentials": {URL: "nats://localhost:4222", CredsFile: "/nonexistent"},
		"replicas alone": {DataDir: t.TempDir(), Replicas: 3},
		"no directory":   {DataDir: "/proc/nowhere"},
	} {
		if b, err := Open(context.Background(), testConfig(c)); err == nil {
			b.Close()
			t.Errorf("%s: opened", name)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
	if err := checkURL("nats://me:secret@host:port"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a bad URL: %v", err)
	}
}

// Settings that change between two lives of the process change the stream.
func TestSettingsReachTheStream(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := openBus(t, Config{DataDir: dir, Events: 100})
	publish(t, b, 1, posts(t, 1, 60)...)
	epoch := b.Epoch()
	b.Close()
	b = openBus(t, Config{DataDir: dir, Events: 20})
	follow(t, b).expect(t, numbers(41, 60))
	b.Close()
	b = openBus(t, Config{DataDir: dir, Events: 40})
	publish(t, b, 2, posts(t, 61, 90)...)
	follow(t, b).expect(t, numbers(51, 90))
	if b.Epoch() != epoch {
		t.Error("settings changed the epoch")
	}
}

// A copy of the directory is another life: whoever holds a cursor from behind it
// must be told.
func TestRestoredDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := openBus(t, Config{DataDir: filepath.Join(dir, "a")})
	publish(t, b, 1, posts(t, 1, 10)...)
	epoch := b.Epoch()
	b.Close()
	if err := os.Rename(filepath.Join(dir, "a"), filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	b = openBus(t, Config{DataDir: filepath.Join(dir, "b")})
	if b.Epoch() != epoch {
		t.Error("renaming the directory made a new epoch")
	}
	b.Close()
	if err := os.CopyFS(filepath.Join(dir, "c"), os.DirFS(filepath.Join(dir, "b"))); err != nil {
		t.Fatal(err)
	}
	b = openBus(t, Config{DataDir: filepath.Join(dir, "c")})
	if b.Epoch() == epoch {
		t.Error("a copy has the epoch of the original")
	}
	follow(t, b).expect(t, numbers(1, 10))
	epoch = b.Epoch()
	b.Close()
	if b = openBus(t, Config{DataDir: filepath.Join(dir, "c")}); b.Epoch() != epoch {
		t.Error("the copy does not settle")
	}
}

// A stream deleted under a running reader comes back with a new epoch.
func TestStreamMadeAnew(t *testing.T) {
	t.Parallel()
	s := natsServer(t, t.TempDir())
	b := openBus(t, Config{URL: s.ClientURL()})
	n := follow(t, b)
	publish(t, b, 1, posts(t, 1, 5)...)
	n.expect(t, numbers(1, 5))
	epoch := b.Epoch()
	nc, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, _ := b.jetStream()
	if err := js.DeleteStream(t.Context(), "aviary"); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if b.Epoch() == epoch {
			return errors.New("the epoch stays")
		}
		return nil
	})
	publish(t, b, 1, posts(t, 4, 8)...)
	n.expect(t, numbers(4, 8))
	if head := n.hub.Stats().Head; head.Epoch != b.Epoch() || head.Seq != 6 {
		t.Errorf("the hub is at %v", head)
	}
}

// A gap begins where the upstream's stream ended. What takes posts away comes without
// it too: from operators, and from a stream of its own.
func TestHeardIsOfTheUpstreamsStream(t *testing.T) {
	t.Parallel()
	b := openBus(t, Config{DataDir: t.TempDir()})
	n := follow(t, b)
	publish(t, b, 5, testPost(t, 1))
	n.expect(t, "1")
	heard := b.source.Heard()
	if heard.IsZero() || time.Since(heard) > time.Minute {
		t.Errorf("heard at %v", heard)
	}
	must(b.Delete(t.Context(), testDelete(t, 1)))
	publish(t, b, 6, testDelete(t, 2))
	n.expect(t, "1 delete:1 delete:2")
	if now := b.source.Heard(); !now.Equal(heard) {
		t.Errorf("heard at %v after a post at %v and deletes", now, heard)
	}
}
