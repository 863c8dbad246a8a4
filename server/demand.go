package server

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// Judgement is what the upstream can do for a client's filter.
type Judgement struct {
	Never      bool   // nothing would ever come: the client is refused
	Param, Why string // of Never: the parameter that rules it out; the reason and what would help
	Warnings   []string
}

// Asking is what the upstream is asked for, as the admin listener shows it.
type Asking struct {
	Track       string `json:"track"`
	Follow      string `json:"follow"`
	Locations   string `json:"locations"`
	Language    string `json:"language"`
	FilterLevel string `json:"filter_level"`

	Demand  any  `json:"demand"`   // what clients ask for beside, as it was taken in; null: nothing is taken in
	InForce bool `json:"in_force"` // the stream that is open was asked so
}

// judge refuses a filter that the upstream can never satisfy, and warns of what
// only comes by chance. Who asks for what is past is warned only: the history may
// hold posts from when the upstream was asked for something else.
func (s *Server) judge(r *http.Request, f *filter.Filter, given url.Values, past bool) (warnings []string, err error) {
	if s.opts.Judge == nil {
		return nil, nil
	}
	j := s.opts.Judge(f, s.demandKey(s.clientKey(r)))
	if !j.Never {
		return j.Warnings, nil
	}
	if past {
		return append(j.Warnings, "only posts of the past can match: "+j.Why), nil
	}
	param := j.Param
	if !given.Has(param) { // a rule may say what a parameter can
		param = "q"
		for _, name := range namesOf(given) {
			if !given.Has(param) && filter.IsParam(name) {
				param = name
			}
		}
	}
	return nil, badParam(param, -1, "%s", j.Why)
}

// Asked is what clients ask for whose streams have no filter of their own in the
// hub: those of API v2, with their rules. See [fanout.Hub.Filters].
func (s *Server) Asked() []fanout.Asked { return s.compat.Asked() }

// upstreamFilter shows what the upstream is asked for.
func (s *Server) upstreamFilter(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, r, http.StatusOK, s.opts.Asking())
}

// putUpstreamFilter asks the upstream for something else.
func (s *Server) putUpstreamFilter(w http.ResponseWriter, r *http.Request) {
	if s.opts.Ask == nil {
		problem(http.StatusConflict, "this source cannot be asked for something else: it is no live stream").write(w, r)
		return
	}
	values, err := s.readAsk(w, r)
	if err == nil {
		err = s.opts.Ask(r.Context(), values)
	}
	if err != nil {
		asAskProblem(err).write(w, r)
		return
	}
	s.opts.Log.Info("an operator asked the upstream for something else")
	writeJSON(w, r, http.StatusAccepted, s.opts.Asking())
}

// asAskProblem is asProblem for errors that are an operator's to read.
func asAskProblem(err error) *Problem {
	var p *Problem
	var f *filter.Error
	if errors.As(err, &p) || errors.As(err, &f) {
		return asProblem(err)
	}
	return problem(http.StatusBadRequest, "%s", err)
}

// askParams are what the upstream can be asked with.
var askParams = []string{"track", "follow", "locations", "language", "filter_level"}

// readAsk reads a JSON object of strings, or a form.
func (s *Server) readAsk(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(s.opts.MaxFilterBytes)))
	if err != nil {
		return nil, problem(http.StatusRequestEntityTooLarge, "the filter is longer than %d bytes", s.opts.MaxFilterBytes)
	}
	values := url.Values{}
	switch kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind {
	case "application/x-www-form-urlencoded":
		if values, err = url.ParseQuery(string(body)); err != nil {
			return nil, problem(http.StatusBadRequest, "the body is no form: a percent-encoding is broken")
		}
	default:
		var object map[string]*string
		if err := json.Unmarshal(body, &object); err != nil || object == nil {
			return nil, problem(http.StatusBadRequest, `the body is a JSON object of strings, such as {"track":"go,rust","language":"en"}, or a form`)
		}
		for name, v := range object {
			if v != nil {
				values.Set(name, *v)
			}
		}
	}
	if err := onlyParams(values, askParams); err != nil {
		return nil, err
	}
	for _, name := range askParams {
		if len(values[name]) > 1 {
			return nil, badParam(name, -1, "%s is given twice: it is a comma list", name)
		}
		if values.Get(name) == "" {
			values.Del(name)
		}
	}
	return values, nil
}

// demandKey is a client's key if the hub is to know it.
func (s *Server) demandKey(key string) string {
	if !s.opts.Keyed {
		return ""
	}
	return key
}
