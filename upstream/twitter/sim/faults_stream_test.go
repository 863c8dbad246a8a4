package sim

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// onStream runs a script on one open stream that has got one post before.
func onStream(t *testing.T, script string, plain bool, test func(t *testing.T, w *world, f *feed)) {
	t.Helper()
	inTime(t, Config{}, func(t *testing.T, w *world) {
		f := w.connect(ask{path: "/1.1/statuses/sample.json", plain: plain})
		w.Push([]byte(rawPost(1)))
		if got := f.now(); len(got) != 1 {
			t.Fatalf("got %q", got)
		}
		if err := w.Do(script); err != nil {
			t.Fatal(err)
		}
		test(t, w, f)
	})
}

func TestFaultsThatEndStreams(t *testing.T) {
	for _, test := range []struct {
		script string
		line   string // the last one
		end    error
	}{
		{"disconnect 4", `{"disconnect":{"code":4,"stream_name":"sim-statusesfilter1","reason":"stall"}}`, io.EOF},
		{`disconnect 13 "gone"`, `{"disconnect":{"code":13,"stream_name":"sim-statusesfilter1","reason":"gone"}}`, io.EOF},
		{"close", "", io.EOF},
		{"drop", "", io.ErrUnexpectedEOF},
		{"truncate", "", io.ErrUnexpectedEOF},
		{"line \"Exceeded connection limit for user\"\nclose", "Exceeded connection limit for user", io.EOF},
	} {
		for _, plain := range []bool{false, true} {
			onStream(t, test.script, plain, func(t *testing.T, w *world, f *feed) {
				lines, err := f.ended()
				last := ""
				if len(lines) > 0 {
					last = lines[len(lines)-1]
				}
				if err != test.end || last != test.line || len(lines) > 1 {
					t.Errorf("%s, plain %v: %q, %v", test.script, plain, lines, err)
				}
				if again := w.connect(track("go")); again.status != 200 {
					t.Errorf("%s: the next connect got %d", test.script, again.status)
				}
			})
		}
	}
}

func TestFaultsThatAddLines(t *testing.T) {
	onStream(t, "limit 120\nwarning 80\nlimit 3", false, func(t *testing.T, w *world, f *feed) {
		got := f.now()
		if len(got) != 3 || !strings.HasPrefix(got[0], `{"limit":{"track":120,"timestamp_ms":"`) || !strings.HasPrefix(got[2], `{"limit":{"track":123,`) ||
			!strings.Contains(got[1], `"percent_full":80}`) {
			t.Errorf("got %q", got)
		}
		other := w.connect(track("x")) // a total of its own
		if err := w.Do("limit 7"); err != nil {
			t.Fatal(err)
		}
		if got := other.now(); len(got) != 1 || !strings.HasPrefix(got[0], `{"limit":{"track":7,`) {
			t.Errorf("got %q", got)
		}
	})
	onStream(t, "duplicate 2", false, func(t *testing.T, w *world, f *feed) {
		if got := f.now(); !slices.Equal(got, []string{rawPost(1)}) {
			t.Errorf("got %q", got)
		}
		for i := 2; i < 5; i++ {
			w.Push([]byte(rawPost(i)))
		}
		_ = w.Do("duplicate 2")
		if got := f.now(); !slices.Equal(got, []string{rawPost(2), rawPost(3), rawPost(4), rawPost(3), rawPost(4)}) {
			t.Errorf("got %q", got)
		}
	})
	onStream(t, "oversize 2MB", false, func(t *testing.T, w *world, f *feed) {
		got := f.now()
		if len(got) != 1 || len(got[0]) != 2<<20 || !json.Valid([]byte(got[0])) {
			t.Fatalf("%d lines", len(got))
		}
		s := decode(t, []byte(got[0]))
		checkStatus(t, &s)
	})
	onStream(t, "garbage", false, func(t *testing.T, w *world, f *feed) {
		got := f.now()
		invalid := 0
		for _, line := range got {
			if !json.Valid([]byte(line)) {
				invalid++
			}
		}
		if len(got) != len(garbage()) || invalid < 5 {
			t.Errorf("%d lines, %d invalid", len(got), invalid)
		}
		w.Push([]byte(rawPost(2)))
		if got := f.now(); !slices.Equal(got, []string{rawPost(2)}) {
			t.Errorf("after it: %q", got)
		}
	})
}

// A stall is silent, keep-alives included; then all that waited comes.
func TestFaultStall(t *testing.T) {
	onStream(t, "stall 95s", false, func(t *testing.T, w *world, f *feed) {
		w.Push([]byte(rawPost(2)))
		fresh := w.connect(track("x")) // a new stream is not concerned
		time.Sleep(94 * time.Second)
		if got := f.now(); len(got) != 0 {
			t.Errorf("stalled, got %q", got)
		}
		if got := fresh.now(); len(got) != 3 {
			t.Errorf("the other got %q", got)
		}
		time.Sleep(time.Second)
		if got := f.now(); !slices.Equal(got, []string{rawPost(2)}) {
			t.Errorf("then got %q", got)
		}
	})
}

func TestFaultQuiet(t *testing.T) {
	inTime(t, Config{Rate: 20, KeepAlive: 10 * time.Second}, func(t *testing.T, w *world) {
		f := w.connect(ask{path: "/1.1/statuses/sample.json"})
		time.Sleep(5 * time.Second)
		_ = w.Do("quiet 35s")
		if len(f.now()) == 0 {
			t.Fatal("nothing came before")
		}
		time.Sleep(34 * time.Second)
		if got := f.now(); !slices.Equal(got, []string{"", "", ""}) {
			t.Errorf("quiet, got %q", got)
		}
		time.Sleep(10 * time.Second)
		if got := f.now(); len(got) < 50 {
			t.Errorf("afterwards %d lines", len(got))
		}
	})
}

// In a body that is not compressed, each chunk is one read.
func TestFaultChunk(t *testing.T) {
	inTime(t, Config{}, func(t *testing.T, w *world) {
		if err := w.Do("chunk 7 for 10s"); err != nil {
			t.Fatal(err)
		}
		a := ask{path: "/1.1/statuses/sample.json", plain: true}
		transport := &http.Transport{DialContext: w.pipe.dial, DisableCompression: true}
		resp, err := signer(Credentials{}, transport).Do(a.request(t.Context(), "http://stream.sim.example"))
		if err != nil {
			t.Fatal(err)
		}
		defer transport.CloseIdleConnections()
		defer resp.Body.Close()
		sizes := func(want int) (out []int) {
			buf := make([]byte, 4096)
			for sum := 0; sum < want; {
				n, err := resp.Body.Read(buf)
				if err != nil {
					t.Fatal(err)
				}
				out, sum = append(out, n), sum+n
			}
			return out
		}
		time.Sleep(time.Second)
		w.Push([]byte(`{"text":"сім"}`))
		if got := sizes(19); !slices.Equal(got, []int{7, 7, 5}) {
			t.Errorf("chunks of %v", got)
		}
		time.Sleep(10 * time.Second)
		w.Push([]byte(`{"text":"сім"}`))
		if got := sizes(19); !slices.Equal(got, []int{19}) {
			t.Errorf("afterwards chunks of %v", got)
		}
	})
}

// What the script says of the connects to come.
func TestFaultsAtConnect(t *testing.T) {
	inTime(t, Config{Faults: MustFaults(`
		status 503 body html retry-after 5s times 2
		after 10s rate-limit 420 for 20s
		after 30s status 429 body json reset 2m
		after 1s  status 500 body empty for 1h
		after 1s  open
		after 1s  close-after-200
	`)}, func(t *testing.T, w *world) {
		get := func() *feed { return w.connect(track("go")) }
		for range 2 {
			if f := get(); f.status != 503 || !strings.Contains(f.body, "<html>") || f.header.Get("Retry-After") != "5" {
				t.Errorf("%d %v %s", f.status, f.header, f.body)
			}
		}
		if f := get(); f.status != 200 {
			t.Errorf("after two times: %d", f.status)
		}
		time.Sleep(10 * time.Second)
		for range 3 {
			if f := get(); f.status != 420 {
				t.Errorf("within 20 s: %d", f.status)
			}
			time.Sleep(5 * time.Second)
		}
		time.Sleep(5 * time.Second)
		if f := get(); f.status != 200 {
			t.Errorf("after 20 s: %d", f.status)
		}
		time.Sleep(10 * time.Second)
		f := get()
		reset, _ := strconv.ParseInt(f.header.Get("x-rate-limit-reset"), 10, 64)
		if f.status != 429 || !strings.Contains(f.body, `"code":88`) || reset != time.Now().Add(2*time.Minute).Unix() {
			t.Errorf("%d %v %s", f.status, f.header, f.body)
		}
		time.Sleep(time.Second)
		if f := get(); f.status != 500 || f.body != "" {
			t.Errorf("%d %q", f.status, f.body)
		}
		time.Sleep(time.Second)
		if f := get(); f.status != 200 {
			t.Errorf("open: %d", f.status)
		}
		time.Sleep(time.Second)
		f = get()
		if lines, err := f.ended(); f.status != 200 || len(lines) != 0 || err == nil {
			t.Errorf("close-after-200: %d %q %v", f.status, lines, err)
		}
		if n := w.Stats(); n.Connects != 11 || n.Refused != 8 {
			t.Errorf("counted %+v", n)
		}
	})
}

func TestFaultsRefuseAndHang(t *testing.T) {
	inTime(t, Config{}, func(t *testing.T, w *world) {
		_ = w.Do("refuse times 2")
		transport := &http.Transport{DialContext: w.pipe.dial, DisableKeepAlives: true, ResponseHeaderTimeout: minute}
		for range 2 {
			if f, err := open(t, signer(Credentials{}, transport), track("go"), "http://sim"); err == nil {
				t.Errorf("refused connect got %d", f.status)
			}
		}
		_ = w.Do("hang")
		start := time.Now()
		if f, err := open(t, signer(Credentials{}, transport), track("go"), "http://sim"); err == nil || time.Since(start) != minute {
			t.Errorf("hung connect: %+v %v after %v", f, err, time.Since(start))
		}
		if f := w.connect(track("go")); f.status != 200 {
			t.Errorf("after all that: %d", f.status)
		}
	})
	// on a real socket a refused connect is a reset
	s, base := overTCP(t, Config{Faults: MustFaults("refuse")})
	if _, err := http.PostForm(base+"/1.1/statuses/filter.json", url.Values{}); err == nil {
		t.Error("an answer came")
	}
	if n := s.Stats(); n.Refused != 1 {
		t.Errorf("counted %+v", n)
	}
}

// Lines that wait for posts and connects fall at an exact place, and a loop
// starts again.
func TestFaultsInOrder(t *testing.T) {
	inTime(t, Config{Faults: MustFaults(`
		after 1 connect line "welcome"
		after 2 posts   line "two"
		after 10s       line "ten"
		after 1 post    disconnect 12
		loop
	`)}, func(t *testing.T, w *world) {
		for range 3 {
			f := w.connect(track("go"))
			for i := range 3 {
				w.Push([]byte(rawPost(i)))
			}
			time.Sleep(11 * time.Second)
			w.Push([]byte(rawPost(9)))
			lines, err := f.ended()
			want := []string{"welcome", rawPost(0), rawPost(1), "two", rawPost(2), "ten", rawPost(9)}
			if err != io.EOF || len(lines) != len(want)+1 || !slices.Equal(lines[:len(want)], want) || !strings.Contains(lines[len(want)], `"code":12`) {
				t.Errorf("got %q, %v", lines, err)
			}
			w.Push([]byte(rawPost(10))) // nobody there; no line waits for it
		}
	})
}
