package server

import (
	"context"
	"errors"
	"net/http"

	"aviary/fanout"
	"aviary/fanout/filter"
	"aviary/server/compat"
)

// compatOptions says to the drop-in routes what they need of this server. Their
// searches share its cache and its budget.
func (s *Server) compatOptions() compat.Options {
	o := compat.Options{
		Hub: s.opts.Hub, Clients: s.clients, Key: s.clientKey, Source: s.opts.Source, Log: s.opts.Log,
		Heartbeat: s.opts.Heartbeat, WriteTimeout: s.opts.WriteTimeout, Lifetime: s.lifetime, MaxBytes: s.opts.MaxFilterBytes, Keyed: s.opts.Keyed,
	}
	if s.opts.Judge != nil {
		o.Judge = func(f *filter.Filter) (param, why string) {
			if j := s.opts.Judge(f, ""); j.Never {
				return j.Param, j.Why
			}
			return "", ""
		}
	}
	if s.search != nil {
		o.Search = s.compatSearch
		o.Rate = func() compat.Rate { return compat.Rate(s.search.from.Rate()) }
	}
	return o
}

// compatSearch asks for a page as /search does.
func (s *Server) compatSearch(ctx context.Context, r *http.Request, q compat.Question) (*compat.Page, error) {
	page, err := s.search.ask(ctx, searchKey{s.opts.SearchScope(r), SearchQuestion(q)}, asPage)
	var failed *SearchError
	if errors.As(err, &failed) {
		return nil, &compat.Error{
			Limited: failed.Failure == SearchLimited, Refused: failed.Failure == SearchRefused,
			Status: failed.Status, Code: failed.Code, Message: failed.Message, Until: failed.Until,
		}
	}
	if err != nil {
		return nil, err
	}
	found := &compat.Page{}
	for i := range page.Items {
		if e := page.Items[i].Event; e.Kind == fanout.KindPost {
			found.Posts = append(found.Posts, e)
		}
	}
	if page.More {
		found.Next = page.next(q.MaxID)
	}
	return found, nil
}
