package compat

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ruleJSON is a rule on the wire.
type ruleJSON struct {
	ID    string `json:"id"`
	Value string `json:"value"`
	Tag   string `json:"tag,omitempty"`
}

func wireRules(rules []*rule) (list []ruleJSON) {
	for _, r := range rules {
		list = append(list, ruleJSON{r.name(), r.value, r.tag})
	}
	return list
}

func sent() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

// refuseV2 answers with what is wrong.
func (s *Routes) refuseV2(w http.ResponseWriter, err error) {
	var p *problemV2
	var f *refusalV1
	switch {
	case errors.As(err, &p):
	case errors.As(err, &f):
		p = plainV2(f.status, f.said)
	default:
		s.opts.Log.Error("an answer failed", "error", err)
		p = plainV2(http.StatusInternalServerError, "The gateway failed; its log says how")
	}
	p.write(w)
}

// paramsV2 reads the query string and refuses what API v2 does not know there.
func (s *Routes) paramsV2(w http.ResponseWriter, r *http.Request, known ...string) (url.Values, error) {
	if len(r.URL.RawQuery) > s.opts.MaxBytes {
		return nil, plainV2(http.StatusRequestURITooLong, "The query string is too long")
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, invalid("", "", "The query string is not URL-encoded well")
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, invalid(clip(name), values.Get(name), "The query parameter [%s] is not one of [%s]", clip(name), strings.Join(known, ","))
		}
	}
	return values, nil
}

// listRules answers GET …/rules.
func (s *Routes) listRules(w http.ResponseWriter, r *http.Request) {
	values, err := s.paramsV2(w, r, "ids", "max_results", "pagination_token")
	if err != nil {
		s.refuseV2(w, err)
		return
	}
	size, err := whole(values, "max_results", 1, maxRules, maxRules)
	if err != nil {
		s.refuseV2(w, err)
		return
	}
	rules := s.rules.list(ownerOf(r))
	if ids := listed(values["ids"]); len(ids) > 0 {
		rules = slices.DeleteFunc(rules, func(r *rule) bool { return !slices.Contains(ids, r.name()) })
	}
	if token := values.Get("pagination_token"); token != "" {
		from, err := strconv.ParseUint(token, 36, 64)
		if err != nil || len(token) != tokenLen {
			s.refuseV2(w, invalid("pagination_token", token, "Invalid pagination token"))
			return
		}
		rules = slices.DeleteFunc(rules, func(r *rule) bool { return r.id < from })
	}
	var out struct {
		Data []ruleJSON `json:"data,omitempty"`
		Meta struct {
			Sent  string `json:"sent"`
			Count int    `json:"result_count"`
			Next  string `json:"next_token,omitempty"`
		} `json:"meta"`
	}
	if len(rules) > size {
		out.Meta.Next = fmt.Sprintf("%0*s", tokenLen, strconv.FormatUint(rules[size].id, 36))
		rules = rules[:size]
	}
	out.Data, out.Meta.Sent, out.Meta.Count = wireRules(rules), sent(), len(rules)
	writeJSON(w, http.StatusOK, out)
}

// tokenLen is the length of a pagination token of rules: it is the id that comes
// next, so that it stays right when rules come and go.
const tokenLen = 16

// whole reads a number within bounds.
func whole(values url.Values, name string, least, most, none int) (int, error) {
	v := values.Get(name)
	if v == "" {
		return none, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		return 0, invalid(name, v, "The `%s` query parameter value [%s] is not between %d and %d", name, clip(v), least, most)
	}
	return n, nil
}

// countRules answers GET …/rules/counts.
func (s *Routes) countRules(w http.ResponseWriter, r *http.Request) {
	if _, err := s.paramsV2(w, r, "rules_count.fields"); err != nil {
		s.refuseV2(w, err)
		return
	}
	n, most := strconv.Itoa(len(s.rules.list(ownerOf(r)))), strconv.Itoa(maxRules)
	writeJSON(w, http.StatusOK, map[string]map[string]string{"data": {
		"cap_per_client_app": most, "cap_per_project": most, "client_app_rules_count": n, "project_rules_count": n,
	}})
}

// changeRules answers POST …/rules.
func (s *Routes) changeRules(w http.ResponseWriter, r *http.Request) {
	status, out, err := s.change(w, r)
	if err != nil {
		s.refuseV2(w, err)
		return
	}
	writeJSON(w, status, out)
}

// change does what a POST asks for.
func (s *Routes) change(w http.ResponseWriter, r *http.Request) (int, any, error) {
	values, err := s.paramsV2(w, r, "dry_run", "delete_all")
	if err != nil {
		return 0, nil, err
	}
	// A page of another origin can send anything but JSON without being asked.
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return 0, nil, plainV2(http.StatusUnsupportedMediaType, "Unsupported Media Type: the body is application/json")
	}
	raw, err := s.readBody(w, r)
	if err != nil {
		return 0, nil, err
	}
	dry, who := yes(values.Get("dry_run")), ownerOf(r)
	if yes(values.Get("delete_all")) {
		return http.StatusOK, deletedJSON(s.rules.clear(who, dry), 0), nil
	}
	var in struct {
		Add    []asked `json:"add"`
		Delete *struct {
			IDs    []json.RawMessage `json:"ids"` // texts, or numbers
			Values []string          `json:"values"`
		} `json:"delete"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return 0, nil, invalid("", "", "The body is no JSON that this endpoint knows: %s", err)
	}
	switch {
	case (len(in.Add) == 0) == (in.Delete == nil):
		return 0, nil, invalid("", "", "Exactly one of `add` and `delete` is required")
	case len(in.Add) > maxRules:
		return 0, nil, invalid("", "", "At most %d rules can be added at once", maxRules)
	case in.Delete == nil:
		status, out := addedJSON(s.rules.add(who, in.Add, dry))
		return status, out, nil
	case (len(in.Delete.IDs) == 0) == (len(in.Delete.Values) == 0):
		return 0, nil, invalid("", "", "`delete` needs either `ids` or `values`")
	case len(in.Delete.IDs)+len(in.Delete.Values) > maxRules:
		return 0, nil, invalid("", "", "At most %d rules can be deleted at once", maxRules)
	}
	ids := make([]string, len(in.Delete.IDs))
	for i, id := range in.Delete.IDs {
		ids[i] = strings.Trim(string(id), `"`)
	}
	deleted, unknown := s.rules.remove(who, ids, in.Delete.Values, dry)
	return http.StatusOK, deletedJSON(deleted, unknown), nil
}

func deletedJSON(deleted, unknown int) any {
	return map[string]any{"meta": map[string]any{"sent": sent(), "summary": map[string]int{"deleted": deleted, "not_deleted": unknown}}}
}

// addedJSON is the answer to rules that were added. It is a 400 if no rule is left
// and one was wrong; a duplicate alone is none.
func addedJSON(added []*rule, refused []any) (int, any) {
	duplicates := 0
	for _, e := range refused {
		if e.(ruleError).Title == "DuplicateRule" {
			duplicates++
		}
	}
	wrong := len(refused) - duplicates
	out := struct {
		Data   []ruleJSON `json:"data,omitempty"`
		Meta   any        `json:"meta"`
		Errors []any      `json:"errors,omitempty"`
	}{wireRules(added), map[string]any{"sent": sent(), "summary": map[string]int{
		"created": len(added), "not_created": len(refused), "valid": len(added), "invalid": len(refused),
	}}, refused}
	if len(added) == 0 && duplicates == 0 && wrong > 0 {
		return http.StatusBadRequest, out
	}
	return http.StatusCreated, out
}
