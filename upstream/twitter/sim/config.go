package sim

import (
	"time"
)

// Credentials are the four strings of OAuth 1.0a user context.
type Credentials struct {
	ConsumerKey, ConsumerSecret string
	AccessToken, AccessSecret   string
}

// DefaultCredentials open a simulator whose Config names none. They are made
// up, and meant to look it: they are no secret.
var DefaultCredentials = Credentials{
	ConsumerKey:    "sim-consumer-key",
	ConsumerSecret: "sim-consumer-secret-not-a-secret",
	AccessToken:    "1000001-sim-access-token",
	AccessSecret:   "sim-access-secret-not-a-secret",
}

// DefaultRate is the pace of the embedded default source, in posts per second.
const DefaultRate = 10

// DefaultTrack is the AVIARY_TRACK that Settings prints: the keyword of each
// topic of the corpus, which is most of its posts.
const DefaultTrack = "football,go,music,weather,cooking,trains,space"

// Config says what a Server simulates. The zero Config is a silent server:
// it accepts DefaultCredentials and streams only what is pushed.
type Config struct {
	// Credentials that are accepted; zero: DefaultCredentials.
	Credentials Credentials

	// Seed picks the corpus: the same seed and the same clock give the same bytes.
	Seed uint64

	// Rate is the mean number of posts per second; the pace varies around it.
	// 0: nothing but what Push and Post inject.
	Rate float64

	// Faults is the script of what goes wrong; zero: nothing does. Its clock
	// starts with the first request to a streaming endpoint.
	Faults Faults

	// KeepAlive is the longest silence on a stream before a blank line is sent;
	// 0: 30 s, as the old streaming hosts did.
	KeepAlive time.Duration

	// MaxStreams is how many streams one credential may hold; one more closes
	// the oldest with disconnect code 7. 0: 2. Below 0: no limit.
	MaxStreams int

	// MaxConnects answers 420 to connects beyond that many in ConnectWindow
	// (0: 5 minutes). 0: never.
	MaxConnects   int
	ConnectWindow time.Duration

	// Queue is how many generated messages may wait for a slow reader before
	// it is disconnected with code 4; 0: 4096. What tests push is not counted.
	Queue int

	// WriteTimeout bounds each write to a socket; 0: 30 s.
	WriteTimeout time.Duration

	// SearchLimit and SearchAppLimit are how many searches a SearchWindow allows,
	// with OAuth 1.0a and with a bearer token; 0: 180, 450 and 15 minutes.
	SearchLimit, SearchAppLimit int
	SearchWindow                time.Duration

	// Of API v2. XKeepAlive is the longest silence on a stream (0: 20 s), XStreams how
	// many filtered streams a token may have open (0: 1), XSlotHold how long the
	// slot of a client that left without a word stays taken, XRules how many rules
	// there may be (0: 1,000), XPostCap after how many delivered posts a month the
	// usage is capped (0: never), XSearchLag how old a post must be to be found (0: 30 s).
	XKeepAlive                 time.Duration
	XStreams, XRules, XPostCap int
	XSlotHold, XSearchLag      time.Duration
	// XBackfill and XCompliance say that the token may use backfill_minutes and the
	// compliance streams, XNoConnections that it may not use the Connections API.
	XBackfill, XCompliance, XNoConnections bool

	// ClockSkew is how far the simulator's clock is ahead of the machine's
	// (below 0: behind), so that a client whose clock is off can be tried.
	ClockSkew time.Duration
}

// withDefaults fills in the zero fields.
func (c Config) withDefaults() Config {
	if c.Credentials == (Credentials{}) {
		c.Credentials = DefaultCredentials
	}
	setDefault(&c.KeepAlive, 30*time.Second)
	setDefault(&c.MaxStreams, 2)
	setDefault(&c.ConnectWindow, 5*time.Minute)
	setDefault(&c.Queue, 4096)
	setDefault(&c.WriteTimeout, 30*time.Second)
	setDefault(&c.XKeepAlive, 20*time.Second)
	setDefault(&c.XSearchLag, 30*time.Second)
	setDefault(&c.XStreams, 1)
	setDefault(&c.XRules, 1000)
	setDefault(&c.SearchLimit, 180)
	setDefault(&c.SearchAppLimit, 450)
	setDefault(&c.SearchWindow, 15*time.Minute)
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Settings returns the environment lines ("NAME=value") that point a gateway
// at this server; baseURL is where it listens, e.g. "http://127.0.0.1:8090".
// They hold the made-up secrets: print them only for credentials that are none.
func (s *Server) Settings(baseURL string) []string {
	return []string{
		"AVIARY_SOURCE=twitter",
		"AVIARY_TWITTER_STREAM_URL=" + baseURL,
		"AVIARY_TWITTER_API_URL=" + baseURL,
		"AVIARY_TWITTER_CONSUMER_KEY=" + s.cfg.Credentials.ConsumerKey,
		"AVIARY_TWITTER_CONSUMER_SECRET=" + s.cfg.Credentials.ConsumerSecret,
		"AVIARY_TWITTER_ACCESS_TOKEN=" + s.cfg.Credentials.AccessToken,
		"AVIARY_TWITTER_ACCESS_SECRET=" + s.cfg.Credentials.AccessSecret,
		"AVIARY_TRACK=" + DefaultTrack,
	}
}

// SettingsX is Settings for a gateway that reads this server as X.
func (s *Server) SettingsX(baseURL string) []string {
	return []string{
		"AVIARY_SOURCE=x",
		"AVIARY_X_API_URL=" + baseURL,
		"AVIARY_X_BEARER_TOKEN=" + s.BearerToken(),
		"AVIARY_TRACK=" + DefaultTrack,
	}
}

// Stats counts what a Server did since New.
type Stats struct {
	Streams  int // open now
	Most     int // open at once, the one too many included for which the oldest was closed
	Connects int // requests to a streaming endpoint, refused ones included
	Refused  int // of these, answered with anything but a stream
	Posts    int // posts generated, pushed or made by Post

	Searches  int // requests for a page of search results, refused ones included
	Pages     int // of these, answered with a page
	OverLimit int // of these, refused because the window's limit was used up
	Tokens    int // bearer tokens handed out
}
