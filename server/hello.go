package server

import (
	"encoding/json"
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
func (s *Server) hello(q *request, resume fanout.Resume) (b []byte, err error) {
	b = make([]byte, 0, 512)
	b = append(append(b, `{"hello":{"cursor":"`...), resume.At.String()...)
	b = append(append(b, `","resumed":"`...), resume.How.String()...)
	b = append(b, `","missed":`...)
	if resume.Missed >= 0 {
		b = strconv.AppendInt(b, resume.Missed, 10)
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"source":`...)
	if b, err = appendText(b, s.opts.Source); err != nil {
		return nil, err
	}
	b = append(append(b, `,"upstream":`...), s.upstream()...)
	b = append(b, `,"filter":`...)
	if b, err = appendText(b, q.filter.String()); err != nil {
		return nil, err
	}
	b = append(b, `,"heartbeat_ms":`...)
	b = strconv.AppendInt(b, s.opts.Heartbeat.Milliseconds(), 10)
	warnings := []byte("[]")
	if len(q.warnings) > 0 {
		if warnings, err = marshal(q.warnings); err != nil {
			return nil, err
		}
	}
	return append(append(append(b, `,"warnings":`...), warnings...), "}}"...), nil
}

// appendText appends s as marshal has it; nearly every text that is told is plain.
func appendText(dst []byte, s string) ([]byte, error) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			data, err := marshal(s)
			return append(dst, data...), err
		}
	}
	return append(append(append(dst, '"'), s...), '"'), nil
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
