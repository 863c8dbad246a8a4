package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// restartAfter is how long a server that cannot write is left before it is
// started again: by then somebody may have freed space.
const restartAfter = 5 * time.Second

// embedded is the NATS server in this process. It listens nowhere: connections
// are pipes.
type embedded struct {
	dir    string
	stream string
	log    *slog.Logger
	lock   *os.File // held as long as the process uses dir
	outage bool     // the machine went down under the last process; owned by Bus.run

	mu      sync.Mutex
	server  *server.Server // nil: it does not run
	stopped time.Time
	failure string // what the server said when it gave up writing or starting; "": it did not
}

// openDir makes and locks the directory. Errors are for an operator.
func openDir(dir, stream string, log *slog.Logger) (*embedded, error) {
	if err := CheckDir(dir); err != nil {
		return nil, fmt.Errorf("DATA_DIR: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("DATA_DIR cannot be made: %w", err)
	}
	lock, err := lockFile(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("DATA_DIR %s: %w", dir, err)
	}
	e := &embedded{dir: dir, stream: stream, log: log, lock: lock}
	e.outage = e.wentDown()
	return e, nil
}

var errLocked = errors.New("another aviary uses it: one process to a directory; for several, set NATS_URL")

func (e *embedded) store() string { return filepath.Join(e.dir, "store") }

// running returns the server, or nil.
func (e *embedded) running() *server.Server {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.server
}

// failed says why the server cannot work; "": it can.
func (e *embedded) failed() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.failure
}

// ensure starts the server if it does not run, and starts it anew if it cannot
// write any more. The error says why it does not run.
func (e *embedded) ensure() error {
	e.mu.Lock()
	s, failure, stopped := e.server, e.failure, e.stopped
	e.mu.Unlock()
	switch {
	case s != nil && failure == "":
		return nil
	case s != nil:
		e.stop()
		return errors.New(failure)
	case failure != "" && time.Since(stopped) < restartAfter:
		return errors.New(failure)
	}
	if err := e.start(); err != nil {
		e.mu.Lock()
		e.failure, e.stopped = err.Error(), time.Now()
		e.mu.Unlock()
		return err
	}
	return nil
}

// start runs a server over whatever is in the directory.
func (e *embedded) start() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the embedded server panicked while it read the store: %v", p)
		}
	}()
	e.mu.Lock()
	e.failure = ""
	e.mu.Unlock()
	e.sweep()
	s, err := server.NewServer(&server.Options{
		ServerName: "aviary-embedded", DontListen: true, NoSigs: true,
		JetStream: true, StoreDir: e.store(), JetStreamMaxMemory: 16 << 20, JetStreamMaxStore: 1 << 50,
		DisableJetStreamBanner: true, NoSystemAccount: true,
		MaxPayload: 2 << 20, MaxClosedClients: 1,
	})
	if err != nil {
		return err
	}
	s.SetLoggerV2((*serverLog)(e), false, false, false)
	s.Start()
	if !s.ReadyForConnections(10*time.Second) || !s.JetStreamEnabled() {
		s.Shutdown()
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.failure != "" {
			return errors.New(e.failure)
		}
		return errors.New("the embedded server did not start")
	}
	e.mu.Lock()
	e.server = s
	e.mu.Unlock()
	return nil
}

// sweep removes what a server left when it was killed while it overwrote deleted
// posts: copies of blocks, which hold what was deleted since, and the posts themselves.
func (e *embedded) sweep() {
	left, err := filepath.Glob(filepath.Join(e.store(), "jetstream", "*", "streams", "*", "msgs", "*.blk.tmp"))
	for _, path := range left {
		err = errors.Join(err, os.Remove(path))
	}
	if err = errors.Join(err, e.scrub()); err != nil {
		e.log.Error("what is left of deleted posts cannot be removed", "error", err)
	}
}

// stop ends the server: what is acknowledged is on disk.
func (e *embedded) stop() {
	e.mu.Lock()
	s := e.server
	e.server, e.stopped = nil, time.Now()
	e.mu.Unlock()
	if s != nil {
		s.Shutdown()
		s.WaitForShutdown()
	}
}

// close ends the server and gives the directory back.
func (e *embedded) close() {
	e.stop()
	e.rest()
	_ = e.lock.Close()
}

// known says that the directory held a stream before; note writes that down.
func (e *embedded) known() bool {
	_, err := os.Stat(filepath.Join(e.dir, "stream"))
	return err == nil
}

func (e *embedded) note(epoch string) error {
	return os.WriteFile(filepath.Join(e.dir, "stream"), []byte(epoch+"\n"), 0o600)
}

// moved says that the directory is a copy: it was restored from a backup, or
// brought from another machine. The file "place" knows its own inode and birth. Or the
// machine went down and the end of the store with it, of which clients may have
// cursors. settle makes this the right place, and all right.
func (e *embedded) moved() bool {
	if e.outage {
		return true
	}
	path := filepath.Join(e.dir, "place")
	wrote, err := os.ReadFile(path)
	return err == nil && strings.TrimSpace(string(wrote)) != placeOf(path)
}

func (e *embedded) settle() error {
	path := filepath.Join(e.dir, "place")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	place := placeOf(path) + "\n"
	_, err = f.WriteAt([]byte(place), 0)
	if err = errors.Join(err, f.Truncate(int64(len(place))), f.Close()); err == nil {
		err = e.awake()
	}
	if err == nil {
		e.outage = false
	}
	return err
}

// setAside puts a store away in which the stream cannot be found any more, so that
// the next start begins an empty one. It returns where the old one is.
func (e *embedded) setAside() (string, error) {
	e.stop()
	to := e.store() + ".damaged-" + time.Now().UTC().Format("20060102T150405.000")
	if err := os.Rename(e.store(), to); err != nil {
		return "", err
	}
	return to, os.Remove(filepath.Join(e.dir, "stream"))
}

// lostStore is called when the stream is not there. If it was before, the store is
// damaged beyond what the server can repair: it is put aside.
func (b *Bus) lostStore() error {
	if b.embedded == nil || !b.embedded.known() {
		return nil
	}
	to, err := b.embedded.setAside()
	if err != nil {
		return trouble(fmt.Errorf("the store is damaged and cannot be put aside: %w", err), "move "+b.embedded.store()+" away by hand")
	}
	b.log().Error("the store held no readable stream any more: it was put aside and an empty one begins", "damaged", to)
	b.mu.Lock()
	b.status.Damaged = to
	b.mu.Unlock()
	return trouble(errors.New("the store was damaged: an empty one begins"), "the old one is in "+to)
}

// serverLog passes what the server says on, at debug: what an operator must know
// is told by the state of the bus.
type serverLog embedded

func (l *serverLog) say(level, format string, v []any) {
	(*embedded)(l).log.LogAttrs(context.Background(), slog.LevelDebug, "nats-server: "+fmt.Sprintf(format, v...), slog.String("level", level))
}

func (l *serverLog) Noticef(format string, v ...any) { l.say("notice", format, v) }
func (l *serverLog) Warnf(format string, v ...any)   { l.say("warning", format, v) }
func (l *serverLog) Debugf(format string, v ...any)  { l.say("debug", format, v) }
func (l *serverLog) Tracef(format string, v ...any)  { l.say("trace", format, v) }

// Errorf notes that the store cannot be written any more: the server then stays
// as it is until it is started again.
func (l *serverLog) Errorf(format string, v ...any) {
	l.say("error", format, v)
	text := fmt.Sprintf(format, v...)
	if strings.Contains(text, "critical write error") || isFull(errors.New(text)) {
		l.fail(text)
	}
}

// Fatalf notes why the server does not start. Start returns after it.
func (l *serverLog) Fatalf(format string, v ...any) {
	l.say("fatal", format, v)
	l.fail(fmt.Sprintf(format, v...))
}

func (l *serverLog) fail(text string) {
	go func() { // the server may hold locks
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.failure == "" {
			l.failure = text
		}
	}()
}
