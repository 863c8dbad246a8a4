package server

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	"aviary/server/deliver"
)

// searchPages answers /search/pages: every post of a search, page after page, as
// SSE or NDJSON.
func (s *Server) searchPages(w http.ResponseWriter, r *http.Request) {
	p := &pager{s: s, w: w, control: http.NewResponseController(w)}
	defer func() {
		if v := recover(); v != nil {
			s.panicked(w, r, v, p.begun)
		}
	}()
	s.setDeadline(w, s.opts.WriteTimeout)
	if !s.mayAsk(w, r) {
		return
	}
	values, err := s.readParams(w, r)
	if err == nil {
		if p.walk, err = parseWalk(values, r.Header); err == nil {
			err = s.servePages(w, r, p)
		}
	}
	if err != nil {
		s.searchFailed(w, r, err)
	}
}

// servePages gives a pager its place and lets it walk. An error is to be
// answered: nothing has been written.
func (s *Server) servePages(w http.ResponseWriter, r *http.Request, p *pager) error {
	if p.walk.end {
		w.WriteHeader(http.StatusNoContent) // the one answer that stops an EventSource
		return nil
	}
	if r.Method == http.MethodHead {
		streamHeaders(w.Header(), p.walk.form)
		w.WriteHeader(http.StatusOK)
		return nil
	}
	// Pagers are clients: they count, and a drain waits for them.
	client, err := s.clients.Admit(s.clientKey(r))
	if err != nil {
		return s.refuse(w, &request{form: p.walk.form, explicit: p.walk.explicit, id: p.walk.from.String()}, err)
	}
	defer client.Leave()
	p.client, p.place, p.shared = client, p.walk.from, r.ProtoMajor > 1
	p.scope = s.opts.SearchScope(r)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	if life := s.lifetime(); life > 0 {
		p.aged = time.After(life)
	}
	return p.run(ctx)
}

// run walks to the end, and says how it ended.
func (p *pager) run(ctx context.Context) error {
	form := p.walk.form
	reason := deliver.Failed
	p.client.Opened(form)
	defer func() { p.client.Closed(form, reason) }()
	err := p.walkAll(ctx)

	var failed *SearchError
	var told parting
	switch {
	case err == nil:
		reason = deliver.Limit
		return nil
	case errors.As(err, &failed) && !p.begun:
		reason = deliver.Gone
		return err
	case errors.As(err, &failed):
		reason = deliver.Failed
		err = p.problem(failed)
	case errors.As(err, &told):
		reason = deliver.Reason(told)
		err = p.bye(reason)
	}
	if err != nil {
		reason = deliver.Gone
		if errors.Is(err, os.ErrDeadlineExceeded) {
			reason = deliver.TooSlow
		}
		p.s.opts.Log.Debug("a walk broke off", "client", p.client.ID, "reason", reason.String())
	}
	return nil
}

// parting is the error of a walk that is ended on purpose.
type parting deliver.Reason

func (r parting) Error() string { return deliver.Reason(r).String() }
