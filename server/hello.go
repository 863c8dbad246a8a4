package server

import (
	"encoding/json"
	"fmt"
	"strconv"

	"aviary/fanout"
	"aviary/server/deliver"
)

// opening is the first bytes of a stream: the reconnection time and hello, or a
// comment for those who do not want it.
func (s *Server) opening(q *request, resume fanout.Resume) ([]byte, error) {
	b := q.form.AppendRetry(nil, deliver.Jitter(s.opts.Retry))
	if !q.form.Events.Has(deliver.Hello) {
		return q.form.AppendPosition(b, resume.At.String()), nil
	}
	data, err := s.hello(q, resume)
	if err != nil {
		return nil, err
	}
	return q.form.AppendHello(b, resume.At, data), nil
}

// hello is the JSON of a hello event, put together by hand: thousands may be
// needed at once.
func (s *Server) hello(q *request, resume fanout.Resume) ([]byte, error) {
	source, err := marshal(s.opts.Source)
	if err != nil {
		return nil, err
	}
	canonical, err := marshal(q.filter.String())
	if err != nil {
		return nil, err
	}
	warnings := []byte("[]")
	if len(q.warnings) > 0 {
		if warnings, err = marshal(q.warnings); err != nil {
			return nil, err
		}
	}
	missed := "null"
	if resume.Missed >= 0 {
		missed = strconv.FormatInt(resume.Missed, 10)
	}
	return fmt.Appendf(make([]byte, 0, 512),
		`{"hello":{"cursor":"%s","resumed":"%s","missed":%s,"source":%s,"upstream":%s,"filter":%s,"heartbeat_ms":%d,"warnings":%s}}`,
		resume.At, resume.How, missed, source, s.upstream(), canonical, s.opts.Heartbeat.Milliseconds(), warnings), nil
}

// said is a state of the upstream and its JSON.
type said struct {
	state fanout.Upstream
	json  json.RawMessage
}

// upstream is the JSON of the upstream's state. Thousands that come at once are
// told the same, so the last one is kept.
func (s *Server) upstream() json.RawMessage {
	now := s.opts.Upstream()
	if last := s.said.Load(); last != nil && last.state == now {
		return last.json
	}
	data, err := marshal(now)
	if err != nil {
		return json.RawMessage("null") // cannot be: it has a JSON form
	}
	s.said.Store(&said{now, data})
	return data
}
