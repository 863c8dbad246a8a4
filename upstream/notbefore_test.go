package upstream

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
)

// An upstream that names a time is left alone until then, however far it is and
// whatever the caps are; a person can ask earlier.
func TestNotBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		end := began.Add(20 * 24 * time.Hour)
		s := &script{steps: []step{
			func(context.Context, Sink) error {
				return &Error{Class: RateLimit, NotBefore: end, Err: errors.New("spent")}
			},
			streams(1, nil),
		}}
		r := &Runner{Source: s, Publish: func(*fanout.Event) bool { return true }, Jitter: func() float64 { return 1 }}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		time.Sleep(time.Hour)
		if u := r.Status(); u.State != StateBackingOff || u.NextAttempt.Before(end) || u.NextAttempt.After(end.Add(maxJitter)) {
			t.Errorf("%+v", u)
		}
		time.Sleep(19 * 24 * time.Hour)
		if n := s.connects(); n != 1 {
			t.Errorf("%d connects before the time", n)
		}
		time.Sleep(24 * time.Hour)
		if n := s.connects(); n != 2 {
			t.Errorf("%d connects after it", n)
		}
		cancel()
		<-done
	})
}

// partial is a source that works in part.
type partial struct{ *script }

func (partial) Trouble() (text, hint string) { return "one of two rules was refused", "correct it" }

// What a source says of itself shows while it streams.
func TestTroubled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told string
		r := &Runner{Source: partial{&script{steps: []step{streams(1, nil)}}}, Publish: func(e *fanout.Event) bool { told += string(e.JSON); return true }}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		time.Sleep(time.Minute)
		if u := r.Status(); u.State != StateStreaming || u.Class != "" || u.Error != "one of two rules was refused" || u.Hint != "correct it" {
			t.Errorf("%+v", u)
		}
		cancel()
		<-done
		if !strings.Contains(told, `"state":"streaming"`) || !strings.Contains(told, "one of two rules") {
			t.Errorf("told: %s", told)
		}
	})
}
