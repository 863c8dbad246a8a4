package x

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"aviary/fanout"
)

// An edited post is a new post with an id of its own; the forms before it are named
// in edit_history_tweet_ids. What its author has replaced must not be shown any more,
// so each earlier form is taken back as if it had been deleted, whichever way the
// edit becomes known: by the new form in the stream, by a tweet_edit of a compliance
// stream (the new form need not match a rule), or by looking a held post up again.

// retract gives a delete to emit for every earlier form of what an event is about.
func retract(e *fanout.Event, emit func(*fanout.Event)) {
	if !mayBeEdit(e.JSON) {
		return
	}
	d := envelopes.Get().(*decoder)
	defer envelopes.Put(d)
	if d.read(e.JSON) != nil {
		return
	}
	own, author := d.posts[0].id, d.posts[0].author
	if e.Kind != fanout.KindPost {
		own = ""
	}
	for _, id := range earlier(d.versions, own) {
		emit(Delete(strings.Clone(id), strings.Clone(author), time.Time{}))
	}
}

// mayBeEdit finds out cheaply that a message tells of no edit, as nearly all do: the
// history of a post that was never edited holds one id.
func mayBeEdit(json []byte) bool {
	for _, name := range []string{`"edit_history_tweet_ids"`, `"edit_tweet_ids"`} {
		for rest := json; ; {
			_, after, found := bytes.Cut(rest, []byte(name))
			if !found {
				break
			}
			list, _, _ := bytes.Cut(after, []byte{']'})
			if bytes.IndexByte(list, ',') >= 0 {
				return true
			}
			rest = after
		}
	}
	return false
}

// earlier are the forms before one; of "" those before the newest.
func earlier(versions []string, own string) (ids []string) {
	newest := number64(own)
	if own == "" {
		for _, id := range versions {
			newest = max(newest, number64(id))
		}
	}
	for _, id := range versions {
		if n := number64(id); n > 0 && n < newest {
			ids = append(ids, id)
		}
	}
	return ids
}

// superseded says that a list of forms has one behind this.
func superseded(id string, versions []string) bool {
	for _, v := range versions {
		if number64(v) > number64(id) {
			return true
		}
	}
	return false
}

func number64(id string) uint64 {
	n, _ := strconv.ParseUint(id, 10, 64) // 0: none
	return n
}

// maxVersions bounds what is read of a history; a post can be edited five times.
const maxVersions = 100

// readVersions reads the ids of the forms of data.
func (e *envelope) readVersions() {
	if !e.Array() {
		return
	}
	for e.Item() {
		if id := e.Numeral(); validID(id) && len(e.versions) < maxVersions {
			e.versions = append(e.versions, id)
		}
	}
}
