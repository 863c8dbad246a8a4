package bus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"aviary/fanout"
)

// metaEpoch is where the stream says of which life its sequences are.
const metaEpoch = "aviary-epoch"

// wanted sets in have what aviary needs of its stream and leaves the rest, such
// as placement or compression, to whoever runs NATS.
func (c *Config) wanted(have jetstream.StreamConfig) jetstream.StreamConfig {
	there := have.Name != ""
	have.Name = c.Name
	have.Subjects = []string{c.events(), c.terms(), c.Name + ".tomb.>"}
	have.Retention = jetstream.LimitsPolicy
	have.Discard = jetstream.DiscardOld
	have.MaxMsgs = -1
	have.MaxBytes = -1 // it would drop deletes first
	have.MaxMsgSize, have.NoAck = -1, false
	have.Duplicates = duplicates
	have.AllowMsgTTL = true
	have.AllowDirect = true
	have.DenyDelete, have.DenyPurge = false, false
	if c.Guest && there {
		have.MaxAge = max(tombLife, have.MaxAge)
		return have
	}
	have.MaxMsgsPerSubject = int64(c.Events)
	have.MaxAge = max(tombLife, c.Age+24*time.Hour)
	have.Replicas = c.Replicas
	return have
}

// same says that nothing has to be changed.
func same(a, b jetstream.StreamConfig) bool {
	return slices.Equal(a.Subjects, b.Subjects) && a.Discard == b.Discard &&
		a.MaxMsgsPerSubject == b.MaxMsgsPerSubject && a.MaxMsgs == b.MaxMsgs && a.MaxBytes == b.MaxBytes && a.MaxMsgSize == b.MaxMsgSize && a.NoAck == b.NoAck &&
		a.MaxAge == b.MaxAge && a.Duplicates == b.Duplicates && a.AllowMsgTTL == b.AllowMsgTTL &&
		a.AllowDirect == b.AllowDirect && a.Replicas == b.Replicas && maps.Equal(a.Metadata, b.Metadata)
}

// removal is how long a server is given to remove what was deleted. It is not listed any
// more before its files are gone, and what is made in its place meanwhile takes over old
// messages, or goes with them.
const removal = time.Second

// removed waits for that.
func removed(ctx context.Context) error {
	t := time.NewTimer(removal)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// ensureStream makes the stream or brings it up to date, once in the life of the
// process.
func (b *Bus) ensureStream(ctx context.Context, js jetstream.JetStream) error {
	s, err := js.Stream(ctx, b.config.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if err := b.lostStore(); err != nil {
			return err
		}
		if b.epoch.Load() != 0 {
			if err := removed(ctx); err != nil {
				return err
			}
		}
		c := b.config.wanted(jetstream.StreamConfig{Storage: jetstream.FileStorage, Description: "aviary: posts, and what takes them away"})
		c.Metadata = map[string]string{metaEpoch: newEpoch()}
		s, err = js.CreateStream(ctx, c)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another node was quicker
			s, err = js.Stream(ctx, b.config.Name)
		}
		if err == nil {
			b.log().Info("the bus has a new stream", "stream", b.config.Name, "epoch", s.CachedInfo().Config.Metadata[metaEpoch])
		}
	}
	if err != nil {
		return err
	}
	info := s.CachedInfo()
	if err := inFiles(info); err != nil {
		return err
	}
	c := b.config.wanted(info.Config)
	if c.Metadata[metaEpoch] == "" { // somebody else made it
		c.Metadata = withEpoch(c.Metadata)
	} else if b.adjusted.Load() {
		return nil
	}
	if !same(c, info.Config) {
		b.tellBounds(info.Config, c)
		if _, err = js.UpdateStream(ctx, c); err != nil {
			return err
		}
	}
	b.adjusted.Store(true)
	return nil
}

// inFiles refuses a stream that somebody made in a server's memory, which cannot be
// changed: what is acknowledged there ends with the server.
func inFiles(info *jetstream.StreamInfo) error {
	if info.Config.Storage == jetstream.FileStorage {
		return nil
	}
	return trouble(fmt.Errorf("somebody else made the stream %s, in memory and not in files", info.Config.Name),
		"delete it, with `nats stream rm`, and it is made again; or give the gateways an account of their own")
}

// tellBounds tells that this node changes what all nodes have: somebody changed a
// setting, or nodes have different ones, and the last to start decides.
func (b *Bus) tellBounds(have, want jetstream.StreamConfig) {
	if have.MaxMsgsPerSubject == want.MaxMsgsPerSubject && have.Replicas == want.Replicas {
		return
	}
	b.log().Warn("the bounds of the bus are changed to this node's settings, for all nodes", "stream", b.config.Name,
		"events", want.MaxMsgsPerSubject, "events_before", have.MaxMsgsPerSubject, "replicas", want.Replicas, "replicas_before", have.Replicas)
}

// renew gives the stream a new epoch if it was restored.
func (b *Bus) renew(ctx context.Context, js jetstream.JetStream) (*jetstream.StreamInfo, error) {
	restored, info, err := b.restored(ctx, js)
	if err != nil || !restored {
		return info, err
	}
	c := info.Config
	c.Metadata = withEpoch(c.Metadata)
	s, err := js.UpdateStream(ctx, c)
	if err != nil {
		return nil, err
	}
	b.log().Warn("the bus was restored or lost its end, and begins a new epoch: cursors given out before are answered with a gap",
		"stream", b.config.Name, "epoch", c.Metadata[metaEpoch])
	b.last.Store(0)
	return s.CachedInfo(), b.writeHead(ctx, headNote{epochOf(s.CachedInfo()), s.CachedInfo().State.LastSeq})
}

func withEpoch(m map[string]string) map[string]string {
	with := maps.Clone(m)
	if with == nil {
		with = map[string]string{}
	}
	with[metaEpoch] = newEpoch()
	return with
}

// doubt is how long a stream that seems to end too early is given: a replica that
// has just begun to lead may not have caught up.
const doubt = 2 * time.Second

// restored says that the stream's sequences are not a continuation of those this
// epoch gave out: it came from a backup, or lost its end.
func (b *Bus) restored(ctx context.Context, js jetstream.JetStream) (bool, *jetstream.StreamInfo, error) {
	for try := 0; ; try++ {
		// In this order: what is read before the stream is looked at cannot lie behind its end.
		read, epoch := b.last.Load(), b.epoch.Load()
		noted, err := b.readHead(ctx)
		if err != nil && !errors.Is(err, jetstream.ErrKeyNotFound) {
			return false, nil, err
		}
		s, err := js.Stream(ctx, b.config.Name)
		if err != nil {
			return false, nil, err
		}
		info := s.CachedInfo()
		last := info.State.LastSeq
		short := epochOf(info) == epoch && last < read || epochOf(info) == noted.Epoch && last < noted.Last
		switch {
		case b.embedded != nil && b.embedded.moved(), short && try > 0:
			return true, info, nil
		case !short:
			return false, info, nil
		}
		select {
		case <-ctx.Done():
			return false, nil, ctx.Err()
		case <-time.After(doubt):
		}
	}
}

// newEpoch draws the text of an epoch: the first part of a cursor.
func newEpoch() string {
	const least, span = 604661760, 2176782335 - 604661760 // a00000 … zzzzzz
	text, _, _ := strings.Cut(fanout.Cursor{Epoch: least + rand.Uint32N(span)}.String(), "-")
	return text
}

// epochOf reads it back; 0: there is none.
func epochOf(info *jetstream.StreamInfo) uint32 {
	c, _, err := fanout.ParseCursor(info.Config.Metadata[metaEpoch] + "-0")
	if err != nil {
		return 0
	}
	return c.Epoch
}
