package server

import (
	"aviary/fanout"
	"aviary/server/deliver"
)

// hello is the first event of a stream.
type hello struct {
	Cursor      string          `json:"cursor"`
	Resumed     string          `json:"resumed"`
	Missed      *int64          `json:"missed"` // null: cannot be known
	Source      string          `json:"source"`
	Upstream    fanout.Upstream `json:"upstream"`
	Filter      string          `json:"filter"` // canonical
	HeartbeatMS int64           `json:"heartbeat_ms"`
	Warnings    []string        `json:"warnings"`
}

// opening is the first bytes of a stream: the reconnection time and hello, or a
// comment for those who do not want it.
func (s *Server) opening(q *request, resume fanout.Resume) ([]byte, error) {
	b := q.form.AppendRetry(nil, deliver.Jitter(s.opts.Retry))
	if !q.form.Events.Has(deliver.Hello) {
		return q.form.AppendPosition(b, resume.At.String()), nil
	}
	h := hello{
		Cursor: resume.At.String(), Resumed: resume.How.String(),
		Source: s.opts.Source, Upstream: s.opts.Upstream(), Filter: q.filter.String(),
		HeartbeatMS: s.opts.Heartbeat.Milliseconds(), Warnings: q.warnings,
	}
	if resume.Missed >= 0 {
		h.Missed = &resume.Missed
	}
	if h.Warnings == nil {
		h.Warnings = []string{}
	}
	data, err := marshal(map[string]hello{"hello": h})
	if err != nil {
		return nil, err
	}
	return q.form.AppendHello(b, resume.At, data), nil
}
