package bus

import (
	"log/slog"
	"time"

	"aviary/fanout"
)

// Config says where the bus is and what it holds. Either DataDir or URL is set.
type Config struct {
	// DataDir is the directory of the embedded server; it is made if it is not there.
	DataDir string

	// URL names external servers, separated by commas: nats://host:4222, tls://host:4222.
	URL string
	// CredsFile is a NATS credentials file; "": none. Its content is never logged.
	CredsFile string
	// Replicas is how many servers hold each message; default 1.
	Replicas int

	Name string // of the stream, of its subjects and, in capitals, of the buckets; default "aviary"
	Node string // this process among those on the same bus: in markers and message ids

	Events int           // HISTORY_EVENTS: messages held; default 20,000
	Bytes  int64         // HISTORY_BYTES: what the leader trims them to; default 256 MiB
	Age    time.Duration // HISTORY_AGE: how long they are held; default 24 h

	// Guest: the bounds of a stream that is there, Events, Age and Replicas, stay as
	// they are. It is for a node that never leads: what it holds itself is its own affair.
	Guest bool

	// Dialects are the sources whose posts this node can read, by name. Messages in
	// another dialect are dropped and told.
	Dialects map[string]*fanout.Dialect

	LeaseTTL time.Duration // of keys in Leases; default 2 s
	// AnswersTTL is how long keys in Answers live, at least a second; 0: there is no such bucket.
	AnswersTTL time.Duration

	Log *slog.Logger // default: slog.Default()
}

const (
	defaultName     = "aviary"
	defaultEvents   = 20_000
	defaultBytes    = 256 << 20
	defaultAge      = 24 * time.Hour
	defaultLeaseTTL = 2 * time.Second

	// tombLife is how long deletes are held: longer than any backup of a client's
	// cursor is worth, and longer than the history, whatever its setting.
	tombLife = 7 * 24 * time.Hour
	// duplicates is how long the server knows a message id.
	duplicates = 2 * time.Minute
)

func (c Config) withDefaults() Config {
	if c.Name == "" {
		c.Name = defaultName
	}
	if c.Replicas <= 0 {
		c.Replicas = 1
	}
	if c.Events <= 0 {
		c.Events = defaultEvents
	}
	if c.Bytes <= 0 {
		c.Bytes = defaultBytes
	}
	if c.Age <= 0 {
		c.Age = defaultAge
	}
	if c.LeaseTTL <= 0 {
		c.LeaseTTL = defaultLeaseTTL
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return c
}
