package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"aviary/upstream"
)

const (
	askTimeout  = 3 * time.Second  // for one answer of the server
	lookEvery   = 10 * time.Second // at a stream that is well
	retryEvery  = time.Second      // to set up a bus that is not
	startupTime = 30 * time.Second // for one set-up: a cluster may have to elect first
)

// Bus is the log that all nodes share, and this node's way to it. Its methods are
// safe for concurrent use.
type Bus struct {
	config   Config
	embedded *embedded // nil: external servers
	cancel   context.CancelFunc
	done     chan struct{}
	ready    chan struct{}
	kick     chan struct{} // capacity 1: look at the bus now
	source   *Source
	held     *held
	lease    *bucket
	state    *bucket
	answers  *bucket     // nil: not wanted
	adjusted atomic.Bool // the stream's settings were compared with ours

	// Written by the goroutine in run, read by all.
	epoch atomic.Uint32
	js    atomic.Pointer[jetstream.JetStream] // of the connection that comes back; nil: none yet

	// Written by the goroutine in Source.Stream.
	last atomic.Uint64 // sequence last read
	term atomic.Uint64 // highest read
	lag  atomic.Uint64

	reading atomic.Bool // a Stream is open

	unstored atomic.Pointer[upstream.Error] // what kept the last message from being stored; nil: nothing

	stale, resent, erased atomic.Uint64
	unacked               atomic.Int64

	mu       sync.Mutex
	control  *nats.Conn
	api      jetstream.JetStream     // over control
	changed  chan struct{}           // closed when the epoch changes
	status   Status                  // Connected, Server, Error, Hint, Messages, Bytes, Damaged
	asking   context.CancelCauseFunc // ends the look that waits for answers; nil: none does
	denied   error                   // the last thing that the server would not let us do
	deniedAt time.Time
	looked   uint64 // LastSeq when the stream was last looked at
}

// Open checks the settings, takes the lock of DataDir and starts to connect in
// the background, for ever: a bus that is away is a state, not an error. The
// error is what somebody must put right: a bad URL, a credentials file that
// cannot be read, a DataDir that another process uses or that cannot be written.
// Whoever opens closes; ctx ends the bus too.
func Open(ctx context.Context, c Config) (*Bus, error) {
	c = c.withDefaults()
	b := &Bus{
		config: c, done: make(chan struct{}), ready: make(chan struct{}), kick: make(chan struct{}, 1),
		changed: make(chan struct{}), held: newHeld(c.Events),
	}
	switch {
	case (c.DataDir == "") == (c.URL == ""):
		return nil, errors.New("the bus needs either DATA_DIR or NATS_URL")
	case c.DataDir != "":
		if c.Replicas > 1 {
			return nil, errors.New("NATS_REPLICAS is for NATS_URL: the server in DATA_DIR is alone")
		}
		e, err := openDir(c.DataDir, c.Name, c.Log)
		if err != nil {
			return nil, err
		}
		b.embedded = e
	default:
		if err := errors.Join(checkURL(c.URL), checkCreds(c.CredsFile)); err != nil {
			return nil, err
		}
	}
	b.source = &Source{bus: b, filled: make(chan struct{})}
	b.lease, b.state = b.newBucket("lease", c.LeaseTTL), b.newBucket("state", 0)
	if c.AnswersTTL > 0 {
		b.answers = b.newBucket("answers", max(c.AnswersTTL, time.Second))
		b.answers.passing = true
	}
	ctx, b.cancel = context.WithCancel(ctx)
	go b.run(ctx)
	return b, nil
}

// Close stops everything, the embedded server included, and gives DataDir back.
// Publishers and Streams should have ended before.
func (b *Bus) Close() {
	b.cancel()
	<-b.done
}

// Ready is closed once the stream and the buckets are there for the first time:
// from then on Epoch is known.
func (b *Bus) Ready() <-chan struct{} { return b.ready }

// Epoch is the epoch of the stream's cursors; 0 before Ready. SourceConfig.Renewed
// tells it too, the first one included, before any event of it.
func (b *Bus) Epoch() uint32 { return b.epoch.Load() }

func (b *Bus) log() *slog.Logger { return b.config.Log }

// run sets the bus up, looks after it, and takes it down.
func (b *Bus) run(ctx context.Context) {
	defer close(b.done)
	defer func() {
		b.mu.Lock()
		nc := b.control
		b.mu.Unlock()
		if nc != nil {
			nc.Close()
		}
		if b.embedded != nil {
			b.embedded.close()
		}
	}()
	if b.embedded != nil {
		var beside sync.WaitGroup
		beside.Go(func() { giveBack(ctx) })
		defer beside.Wait()
	}
	said := ""
	for ctx.Err() == nil {
		err := b.setUp(ctx)
		if err == nil {
			err = b.waits()
		}
		wait := lookEvery
		switch {
		case ctx.Err() != nil:
		case err != nil:
			told := b.explain("the bus cannot be used", err)
			b.told(told)
			if wait = retryEvery; told.Error() != said {
				b.log().Error(told.Error(), "hint", told.Hint)
			}
			said = told.Error()
		default:
			if b.told(b.far()); said != "" {
				b.log().Info("the bus can be used again")
			}
			said = ""
			if b.answers != nil {
				b.answers.offer(ctx)
			}
		}
		select {
		case <-ctx.Done():
		case <-b.kick:
		case <-time.After(wait):
		}
	}
}

// told sets what Status says. A warning (errFar) leaves the bus usable.
func (b *Bus) told(err *upstream.Error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status.Connected, b.status.Error, b.status.Hint = err == nil || errors.Is(err, errFar), "", ""
	if err != nil {
		b.status.Error, b.status.Hint = err.Error(), err.Hint
	}
}

var errFar = errors.New("NATS answers too late for a node to hold the upstream")

// far finds servers that answer so late that no node can hold a lease on them; nil:
// they do not.
func (b *Bus) far() *upstream.Error {
	b.mu.Lock()
	nc := b.control
	b.mu.Unlock()
	if b.embedded != nil || nc == nil {
		return nil
	}
	most, took := b.config.LeaseTTL/8, time.Duration(0)
	for range 2 { // once may be chance
		began := time.Now()
		if nc.FlushTimeout(askTimeout) != nil {
			return nil // who cut it tells
		}
		if took = time.Since(began); took <= most {
			return nil
		}
	}
	return trouble(fmt.Errorf("%w: after %v, and %v is the most", errFar, took.Round(10*time.Millisecond), most),
		"bring servers and gateways nearer to each other, or find out what slows the servers or the way to them down")
}

// look asks for a look at the bus soon.
func (b *Bus) look() {
	select {
	case b.kick <- struct{}{}:
	default:
	}
}

// setUp does what is not done yet, from the server to the buckets.
func (b *Bus) setUp(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, startupTime)
	defer cancel()
	js, err := b.connected()
	if err != nil {
		return err
	}
	// A request that was on its way when the connection was cut is never answered,
	// also if there is another connection by now: went ends the look. Some get lost
	// between servers, so each part has its own time too.
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	b.mu.Lock()
	b.asking = end
	b.mu.Unlock()
	defer func() {
		if err != nil && errors.Is(context.Cause(ctx), nats.ErrDisconnected) {
			err = nats.ErrDisconnected
		}
	}()
	most := askTimeout + time.Duration(b.config.Replicas-1)*2*time.Second
	ask, cancelAsk := context.WithTimeout(ctx, most)
	defer cancelAsk()
	if err := b.ensureStream(ask, js); err != nil {
		return err
	}
	for _, k := range []*bucket{b.lease, b.state} {
		if err := k.ensure(ctx, js); err != nil {
			return err
		}
	}
	ask, cancelAsk = context.WithTimeout(ctx, most+doubt)
	defer cancelAsk()
	info, err := b.renew(ask, js)
	if err != nil {
		return err
	}
	if b.embedded != nil {
		if err := errors.Join(b.embedded.note(info.Config.Metadata[metaEpoch]), b.embedded.settle()); err != nil {
			return err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status.Server = b.serverName()
	b.status.Messages, b.status.Bytes, b.looked = info.State.Msgs, info.State.Bytes, info.State.LastSeq
	b.js.Store(&js)
	if epoch := epochOf(info); epoch != b.epoch.Load() {
		b.epoch.Store(epoch)
		close(b.changed)
		b.changed = make(chan struct{})
	}
	select {
	case <-b.ready:
	default:
		close(b.ready)
	}
	return nil
}
