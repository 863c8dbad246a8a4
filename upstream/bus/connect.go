package bus

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"aviary/upstream"
)

// oldest is the oldest server that can hold the stream: the first with a life of
// their own for single messages.
const oldest = "2.11"

// trouble is an error with words for an operator.
func trouble(err error, hint string) *upstream.Error {
	return &upstream.Error{Class: upstream.Network, Err: err, Hint: hint, Clean: true, Whole: true}
}

// checkURL refuses what can never be connected to. Errors never hold the URL:
// it may hold a password.
func checkURL(list string) error {
	for one := range strings.SplitSeq(list, ",") {
		u, err := url.Parse(strings.TrimSpace(one))
		if err != nil || u.Host == "" {
			return errors.New("NATS_URL holds something that is no URL: want nats://host:4222 or tls://host:4222, several separated by commas")
		}
		switch u.Scheme {
		case "nats", "tls", "ws", "wss":
		default:
			return fmt.Errorf("NATS_URL has the scheme %q: want nats:// or tls://", u.Scheme)
		}
	}
	return nil
}

// checkCreds reads the credentials file once, so that a wrong path is found out
// at the start.
func checkCreds(path string) error {
	if path == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("NATS_CREDS_FILE cannot be read: %w", err)
	}
	return f.Close()
}

// dial opens one connection. With keep it is the connection that comes back for
// ever, without it one that ends when it is cut: whoever reads or publishes in
// order must know when that happens. Nothing is kept for later while a connection is away: what
// was not sent is the sender's.
func (b *Bus) dial(name string, keep bool, more ...nats.Option) (*nats.Conn, error) {
	options := append([]nats.Option{
		nats.Name("aviary " + name + " " + b.config.Node),
		nats.ReconnectBufSize(-1),
		nats.FlusherTimeout(5 * time.Second),
		nats.PingInterval(2 * time.Second), nats.MaxPingsOutstanding(2),
		nats.Timeout(2 * time.Second),
		nats.ErrorHandler(b.asyncError),
		nats.NoCallbacksAfterClientClose(),
	}, more...)
	if keep {
		options = append(options,
			nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.IgnoreAuthErrorAbort(),
			nats.ReconnectWait(250*time.Millisecond), nats.ReconnectJitter(250*time.Millisecond, 250*time.Millisecond))
	} else {
		options = append(options, nats.NoReconnect())
	}
	if b.config.CredsFile != "" {
		options = append(options, nats.UserCredentials(b.config.CredsFile))
	}
	target := b.config.URL
	if b.embedded != nil {
		s := b.embedded.running()
		if s == nil {
			return nil, errNotRunning
		}
		target, options = nats.DefaultURL, append(options, nats.InProcessServer(s))
	}
	nc, err := nats.Connect(target, options...)
	if err != nil {
		return nil, err
	}
	return nc, nil
}

var errNotRunning = errors.New("the embedded server does not run")

// asyncError remembers what a server will not let us do: the request itself
// only times out.
func (b *Bus) asyncError(_ *nats.Conn, _ *nats.Subscription, err error) {
	if errors.Is(err, nats.ErrPermissionViolation) {
		b.mu.Lock()
		b.denied = err
		b.deniedAt = time.Now()
		b.mu.Unlock()
	}
	b.log().Debug("NATS", "error", err)
}

// checkVersion says whether a server is new enough.
func checkVersion(version string) error {
	if newer(version, oldest) {
		return nil
	}
	return trouble(fmt.Errorf("the NATS server has version %.20q", version),
		"aviary needs NATS "+oldest+" or later with JetStream: upgrade the server")
}

func newer(version, than string) bool {
	have, want := strings.Split(strings.TrimPrefix(version, "v"), "."), strings.Split(than, ".")
	for i := range want {
		if i >= len(have) {
			return false
		}
		h, errH := strconv.Atoi(have[i])
		w, errW := strconv.Atoi(want[i])
		if errH != nil || errW != nil || h != w {
			return errH == nil && errW == nil && h > w
		}
	}
	return true
}

// connected returns the connection that comes back, made if there is none.
func (b *Bus) connected() (jetstream.JetStream, error) {
	if b.embedded != nil {
		before := b.embedded.running()
		if err := b.embedded.ensure(); err != nil {
			return nil, fmt.Errorf("the embedded server does not run: %w", err)
		}
		if before != b.embedded.running() {
			b.dropControl() // it was the old server's
		}
	}
	b.mu.Lock()
	nc := b.control
	b.mu.Unlock()
	if nc == nil {
		var err error
		nc, err = b.dial("control", true, nats.ConnectHandler(b.came), nats.ReconnectHandler(b.came), nats.DisconnectErrHandler(b.went))
		if err != nil {
			return nil, err
		}
		b.mu.Lock()
		b.control = nc
		b.mu.Unlock()
	}
	if !nc.IsConnected() {
		if err := nc.LastError(); err != nil {
			return nil, err
		}
		return nil, nats.ErrDisconnected
	}
	if err := checkVersion(nc.ConnectedServerVersion()); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.api == nil || b.api.Conn() != nc {
		js, err := jetstream.New(nc)
		if err != nil {
			return nil, err
		}
		b.api = js
	}
	return b.api, nil
}

func (b *Bus) dropControl() {
	b.mu.Lock()
	nc := b.control
	b.control = nil
	b.mu.Unlock()
	if nc != nil {
		nc.Close()
	}
}

func (b *Bus) came(*nats.Conn) { b.look() }

func (b *Bus) went(_ *nats.Conn, err error) {
	if err == nil {
		err = nats.ErrDisconnected
	}
	b.told(b.explain("the bus cannot be used", err))
	b.mu.Lock()
	end := b.asking
	b.mu.Unlock()
	if end != nil {
		end(nats.ErrDisconnected)
	}
	b.look()
}

// serverName is what the server calls itself.
func (b *Bus) serverName() string {
	if b.embedded != nil {
		return "embedded"
	}
	return b.control.ConnectedServerName()
}

// jetStream returns a way to ask the server, or an error at once if there is none.
func (b *Bus) jetStream() (jetstream.JetStream, error) {
	js := b.js.Load()
	b.mu.Lock()
	nc := b.control
	b.mu.Unlock()
	if js == nil || nc == nil || !nc.IsConnected() {
		return nil, nats.ErrDisconnected
	}
	return *js, nil
}
