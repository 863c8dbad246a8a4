package sim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// rule is one rule of the filtered stream. They outlive every connection.
type rule struct {
	id, value, tag string
	match          matcher
}

// Rule is a rule as it is stored: for tests that look at or plant them.
type Rule struct{ ID, Value, Tag string }

// Rules lists the stored rules, oldest first.
func (s *Server) Rules() (list []Rule) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.x.rules {
		list = append(list, Rule{r.id, r.value, r.tag})
	}
	return list
}

// AddRule stores a rule as if somebody had added it. The error is that of a rule that
// cannot be read.
func (s *Server) AddRule(value, tag string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, problem := s.addRule(value, tag, false)
	if problem != "" {
		return fmt.Errorf("sim: %s", problem)
	}
	return nil
}

// Figures of the rules.
const (
	ruleLength = 1024
	rulePage   = 1000
)

// addRule stores one rule, unless it is only tried; mu is held. The problem is the
// entry of errors for one that is not taken.
func (s *Server) addRule(value, tag string, dry bool) (*rule, string) {
	entry := func(kind, title, detail, id string) string {
		details, _ := json.Marshal([]string{detail})
		v, _ := json.Marshal(value)
		return fmt.Sprintf(`{"value":%s,"id":%q,"details":%s,"title":%q,"type":"%s%s"}`, v, id, details, title, problemTypes, kind)
	}
	for _, r := range s.x.rules {
		if r.value == value {
			return nil, fmt.Sprintf(`{"value":%q,"id":%q,"title":"DuplicateRule","type":"%sduplicate-rules"}`, value, r.id, problemTypes)
		}
	}
	s.x.lastRule++
	r := &rule{id: strconv.FormatUint(1_600_000_000_000_000_000+uint64(s.x.lastRule), 10), value: value, tag: tag}
	var err error
	switch {
	case strings.TrimSpace(value) == "":
		return nil, entry("invalid-rules", "UnprocessableEntity", "Rule must not be empty", r.id)
	case utf8.RuneCountInString(value) > ruleLength:
		return nil, entry("invalid-rules", "UnprocessableEntity", fmt.Sprintf("Rule length exceeds %d characters", ruleLength), r.id)
	}
	if r.match, err = compileRule(value); err != nil {
		return nil, entry("invalid-rules", "UnprocessableEntity", err.Error(), r.id)
	}
	if len(s.x.rules) >= s.cfg.XRules {
		return nil, problemText("rule-cap", "")
	}
	if !dry {
		s.x.rules = append(s.x.rules, r)
	}
	return r, ""
}

// ruleJSON is a rule on the wire.
type ruleJSON struct {
	ID    string `json:"id"`
	Value string `json:"value"`
	Tag   string `json:"tag,omitempty"`
}

func (s *Server) sent() string {
	return s.now().UTC().Truncate(time.Millisecond).Format("2006-01-02T15:04:05.000Z")
}

// listRules answers GET …/rules.
func (s *Server) listRules(q url.Values) ([]byte, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	size := rulePage
	if v := q.Get("max_results"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > rulePage {
			return nil, problemOf(http.StatusBadRequest, "invalid-request", "max_results")
		}
		size = n
	}
	from := 0
	if v := q.Get("pagination_token"); v != "" {
		n, err := strconv.ParseInt(v, 36, 32)
		if err != nil || int(n) > len(s.x.rules) || len(v) != 16 {
			return nil, problemOf(http.StatusBadRequest, "invalid-request", "pagination_token")
		}
		from = int(n)
	}
	var out struct {
		Data []ruleJSON `json:"data,omitempty"`
		Meta struct {
			Sent  string `json:"sent"`
			Count int    `json:"result_count"`
			Next  string `json:"next_token,omitempty"`
		} `json:"meta"`
	}
	wanted := q.Get("ids")
	for i, r := range s.x.rules[from:] {
		if len(out.Data) == size {
			out.Meta.Next = fmt.Sprintf("%016s", strconv.FormatInt(int64(from+i), 36))
			break
		}
		if wanted == "" || slices.Contains(strings.Split(wanted, ","), r.id) {
			out.Data = append(out.Data, ruleJSON{r.id, r.value, r.tag})
		}
	}
	out.Meta.Sent, out.Meta.Count = s.sent(), len(out.Data)
	body, _ := json.Marshal(out)
	return body, nil
}

// countRules answers GET …/rules/counts.
func (s *Server) countRules() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Appendf(nil, `{"data":{"cap_per_client_app":"%d","cap_per_project":"%d","client_app_rules_count":"%d","project_rules_count":"%d"}}`,
		s.cfg.XRules, s.cfg.XRules, len(s.x.rules), len(s.x.rules))
}

// changeRules answers POST …/rules.
func (s *Server) changeRules(raw []byte, q url.Values) (int, []byte, *refusal) {
	var in struct {
		Add []struct {
			Value string `json:"value"`
			Tag   string `json:"tag"`
		} `json:"add"`
		Delete *struct {
			IDs    []string `json:"ids"`
			Values []string `json:"values"`
		} `json:"delete"`
	}
	if json.Unmarshal(raw, &in) != nil || (len(in.Add) == 0) == (in.Delete == nil) {
		return 0, nil, problemOf(http.StatusBadRequest, "invalid-request", "exactly one of add and delete is required")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	dry := q.Get("dry_run") == "true"
	if in.Delete != nil {
		return s.deleteRules(in.Delete.IDs, in.Delete.Values, dry)
	}
	var added []ruleJSON
	var errs []json.RawMessage
	for _, one := range in.Add {
		r, problem := s.addRule(one.Value, one.Tag, dry)
		if problem != "" {
			errs = append(errs, json.RawMessage(problem))
			continue
		}
		added = append(added, ruleJSON{r.id, r.value, r.tag})
	}
	body, _ := json.Marshal(struct {
		Data []ruleJSON        `json:"data,omitempty"`
		Meta any               `json:"meta"`
		Errs []json.RawMessage `json:"errors,omitempty"`
	}{added, map[string]any{"sent": s.sent(), "summary": map[string]int{
		"created": len(added), "not_created": len(errs), "valid": len(added), "invalid": len(errs)}}, errs})
	if len(added) == 0 && len(errs) > 0 && !strings.Contains(string(body), "duplicate-rules") {
		return http.StatusBadRequest, body, nil
	}
	return http.StatusCreated, body, nil
}

func (s *Server) deleteRules(ids, values []string, dry bool) (int, []byte, *refusal) {
	if (len(ids) == 0) == (len(values) == 0) {
		return 0, nil, problemOf(http.StatusBadRequest, "invalid-request", "delete needs ids or values")
	}
	gone := func(r *rule) bool { return slices.Contains(ids, r.id) || slices.Contains(values, r.value) }
	before := len(s.x.rules)
	left := slices.DeleteFunc(slices.Clone(s.x.rules), gone)
	if !dry {
		s.x.rules = left
	}
	deleted := before - len(left)
	body := fmt.Appendf(nil, `{"meta":{"sent":%q,"summary":{"deleted":%d,"not_deleted":%d}}}`, s.sent(), deleted, max(0, len(ids)+len(values)-deleted))
	return http.StatusOK, body, nil
}

// matched are the rules that a post matches; mu is held.
func (s *Server) matched(p *post) (list []matchedRule) {
	for _, r := range s.x.rules {
		if r.match(p) {
			list = append(list, matchedRule{r.id, r.tag})
		}
	}
	slices.SortFunc(list, func(a, b matchedRule) int { return cmp.Compare(a.id, b.id) })
	return list
}
