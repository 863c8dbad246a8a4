package twitter

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"aviary/fanout"
	"aviary/upstream"
)

// world is what a random upstream has done. Its handlers run one after the
// other, but on goroutines of their own.
type world struct {
	mu   sync.Mutex
	rnd  *rand.Rand
	next int
	sent []string // ids of posts; "|" where a stream that had brought bytes ended
}

func (w *world) intN(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rnd.IntN(n)
}

func (w *world) note(s string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, s)
}

func (w *world) post() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next++
	w.sent = append(w.sent, fmt.Sprint(w.next))
	return tweet(w.next) + "\r\n"
}

// live streams posts for up to four minutes and ends somehow.
func (w *world) live(end http.HandlerFunc) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		stop := time.After(time.Duration(w.intN(240)) * time.Second)
		send(rw, "\r\n")
		for {
			select {
			case <-r.Context().Done():
				return
			case <-stop:
				w.note("|")
				end(rw, r)
				return
			case <-time.After(time.Duration(1+w.intN(20)) * time.Second):
				send(rw, w.post())
			}
		}
	}
}

// An hour of random outages: every post that was sent whole arrives, in order;
// each outage is told once, right before the first post after it; there is
// never more than one connection; and the attempts stay bounded.
func TestHourOfOutages(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	endings := []http.HandlerFunc{cut(), cut(`{"id":`), answer(), hang, answer(`{"disconnect":{"code":12}}` + "\r\n")}
	refusals := []http.HandlerFunc{says(503, ""), says(500, "<html>"), says(429, "", "Retry-After", "30"), cut(), answer(), hang,
		answer("Exceeded connection limit for user\r\n")}
	for seed := range uint64(5) {
		bubble(t, fmt.Sprint(seed), func(t *testing.T) {
			w := &world{rnd: rand.New(rand.NewPCG(seed, 1))}
			h := newHostile(t, func(rw http.ResponseWriter, r *http.Request) {
				if w.intN(3) == 0 {
					refusals[w.intN(len(refusals))](rw, r)
					return
				}
				w.live(endings[w.intN(len(endings))])(rw, r)
			})
			h.against(t, time.Hour, func(_ *upstream.Runner, rec *record) {
				if h.most > 1 || h.connects() > 150 {
					t.Errorf("%d connections at once, %d connects", h.most, h.connects())
				}
				rec.mu.Lock()
				defer rec.mu.Unlock()
				w.mu.Lock()
				defer w.mu.Unlock()
				checkOutages(t, w.sent, rec.events)
			})
		})
	}
}

// checkOutages compares what was sent with what was published.
func checkOutages(t *testing.T, sent []string, events []*fanout.Event) {
	t.Helper()
	var want []string
	down := false
	for _, s := range sent {
		if s == "|" {
			down = true
			continue
		}
		if down {
			want = append(want, "gap")
		}
		down = false
		want = append(want, s)
	}
	var got []string
	for _, e := range events {
		switch e.Kind {
		case fanout.KindPost:
			got = append(got, e.Post.Key.ID)
		case fanout.KindGap:
			got = append(got, "gap")
			if l := e.Loss; l.Reason != "upstream" || l.Missed != -1 || l.From.After(l.To) || l.From.IsZero() {
				t.Errorf("loss %+v", *l)
			}
		}
	}
	if len(got) < 50 {
		t.Errorf("only %d events: the test shows little", len(got))
	}
	if !slices.Equal(got, want) {
		t.Errorf("published %v\n     sent %v", got, want)
	}
}
