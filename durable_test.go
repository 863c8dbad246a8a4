package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// One machine with a data folder: whatever a client has seen is there after a power
// cut, cursors hold, and what was deleted stays deleted.
func TestDataDirOutlivesAKill(t *testing.T) {
	f := newFleet(t, 2, "AVIARY_DATA_DIR="+filepath.Join(t.TempDir(), "data"))
	node := f.add()
	f.streaming()
	var all []posted
	var deleted []string
	for range times(2, 20) {
		client := node.listen("")
		stop := f.talk(2 * time.Millisecond)
		eventually(t, "posts", func() bool { return len(client.posts()) > 50 })
		victim := client.posts()[10]
		asks(t, "DELETE", node.admin+"/posts/"+victim, `{"held":1,"published":1}`)
		deleted = append(deleted, victim)
		middle := client.all()[30].id
		eventually(t, "more posts", func() bool { return len(client.posts()) > 80 })
		node.kill()
		<-client.ended
		all = append(all, stop()...)
		seen := client.posts()

		node = f.add()
		f.streaming()
		back := node.listen(middle)
		last := seen[len(seen)-1]
		back.has(last)
		for _, id := range behind(client, middle) {
			if !slices.Contains(back.posts(), id) && !slices.Contains(deleted, id) {
				t.Errorf("post %s was sent before the kill and is not there after it", id)
			}
		}
		whole := node.listenQuery("since=1h", "")
		whole.has(last)
		for _, id := range whole.posts() {
			if slices.Contains(deleted, id) {
				t.Errorf("post %s was deleted and is back", id)
			}
		}
		client.close()
		back.close()
		whole.close()
	}
	if len(all) == 0 {
		t.Error("nothing was posted")
	}
}

// behind are the posts that a client got after an event.
func behind(l *listener, id string) (posts []string) {
	passed := false
	for _, e := range l.all() {
		if passed && e.name == "" {
			posts = append(posts, e.subject())
		}
		passed = passed || e.id == id
	}
	return posts
}

// listenQuery is listen with parameters.
func (m *member) listenQuery(query, lastID string) *listener {
	m.f.t.Helper()
	return listenWith(m.f.t, m.url, query, lastID)
}

// A restart in order loses nothing that came, and resumes with what came last.
func TestDataDirRestart(t *testing.T) {
	f := newFleet(t, 2, "AVIARY_DATA_DIR="+t.TempDir())
	node := f.add()
	f.streaming()
	client := node.listen("")
	stop := f.talk(time.Millisecond)
	eventually(t, "posts", func() bool { return len(client.posts()) > 100 })
	node.signal(syscall.SIGTERM)
	<-node.exited
	<-client.ended
	stop()
	if code := node.cmd.ProcessState.ExitCode(); code != exitOK {
		t.Errorf("exit code %d:\n%s", code, node.log)
	}
	f.remove(node)
	node = f.add()
	f.streaming()
	back := node.listen(client.lastID())
	p := f.fake.Post(goDraft)
	back.has(p.ID)
	for _, e := range back.all() {
		if e.name == "" && e.subject() != p.ID && slices.Contains(client.posts(), e.subject()) {
			t.Errorf("post %s comes twice", e.subject())
		}
	}
	if hello := helloOf(t, node, client.lastID()); hello.Resumed != "full" {
		t.Errorf("resumed: %+v", hello)
	}
}

type hello struct {
	Resumed string
	Cursor  string
}

func helloOf(t *testing.T, m *member, lastID string) hello {
	t.Helper()
	s := (&running{t: t, url: m.url, client: http.DefaultClient}).open("", lastID)
	defer s.close()
	var said struct{ Hello hello }
	if err := json.Unmarshal([]byte(s.until("hello").data), &said); err != nil {
		t.Fatal(err)
	}
	return said.Hello
}

// A data folder in use by another gateway is refused in words.
func TestDataDirInUse(t *testing.T) {
	dir := t.TempDir()
	f := newFleet(t, 2, "AVIARY_DATA_DIR="+dir)
	f.add()
	f.streaming()
	g := runToEnd(t, append(f.environ, "AVIARY_LISTEN=127.0.0.1:0", "AVIARY_ADMIN_LISTEN=off")...)
	if g.code != exitFailed || !strings.Contains(g.log, "AVIARY_DATA_DIR") && !strings.Contains(g.log, dir) {
		t.Errorf("exit code %d: %s", g.code, g.log)
	}
}

// A store that was torn (the tail of every file is cut off) is a state, not a crash.
func TestDataDirIsTorn(t *testing.T) {
	dir := t.TempDir()
	f := newFleet(t, 2, "AVIARY_DATA_DIR="+dir)
	node := f.add()
	f.streaming()
	client := node.listen("")
	stop := f.talk(time.Millisecond)
	eventually(t, "posts", func() bool { return len(client.posts()) > 200 })
	node.kill()
	stop()
	torn := 0
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() && info.Size() > 64 && filepath.Ext(path) == ".blk" {
			torn++
			return os.Truncate(path, info.Size()*2/3)
		}
		return err
	})
	if err != nil || torn == 0 {
		t.Fatalf("%d files are torn: %v", torn, err)
	}
	node = f.add()
	f.streaming()
	p := f.fake.Post(goDraft)
	back := node.listenQuery("since=1h", "")
	back.has(p.ID)
	// Its old cursor is no error, and not silently another place.
	if said := helloOf(t, node, client.lastID()); said.Resumed == "live" {
		t.Errorf("the old cursor: %+v", said)
	}
}

// A bus that is down at the start is waited for: the process stays, says what is
// wrong, and serves once it is there.
func TestBusIsDownAtTheStart(t *testing.T) {
	nats := startNATS(t)
	wire, through := newCable(t, nats)
	wire.set(true)
	f := newFleet(t, 2, "AVIARY_NATS_URL="+strings.Replace(through, "nats://", "nats://aviary:h1dden@", 1))
	node := f.add()
	eventually(t, "its word that the bus is away", func() bool {
		s, ok := node.status()
		return ok && s.Cluster.Bus.State == "opening" && s.Upstream.State == "backing_off" && s.Upstream.Error != ""
	})
	for path, words := range map[string]string{"/readyz": "bus", "/stream": "bus"} {
		if code, body := fetch(t, http.DefaultClient, node.url+path); code != http.StatusServiceUnavailable || !strings.Contains(body, words) {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	browser := (&running{t: t, url: node.url, client: http.DefaultClient}).open("", "") // it would never come back after a 503
	browser.until("bye")
	if n := f.fake.Stats().Connects; n != 0 {
		t.Errorf("%d connects without a bus", n)
	}
	wire.set(false)
	f.streaming()
	client := node.listen("")
	p := f.fake.Post(goDraft)
	client.has(p.ID)
	if _, status := fetch(t, http.DefaultClient, node.url+"/status"); strings.Contains(node.log.String()+status, "h1dden") {
		t.Error("the password is shown")
	}
}

// A capture on one machine is replayed by each start, with a data folder too: its end
// is no halt that lasts, and posts that the history holds do not come twice.
func TestDataDirReplaysAFile(t *testing.T) {
	const line = `{"created_at":"Wed Nov 06 10:37:41 +0000 2019","id":7,"id_str":"7","text":"go","user":{"id":1,"id_str":"1","screen_name":"a"}}` + "\n"
	capture := scratch(t, "c.json", line)
	environ := []string{"AVIARY_SOURCE=file", "AVIARY_FILE=" + capture, "AVIARY_FILE_RATE=max", "AVIARY_DATA_DIR=" + t.TempDir()}
	for lap := range 2 {
		g := start(t, nil, environ...)
		eventually(t, "the end of the file", func() bool {
			s, ok := askStatus(g.client, g.url)
			return ok && s.Upstream.State == "halted" && strings.Contains(s.Upstream.Error, "end of file")
		})
		l := listenWith(t, g.url, "since=1h", "")
		l.has([]string{"7", "8"}[lap])
		if posts := l.posts(); len(posts) != lap+1 {
			t.Errorf("start %d gives %q", lap+1, posts)
		}
		for _, e := range l.all() {
			if e.name == "gap" {
				t.Errorf("start %d tells a loss, and none was: %s", lap+1, e.data)
			}
		}
		l.close()
		g.signals <- syscall.SIGTERM
		if code := g.exits(); code != exitOK {
			t.Fatalf("exit code %d:\n%s", code, g.log)
		}
		if lap == 0 { // more was recorded meanwhile
			if err := os.WriteFile(capture, []byte(line+strings.ReplaceAll(line, "7", "8")), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// What comes twice is dropped at the hub, behind the bus, and counted all the same.
func TestDataDirCountsDuplicates(t *testing.T) {
	f := newFleet(t, 2, "AVIARY_DATA_DIR="+t.TempDir())
	node := f.add()
	f.streaming()
	client := node.listen("")
	for range 3 {
		f.fake.Post(goDraft)
	}
	last := f.fake.Post(goDraft)
	client.has(last.ID)
	if err := f.fake.Do("duplicate 4"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "duplicates are counted", func() bool {
		_, metrics := fetch(t, http.DefaultClient, node.admin+"/metrics")
		return strings.Contains(metrics, `aviary_posts_dropped_total{reason="duplicate"} 4`+"\n")
	})
	if got := len(client.posts()); got != 4 {
		t.Errorf("%d posts for a client, want 4", got)
	}
}
