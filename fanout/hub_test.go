package fanout_test

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
)

func parse(t testing.TB, f words) *filter.Filter {
	params := url.Values{}
	if len(f) > 0 {
		params.Set("track", strings.Join(f, ","))
	}
	parsed, err := filter.Parse(params)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func post(id string, words ...string) *fanout.Event {
	return eventOf(&entry{kind: fanout.KindPost, id: id, author: "a", words: words})
}

func mustPublish(t testing.TB, hub *fanout.Hub, events ...*fanout.Event) {
	t.Helper()
	for _, e := range events {
		if !hub.Publish(e) {
			t.Fatalf("%s was refused", e.JSON)
		}
	}
}

func ids(events []*fanout.Event) string {
	var list []string
	for _, e := range events {
		if name := e.Kind.String(); name != "" {
			list = append(list, name)
		} else {
			list = append(list, e.Post.Key.ID)
		}
	}
	return strings.Join(list, " ")
}

// The window of a source is at least as wide as asked and as the history.
func TestDuplicateWindow(t *testing.T) {
	hub := fanout.NewHub(fanout.Config{Events: 10, Seen: 50_000})
	for i := range 50_000 {
		mustPublish(t, hub, post(strconv.Itoa(i)))
	}
	if hub.Publish(post("0")) {
		t.Error("a duplicate 50,000 posts later was accepted")
	}
	other := post("0")
	other.Post = &filter.Post{Key: filter.Key{Source: "elsewhere", ID: "0"}}
	mustPublish(t, hub, other)
	lap := post("0")
	lap.Window = 1
	mustPublish(t, hub, lap)
	for i := range 51_000 {
		mustPublish(t, hub, post("n"+strconv.Itoa(i)))
	}
	mustPublish(t, hub, post("7")) // long forgotten
	if _, _, ok := hub.Find("8"); ok {
		t.Error("Find knows a post that left the window")
	}
	if key, author, ok := hub.Find("n50999"); !ok || author != "a" || key.Source != "test" {
		t.Error("Find does not know the last post")
	}
}

func TestHistoryBytes(t *testing.T) {
	const most = 100_000
	hub := fanout.NewHub(fanout.Config{Bytes: most})
	for i := range 500 {
		e := fanout.NewEvent(dialect, []byte(`{"id_str":"x","text":"`+strings.Repeat("x", 2000)+`"}`))
		e.Post = post(strconv.Itoa(i), "w1").Post
		mustPublish(t, hub, e)
		if s := hub.Stats(); s.Bytes > most || s.Bytes < int64(min(i, 30)*2000) {
			t.Fatalf("%d posts, %d bytes", s.Events, s.Bytes)
		}
	}
	big := fanout.NewEvent(dialect, []byte(`{"text":"`+strings.Repeat("x", 2*most)+`"}`))
	mustPublish(t, hub, big)
	if s := hub.Stats(); s.Events != 1 {
		t.Errorf("%d events held beside one that is larger than the history", s.Events)
	}
	mustPublish(t, hub, post("small"))
	if s := hub.Stats(); s.Events != 1 || s.Bytes > most {
		t.Errorf("the large event stayed: %+v", s)
	}
}

// Encodings stay within a quarter of the history's bytes; the oldest events lose
// theirs, and the history stays as it is.
func TestEncodingBudget(t *testing.T) {
	hub := fanout.NewHub(fanout.Config{Bytes: 400_000})
	sub, _ := hub.Subscribe(fanout.SubscribeOptions{})
	for i := range 100 {
		mustPublish(t, hub, post(strconv.Itoa(i)))
	}
	events, _ := sub.Next(nil, 100)
	built := 0
	encode := func(e *fanout.Event) { e.Encoding(9, func() []byte { built++; return make([]byte, 10_000) }) }
	for _, e := range events {
		encode(e)
		encode(e)
	}
	if built != 100 {
		t.Errorf("built %d times, want once an event", built)
	}
	if s := hub.Stats(); s.EncodingBytes > 100_000 || s.EncodingBytes < 50_000 || s.Events != 100 {
		t.Errorf("%+v", s)
	}
	built = 0
	encode(events[99])
	if built != 0 {
		t.Error("the newest event lost its encoding")
	}
	encode(events[0])
	if built != 1 {
		t.Error("the oldest event kept its encoding")
	}
	for i := range 99 { // deleting releases, trimming too
		hub.Publish(eventOf(&entry{kind: fanout.KindDelete, target: fanout.Target{Source: "test", ID: strconv.Itoa(i)}}))
	}
	mustPublish(t, hub, eventOf(&entry{kind: fanout.KindDelete, target: fanout.Target{Source: "test", ID: "99"}}))
	if s := hub.Stats(); s.EncodingBytes != 0 {
		t.Errorf("%d bytes of encodings of nothing", s.EncodingBytes)
	}
	encode(events[5]) // still in somebody's hands
	if s := hub.Stats(); s.EncodingBytes != 0 {
		t.Errorf("%d bytes charged for an event that is gone", s.EncodingBytes)
	}
}

// Records of trimmed segments make missed exact a million posts back, and the
// last of them answers no more.
func TestMissedFarBack(t *testing.T) {
	hub := fanout.NewHub(fanout.Config{Events: 100, Epoch: 700_000_000})
	const n = 30_000
	for i := range n {
		mustPublish(t, hub, post(strconv.Itoa(i)))
		if i%3 == 0 {
			mustPublish(t, hub, eventOf(&entry{kind: fanout.KindLimit}))
		}
	}
	head := hub.Stats().Head
	for _, at := range []uint64{0, 1, 2, 3, 1023, 1024, 1025, 20_000, head.Seq - 150} {
		sub, r := hub.Subscribe(fanout.SubscribeOptions{Start: fanout.Start{Mode: fanout.StartCursor, Cursor: fanout.Cursor{Epoch: head.Epoch, Seq: at}}})
		got := int64(0)
		events, _ := sub.Next(nil, 1000)
		for _, e := range events {
			if e.Kind == fanout.KindPost {
				got++
			}
		}
		had := int64(0) // of every four events, the second is the notice
		for seq := uint64(1); seq <= at; seq++ {
			if seq%4 != 2 {
				had++
			}
		}
		if r.How != fanout.ResumedPartial || r.Missed+got+had != n {
			t.Errorf("from %d: %v, missed %d + got %d + had %d, published %d", at, r.How, r.Missed, got, had, n)
		}
		sub.Close()
	}
}

// A bus numbers events itself: numbers may jump, and what is not newer is old.
func TestGivenSequences(t *testing.T) {
	hub := fanout.NewHub(fanout.Config{Epoch: 700_000_000})
	at := func(seq uint64, id string) *fanout.Event {
		e := post(id)
		e.ID.Seq = seq
		return e
	}
	mustPublish(t, hub, at(10, "a"), at(11, "b"), at(5000, "c"), at(5001, "d"))
	if hub.Publish(at(5001, "e")) || hub.Publish(at(12, "f")) {
		t.Error("an old sequence was accepted")
	}
	epoch := hub.Stats().Head.Epoch
	for from, want := range map[uint64]string{0: "a b c d", 10: "b c d", 11: "c d", 400: "c d", 5000: "d", 5001: ""} {
		sub, r := hub.Subscribe(fanout.SubscribeOptions{Start: fanout.Start{Mode: fanout.StartCursor, Cursor: fanout.Cursor{Epoch: epoch, Seq: from}}})
		events, _ := sub.Next(nil, 10)
		if ids(events) != want || r.How != fanout.ResumedFull {
			t.Errorf("from %d: %q, %v", from, ids(events), r.How)
		}
		sub.Close()
	}
}

// A node that is catching up is behind the cursors of its clients.
func TestCursorAhead(t *testing.T) {
	hub := fanout.NewHub(fanout.Config{})
	mustPublish(t, hub, post("1"), post("2"))
	c := hub.Stats().Head
	c.Seq += 2
	sub, r := hub.Subscribe(fanout.SubscribeOptions{Start: fanout.Start{Mode: fanout.StartCursor, Cursor: c}})
	if r.How != fanout.ResumedFull || r.At != c || sub.Cursor() != c {
		t.Errorf("%+v, cursor %v", r, sub.Cursor())
	}
	mustPublish(t, hub, post("3"))
	if events, _ := sub.Next(nil, 10); len(events) != 0 || sub.Cursor() != c {
		t.Errorf("got %s again, cursor %v", ids(events), sub.Cursor())
	}
	mustPublish(t, hub, post("4"), post("5"))
	if events, _ := sub.Next(nil, 10); ids(events) != "5" {
		t.Errorf("got %q, want 5", ids(events))
	}
}

// A quiet hub ages too, and tombstones with it.
func TestAges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := fanout.NewHub(fanout.Config{Age: time.Hour})
		mustPublish(t, hub, post("1"), eventOf(&entry{kind: fanout.KindDelete, target: fanout.Target{Source: "test", ID: "2"}}))
		if hub.Publish(post("2")) {
			t.Error("a deleted post came back")
		}
		time.Sleep(time.Hour)
		if hub.Trim(); hub.Stats().Events != 2 || !hub.Has(filter.Key{Source: "test", ID: "1"}) {
			t.Error("trimmed too early")
		}
		time.Sleep(time.Second)
		if s := hub.Stats(); s.Events != 0 || s.Bytes != 0 || s.Tombstones != 0 || !s.From.IsZero() || hub.Has(filter.Key{Source: "test", ID: "1"}) {
			t.Errorf("after its age: %+v", s)
		}
		mustPublish(t, hub, post("2"))
	})
}

// States of the upstream are for those who were there, and never crowd out posts.
func TestUpstreamIsNotHistory(t *testing.T) {
	hub := fanout.NewHub(fanout.Config{Events: 3})
	there, _ := hub.Subscribe(fanout.SubscribeOptions{Filter: parse(t, words{"never"})})
	mustPublish(t, hub, post("1"), post("2"), post("3"))
	for range 100 {
		mustPublish(t, hub, eventOf(&entry{kind: fanout.KindUpstream}))
	}
	start := fanout.Start{Mode: fanout.StartTime, Time: time.Now().Add(-time.Hour)}
	late, _ := hub.Subscribe(fanout.SubscribeOptions{Start: start})
	if events, gap := late.Next(nil, 200); ids(events) != "1 2 3" || !gap.Zero() {
		t.Errorf("a newcomer got %s, gap %+v", ids(events), gap)
	}
	if events, gap := there.Next(nil, 200); len(events) != 64 || !gap.Zero() {
		t.Errorf("who was there got %d states, gap %+v", len(events), gap)
	}
}

// A loss before the log tells its count only to those who wanted every post.
func TestLossIsCountedForTheUnfiltered(t *testing.T) {
	hub := fanout.NewHub(fanout.Config{})
	all, _ := hub.Subscribe(fanout.SubscribeOptions{})
	some, _ := hub.Subscribe(fanout.SubscribeOptions{Filter: parse(t, words{"x"})})
	mustPublish(t, hub, post("1"))
	e := fanout.NewEvent(nil, nil)
	e.Kind, e.Loss = fanout.KindGap, &fanout.Loss{Reason: "oversize", Missed: 1, From: time.UnixMilli(1), To: time.UnixMilli(2)}
	mustPublish(t, hub, e)
	for sub, missed := range map[*fanout.Subscription]string{all: "1", some: "null"} {
		events, _ := sub.Next(nil, 9)
		last := events[len(events)-1]
		want := fmt.Sprintf(`{"gap":{"missed":%s,"reason":"oversize","from":"1970-01-01T00:00:00.001Z","to":"1970-01-01T00:00:00.002Z","cursor":"%v"}}`, missed, hub.Stats().Head)
		if string(last.JSON) != want || string(last.Frame()) != fmt.Sprintf("event: gap\nid: %v\ndata: %s\n\n", hub.Stats().Head, want) {
			t.Errorf("%s\nwant %s", last.Frame(), want)
		}
	}
}

// Who has read a post that was deleted hears of it; what was handed out stays
// whole; nobody else gets the post.
func TestDelete(t *testing.T) {
	hub := fanout.NewHub(fanout.Config{})
	matching, _ := hub.Subscribe(fanout.SubscribeOptions{Filter: parse(t, words{"x"})})
	other, _ := hub.Subscribe(fanout.SubscribeOptions{Filter: parse(t, words{"y"})})
	quote := eventOf(&entry{kind: fanout.KindPost, id: "2", author: "b", refs: []string{"1"}, words: []string{"y"}})
	mustPublish(t, hub, post("1", "x"), quote, post("3", "y"))
	had, _ := matching.Next(nil, 9)
	frame := string(had[0].Frame())
	mustPublish(t, hub, eventOf(&entry{kind: fanout.KindDelete, target: fanout.Target{ID: "1"}}))
	if got, _ := matching.Next(nil, 9); ids(got) != "delete" {
		t.Errorf("who got the post got %q", ids(got))
	}
	if got, _ := other.Next(nil, 9); ids(got) != "3 delete" {
		t.Errorf("whose post was a quote of it got %q", ids(got))
	}
	if string(had[0].Frame()) != frame {
		t.Error("a frame changed in its reader's hands")
	}
	if hub.Has(filter.Key{Source: "test", ID: "1"}) || hub.Has(filter.Key{Source: "test", ID: "2"}) {
		t.Error("still held")
	}
	if hub.Publish(post("1", "x")) || hub.Publish(eventOf(&entry{kind: fanout.KindDelete, target: fanout.Target{ID: "1"}})) {
		t.Error("a deleted post or its delete came a second time")
	}
	late := eventOf(&entry{kind: fanout.KindPost, id: "5", author: "c", refs: []string{"1"}})
	if hub.Publish(late) {
		t.Error("a repost brought a deleted post back")
	}
	about := eventOf(&entry{kind: fanout.KindPost, id: "6", author: "c", refs: []string{"2"}})
	if !hub.Publish(about) {
		t.Error("refused for quoting a post that nobody deleted")
	}
	other.Next(nil, 9)
	if s := hub.Stats(); s.Tombstoned != 2 || s.Duplicates != 1 {
		t.Errorf("%+v", s)
	}
	never := fanout.Target{ID: "never seen"}
	asks, _ := hub.Subscribe(fanout.SubscribeOptions{Filter: parse(t, words{"y"}), UnseenDeletes: true})
	mustPublish(t, hub, eventOf(&entry{kind: fanout.KindDelete, target: never}))
	if got, _ := other.Next(nil, 9); len(got) != 0 {
		t.Errorf("a client with a filter got %q", ids(got))
	}
	if got, _ := asks.Next(nil, 9); ids(got) != "delete" {
		t.Errorf("a client that asks for deletes got %q", ids(got))
	}
}

func TestPostsBy(t *testing.T) {
	hub := fanout.NewHub(fanout.Config{Events: 3})
	mustPublish(t, hub, post("1"), post("2"), post("3"), eventOf(&entry{kind: fanout.KindPost, id: "4", author: "b"}))
	if keys := fmt.Sprint(hub.PostsBy("a")); keys != "[{test 3} {test 2}]" {
		t.Errorf("held by a: %s", keys)
	}
}

func TestClose(t *testing.T) {
	hub := fanout.NewHub(fanout.Config{})
	bell := hub.NewBell()
	sub, _ := hub.Subscribe(fanout.SubscribeOptions{Bell: bell})
	mustPublish(t, hub, post("1"))
	<-bell.C()
	hub.Close()
	<-bell.C()
	if hub.Publish(post("2")) {
		t.Error("a closed hub accepted a post")
	}
	if got, _ := sub.Next(nil, 9); ids(got) != "1" {
		t.Errorf("what is held was not readable: %q", ids(got))
	}
	sub.Close()
	sub.Close()
	if got, _ := sub.Next(nil, 9); len(got) != 0 {
		t.Error("a closed subscription brings events")
	}
}

// Not decoded, without a dialect, without JSON: all of it passes.
func TestOddEvents(t *testing.T) {
	hub := fanout.NewHub(fanout.Config{})
	sub, _ := hub.Subscribe(fanout.SubscribeOptions{})
	literal := &fanout.Event{JSON: []byte("{\"a\":\n1}"), Kind: fanout.KindOther}
	replaced := post("1")
	replaced.JSON = []byte(`{"another":"one"}`)
	mustPublish(t, hub, fanout.NewEvent(nil, []byte("{}")), literal, replaced, &fanout.Event{Kind: fanout.KindGap}, &fanout.Event{Kind: fanout.KindDelete}, &fanout.Event{Kind: 200})
	events, _ := sub.Next(nil, 9)
	if len(events) != 6 {
		t.Fatalf("got %d of 6", len(events))
	}
	if got := string(events[1].Frame()); got != "event: other\nid: "+events[1].ID.String()+"\ndata: {\"a\":1}\n\n" {
		t.Errorf("frame %q", got)
	}
	if got := string(events[2].Line()); got != `{"another":"one"}`+"\n" {
		t.Errorf("line %q", got)
	}
}
