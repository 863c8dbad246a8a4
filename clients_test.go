package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"aviary/upstream/twitter/sim"
)

// tweepy's v1.1 stream: posts, a delete, the language, what is no predicate, a drain.
func TestTweepyV1Stream(t *testing.T) {
	python := python(t)
	for _, source := range []string{"twitter", "x"} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			d := newDropIn(t, source)
			p := d.run(python, "testdata/clients/tweepy_v1.py", "filter", "go,rust")
			p.next("connected")
			first := d.fake.Post(sim.Draft{Text: "go & more #golang 日本"})
			d.fake.Post(sim.Draft{Text: "rust nicht hier", Lang: "de"})
			d.fake.Post(sim.Draft{Text: "rust 2 " + strings.Repeat("long ", 60)})
			if got := p.next("status"); got.ID != first.ID || got.Text != "go &amp; more #golang 日本" || got.User == "" || !slices.Equal(got.Tags, []string{"golang"}) {
				t.Errorf("%+v", got)
			}
			if got := p.next("status"); !strings.HasPrefix(got.Text, "rust 2 long") || len(got.Text) < 300 {
				t.Errorf("%+v", got)
			}
			if source == "twitter" { // the filtered stream of X has no deletes
				d.fake.Delete(first.ID)
				if got := p.next("delete"); got.ID != first.ID {
					t.Errorf("%+v", got)
				}
			}
			say(d.fake, "go end")
			p.next("status")
			p.next("over")

			if got := d.run(python, "testdata/clients/tweepy_v1.py", "nothing").next("error"); got.Status != 406 {
				t.Errorf("%+v", got)
			}
			p = d.run(python, "testdata/clients/tweepy_v1.py", "sample")
			p.next("connected")
			say(d.fake, "rust 3")
			p.next("status")
			d.g.cancel()
			if got := p.next("disconnect"); got.Code != 1 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// streamV2 is what every client of the v2 stream sees.
func (d *dropIn) streamV2(p *clientProgram, triedFirst bool) {
	d.t.Helper()
	if got := p.next("rules"); got.Count != 0 {
		d.t.Errorf("%+v", got)
	}
	if triedFirst {
		if got := p.next("tried"); got.Created != 1 {
			d.t.Errorf("%+v", got)
		}
	}
	added := p.next("added")
	if len(added.Rules) != 2 || added.Rules[0][1] != "go" || added.Rules[1][1] != "rust" || !slices.Equal(added.Titles, []string{"DuplicateRule"}) {
		d.t.Fatalf("%+v", added)
	}
	if triedFirst {
		if got := p.next("deleted"); got.Summary["deleted"] != 1 {
			d.t.Errorf("%+v", got)
		}
		if got := p.next("rules"); got.Count != 2 || !slices.Equal(got.Values, []string{"go", "rust"}) {
			d.t.Errorf("%+v", got)
		}
	} else if got := p.next("tried"); got.Created != 1 {
		d.t.Errorf("%+v", got)
	}
	p.next("connected")
	eventually(d.t, "the stream", func() bool { return d.clients() == 1 })
	made := d.fake.Post(sim.Draft{Text: "go with rust"})
	d.fake.Post(sim.Draft{Text: "rust end"})
	got := p.next("post")
	if got.ID != made.ID || got.Text != "go with rust" || got.Users[got.Author] == "" || len(got.Verified) != 1 {
		d.t.Errorf("%+v", got)
	}
	if want := [][]string{{added.Rules[0][0], "g"}, {added.Rules[1][0], ""}}; !slices.EqualFunc(got.Rules, want, slices.Equal) {
		d.t.Errorf("rules %v, want %v", got.Rules, want)
	}
	if got := p.next("post"); got.Text != "rust end" || len(got.Rules) != 1 {
		d.t.Errorf("%+v", got)
	}
}

// clients is how many streams are open.
func (d *dropIn) clients() int {
	_, body := fetch(d.t, d.g.client, d.g.admin+"/clients")
	var in struct{ Count int }
	if err := json.Unmarshal([]byte(body), &in); err != nil {
		d.t.Fatal(err)
	}
	return in.Count
}

// tweepy's StreamingClient: rules and the stream.
func TestTweepyV2Stream(t *testing.T) {
	python := python(t)
	for _, source := range []string{"twitter", "x"} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			d := newDropIn(t, source)
			p := d.run(python, "testdata/clients/tweepy_v2.py", "stream", "token-of-tweepy")
			d.streamV2(p, true)
			p.next("over")
		})
	}
}

// Node's twitter-api-v2: rules and the stream.
func TestNodeStream(t *testing.T) {
	node := node(t)
	for _, source := range []string{"twitter", "x"} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			d := newDropIn(t, source)
			p := d.run(node, "testdata/clients/twitter_api_v2.cjs", "stream", "token-of-node")
			d.streamV2(p, false)
			if got := p.next("deleted"); got.Summary["deleted"] != 2 {
				t.Errorf("%+v", got)
			}
			p.next("over")
		})
	}
}
