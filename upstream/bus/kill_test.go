package bus

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"aviary/fanout"
	"aviary/upstream/lease"
	"aviary/upstream/twitter"
)

// childPublish publishes as quickly as it can, in volleys of BUS_VOLLEY posts, deletes the
// first of each, and says what is stored, until it is killed.
func childPublish() {
	b, err := Open(context.Background(), testConfig(Config{DataDir: os.Getenv("BUS_DIR")}))
	if err != nil {
		panic(err)
	}
	<-b.Ready()
	source := b.Source(SourceConfig{})
	go func() { _ = source.Stream(context.Background(), &hubOnly{hub: fanout.NewHub(fanout.Config{})}) }()
	<-source.Filled()
	term := b.Term() + 1
	p := b.Publisher(term, always)
	if err := p.Mark(context.Background(), lease.Marker{Term: term, Node: "child"}); err != nil {
		panic(err)
	}
	go b.Lead(context.Background(), p)
	from, _ := strconv.Atoi(os.Getenv("BUS_FROM"))
	volley, _ := strconv.Atoi(os.Getenv("BUS_VOLLEY"))
	for id := from; ; id += volley {
		for i := range volley {
			e, _ := twitter.Decode(rawPost(id+i, 1, fmt.Sprintf("secret%dwords", id+i), 2000))
			_ = p.Publish(e)
		}
		e, _ := twitter.Decode(fmt.Appendf(nil, `{"delete":{"status":{"id":%d,"id_str":"%d","user_id":1,"user_id_str":"1"}}}`, id, id))
		_ = p.Publish(e)
		if err := p.Flush(context.Background()); err != nil {
			panic(err)
		}
		fmt.Println("stored", id)
	}
}

// kill -9 under load: what was acknowledged is there, deleted posts stay deleted,
// their bytes go, and the epoch stays.
func TestKill(t *testing.T) {
	t.Parallel()
	if os.Getenv("CHAOS") == "" {
		killed(t, 3, 10)
		return
	}
	for _, volley := range []int{10, 300} {
		t.Run(fmt.Sprint("volleys of ", volley), func(t *testing.T) { killed(t, 10, volley) })
	}
}

func killed(t *testing.T, rounds, volley int) {
	t.Helper()
	dir := t.TempDir()
	last, epoch := 0, uint32(0)
	for round := range rounds {
		c, lines := child(t, "publish", "BUS_DIR="+dir, "BUS_FROM="+strconv.Itoa(last+volley), "BUS_VOLLEY="+strconv.Itoa(volley))
		_ = within(t, lines, "stored ")
		time.Sleep(time.Duration(200+37*round) * time.Millisecond)
		if err := c.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		for line := range lines {
			if rest, ok := strings.CutPrefix(line, "stored "); ok {
				last, _ = strconv.Atoi(rest)
			}
		}
		_ = c.Wait() // its output may end before its lock on the directory does
		b := openBus(t, Config{DataDir: dir})
		n := follow(t, b)
		n.filled(t)
		p := b.Publisher(b.Term()+1, always)
		ctx, cancel := context.WithCancel(t.Context())
		go b.Lead(ctx, p)
		there := map[string]bool{}
		for word := range strings.FieldsSeq(n.told()) {
			there[word] = true
		}
		for id := max(volley, last+volley-15_000); id < last+volley; id++ { // the rest has left the history
			if alive := id%volley != 0; alive != n.hub.Has(key(id)) {
				t.Fatalf("round %d: post %d of %d: held is %v", round, id, last, !alive)
			}
		}
		if !there["delete:"+strconv.Itoa(last)] {
			t.Fatalf("the last delete is missing: %+v", b.Status())
		}
		eventually(t, func() error {
			if onDisk(t, dir, fmt.Sprintf("secret%dwords", last)) || onDisk(t, dir, fmt.Sprintf("secret%dwords", last-volley)) {
				return fmt.Errorf("deleted words are on the disk: %+v", b.Status())
			}
			return nil
		})
		if epoch != 0 && b.Epoch() != epoch {
			t.Error("the epoch changed")
		}
		epoch = b.Epoch()
		cancel()
		p.Close()
		n.stop()
		b.Close()
	}
	t.Logf("%d posts in %d lives", last, rounds)
}
