package main

import (
	"time"
)

// prefix begins the name of every setting in the environment.
const prefix = "AVIARY_"

// settings is everything an operator can choose. The tags are the whole truth:
// the loader, `aviary env` and the README's table are made from them.
//
//	env         the variable's name after the prefix
//	envDefault  its default, as an operator would write it
//	shown       the default in words, where it is not one value
//	group       the heading it stands under
//	doc         what it does
//
// A field of type secret may also come from a file, as <NAME>_FILE.
type settings struct {
	Listen         string        `env:"LISTEN" envDefault:":8080" group:"Serving" doc:"Address of the public listener."`
	AdminListen    string        `env:"ADMIN_LISTEN" envDefault:"127.0.0.1:8081" group:"Serving" doc:"Address of the admin listener (metrics, pprof, clients, upstream, deletes), or off. Anywhere but on loopback it needs ADMIN_TOKEN."`
	AdminToken     secret        `env:"ADMIN_TOKEN" group:"Serving" doc:"Bearer token the admin listener asks for."`
	TLSCertFile    string        `env:"TLS_CERT_FILE" group:"Serving" doc:"PEM certificate chain; with it and TLS_KEY_FILE the public listener speaks TLS and HTTP/2. SIGHUP reads both again."`
	TLSKeyFile     string        `env:"TLS_KEY_FILE" group:"Serving" doc:"PEM private key of TLS_CERT_FILE."`
	CORSOrigins    origins       `env:"CORS_ORIGINS" envDefault:"*" group:"Serving" doc:"Origins whose pages may read the streams: * or a comma list such as https://example.org."`
	TrustedProxies proxies       `env:"TRUSTED_PROXIES" group:"Serving" doc:"Networks (CIDR, comma list) of the proxies whose X-Forwarded-For is believed, counted from the right."`
	Heartbeat      time.Duration `env:"HEARTBEAT" envDefault:"15s" group:"Serving" doc:"How often a quiet stream gets a sign of life that also freshens the client's last event id."`
	Retry          time.Duration `env:"RETRY" envDefault:"3s" group:"Serving" doc:"How long clients are told to wait before they reconnect; each is told a value up to half of it away."`
	MaxAge         time.Duration `env:"MAX_AGE" envDefault:"0s" group:"Serving" doc:"Longest life of a client's connection; each lives 80 to 100 % of it. 0s: no end."`
	WriteTimeout   time.Duration `env:"WRITE_TIMEOUT" envDefault:"10s" group:"Serving" doc:"A client that takes no byte for so long is closed."`
	Drain          time.Duration `env:"DRAIN" envDefault:"10s" group:"Serving" doc:"Longest time that saying goodbye takes after SIGTERM or SIGINT."`
	LogLevel       string        `env:"LOG_LEVEL" envDefault:"info" group:"Serving" doc:"debug, info, warn or error."`
	LogFormat      string        `env:"LOG_FORMAT" shown:"text on a terminal, else json" group:"Serving" doc:"text or json."`

	MaxClients       int  `env:"MAX_CLIENTS" envDefault:"50000" group:"Limits" doc:"Most streams at once. Lowered, with a warning, to the process's descriptor limit less 128."`
	MaxClientsPerKey int  `env:"MAX_CLIENTS_PER_KEY" envDefault:"100" group:"Limits" doc:"Most streams at once from one client address; loopback is exempt."`
	MaxFilterBytes   size `env:"MAX_FILTER_BYTES" envDefault:"131072" group:"Limits" doc:"Longest filter in a query or a form."`

	HistoryEvents int           `env:"HISTORY_EVENTS" envDefault:"20000" group:"History" doc:"Most events held in memory for replay."`
	HistoryBytes  size          `env:"HISTORY_BYTES" envDefault:"256MiB" group:"History" doc:"Most bytes they take, JSON and decoded posts. Their shared encodings may take a quarter of it on top."`
	HistoryAge    time.Duration `env:"HISTORY_AGE" envDefault:"24h" group:"History" doc:"How long an event is held, and how long a delete is remembered."`

	DataDir       string      `env:"DATA_DIR" group:"Durable" doc:"Folder for the history, so that cursors, events and deletes outlive a restart of this one machine. None, and no NATS_URL: everything is in memory."`
	NATSURL       natsServers `env:"NATS_URL" group:"Durable" doc:"NATS servers (version 2.11 or later, with JetStream) that hold the history for all nodes: nats://host:4222 or tls://host:4222, a comma list for a cluster. All gateways on it share one upstream stream. A user, password or token in it is never shown."`
	NATSCredsFile string      `env:"NATS_CREDS_FILE" group:"Durable" doc:"Credentials file (JWT and key) for NATS_URL, as nsc writes it."`
	NATSReplicas  int         `env:"NATS_REPLICAS" envDefault:"1" group:"Durable" doc:"Servers of NATS_URL that hold each event: 1, 3 or 5, no more than the cluster has."`
	Role          string      `env:"ROLE" envDefault:"all" group:"Durable" doc:"What this node of NATS_URL does: all; ingest (only the upstream: it serves no streams); edge (only clients: it never opens the upstream stream and needs no credentials of the source)."`

	Source        string        `env:"SOURCE" envDefault:"sim" group:"Source" doc:"Where posts come from: sim (a simulated Twitter inside the process), twitter (the v1.1 streaming API), x (the filtered stream of X API v2), file (a capture)."`
	Track         string        `env:"TRACK" group:"Source" doc:"What to ask the upstream for: phrases, as in the v1.1 parameter track. twitter needs one of TRACK, FOLLOW and LOCATIONS."`
	Follow        string        `env:"FOLLOW" group:"Source" doc:"The same: user ids, as in follow."`
	Locations     string        `env:"LOCATIONS" group:"Source" doc:"The same: boxes as west,south,east,north, as in locations."`
	Language      string        `env:"LANGUAGE" group:"Source" doc:"Only posts in these languages, as in language."`
	FilterLevel   string        `env:"FILTER_LEVEL" group:"Source" doc:"Only posts of at least this level: none, low or medium."`
	StallTimeout  time.Duration `env:"STALL_TIMEOUT" envDefault:"90s" group:"Source" doc:"An upstream that sends no byte for so long, keep-alives included, is given up and connected anew."`
	Demand        string        `env:"DEMAND" envDefault:"off" group:"Source" doc:"on: what clients ask for is asked of the upstream too, beside TRACK and its kind, as far as its limits go; the most used first. off: clients whose filter the upstream can never satisfy are refused."`
	StreamLimit   int           `env:"STREAM_LIMIT" envDefault:"2" group:"Source" doc:"Most upstream streams the credentials may have open at once; never more are opened."`
	ConnectLimit  int           `env:"CONNECT_LIMIT" envDefault:"5" group:"Source" doc:"Most connections of v1.1 within CONNECT_WINDOW that a change of the upstream's filter may lead to; one of them is kept for a stream that is lost."`
	ConnectWindow time.Duration `env:"CONNECT_WINDOW" envDefault:"5m" group:"Source" doc:"See CONNECT_LIMIT."`

	BackoffNetwork      time.Duration `env:"BACKOFF_NETWORK" envDefault:"250ms" group:"Back-off" doc:"First wait after a network failure; grows by itself each time."`
	BackoffNetworkMax   time.Duration `env:"BACKOFF_NETWORK_MAX" envDefault:"16s" group:"Back-off" doc:"Longest wait after a network failure."`
	BackoffHTTP         time.Duration `env:"BACKOFF_HTTP" envDefault:"5s" group:"Back-off" doc:"First wait after an HTTP error that may pass (5xx); doubles each time."`
	BackoffHTTPMax      time.Duration `env:"BACKOFF_HTTP_MAX" envDefault:"320s" group:"Back-off" doc:"Longest wait after an HTTP error."`
	BackoffRateLimit    time.Duration `env:"BACKOFF_RATE_LIMIT" envDefault:"1m" group:"Back-off" doc:"First wait after 420 or 429; doubles each time, and is never shorter than what the server asked for."`
	BackoffRateLimitMax time.Duration `env:"BACKOFF_RATE_LIMIT_MAX" envDefault:"16m" group:"Back-off" doc:"Longest wait after 420 or 429, whatever the server asked for."`

	TwitterStreamURL      string `env:"TWITTER_STREAM_URL" envDefault:"https://stream.twitter.com" group:"Twitter v1.1" doc:"Server of the v1.1 streaming API: scheme and host."`
	TwitterConsumerKey    secret `env:"TWITTER_CONSUMER_KEY" group:"Twitter v1.1" doc:"OAuth 1.0a consumer (API) key."`
	TwitterConsumerSecret secret `env:"TWITTER_CONSUMER_SECRET" group:"Twitter v1.1" doc:"OAuth 1.0a consumer (API) secret."`
	TwitterAccessToken    secret `env:"TWITTER_ACCESS_TOKEN" group:"Twitter v1.1" doc:"OAuth 1.0a access token of the user."`
	TwitterAccessSecret   secret `env:"TWITTER_ACCESS_SECRET" group:"Twitter v1.1" doc:"OAuth 1.0a access token secret of the user."`

	TwitterAPIURL      string `env:"TWITTER_API_URL" envDefault:"https://api.twitter.com" group:"Twitter v1.1" doc:"Server of the v1.1 REST API, for search: scheme and host."`
	TwitterBearerToken secret `env:"TWITTER_BEARER_TOKEN" group:"Twitter v1.1" doc:"Bearer token for search, used as it is. With it searches have the budget of the app (450 in 15 minutes), without it that of the user (180)."`

	XAPIURL          string `env:"X_API_URL" envDefault:"https://api.x.com" group:"X API v2" doc:"Server of API v2: scheme and host."`
	XBearerToken     secret `env:"X_BEARER_TOKEN" group:"X API v2" doc:"Bearer token of the app, used as it is: for the stream, its rules and search."`
	XRulesFile       string `env:"X_RULES_FILE" group:"X API v2" doc:"Rules in X's language, one a line, as [tag: ]rule; # and a space begin a comment. They are streamed beside what TRACK, FOLLOW, LOCATIONS and LANGUAGE ask for. Read again at each connect; rules that others keep on the server are left alone."`
	XBackfillMinutes int    `env:"X_BACKFILL_MINUTES" envDefault:"0" group:"X API v2" doc:"How many minutes, 1 to 5, the upstream is asked to send again after an outage, where the token may. 0: gaps are filled by search instead."`
	XPostBudget      int    `env:"X_POST_BUDGET" envDefault:"0" group:"X API v2" doc:"Most posts to read in a month of UTC, by stream, search and look-ups; then the upstream waits for the next month. The count outlives a restart with DATA_DIR or NATS_URL, else it begins at 0. 0: no budget."`

	SearchCache time.Duration `env:"SEARCH_CACHE" envDefault:"10s" group:"Search" doc:"How long an answer serves everybody who asks the same. 0s: only those who ask at the same time share one."`
	SearchWait  time.Duration `env:"SEARCH_WAIT" envDefault:"0s" shown:"5s with OAuth 1.0a, 2s with a bearer token" group:"Search" doc:"Time from the start of one request for a page of /search/pages to the next, over all clients. 0s: the default."`

	File     string `env:"FILE" group:"File" doc:"The capture to replay: one JSON object a line (LF or CRLF), .gz too."`
	FileRate string `env:"FILE_RATE" envDefault:"recorded" group:"File" doc:"recorded (the time between the posts as it was), max, or a number of posts per second."`
	FileLoop bool   `env:"FILE_LOOP" envDefault:"false" group:"File" doc:"Begin again at the end of the file; else the upstream halts there and serving goes on."`

	// secretFiles are the paths the secrets came from, by variable: what SIGHUP reads again.
	secretFiles map[string]string
	// given are the variables that were set to something, by name without the prefix.
	given map[string]bool
}

// off is the word that switches a listener off.
const off = "off"

// tls reports whether the public listener speaks TLS.
func (s *settings) tls() bool { return s.TLSCertFile != "" }
