package bus

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"aviary/fanout"
	"aviary/upstream"
)

// The headers of a message. Its body is the event's JSON; of a gap, and of a
// marker, there is none.
const (
	headerID       = "Nats-Msg-Id"     // <term>-<n>; of an operator's delete op-<random>
	headerTTL      = "Nats-TTL"        // of what ages with the history
	headerKind     = "Aviary-Kind"     // post, delete, gap, … or marker
	headerDialect  = "Aviary-Dialect"  // whose JSON it is
	headerReceived = "Aviary-Received" // RFC 3339 with nanoseconds
	headerTerm     = "Aviary-Term"     // of the leader that published it; none: an operator did, any term
	headerWindow   = "Aviary-Window"   // fanout.Event.Window, if it is not 0
	headerSent     = "Aviary-Sent"     // the upstream's time stamp, if it gave one
	headerSource   = "Aviary-Source"   // the target of what takes posts away
	headerPost     = "Aviary-Post"
	headerAuthor   = "Aviary-Author"
	headerUpTo     = "Aviary-Up-To"
	headerSeen     = "Aviary-Seen"   // the target was published
	headerReason   = "Aviary-Reason" // what a gap tells
	headerMissed   = "Aviary-Missed"
	headerFrom     = "Aviary-From"
	headerTo       = "Aviary-To"
	headerNode     = "Aviary-Node" // of a marker
	headerSlot     = "Aviary-Slot"
)

const (
	kindPost   = "post"
	kindMarker = "marker"
)

// kinds are the kinds that travel, by name.
var kinds = func() map[string]fanout.Kind {
	m := map[string]fanout.Kind{kindPost: fanout.KindPost}
	for _, k := range []fanout.Kind{
		fanout.KindDelete, fanout.KindScrubGeo, fanout.KindStatusWithheld, fanout.KindUserWithheld,
		fanout.KindGap, fanout.KindLimit, fanout.KindWarning, fanout.KindDisconnect, fanout.KindOther,
	} {
		m[k.String()] = k
	}
	return m
}()

// takesAway says that the event outlives the history: on a subject of its own.
func takesAway(k fanout.Kind) bool {
	return k >= fanout.KindDelete && k <= fanout.KindUserWithheld
}

// encode makes the message of an event. received is set by the publisher.
func (c *Config) encode(e *fanout.Event, received time.Time) *nats.Msg {
	h := make(nats.Header, 8)
	name := e.Kind.String()
	if e.Kind == fanout.KindPost {
		name = kindPost
	}
	h[headerKind] = []string{name}
	h[headerReceived] = []string{stamp(received)}
	if e.Dialect != nil {
		h[headerDialect] = []string{url.PathEscape(e.Dialect.Name)}
	}
	if e.Window != 0 {
		h[headerWindow] = []string{strconv.FormatUint(uint64(e.Window), 10)}
	}
	if !e.Sent.IsZero() {
		h[headerSent] = []string{stamp(e.Sent)}
	}
	m := &nats.Msg{Subject: c.events(), Header: h, Data: e.JSON}
	if l := e.Loss; l != nil {
		h[headerReason] = []string{url.PathEscape(l.Reason)}
		h[headerMissed] = []string{strconv.FormatInt(l.Missed, 10)}
		h[headerFrom], h[headerTo] = []string{stamp(l.From)}, []string{stamp(l.To)}
		m.Data = nil // the hub writes it: it holds a cursor
	}
	if !takesAway(e.Kind) {
		h[headerTTL] = []string{c.ttl()}
		return m
	}
	t := e.Target
	if t.Source == "" && e.Dialect != nil {
		t.Source = e.Dialect.Name
	}
	m.Subject = c.tomb(t)
	for header, value := range map[string]string{headerSource: t.Source, headerPost: t.ID, headerAuthor: t.Author} {
		if value != "" {
			h[header] = []string{url.PathEscape(value)}
		}
	}
	if t.UpTo != 0 {
		h[headerUpTo] = []string{strconv.FormatUint(t.UpTo, 10)}
	}
	if e.Seen {
		h[headerSeen] = []string{"1"}
	}
	return m
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// events is the subject of all that ages with the history.
func (c *Config) events() string { return c.Name + ".ev" }

// terms is the subject of the markers: they are held as long as deletes, so that
// the oldest event held always has a marker before it.
func (c *Config) terms() string { return c.Name + ".term" }

// tomb is the subject of what takes posts away: one for each post or author.
func (c *Config) tomb(t fanout.Target) string {
	if t.ID == "" {
		return c.Name + ".tomb.by." + token(t.Author)
	}
	return c.Name + ".tomb." + token(t.ID)
}

// token makes one token of a subject; what is no plain word is encoded.
func token(s string) string {
	plain := s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
	if plain && s != "by" {
		return s
	}
	if len(s) > 128 {
		s = s[:128]
	}
	return "=" + base64.RawURLEncoding.EncodeToString([]byte(s))
}

// ttl is the life of an event, in the seconds that the server counts in.
func (c *Config) ttl() string {
	return strconv.FormatInt(max(1, int64((c.Age+time.Second-1)/time.Second)), 10) + "s"
}

// message is what a reader makes of a message.
type message struct {
	term, n uint64        // n is 0 if the message has no number
	event   *fanout.Event // nil: a marker
	node    string        // of a marker
	slot    int
	mine    bool // fenced: a leader published it
}

var (
	errHeaders = errors.New("the message's headers are not aviary's")
	// errDialect is told apart: an older node may meet it.
	errDialect = errors.New("the message is in a dialect that this node does not know")
)

// head reads what a reader needs to know before it looks at the rest: the term.
func head(h nats.Header) (m message, err error) {
	term := h.Get(headerTerm)
	if term == "" {
		return m, nil
	}
	m.mine = true
	if m.term, err = strconv.ParseUint(term, 10, 64); err != nil || m.term == 0 {
		return m, errHeaders
	}
	if of, n, ok := strings.Cut(h.Get(headerID), "-"); ok && of == term {
		m.n, _ = strconv.ParseUint(n, 10, 64)
	}
	return m, nil
}

// decode reads a message. Whatever is in it, it returns an event that the hub
// can take, a marker, or an error.
func (c *Config) decode(h nats.Header, body []byte) (m message, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("decoding panicked: %v", p)
		}
	}()
	if m, err = head(h); err != nil {
		return m, err
	}
	name := h.Get(headerKind)
	if name == kindMarker {
		if !m.mine {
			return m, errHeaders
		}
		m.node, _ = url.PathUnescape(h.Get(headerNode))
		m.slot, _ = strconv.Atoi(h.Get(headerSlot))
		return m, nil
	}
	kind, ok := kinds[name]
	if !ok {
		kind = fanout.KindOther // of a later version
	}
	var dialect *fanout.Dialect
	if name := unescape(h, headerDialect); name != "" {
		if dialect = c.Dialects[name]; dialect == nil {
			return m, fmt.Errorf("%w: %.40q", errDialect, name)
		}
	}
	received, ok := parseStamp(h.Get(headerReceived))
	if !ok {
		return m, errHeaders
	}
	if kind == fanout.KindGap {
		m.event = upstream.GapEvent(loss(h))
	} else {
		m.event = fanout.NewEvent(dialect, body)
	}
	e := m.event
	e.Kind, e.Dialect, e.Received = kind, dialect, received
	e.Sent, _ = parseStamp(h.Get(headerSent))
	if w, err := strconv.ParseUint(h.Get(headerWindow), 10, 32); err == nil {
		e.Window = uint32(w)
	}
	switch {
	case kind == fanout.KindPost && dialect == nil:
		return m, errHeaders
	case kind == fanout.KindPost:
		if e.Post, err = dialect.Post(e.JSON); err != nil {
			return m, err
		}
	case takesAway(kind):
		e.Target = fanout.Target{Source: unescape(h, headerSource), ID: unescape(h, headerPost), Author: unescape(h, headerAuthor)}
		e.Target.UpTo, _ = strconv.ParseUint(h.Get(headerUpTo), 10, 64)
		e.Seen = h.Get(headerSeen) != ""
	}
	return m, nil
}

func loss(h nats.Header) fanout.Loss {
	l := fanout.Loss{Reason: "upstream", Missed: -1}
	if h.Get(headerReason) == "oversize" {
		l.Reason = "oversize"
	}
	if n, err := strconv.ParseInt(h.Get(headerMissed), 10, 64); err == nil && n >= 0 {
		l.Missed = n
	}
	l.From, _ = parseStamp(h.Get(headerFrom))
	l.To, _ = parseStamp(h.Get(headerTo))
	return l
}

func unescape(h nats.Header, key string) string {
	s, err := url.PathUnescape(h.Get(key))
	if err != nil {
		return ""
	}
	return s
}

// parseStamp reads a time of a year that RFC 3339 can write.
func parseStamp(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, false
	}
	return t, true
}
