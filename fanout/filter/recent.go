package filter

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// When thousands of clients come back at once, many have the same filter, and most
// of what it costs to let one in would be to understand it again. So the last short
// ones are remembered, as they were written: two generations of at most recentMost,
// the younger of which takes the older one's place when it is full.
const (
	recentMost   = 128
	recentLength = 256 // bytes: longer ones are rarely shared, and hold more
)

// understood is a filter with its warnings. Nobody writes to either.
type understood struct {
	filter *Filter
	said   []string
}

// recent remembers; the zero value is ready.
type recent struct {
	mu         sync.Mutex
	young, old map[string]understood // owned by mu
}

var lately recent

// get finds what was understood of a key.
func (r *recent) get(key []byte) (u understood, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if u, ok = r.young[string(key)]; ok {
		return u, true
	}
	if u, ok = r.old[string(key)]; ok {
		r.keep(string(key), u)
	}
	return u, ok
}

func (r *recent) put(key []byte, u understood) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep(string(key), u)
}

// keep adds an entry while mu is held.
func (r *recent) keep(key string, u understood) {
	if r.young == nil || len(r.young) >= recentMost {
		r.young, r.old = make(map[string]understood, recentMost), r.young
	}
	r.young[key] = u
}

// appendKey appends all that condition reads of v, so that no two of them are the
// same; nil: that is too long.
func appendKey(dst []byte, v url.Values) []byte {
	var room [8]string
	names, size := room[:0], 0
	for name, values := range v {
		if !slices.Contains(params, name) && !strings.HasPrefix(name, namedPrefix) {
			continue
		}
		names = append(names, name)
		size += len(name)
		for _, value := range values {
			size += len(value) + 4
		}
	}
	if size > recentLength {
		return nil
	}
	slices.Sort(names)
	for _, name := range names {
		dst = append(append(dst, name...), '=')
		for _, value := range v[name] {
			dst = append(strconv.AppendInt(dst, int64(len(value)), 10), ':')
			dst = append(dst, value...)
		}
		dst = append(dst, '&')
	}
	return dst
}
