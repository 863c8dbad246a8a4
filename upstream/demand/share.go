package demand

import (
	"fmt"
	"slices"
	"strings"

	"aviary/fanout/filter"
)

// Share says what a client is to know of the share that one key, an address, has of
// the upstream's room: "" unless some of what the filter asks for is left out because
// what clients with this key ask for is more. key is as in [fanout.Asked]; "" has no
// such bounds.
func (f *Force) Share(client *filter.Filter, key string) string {
	if key == "" || !f.grows || f.perKey == ([kinds]int{}) {
		return ""
	}
	asks := newCover(termsOf(f.own))
	var asked, missing [kinds]int
	for _, n := range f.config.read(client).needs {
		if asks.covers(n) {
			continue
		}
		asked[n.term.kind]++
		if !f.terms.covers(n) {
			missing[n.term.kind]++
		}
	}
	spent := f.spent[key]
	var over []string
	for k := range kinds {
		if missing[k] > 0 && (spent[k] || asked[k] > f.perKey[k]) {
			over = append(over, fmt.Sprintf("%d %s", f.perKey[k], k))
		}
	}
	if over == nil {
		return ""
	}
	return fmt.Sprintf("of one client address at most %s are taken in, and its streams ask for more: what is left out comes in when they ask for less, or have the operator put it into what the upstream is asked for", strings.Join(over, " and "))
}

// over are the keys whose clients ask for more than counts.
func (b *books) over() map[string][kinds]bool {
	if !slices.ContainsFunc(b.pages, func(p page) bool { return p.over != [kinds]bool{} }) {
		return nil
	}
	out := map[string][kinds]bool{}
	for id, p := range b.at {
		if one := b.pages[p].over; one != [kinds]bool{} && b.refs[id] > 0 {
			out[b.names[id]] = one
		}
	}
	return out
}
