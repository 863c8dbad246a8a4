package fanout

import "time"

// Upstream is the state of the upstream connection as users see it: in
// /status, in hello and in the upstream event. Times are UTC with milliseconds.
type Upstream struct {
	State       string     `json:"state"` // connecting, streaming, backing_off, switching, halted
	Since       time.Time  `json:"since"`
	Class       string     `json:"class,omitempty"` // of the last failure: network, http, rate_limit, stall, fatal
	Error       string     `json:"error,omitempty"`
	Hint        string     `json:"hint,omitempty"`
	NextAttempt *time.Time `json:"next_attempt,omitempty"`
	PostsPerS   float64    `json:"posts_per_s"`
}
