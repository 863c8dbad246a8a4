package main

import (
	"slices"
	"testing"

	"aviary/upstream/twitter/sim"
)

// tweepy's search of v1.1 walks all pages.
func TestTweepyV1Search(t *testing.T) {
	python := python(t)
	for _, source := range []string{"twitter", "x"} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			d := newDropIn(t, source)
			say(d.fake, numbered("alpha", 0, 40)...)
			p := d.run(python, "testdata/clients/tweepy_v1.py", "search")
			want := numbered("alpha", 0, 40)
			slices.Reverse(want)
			if got := p.many("found", 40); !slices.Equal(got, want) {
				t.Errorf("%q", got)
			}
			if got := p.many("short", 3); !slices.Equal(got, want[:3]) {
				t.Errorf("%q", got)
			}
			if got := p.next("refused"); got.Code != 25 {
				t.Errorf("%+v", got)
			}
			p.next("over")
		})
	}
}

// Both clients walk the pages of recent search.
func TestClientsV2Search(t *testing.T) {
	want := numbered("alpha", 0, 40)
	slices.Reverse(want)
	for name, command := range map[string]func(*testing.T) []string{
		"tweepy": func(t *testing.T) []string { return []string{python(t), "testdata/clients/tweepy_v2.py"} },
		"node":   func(t *testing.T) []string { return []string{node(t), "testdata/clients/twitter_api_v2.cjs"} },
	} {
		for source, left := range map[string]int{"twitter": 179, "x": 449} {
			t.Run(name+" over "+source, func(t *testing.T) {
				program := command(t)
				t.Parallel()
				d := newDropIn(t, source)
				say(d.fake, numbered("alpha", 0, 40)...)
				p := d.run(append(program, "search", "a-token")...)
				if name == "node" {
					if got := p.next("limit"); got.Remaining != left {
						t.Errorf("%+v", got)
					}
				}
				if got := p.many("found", 40); !slices.Equal(got, want) {
					t.Errorf("%q", got)
				}
				if got := p.next("refused"); len(got.Messages) != 1 {
					t.Errorf("%+v", got)
				}
				p.next("over")
			})
		}
	}
}

// What the documentation of both clients shows beside the least that works.
func TestClientsMore(t *testing.T) {
	for name, command := range map[string]func(*testing.T) []string{
		"tweepy": func(t *testing.T) []string { return []string{python(t), "testdata/clients/tweepy_v2.py"} },
		"node":   func(t *testing.T) []string { return []string{node(t), "testdata/clients/twitter_api_v2.cjs"} },
	} {
		for _, source := range []string{"twitter", "x"} {
			t.Run(name+" over "+source, func(t *testing.T) {
				program := command(t)
				t.Parallel()
				d := newDropIn(t, source, "AVIARY_HEARTBEAT=1s", "AVIARY_SEARCH_CACHE=1ms")
				say(d.fake, numbered("alpha", 0, 40)...)
				if name == "tweepy" { // it waits for the reset that the gateway tells it
					if err := d.fake.Do("after 3 searches search 429 reset 1s"); err != nil {
						t.Fatal(err)
					}
				}
				p := d.run(append(program, "more", "a-token")...)
				d.more(p, name)
				p.next("over")
				if n := d.fake.Stats().Searches; name == "tweepy" && n != 5 {
					t.Errorf("%d searches: it was not refused and asked again", n)
				}
			})
		}
	}
}

// more is what every program has to say that was asked for more.
func (d *dropIn) more(p *clientProgram, name string) {
	d.t.Helper()
	if got := p.next("rules"); !slices.Equal(got.Values, []string{"go lang:en", "(rust OR zig) -is:retweet"}) {
		d.t.Errorf("%+v", got)
	}
	if got := p.next("partial"); !slices.Equal(got.Values, []string{"fine"}) || !slices.Equal(got.Titles, []string{"UnprocessableEntity"}) {
		d.t.Errorf("%+v", got)
	}
	if got := p.next("deleted"); got.Summary["deleted"] != 1 {
		d.t.Errorf("%+v", got)
	}
	p.next("connected")
	eventually(d.t, "the stream", func() bool { return d.clients() == 1 })
	if name == "tweepy" {
		p.next("alive")
	}
	for _, text := range []string{"go alone", "rust end"} {
		say(d.fake, text)
		got := p.next("tweet")
		if got.Text != text || slices.Contains(got.Verified, false) || len(got.Verified) != 2 {
			d.t.Errorf("%+v", got)
		}
		if name == "tweepy" {
			if got := p.next("includes"); !slices.Equal(got.Values, []string{"users"}) {
				d.t.Errorf("%+v", got)
			}
			if got := p.next("matching"); len(got.Tags) != 1 {
				d.t.Errorf("%+v", got)
			}
		}
	}
	pages := map[string]int{"tweepy": 3, "node": 1}[name]
	for range pages {
		if got := p.next("page"); got.Count != 30/pages || !slices.Equal(slices.Compact(got.Values), []string{"test_sim"}) {
			d.t.Errorf("%+v", got)
		}
	}
	if got := p.next("waited"); got.Count != 20 {
		d.t.Errorf("%+v", got)
	}
	if name == "node" {
		p.next("connected")
		eventually(d.t, "the stream of v1.1", func() bool { return d.clients() == 1 })
		made := d.fake.Post(sim.Draft{Text: "go end"})
		if got := p.next("status"); got.ID != made.ID || got.User == "" {
			d.t.Errorf("%+v", got)
		}
	}
}
