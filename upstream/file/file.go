package file

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/klauspost/compress/gzip"

	"aviary/fanout"
	"aviary/upstream"
)

// Config says what to replay.
type Config struct {
	Path string
	Pace Pace
	Loop bool
	// Decode turns one line into an event: that of the dialect the capture is in.
	Decode func([]byte) (*fanout.Event, error)
}

// Source replays a capture. One Stream at a time.
type Source struct {
	config Config
	window uint32 // of the current lap; owned by Stream
}

// New returns a Source. It does not open the file; the error says what the
// config lacks.
func New(c Config) (*Source, error) {
	switch {
	case c.Path == "":
		return nil, errors.New("the file source needs a file")
	case c.Decode == nil:
		return nil, errors.New("the file source needs a dialect")
	}
	return &Source{config: c}, nil
}

// Stream implements upstream.Source: it replays the file once, or until ctx ends.
func (s *Source) Stream(ctx context.Context, to upstream.Sink) error {
	pace := &clock{pace: s.config.Pace}
	for {
		s.window++
		pace.stamp = time.Time{}
		events, err := s.lap(ctx, pace, to)
		switch {
		case ctx.Err() != nil: // whoever ended it: a replay can be had again
			return &upstream.Error{Class: upstream.Network, Err: ctx.Err(), Clean: true, Whole: true}
		case err != nil:
			return err
		case events == 0:
			return fatal(fmt.Errorf("%s holds no message that can be decoded", s.config.Path),
				"is it a capture with one JSON message a line?")
		case !s.config.Loop:
			return fatal(errors.New("end of file"),
				"all of "+s.config.Path+" was replayed; reconnect to replay it again, or set AVIARY_FILE_LOOP=true")
		}
	}
}

// fatal is an error that halts. Whatever halts a replay, no post was missed.
func fatal(err error, hint string) error {
	return &upstream.Error{Class: upstream.Fatal, Err: err, Hint: hint, Clean: true, Whole: true}
}

// lap replays the file once and returns how many events came of it.
func (s *Source) lap(ctx context.Context, pace *clock, to upstream.Sink) (events int, err error) {
	f, err := os.Open(s.config.Path)
	if err != nil {
		return 0, fatal(err, "check AVIARY_FILE")
	}
	defer f.Close()
	r, err := unpack(counted{f, to})
	if err != nil {
		return 0, fatal(fmt.Errorf("%s: %w", s.config.Path, err), "the file is damaged")
	}
	frames := upstream.NewFrames(r, upstream.FramingFile)
	for ctx.Err() == nil {
		line, err := frames.Next()
		switch {
		case errors.Is(err, io.EOF):
			return events, nil
		case errors.Is(err, upstream.ErrOversize):
			now := time.Now()
			to.Emit(upstream.GapEvent(fanout.Loss{Reason: "oversize", Missed: 1, From: now, To: now}))
			continue
		case err != nil:
			return events, fatal(fmt.Errorf("%s cannot be read beyond its %d messages so far: %w", s.config.Path, events, err),
				"the file is damaged or cut off; what could be read is served on")
		}
		n, err := s.replay(ctx, line, pace, to)
		events += n
		if err != nil {
			return events, err
		}
	}
	return events, ctx.Err()
}

// replay hands one line to the sink when it is due, and returns how many events
// it was: more than one if it cannot be decoded and has swallowed others.
func (s *Source) replay(ctx context.Context, line []byte, pace *clock, to upstream.Sink) (events int, err error) {
	e, reason := s.decode(line)
	if e != nil {
		e.Window = s.window
		if err := pace.wait(ctx, e.Sent, e.Kind == fanout.KindPost, to); err != nil {
			return 0, err
		}
		to.Emit(e)
		return 1, nil
	}
	split := false
	for piece := range upstream.Pieces(line) {
		split = true
		n, err := s.replay(ctx, piece, pace, to)
		events += n
		if err != nil {
			return events, err
		}
	}
	if !split {
		to.Drop(reason)
	}
	return events, nil
}

// decode calls Decode behind a wall: no input may stop the program.
func (s *Source) decode(line []byte) (e *fanout.Event, reason string) {
	defer func() {
		if recover() != nil {
			e, reason = nil, upstream.DropPanic
		}
	}()
	e, err := s.config.Decode(line)
	if err != nil {
		return nil, upstream.DropMalformed
	}
	return e, ""
}

// counted reports every byte of the file to the sink.
type counted struct {
	r  io.Reader
	to upstream.Sink
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if n > 0 {
		c.to.Alive(n)
	}
	return n, err
}

// unpack returns the content of a file, which may be gzipped.
func unpack(r io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(r, 256<<10)
	if head, _ := b.Peek(2); !bytes.Equal(head, []byte{0x1f, 0x8b}) {
		return b, nil
	}
	return gzip.NewReader(b)
}
