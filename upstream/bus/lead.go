package bus

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"aviary/fanout"
)

const (
	eraseEvery = 100 * time.Millisecond // at most: deletes come in bursts
	eraseMost  = 64                     // in one go, so that the other duties get their turn
	trimEvery  = 30 * time.Second
	noteEvery  = 5 * time.Second
	markEvery  = time.Hour
	maxTombs   = 1_000_000 // deletes held, whatever their age
)

// Lead does the leader's duties until ctx ends: it overwrites the messages of
// deleted posts, keeps the stream within Config.Bytes, notes how far the stream
// has come, and keeps the term's marker among the youngest messages. All of it may be done twice:
// two leaders for a moment harm nothing.
func (b *Bus) Lead(ctx context.Context, p *Publisher) {
	erase, trim, note, mark := time.NewTicker(eraseEvery), time.NewTicker(trimEvery), time.NewTicker(noteEvery), time.NewTicker(markEvery)
	for _, t := range []*time.Ticker{erase, trim, note, mark} {
		defer t.Stop()
	}
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-erase.C:
			err = b.erase(ctx)
		case <-trim.C:
			err = b.trim(ctx)
		case <-note.C:
			err = b.noteHead(ctx)
		case <-mark.C:
			err = p.refresh(ctx)
		}
		if err != nil && ctx.Err() == nil {
			b.log().Debug("a duty of the leader has to wait", "error", err)
		}
	}
}

func (p *Publisher) refresh(ctx context.Context) error {
	p.mu.Lock()
	m := p.marker
	p.mu.Unlock()
	if m == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return p.Mark(ctx, *m)
}

func (b *Bus) noteHead(ctx context.Context) error {
	if _, err := b.jetStream(); err != nil || b.last.Load() == 0 {
		return err
	}
	return b.writeHead(ctx, headNote{b.epoch.Load(), b.last.Load()})
}

// erase overwrites what is doomed. What is gone already counts as done. Each costs the server a
// new copy of a file of some megabytes, in which everything but the post is the same.
func (b *Bus) erase(ctx context.Context) error {
	js, err := b.jetStream()
	if err != nil {
		return err
	}
	seqs := b.held.next(eraseMost)
	if len(seqs) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*askTimeout)
	defer cancel()
	stream, err := js.Stream(ctx, b.config.Name)
	if err != nil {
		return err
	}
	if b.embedded != nil {
		if err := b.embedded.erasing(seqs); err != nil {
			return err
		}
	}
	for i, seq := range seqs {
		if err := stream.SecureDeleteMsg(ctx, seq); err == nil {
			b.erased.Add(1)
		} else if !gone(err) {
			b.held.done(seqs[:i])
			return err
		}
	}
	b.held.done(seqs)
	if b.embedded != nil {
		return b.embedded.erasing(nil)
	}
	return nil
}

// gone says that there is no such message any more. The server has one code for
// all that can go wrong with a delete, and tells this apart in words only.
func gone(err error) bool {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return errors.Is(err, jetstream.ErrMsgNotFound)
	}
	switch api.ErrorCode {
	case jetstream.JSErrCodeMessageNotFound, codeSequenceNotFound:
		return true
	case codeDeleteFailed:
		return strings.Contains(api.Description, "no message found") || strings.Contains(api.Description, "not found") || strings.Contains(api.Description, "deleted message")
	}
	return false
}

// trim purges the oldest events, never deletes, while the stream is larger than it may be,
// and the oldest deletes beyond their bound.
func (b *Bus) trim(ctx context.Context) error {
	js, err := b.jetStream()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*askTimeout)
	defer cancel()
	stream, err := js.Stream(ctx, b.config.Name)
	if err != nil {
		return err
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(b.config.events()))
	if err != nil {
		return err
	}
	events := info.State.Subjects[b.config.events()]
	tombs := info.State.Msgs - min(info.State.Msgs, events)
	if tombs > maxTombs {
		if err := stream.Purge(ctx, jetstream.WithPurgeSubject(b.config.Name+".tomb.>"), jetstream.WithPurgeKeep(maxTombs*9/10)); err != nil {
			return err
		}
	}
	own := int64(info.State.Bytes) - int64(tombs)*tombBytes // of events
	if own <= b.config.Bytes || events == 0 {
		return nil
	}
	keep := max(1, uint64(float64(events)*float64(b.config.Bytes)/float64(own)*0.9))
	b.log().Debug("the bus is trimmed to HISTORY_BYTES", "events", events, "kept", keep)
	return stream.Purge(ctx, jetstream.WithPurgeSubject(b.config.events()), jetstream.WithPurgeKeep(keep))
}

// tombBytes is about what a delete takes in the store.
const tombBytes = 400

// Delete publishes an operator's delete, which any node may, whoever leads: it has
// no term. It returns when it is stored.
func (b *Bus) Delete(ctx context.Context, e *fanout.Event) error {
	if !takesAway(e.Kind) {
		return errors.New("only what takes posts away can be published by everybody")
	}
	js, err := b.jetStream()
	if err != nil {
		return b.explain("the delete is not stored", err)
	}
	one := seenCopy(e)
	if one.Target.Source == "" && e.Dialect != nil {
		one.Target.Source = e.Dialect.Name
	}
	one.Seen = e.Seen || b.held.has(one.Target)
	m := b.config.encode(one, time.Now())
	m.Header[headerID] = []string{"op-" + b.config.Node + "-" + newEpoch() + newEpoch()}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if _, err := js.PublishMsg(ctx, m); err != nil {
		return b.explain("the delete is not stored", err)
	}
	return nil
}
