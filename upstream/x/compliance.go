package x

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
	"aviary/upstream"
)

// Held is what the gateway has of the posts that a duty may be about; *fanout.Hub
// is one.
type Held interface {
	Has(filter.Key) bool
	Find(id string) (key filter.Key, author string, ok bool)
	PostsBy(author string) []filter.Key
}

// Duties keeps the gateway true to what its users took back: it follows the
// compliance streams, if the token may, and looks held posts up again in turn.
// What is gone becomes the same delete, status_withheld, user_withheld or scrub_geo
// that any source would have brought.
type Duties struct {
	Source  *Source
	Held    Held
	Publish func(*fanout.Event) bool
	// Ladders and StallTimeout are those of the stream.
	Ladders      upstream.Ladders
	StallTimeout time.Duration
	// Every is how often a hundred held posts are looked up; 0: a minute. Below 0: never.
	Every time.Duration
}

// The compliance streams come in four parts each.
var complianceStreams = []string{"/2/tweets/compliance/stream", "/2/users/compliance/stream"}

const partitions = 4

// Run returns when ctx has ended and everything is closed.
func (d *Duties) Run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { d.recheck(ctx) })

	// The first part shows whether the token may; only then the others are opened.
	streams := make(chan struct{})
	var open sync.Once
	all.Go(func() { d.follow(ctx, complianceStreams[0], 1, func() { open.Do(func() { close(streams) }) }) })
	select {
	case <-streams:
	case <-ctx.Done():
		return
	}
	for _, path := range complianceStreams {
		for n := 1; n <= partitions; n++ {
			if path != complianceStreams[0] || n != 1 {
				all.Go(func() { d.follow(ctx, path, n, func() {}) })
			}
		}
	}
}

// follow keeps one part open until ctx ends or the upstream refuses it for good.
func (d *Duties) follow(ctx context.Context, path string, part int, opened func()) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	from := &compliance{source: d.Source, path: path, part: part, opened: opened}
	r := &upstream.Runner{
		Source: from, Name: "x compliance", Ladders: d.Ladders, StallTimeout: d.StallTimeout, StreamLimit: partitions, Log: quiet,
	}
	r.Publish = func(e *fanout.Event) bool {
		if e.Kind == fanout.KindUpstream && r.Status().State == upstream.StateHalted {
			cancel() // nobody reconnects it
			return true
		}
		return d.publish(e)
	}
	_ = r.Run(ctx) // nil by its contract
}

// publish passes duties on. One about all posts of a user becomes a delete of each
// that is held.
func (d *Duties) publish(e *fanout.Event) bool {
	switch {
	case e.Kind < fanout.KindDelete || e.Kind > fanout.KindUserWithheld:
		return true // states and gaps of these streams are not those of the posts
	case e.Kind == fanout.KindDelete && e.Target.ID == "":
		for _, key := range d.Held.PostsBy(e.Target.Author) {
			if key.Source == Name {
				d.Publish(Delete(key.ID, e.Target.Author, e.Sent))
			}
		}
		return true
	}
	return d.Publish(e)
}

// compliance is one part of a compliance stream. It implements upstream.Source.
type compliance struct {
	source *Source
	path   string
	part   int
	opened func()
}

// Stream implements upstream.Source.
func (c *compliance) Stream(ctx context.Context, to upstream.Sink) error {
	a := c.source.api
	token, veil, err := a.token()
	if err != nil {
		return err
	}
	query := url.Values{"partition": {strconv.Itoa(c.part)}}
	in := &connection{source: c.source, to: to, veil: veil, bare: true}
	err = in.open(ctx, token, c.path, query, func(answer *http.Response) error {
		c.opened()
		return in.read(answer)
	})
	var e *upstream.Error
	if errors.As(err, &e) && e.Class == upstream.Fatal && c.source.once("compliance") {
		c.source.log.Info("the compliance streams cannot be followed with this token: deleted posts are found by looking held ones up again", "error", veil.Mask(e.Error()))
	}
	return veil.Seal(err)
}
