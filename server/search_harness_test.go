package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aviary/upstream"
	"aviary/upstream/twitter"
	"aviary/upstream/twitter/sim"
)

// asked is one request that reached the upstream.
type asked struct {
	at    time.Time
	query string
}

// api is an upstream with search on in-memory connections: a handler, and what
// it was asked.
type api struct {
	handler http.Handler

	mu    sync.Mutex
	asked []asked
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/search/tweets.json") {
		a.mu.Lock()
		a.asked = append(a.asked, asked{time.Now(), r.URL.RawQuery})
		a.mu.Unlock()
	}
	a.handler.ServeHTTP(w, r)
}

func (a *api) list() []asked {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.asked)
}

// adapter is the twitter package's search as main hands it to the server.
type adapter struct{ from *twitter.Searcher }

func (a adapter) Search(ctx context.Context, q SearchQuestion) (*SearchPage, error) {
	found, err := a.from.Search(ctx, upstream.Question(q))
	if err != nil {
		return nil, translated(err)
	}
	page := &SearchPage{More: found.More, Named: found.Named, NextMaxID: found.NextMaxID}
	for _, item := range found.Items {
		page.Items = append(page.Items, SearchItem(item))
	}
	return page, nil
}

func (a adapter) Turn(ctx context.Context) error { return translated(a.from.Turn(ctx)) }
func (a adapter) Rate() SearchRate               { return SearchRate(a.from.Rate()) }

func translated(err error) error {
	var e *upstream.SearchError
	if !errors.As(err, &e) {
		return err
	}
	to := &SearchError{Status: e.Status, Code: e.Code, Message: e.Message, Hint: e.Hint, Until: e.Until}
	switch e.Class {
	case upstream.RateLimit:
		to.Failure = SearchLimited
	case upstream.Fatal:
		to.Failure = SearchRefused
	}
	return to
}

// bearer are credentials with the pace and budget of an app.
const bearerToken = "AAAA%2Fbearer%3Dof-a-test"

// newAPI serves an upstream and returns a Searcher for it. With no handler it
// wants OAuth 1.0a's default credentials of the simulator, else a bearer token.
func newAPI(t testing.TB, handler http.Handler) (*api, Searcher) {
	t.Helper()
	a := &api{handler: handler}
	p := newPipes()
	web := &http.Server{Handler: a}
	go func() { _ = web.Serve(p) }()
	from, err := twitter.NewSearcher(twitter.SearchConfig{
		APIURL: "http://api.example",
		Credentials: func() (twitter.SearchCredentials, error) {
			if _, real := handler.(*sim.Server); !real {
				return twitter.SearchCredentials{Bearer: bearerToken}, nil
			}
			return twitter.SearchCredentials{Credentials: twitter.Credentials(sim.DefaultCredentials)}, nil
		},
		Dial: func(context.Context, string, string) (net.Conn, error) { return p.dial() },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = web.Close()
		time.Sleep(time.Second) // for what net/http still has to do in the bubble
	})
	return a, adapter{from}
}

// newSimAPI is newAPI with a simulator that holds n posts, "alpha 0" and on.
func newSimAPI(t testing.TB, cfg sim.Config, n int) (*sim.Server, *api, Searcher) {
	t.Helper()
	fake := sim.New(cfg)
	t.Cleanup(func() { _ = fake.Close() })
	alphas(fake, 0, n)
	a, from := newAPI(t, fake)
	return fake, a, from
}

// alphas adds posts numbered from a number on.
func alphas(fake *sim.Server, from, n int) {
	for i := range n {
		fake.Post(sim.Draft{Text: fmt.Sprintf("alpha %d", from+i)})
	}
}

func searching(from Searcher) func(*Options) {
	return func(o *Options) { o.Search, o.SearchCache = from, 10*time.Second }
}

// walked is what a walk has brought.
type walked struct {
	texts []string // of the posts, in order
	pages []pageBody
	id    string
	last  frame // the frame that ended it
}

type pageBody struct {
	Page, Posts   int
	Remaining     *int
	Reset, Oldest *time.Time
	Cursor        string
}

// walk reads a walk up to n posts, or to an event that is neither a post nor a page.
func (r *reader) walk(n int) (got walked) {
	r.t.Helper()
	for n <= 0 || len(got.texts) < n {
		f := r.next()
		got.last, got.id = f, f.id
		switch f.event {
		case "":
			got.texts = append(got.texts, textOf(r.t, f.data))
		case "page":
			var in struct{ Page pageBody }
			if err := json.Unmarshal([]byte(f.data), &in); err != nil {
				r.t.Fatal(err)
			}
			if in.Page.Cursor != f.id {
				r.t.Errorf("a page with id %q says its cursor is %q", f.id, in.Page.Cursor)
			}
			got.pages = append(got.pages, in.Page)
		default:
			return got
		}
	}
	return got
}

func textOf(t testing.TB, data string) string {
	t.Helper()
	var p struct {
		Text string `json:"full_text"`
	}
	if err := json.Unmarshal([]byte(data), &p); err != nil {
		t.Fatalf("%v in %q", err, data)
	}
	return p.Text
}

// texts are the texts of alphas from a number down to another, or up.
func texts(from, to int) (out []string) {
	step := 1
	if from > to {
		step = -1
	}
	for i := from; i != to+step; i += step {
		out = append(out, fmt.Sprintf("alpha %d", i))
	}
	return out
}

func samePosts(t testing.TB, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		at := 0
		for at < min(len(got), len(want)) && got[at] == want[at] {
			at++
		}
		t.Errorf("%s: %d posts, want %d; they differ at %d: %q, want %q", what, len(got), len(want), at,
			got[at:min(len(got), at+3)], want[at:min(len(want), at+3)])
	}
}

// get asks for a page and reads the answer.
func (g *gate) get(path string) (resp *http.Response, body string) {
	g.t.Helper()
	resp = g.do("GET", path, "")
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return resp, string(b)
}
