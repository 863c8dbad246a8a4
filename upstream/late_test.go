package upstream

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
)

// What is lost behind posts that lay unread while the process was held up is told from
// when they were sent on; a post that is old for another reason changes little.
func TestGapAfterAHoldUp(t *testing.T) {
	const skew = time.Hour // of the upstream's clock
	at := func(to Sink, sent time.Time) {
		to.Alive(100)
		to.Emit(&fanout.Event{Kind: fanout.KindPost, Sent: sent.Add(-skew)})
	}
	for _, c := range []struct {
		name   string
		heldUp time.Duration   // after ten posts, a second apart
		then   []time.Duration // how long before they were read posts were sent
		want   time.Duration   // from the end of the stream back to the beginning of the gap
	}{
		{"not held up", 0, nil, 0},
		{"held up, and nothing is read", time.Minute, nil, time.Minute},
		{"held up, and a part is read", time.Minute, []time.Duration{59 * time.Second, 50 * time.Second}, 50 * time.Second},
		{"held up, and all is read", time.Minute, []time.Duration{59 * time.Second, 0}, 0},
		{"an old post", 0, []time.Duration{time.Hour}, time.Second},
		{"a post from the future", 0, []time.Duration{-time.Hour}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var ended time.Time
				r, _, l := runner(func(ctx context.Context, to Sink) error {
					for i := range 10 {
						if i > 0 {
							_ = wait(ctx, time.Second)
						}
						at(to, time.Now())
					}
					_ = wait(ctx, c.heldUp)
					for _, age := range c.then {
						at(to, time.Now().Add(-age))
					}
					ended = time.Now()
					return errors.New("cut")
				}, streams(1, nil))
				during(t, r, 5*time.Minute, nil)
				if loss := l.losses(); len(loss) != 1 || ended.Sub(loss[0].From) != c.want {
					t.Errorf("told %+v, want one from %v before %v", loss, c.want, ended)
				}
			})
		})
	}
}
