package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// xWish is what a client of API v2 asked for.
type xWish struct {
	asked  asked
	duties bool // a compliance stream: notices, no posts
	part   int  // of a compliance stream
	users  bool // of the compliance streams, the users' one
}

// xConnection is one connection as the Connections API tells of it.
type xConnection struct {
	id        string
	endpoint  string
	connected time.Time
	ended     time.Time // when the slot was free again; zero: it is not
	stream    *stream   // nil: the client is gone, and the server has not noticed
	until     time.Time // when it will notice
}

// maxConnections is how many connections are remembered.
const maxConnections = 100

// connectX answers a request for a stream of API v2.
func (s *Server) connectX(w http.ResponseWriter, r *http.Request) {
	how, f := s.admit()
	wanted, c := wish{}, (*xConnection)(nil)
	if f == nil && how == doorOpen {
		if wanted, f = s.readXWish(r); f == nil {
			c, f = s.reserve(wanted.x, r.URL.Path)
		}
	}
	if c != nil {
		s.streamX(w, r, wanted, c)
		return
	}
	s.mu.Lock()
	s.stats.Refused++
	s.mu.Unlock()
	if f != nil {
		f.write(w, s.now())
		return
	}
	s.turnAway(w, r, how)
}

func (s *Server) readXWish(r *http.Request) (wish, *refusal) {
	q := r.URL.Query()
	x := &xWish{asked: readAsked(q)}
	wanted := wish{gzip: acceptsGzip(r), x: x}
	bad := func(name string) (wish, *refusal) {
		return wanted, problemOf(http.StatusBadRequest, "invalid-request", name)
	}
	if r.URL.Path != xStream {
		x.duties, x.users = true, r.URL.Path == xUserDuties
		n, err := strconv.Atoi(q.Get("partition"))
		if err != nil || n < 1 || n > 4 {
			return bad("partition")
		}
		x.part = n
		if !s.cfg.XCompliance {
			return wanted, problemOf(http.StatusForbidden, "client-forbidden", "")
		}
		return wanted, nil
	}
	if q.Has("partition") || q.Has("track") {
		return bad("an unknown parameter")
	}
	if v := q.Get("backfill_minutes"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n > 5 || n > 0 && !s.cfg.XBackfill {
			return bad("backfill_minutes")
		}
		wanted.backfill = time.Duration(n) * time.Minute
	}
	return wanted, nil
}

// reserve takes a slot for a stream, or says why there is none.
func (s *Server) reserve(x *xWish, path string) (*xConnection, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.rollMonth(now)
	open := 0
	for _, c := range s.x.open {
		if c.stream == nil && c.ended.IsZero() && !now.Before(c.until) {
			c.ended = c.until
		}
		if c.ended.IsZero() && c.endpoint == "filtered_stream" {
			open++
		}
	}
	if !x.duties {
		switch {
		case s.cfg.XPostCap > 0 && s.x.read >= s.cfg.XPostCap:
			return nil, problemOf(http.StatusTooManyRequests, "usage-capped", "")
		case len(s.x.rules) == 0:
			return nil, &refusal{status: http.StatusConflict, kind: "application/problem+json",
				body: `{"title":"RuleConfigurationIssue","detail":"You must define rules to use this stream","type":"` + problemTypes + `rule-configuration-issue"}`}
		case open >= s.cfg.XStreams:
			return nil, problemOf(http.StatusTooManyRequests, "streaming-connection", "")
		}
	}
	s.x.lastOpen++
	endpoint := map[string]string{xStream: "filtered_stream", xTweetDuties: "tweets_compliance_stream", xUserDuties: "users_compliance_stream"}[path]
	c := &xConnection{id: fmt.Sprintf("00000000-0000-4000-8000-%012d", s.x.lastOpen), endpoint: endpoint, connected: now, until: now.Add(time.Minute)}
	if len(s.x.open) == maxConnections {
		s.x.open = s.x.open[1:]
	}
	s.x.open = append(s.x.open, c)
	return c, nil
}

func (s *Server) rollMonth(now time.Time) {
	if m := now.UTC().Format("2006-01"); s.x.month != m {
		s.x.month, s.x.read = m, 0
	}
}

// streamX serves an accepted stream. A client that is gone without a word keeps
// its slot for Config.XSlotHold, as nobody told the server.
func (s *Server) streamX(w http.ResponseWriter, r *http.Request, wanted wish, c *xConnection) {
	told := false
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if c.stream = nil; !c.ended.IsZero() {
			return
		}
		if now := s.now(); told || s.closed {
			c.ended = now
		} else {
			c.until = now.Add(s.cfg.XSlotHold)
		}
	}()
	s.stream(w, r, wanted, c, &told)
}

// sendX queues a message on the streams of API v2; mu is held.
func (s *Server) sendX(m message, limit int) (sent int) {
	var rules []matchedRule
	matched := false
	for _, st := range s.streams {
		x := st.wish.x
		switch {
		case x == nil:
			continue
		case x.duties:
			if m.duty != nil && m.dutyUser == x.users && x.part == 1 {
				st.put(message{raw: m.duty}.op(), limit)
				sent++
			}
			continue
		case m.of == nil && m.about == nil && m.duty == nil: // pushed as it is
			st.put(m.op(), limit)
			sent++
			continue
		case m.of == nil || m.of.raw == nil:
			continue
		}
		if !matched {
			rules, matched = s.matched(m.of), true
		}
		if len(rules) == 0 {
			continue
		}
		st.put(message{raw: s.corpus().envelope(m.of, x.asked, rules)}.op(), limit)
		sent++
		if s.x.read++; s.cfg.XPostCap > 0 && s.x.read >= s.cfg.XPostCap {
			st.put(ending("usage-capped"), 0)
		}
	}
	return sent
}

// backfill queues what matched in the last minutes; mu is held.
func (s *Server) backfill(st *stream) {
	since := s.now().Add(-st.wish.backfill).UnixMilli()
	old := s.corpus().known(func(p *post) bool { return p.at >= since })
	slices.Reverse(old)
	for _, p := range old {
		if rules := s.matched(p); len(rules) > 0 {
			st.put(message{raw: s.corpus().envelope(p, st.wish.x.asked, rules)}.op(), 0)
		}
	}
}

// connectionsX answers the Connections API.
func (s *Server) connectionsX(r *http.Request, body []byte) ([]byte, *refusal) {
	if s.cfg.XNoConnections {
		return nil, problemOf(http.StatusForbidden, "client-forbidden", "")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodDelete {
		return s.killX(r.URL.Path, body)
	}
	type entry struct {
		ID           string `json:"id"`
		Endpoint     string `json:"endpoint_name"`
		Connected    string `json:"connected_at"`
		Disconnected string `json:"disconnected_at,omitempty"`
		IP           string `json:"client_ip"`
	}
	const format = "2006-01-02T15:04:05.000Z"
	list := []entry{}
	status, now := r.URL.Query().Get("status"), s.now()
	for _, c := range s.x.open {
		if c.stream == nil && c.ended.IsZero() && !now.Before(c.until) {
			c.ended = c.until
		}
		active := c.ended.IsZero()
		if status == "inactive" && active || (status == "" || status == "active") && !active {
			continue
		}
		if v := r.URL.Query().Get("endpoints"); v != "" && !slices.Contains(strings.Split(v, ","), c.endpoint) {
			continue
		}
		e := entry{ID: c.id, Endpoint: c.endpoint, Connected: c.connected.UTC().Format(format), IP: "192.0.2.1"}
		if !active {
			e.Disconnected = c.ended.UTC().Format(format)
		}
		list = append(list, e)
	}
	out, _ := json.Marshal(map[string]any{"data": list, "meta": map[string]int{"result_count": len(list)}})
	return out, nil
}

// killX ends connections by id, by endpoint, or all; mu is held.
func (s *Server) killX(path string, body []byte) ([]byte, *refusal) {
	var in struct {
		UUIDs []string `json:"uuids"`
	}
	rest := strings.TrimPrefix(strings.TrimPrefix(path, xConnections), "/")
	if rest == "" && (json.Unmarshal(body, &in) != nil || len(in.UUIDs) == 0 || len(in.UUIDs) > 100) {
		return nil, problemOf(http.StatusBadRequest, "invalid-request", "uuids")
	}
	killed := 0
	for _, c := range s.x.open {
		if !c.ended.IsZero() || rest == "" && !slices.Contains(in.UUIDs, c.id) || rest != "" && rest != "all" && rest != c.endpoint {
			continue
		}
		c.ended = s.now()
		killed++
		if c.stream != nil {
			c.stream.end(ending("operational-disconnect"))
		}
	}
	return fmt.Appendf(nil, `{"data":{"successful_kills":%d,"failed_kills":%d,"results":[]}}`, killed, max(0, len(in.UUIDs)-killed)), nil
}
