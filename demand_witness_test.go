package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
	"aviary/upstream/twitter"
	"aviary/upstream/twitter/sim"
)

// longer is how much longer make chaos has these tests go on.
func longer() int {
	if os.Getenv("CHAOS") != "" {
		return 10
	}
	return 1
}

// topics are the keywords of the simulator's posts.
var topics = strings.Split(sim.DefaultTrack, ",")

// A witness stands beside a gateway at a simulator of seeded posts: it reads all of
// them over a stream of its own, and notes what the gateway's streams were asked for.
// The simulator can be started again.
type witness struct {
	config sim.Config
	net    *network

	mu      sync.Mutex
	fake    *sim.Server // nil: it is down
	asked   []ask
	most    int // of the gateway's streams at once
	posts   []seen
	deleted map[string]bool
	ctx     context.Context
}

// ask is one stream of the gateway's.
type ask struct {
	filter        *filter.Filter
	opened, ended time.Time // zero: it is open
}

// seen is one post.
type seen struct {
	id   string
	post *filter.Post
	at   time.Time
	dead bool // it passes on what was deleted: whoever knows that does not deliver it
}

// watched runs a gateway on a simulator at so many posts a second in virtual time.
func watched(t *testing.T, rate float64, do func(t *testing.T, w *witness, g *running), environ ...string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		w := &witness{net: n, config: sim.Config{Seed: 7, Rate: rate, MaxStreams: 3, MaxConnects: 1000}, deleted: map[string]bool{}}
		ctx, stop := context.WithCancel(context.Background())
		w.ctx = ctx
		l, err := n.listen("tcp", "127.0.0.1:9100")
		if err != nil {
			t.Fatal(err)
		}
		web := &http.Server{Handler: w}
		go func() { _ = web.Serve(l) }()
		w.up(t)
		g := start(t, n, append(w.fake.Settings("http://127.0.0.1:9100"), environ...)...)
		time.Sleep(time.Second)
		do(t, w, g)
		g.stop()
		stop()
		_ = w.fake.Close()
		_ = web.Close()
		if _, most := w.streams(); most > 2 {
			t.Errorf("%d streams at once", most)
		}
	})
}

// ServeHTTP notes what is asked for and passes it on.
func (w *witness) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	fake := w.fake
	w.mu.Unlock()
	if fake == nil {
		panic(http.ErrAbortHandler)
	}
	if r.URL.Path != "/1.1/statuses/filter.json" {
		fake.ServeHTTP(out, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, _ := url.ParseQuery(string(body))
	f, err := filter.Parse(url.Values{"track": form["track"]})
	if err != nil {
		panic(err)
	}
	w.mu.Lock()
	w.asked = append(w.asked, ask{filter: f, opened: time.Now()})
	one, open := len(w.asked)-1, 0
	for _, a := range w.asked {
		if a.ended.IsZero() {
			open++
		}
	}
	w.most = max(w.most, open)
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.asked[one].ended = time.Now()
		w.mu.Unlock()
	}()
	fake.ServeHTTP(out, r)
}

// streams is how many the gateway has opened so far, and how many at once.
func (w *witness) streams() (all, most int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.asked), w.most
}

// up starts the simulator.
func (w *witness) up(t *testing.T) {
	t.Helper()
	w.config.Seed++
	fake := sim.New(w.config)
	w.mu.Lock()
	w.fake = fake
	w.mu.Unlock()
	d := sim.DefaultCredentials
	source, err := twitter.New(twitter.Config{StreamURL: "http://127.0.0.1:9100", Dial: w.net.dial, Credentials: func() (twitter.Credentials, error) {
		return twitter.Credentials{ConsumerKey: d.ConsumerKey, ConsumerSecret: d.ConsumerSecret, AccessToken: d.AccessToken, AccessSecret: d.AccessSecret}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = source.Stream(w.ctx, w) }()
}

// restart stops the simulator, and starts another after a second.
func (w *witness) restart(t *testing.T) {
	w.mu.Lock()
	fake := w.fake
	w.fake = nil
	w.mu.Unlock()
	_ = fake.Close()
	time.Sleep(time.Second)
	w.up(t)
}

// status is a post and what it holds.
type status struct {
	ID     string  `json:"id_str"`
	Quoted string  `json:"quoted_status_id_str"`
	Repost *status `json:"retweeted_status"`
	Quote  *status `json:"quoted_status"`
}

// dead reports whether a post passes on one that was deleted.
func (w *witness) dead(s *status) bool {
	return s != nil && (w.deleted[s.ID] || w.deleted[s.Quoted] || w.dead(s.Repost) || w.dead(s.Quote))
}

// Alive, Drop and Emit implement upstream.Sink.
func (w *witness) Alive(int)   {}
func (w *witness) Drop(string) {}
func (w *witness) Emit(e *fanout.Event) {
	var said struct {
		Delete struct{ Status status }
		status
	}
	_ = json.Unmarshal(e.JSON, &said)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case e.Kind == fanout.KindDelete:
		w.deleted[said.Delete.Status.ID] = true
	case e.Kind == fanout.KindPost:
		w.posts = append(w.posts, seen{e.Post.Key.ID, e.Post, time.Now(), w.dead(&said.status)})
	}
}

// hop is how long a post may be on its way, and the request for a stream.
const hop = 50 * time.Millisecond

// inForce is the filter that the upstream is asked for at a time: that of the stream
// that was opened last. sure is false a moment around each change, and while none is
// open.
func (w *witness) inForce(at time.Time) (f *filter.Filter, sure bool) {
	for _, a := range w.asked {
		if d := at.Sub(a.opened); -hop < d && d < hop {
			return nil, false
		}
		if at.After(a.opened) {
			f = nil
			if a.ended.IsZero() || at.Before(a.ended.Add(-hop)) {
				f = a.filter
			}
		}
	}
	return f, f != nil
}

// A reader is a client of the gateway that notes what it gets.
type reader struct {
	filter *filter.Filter
	s      *stream
	from   time.Time
	done   chan struct{}

	posts []string
	gaps  int
}

func (g *running) reads(query string) *reader {
	g.t.Helper()
	f, err := filter.ParseString(query)
	if err != nil {
		g.t.Fatal(err)
	}
	r := &reader{filter: f, s: g.open(query, ""), done: make(chan struct{})}
	r.s.until("hello")
	r.from = time.Now()
	go func() {
		defer close(r.done)
		for {
			e, err := r.s.next()
			switch {
			case err != nil:
				return
			case e.name == "":
				r.posts = append(r.posts, e.subject())
			case e.name == "gap":
				r.gaps++
			}
		}
	}()
	return r
}

// check ends a reader and holds what it got against what there was: each post that
// the filter in force brings and that it asks for came exactly once; any
// other at most once, and only if it asks for it.
func (w *witness) check(t *testing.T, r *reader) (due int) {
	t.Helper()
	until := time.Now()
	r.s.close()
	<-r.done
	got := map[string]int{}
	for _, id := range r.posts {
		got[id]++
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	lost, unasked := 0, 0
	for _, p := range w.posts {
		n := got[p.id]
		delete(got, p.id)
		if n > 1 {
			t.Errorf("%s: %s came %d times", r.filter, p.id, n)
		}
		wants := r.filter.Match(p.post)
		if n > 0 && !wants {
			unasked++
		}
		if p.at.Before(r.from.Add(hop)) || p.at.After(until.Add(-hop)) || !wants || p.dead {
			continue
		}
		if f, sure := w.inForce(p.at); sure && f.Match(p.post) {
			if due++; n == 0 {
				lost++
			}
		}
	}
	if lost+unasked+len(got) > 0 {
		t.Errorf("%s: of %d posts due %d lost; %d came that it does not ask for, %d that nobody sent", r.filter, due, lost, unasked, len(got))
	}
	return due
}
