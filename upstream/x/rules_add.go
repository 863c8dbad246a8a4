package x

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"aviary/upstream"
	"aviary/upstream/httpapi"
)

// ruleCap is the kind of problem that there is no room for another rule.
const ruleCap = "rule-cap"

// Rules go out in parts, so that no body is longer than some 100 KB.
const (
	addAtOnce    = 100
	deleteAtOnce = 500
)

// add adds rules and tells which of them the upstream refused.
func (b *rulebook) add(ctx context.Context, rules []Rule) (added int, failures []Failure, err error) {
	for part := range slices.Chunk(rules, addAtOnce) {
		for len(part) > 0 {
			raw, err := b.post(ctx, part)
			refused := refusedRules(part, raw)
			if err != nil && (len(refused) == 0 || !isRefusal(err)) {
				return added, failures, err
			}
			for i := range refused {
				refused[i].Reason = oneLine(refused[i].Reason)
				b.log.Warn("the upstream refused a rule", "tag", refused[i].Rule.Tag, "rule", refused[i].Rule.Value, "reason", refused[i].Reason)
			}
			failures = append(failures, refused...)
			if err == nil {
				added += len(part) - len(refused)
				break
			}
			part = without(part, refused) // nothing was added: the good ones once more
		}
	}
	return added, failures, nil
}

func (b *rulebook) post(ctx context.Context, rules []Rule) ([]byte, error) {
	type entry struct {
		Value string `json:"value"`
		Tag   string `json:"tag"`
	}
	list := make([]entry, len(rules))
	for i, r := range rules {
		list[i] = entry{r.Value, tagPrefix + r.Tag}
	}
	return b.api.call(ctx, &b.api.budgets.rulesPost, http.MethodPost, rulesPath, nil, map[string]any{"add": list})
}

// isRefusal says that the request itself was refused, as it is when every rule in it
// is wrong.
func isRefusal(err error) bool {
	var e *upstream.Error
	return errors.As(err, &e) && e.Class == upstream.Fatal
}

// refusedRules finds the rules that an answer to add did not take: those that an
// error names; where one names none, all that are not among the added ones. A
// duplicate is there already, which is no failure.
func refusedRules(rules []Rule, raw []byte) (list []Failure) {
	var answer struct {
		Data []stored `json:"data"`
	}
	_ = json.Unmarshal(raw, &answer) // of an error there is no data
	done, reasons, full := map[string]bool{}, map[string]string{}, map[string]bool{}
	for _, s := range answer.Data {
		done[s.Value] = true
	}
	unnamed, unnamedFull := "", false
	for _, p := range readProblems(raw) {
		known := slices.ContainsFunc(rules, func(r Rule) bool { return r.Value == p.Value })
		switch {
		case p.Kind == "duplicate-rules" || p.Title == "DuplicateRule":
			done[p.Value] = true
		case known:
			reasons[p.Value], full[p.Value] = p.words(), p.Kind == ruleCap
		case unnamed == "" && (p.Kind == "invalid-rules" || p.Kind == ruleCap || p.Value != ""):
			unnamed, unnamedFull = p.words(), p.Kind == ruleCap
		}
	}
	for _, r := range rules {
		why, named := reasons[r.Value]
		switch {
		case done[r.Value]:
		case named:
			list = append(list, Failure{r, why, full[r.Value]})
		case unnamed != "" && (len(reasons) == 0 || len(answer.Data) > 0):
			list = append(list, Failure{r, unnamed, unnamedFull})
		}
	}
	return list
}

func without(rules []Rule, refused []Failure) (rest []Rule) {
	for _, r := range rules {
		if !slices.ContainsFunc(refused, func(f Failure) bool { return f.Rule == r }) {
			rest = append(rest, r)
		}
	}
	return rest
}

func (b *rulebook) delete(ctx context.Context, ids []string) error {
	for part := range slices.Chunk(ids, deleteAtOnce) {
		body := map[string]any{"delete": map[string]any{"ids": part}}
		if _, err := b.api.call(ctx, &b.api.budgets.rulesPost, http.MethodPost, rulesPath, nil, body); err != nil {
			return err
		}
	}
	return nil
}

func oneLine(s string) string { return new(httpapi.Veil).Quote(s, httpapi.MaxSummary) }
