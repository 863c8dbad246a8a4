package compat

import (
	"container/list"
	"crypto/sha256"
	"net/http"
	"strconv"
	"strings"

	"aviary/fanout/filter"
)

// owner is whose rules they are: a hash of the bearer token, so that no token lies
// in memory. Requests without one share one set.
type owner [sha256.Size]byte

func ownerOf(r *http.Request) owner {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || token == "" {
		return owner{}
	}
	return sha256.Sum256([]byte(token))
}

// rule is one rule of a token. It never changes.
type rule struct {
	id         uint64
	value, tag string
	filter     *filter.Filter
	set        *ruleSet
	handle     filter.Handle // in the index while a stream of the set is open; owned by book.mu
}

func (r *rule) name() string { return strconv.FormatUint(r.id, 10) }

// size is about what a rule costs.
func (r *rule) size() int { return len(r.value) + len(r.tag) }

// ruleSet is the rules of one token. Its fields are owned by book.mu.
type ruleSet struct {
	owner   owner
	rules   []*rule // by id, which is by age
	byValue map[string]*rule
	streams map[*streamV2]struct{}
	place   *list.Element // in book.order; nil: it is not in the book
	hits    []*rule       // of the post that is being matched
}
