package e2e

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Tabs come, go, are stopped and take the connection from each other while posts come:
// in the end each has every post of its columns once, in order. TURNS_SEED repeats what
// was done to them, though not when.
func TestTabsTakeTurns(t *testing.T) {
	t.Parallel()
	const tabs, posts = 4, 140 // fewer than a list takes at once
	seed, err := strconv.ParseUint(cmp.Or(os.Getenv("TURNS_SEED"), fmt.Sprint(time.Now().UnixNano())), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("TURNS_SEED=%d", seed)
	w := newWorld(t, 0)
	address := func(n int) string { return fmt.Sprintf("/?filter.mine=tab%d&filter.all=all&max_rate=off", n) }
	all := []*turning{{tab: w.open(address(0), desktop), address: w.url + address(0)}}
	for n := 1; n < tabs; n++ {
		all = append(all, &turning{tab: all[0].beside(w.url + address(n)), address: w.url + address(n)})
	}
	var every []string
	mine := make([][]string, tabs)
	posted := make(chan struct{})
	go func() {
		defer close(posted)
		for i := range posts {
			text := fmt.Sprintf("n%d all tab%d", i, i%tabs)
			w.post(text)
			every = append(every, text+" go")
			mine[i%tabs] = append(mine[i%tabs], text+" go")
			time.Sleep(time.Duration(30+i*7%60) * time.Millisecond)
		}
	}()
	random := rand.New(rand.NewPCG(seed, 1))
	for over := false; !over; {
		all[random.IntN(tabs)].turn(random)
		select {
		case <-posted:
			over = true
		case <-time.After(time.Duration(random.IntN(400)) * time.Millisecond):
		}
	}
	for n, b := range all {
		b.goesOn()
		b.has(0, mine[n])
		b.has(1, every)
	}
	w.eventually("one connection", func() bool { return w.clients() == 1 })
}

// turning is a tab to which something happens now and then.
type turning struct {
	*tab
	address string
	frozen  bool
	turns   []string
}

// turn has something happen to the tab.
func (b *turning) turn(random *rand.Rand) {
	b.t.Helper()
	what := []string{"opened again", "takes the connection", "frozen", "left alone"}[random.IntN(4)]
	b.turns = append(b.turns, what)
	switch {
	case b.frozen:
		b.goesOn()
	case what == "opened again":
		b.do(chromedp.Navigate("about:blank"))
		time.Sleep(time.Duration(random.IntN(100)) * time.Millisecond)
		b.do(chromedp.Navigate(b.address))
	case what == "takes the connection":
		b.run(`void navigator.locks.request("aviary-stream", { steal: true }, () => {})`)
	case what == "frozen":
		b.lifecycle("frozen")
		b.frozen = true
	}
}

func (b *turning) goesOn() {
	b.t.Helper()
	if b.frozen {
		b.lifecycle("active")
	}
	b.frozen = false
}

// has waits until a column has so many posts, and checks that they are those, oldest first.
func (b *turning) has(column int, want []string) {
	b.t.Helper()
	const all = `((c) => {
		c.querySelector(".new").click();
		c.querySelector(".scroller").scrollTo(0, 1e6); // whoever is at the end is shown more
		return [...c.querySelectorAll(".feed > article")].map((a) => a.querySelector(".text")?.textContent ?? "[" + a.textContent + "]");
	})(document.querySelectorAll(".column")[%d])`
	var got []string
	for end := time.Now().Add(patience); len(got) < len(want) && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		got = ask[[]string](b.tab, fmt.Sprintf(all, column))
	}
	slices.Reverse(got)
	if !slices.Equal(got, want) {
		b.t.Errorf("%s was %s\ncolumn %d has %d posts:\n%s\nwant %d", b.address, strings.Join(b.turns, ", "), column+1, len(got), strings.Join(got, "\n"), len(want))
	}
}
