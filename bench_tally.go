package main

import (
	"encoding/json"
	"errors"
	"time"

	"aviary/loadgen"
)

// benchTally counts what the streams of a bench bring; it implements
// loadgen.Reader, so all of it is owned by the fleet's lock.
type benchTally struct {
	feeds   []*benchFeed // by URL
	streams []benchStream

	measuring  bool // between the warm-up and the end
	deliveries int64
	age        loadgen.Histogram
	spread     loadgen.Histogram

	repeated  int64
	gaps      int64
	gapMissed int64
	byes      map[string]int
	ended     int   // streams that were open and ended
	why       error // the first of them
}

// benchStream is one stream's place in its feed.
type benchStream struct {
	begun       bool
	start, last uint64 // numbers: the beginning, exclusive, and what came last
	got         uint64 // posts that came after start, up to the feed's cut
}

func newBenchTally(urls, streams int) *benchTally {
	t := &benchTally{streams: make([]benchStream, streams), byes: map[string]int{}}
	for range urls {
		t.feeds = append(t.feeds, &benchFeed{recent: make([]benchPost, recentPosts)})
	}
	return t
}

// Event implements loadgen.Reader.
func (t *benchTally) Event(s *loadgen.Stream, e *loadgen.Event, at time.Time) {
	feed, stream := t.feeds[s.Index%len(t.feeds)], &t.streams[s.Index]
	number, numbered := feed.number(e.ID)
	if len(e.Name) > 0 && string(e.Name) != "message" {
		if numbered && !stream.begun && string(e.Name) == "hello" {
			stream.begun, stream.start, stream.last = true, number, number
		}
		t.notice(e)
		return
	}
	if t.measuring {
		t.deliveries++
	}
	if !numbered {
		t.time(&benchPost{}, e, at, false)
		return
	}
	if !stream.begun && number > 0 {
		stream.begun, stream.start, stream.last = true, number-1, number-1
	}
	if number <= stream.last {
		t.repeated++
		return
	}
	stream.last = number
	if !feed.frozen || number <= feed.cut {
		stream.got++
		feed.mark(number)
	}
	post, first := feed.post(number)
	t.time(post, e, at, !first)
}

// time takes the latencies of one delivery. A post's time stamp is read once.
func (t *benchTally) time(post *benchPost, e *loadgen.Event, at time.Time, again bool) {
	if !again {
		post.first, post.made = at.UnixNano(), madeAt(e.Data)
	}
	if !t.measuring {
		return
	}
	if post.made != 0 {
		t.age.Add(time.Duration(at.UnixNano() - post.made))
	}
	if again {
		t.spread.Add(time.Duration(at.UnixNano() - post.first))
	}
}

// notice reads the gateway's own events.
func (t *benchTally) notice(e *loadgen.Event) {
	var said struct {
		Gap struct{ Missed int64 }
		Bye struct{ Reason string }
	}
	switch string(e.Name) {
	case "gap":
		t.gaps++
		if json.Unmarshal(e.Data, &said) == nil {
			t.gapMissed += said.Gap.Missed
		}
	case "bye":
		if json.Unmarshal(e.Data, &said) == nil {
			t.byes[said.Bye.Reason]++
		}
	}
}

// Ended implements loadgen.Reader.
func (t *benchTally) Ended(_ *loadgen.Stream, err error) {
	var refused *loadgen.Refusal
	if errors.As(err, &refused) {
		return // told by Open
	}
	if t.ended++; t.why == nil {
		t.why = err
	}
}

// freeze fixes up to where posts count as lost: what some stream has by now.
func (t *benchTally) freeze() {
	t.measuring = false
	for _, f := range t.feeds {
		f.frozen, f.cut = true, f.newest
	}
}

// behind reports whether an open stream has not got as far as the others.
func (t *benchTally) behind(streams []*loadgen.Stream) bool {
	for _, s := range streams {
		stream := &t.streams[s.Index]
		if s.Alive() && stream.begun && stream.last < t.feeds[s.Index%len(t.feeds)].cut {
			return true
		}
	}
	return false
}

// lost is how many posts streams did not get. A stream that ended is judged up
// to where it ended.
func (t *benchTally) lost(alive func(index int) bool) (lost uint64) {
	for _, f := range t.feeds {
		f.rank()
	}
	for i := range t.streams {
		s, f := &t.streams[i], t.feeds[i%len(t.feeds)]
		if !s.begun {
			continue
		}
		end := f.cut
		if !alive(i) {
			end = min(end, s.last)
		}
		if there := f.upTo(end) - min(f.upTo(s.start), f.upTo(end)); there > s.got {
			lost += there - s.got
		}
	}
	return lost
}

// numbered reports whether ids could be compared at all.
func (t *benchTally) numbered() bool {
	for _, f := range t.feeds {
		if f.newest > 0 {
			return true
		}
	}
	return false
}
