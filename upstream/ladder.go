package upstream

import "time"

// Ladders are the back-off figures. A zero field takes its default, which is
// the figure Twitter published ("Connecting to a streaming endpoint").
type Ladders struct {
	Network, NetworkMax     time.Duration // linear; 250 ms to 16 s
	HTTP, HTTPMax           time.Duration // doubling; 5 s to 320 s
	RateLimit, RateLimitMax time.Duration // doubling; 1 m to 16 m, also the cap of RetryAfter
}

// withDefaults fills in the published figures. A cap below its first step is
// raised to it.
func (l Ladders) withDefaults() Ladders {
	set := func(first, limit *time.Duration, f, m time.Duration) {
		if *first <= 0 {
			*first = f
		}
		if *limit <= 0 {
			*limit = m
		}
		*limit = max(*first, *limit)
	}
	set(&l.Network, &l.NetworkMax, 250*time.Millisecond, 16*time.Second)
	set(&l.HTTP, &l.HTTPMax, 5*time.Second, 320*time.Second)
	set(&l.RateLimit, &l.RateLimitMax, time.Minute, 16*time.Minute)
	return l
}

// ladder counts the steps taken on each ladder since the last reset. It is
// owned by the goroutine in Run.
type ladder struct {
	figures                        Ladders
	network, http, rateLimit, flap time.Duration // the last step; 0: at the foot
}

// next climbs one step and returns the wait without jitter, and whether the
// ladder's cap is reached.
func (l *ladder) next(c Class, retryAfter time.Duration) (wait time.Duration, atCap bool) {
	f := &l.figures
	switch c {
	case RateLimit:
		wait, atCap = double(&l.rateLimit, f.RateLimit, f.RateLimitMax)
	case HTTP:
		wait, atCap = double(&l.http, f.HTTP, f.HTTPMax)
	default: // Network, Stall
		l.network = min(l.network+f.Network, f.NetworkMax)
		wait, atCap = l.network, l.network == f.NetworkMax
	}
	return max(wait, min(retryAfter, f.RateLimitMax)), atCap
}

// double takes one step of a doubling ladder; it stops at the cap, so it cannot overflow.
func double(step *time.Duration, first, limit time.Duration) (time.Duration, bool) {
	switch {
	case *step == 0:
		*step = first
	case *step > limit/2:
		*step = limit
	default:
		*step *= 2
	}
	return *step, *step == limit
}

// flapped is the wait after an established stream that ended too soon after the
// last one for an immediate reconnect: a linear ladder of its own, which only
// a stream that lasted takes back.
func (l *ladder) flapped() time.Duration {
	l.flap = min(l.flap+l.figures.Network, l.figures.NetworkMax)
	return l.flap
}

// reset goes back to the foot of every ladder; that for flapping streams only if
// the stream lasted.
func (l *ladder) reset(lasted bool) {
	l.network, l.http, l.rateLimit = 0, 0, 0
	if lasted {
		l.flap = 0
	}
}
