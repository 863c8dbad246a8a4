package fanout

import (
	"encoding/json"
	"time"
)

// Upstream is the state of the upstream connection as users see it: in
// /status, in hello and in the upstream event. Times are UTC with milliseconds.
type Upstream struct {
	State       string // connecting, streaming, backing_off, switching, halted
	Since       time.Time
	Class       string     // of the last failure: network, http, rate_limit, stall, fatal; "": none
	Error       string     // of the last failure, in words
	Hint        string     // what an operator can do about it
	NextAttempt *time.Time // nil: none is planned
	PostsPerS   float64
}

// MarshalJSON writes every member, null where there is nothing to say: whoever
// reads the object need not ask first whether a member is there.
func (u Upstream) MarshalJSON() ([]byte, error) {
	words := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	return json.Marshal(struct {
		State       string     `json:"state"`
		Since       time.Time  `json:"since"`
		Class       *string    `json:"class"`
		Error       *string    `json:"error"`
		Hint        *string    `json:"hint"`
		NextAttempt *time.Time `json:"next_attempt"`
		PostsPerS   float64    `json:"posts_per_s"`
	}{u.State, u.Since, words(u.Class), words(u.Error), words(u.Hint), u.NextAttempt, u.PostsPerS})
}
