package server

import (
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"aviary/server/deliver"
)

// walk is a request for /search/pages, understood.
type walk struct {
	q        SearchQuestion // MaxID is not used
	form     deliver.Form
	explicit bool // as of request
	most     uint64
	from     place // where it goes on, or starts
	end      bool  // brings the id of a walk that is over
	anew     bool  // brought an id that means nothing here
}

// walkCount is how many posts a page of a walk has, unless count says so: the
// most that costs one request.
const walkCount = 100

// parseWalk reads the parameters and headers of /search/pages. As on a stream,
// an id that cannot be read is no error: the walk begins anew. So it is with the
// id of another question.
func parseWalk(values url.Values, h http.Header) (*walk, error) {
	if err := onlyParams(values, walkParams); err != nil {
		return nil, err
	}
	k := &walk{}
	var err error
	if k.q, err = parseQuestion(values); err != nil {
		return nil, err
	}
	if k.q.Count == 0 {
		k.q.Count = walkCount
	}
	if k.q.ResultType == "" {
		k.q.ResultType = "recent" // a walk back in time has no use for old favourites at its start
	}
	most, err := count(values, "max", 1<<53)
	if err != nil {
		return nil, err
	}
	k.most = uint64(most)
	direction, err := choice(values, "direction", "old", "new")
	if err != nil {
		return nil, err
	}
	if direction == "new" && k.q.Until != "" {
		return nil, badParam("until", -1, "direction=new waits for posts that are still to be written: until leaves none")
	}
	form := request{}
	if err := form.parseForm(values, h); err != nil {
		return nil, err
	}
	k.form, k.explicit = form.form, form.explicit
	k.form.Events = deliver.AllEvents
	return k, k.parseStart(values, h, direction == "new")
}

func (k *walk) parseStart(values url.Values, h http.Header, newer bool) error {
	k.from = placeOf(k.q, newer)
	id, err := lastEventID(values, h)
	if err != nil || id == "" {
		return err
	}
	at, end, ok := parsePlace(id)
	switch {
	case ok && end:
		k.end = true
	case ok && at.what == k.from.what && at.newer == newer:
		k.from = at
	default:
		k.anew = true
	}
	return nil
}

// lifetime is how long a connection lives, 80–100 % of MaxAge; 0: no limit.
func (s *Server) lifetime() time.Duration {
	if s.opts.MaxAge <= 0 {
		return 0
	}
	return s.opts.MaxAge - rand.N(s.opts.MaxAge/5+1)
}
