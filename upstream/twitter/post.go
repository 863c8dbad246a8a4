package twitter

import (
	"strconv"
	"strings"
	"time"
)

// epoch is the first millisecond of post ids, in Unix milliseconds.
const epoch = 1288834974657

// PostTime is the time of a post to the millisecond. created is what its
// created_at says, whole seconds; the upper 42 bits of an id given out since 2010
// are the very millisecond. Where the two do not agree the id is no such id, and
// created it is.
func PostTime(id string, created time.Time) time.Time {
	n, err := strconv.ParseUint(id, 10, 63)
	if err != nil {
		return created
	}
	if at := time.UnixMilli(int64(n>>22) + epoch).UTC(); at.Unix() == created.Unix() && created.Nanosecond() == 0 {
		return at
	}
	return created
}

// PostURL is the address of a post on the web; "" without an id. A name that is
// none (hostile, or not known) is left to the server to find.
func PostURL(username, id string) string {
	if id == "" {
		return ""
	}
	plain := func(r rune) bool {
		return r == '_' || '0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'z'
	}
	if username == "" || strings.ContainsFunc(username, func(r rune) bool { return !plain(r) }) {
		username = "i"
	}
	return "https://twitter.com/" + username + "/status/" + id
}
