package deliver

// Reason is why a stream ended: the reason of a bye event and the label of
// aviary_client_closes_total.
type Reason uint32

// The reasons. Open and Gone are never told to a client; too_slow only where
// its socket still takes bytes.
const (
	Open       Reason = iota // not ended
	Gone                     // the client left, or its connection broke
	Draining                 // the gateway is being shut down
	MaxAge                   // the connection has lived its time
	TooSlow                  // no byte was taken for WriteTimeout
	Limit                    // the asked number of posts has been sent
	Overloaded               // there are too many clients, here or of this key
	Evicted                  // an operator ended it
	Failed                   // a bug: the handler panicked
)

var reasons = [...]string{"open", "gone", "draining", "max_age", "too_slow", "limit", "overloaded", "evicted", "failed"}

// String is the word in the bye event and in the metric.
func (r Reason) String() string { return reasons[r] }
