package deliver

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"aviary/fanout"
)

func TestEventSets(t *testing.T) {
	for e, want := range map[Events]string{0: "none", AllEvents: "all", Delete | Heartbeat: "delete,heartbeat", AllEvents | Heartbeat: strings.Join(EventNames(), ",")} {
		if got := e.String(); got != want {
			t.Errorf("%d: %q, want %q", e, got, want)
		}
	}
	for _, name := range EventNames() {
		if got := EventNamed(name).String(); got != name {
			t.Errorf("%s: %q", name, got)
		}
	}
	for k := fanout.KindDelete; k <= fanout.KindOther; k++ {
		if got := ofKind(k).String(); got != k.String() {
			t.Errorf("kind %v is event %s", k, got)
		}
	}
	if EventNamed("post") != 0 || EventNamed("") != 0 || ofKind(fanout.KindPost) != 0 {
		t.Error("a post has no name")
	}
}

func TestBye(t *testing.T) {
	for _, c := range []struct {
		form Form
		r    Reason
		id   string
		want string
	}{
		{Form{Events: AllEvents}, Draining, "k3f9a1-4", "retry: 5000\n\nevent: bye\nid: k3f9a1-4\ndata: {\"bye\":{\"reason\":\"draining\",\"retry_ms\":5000,\"cursor\":\"k3f9a1-4\"}}\n\n"},
		{Form{Events: AllEvents}, Overloaded, "", "retry: 5000\n\nevent: bye\ndata: {\"bye\":{\"reason\":\"overloaded\",\"retry_ms\":5000,\"cursor\":null}}\n\n"},
		{Form{Events: AllEvents, NDJSON: true}, MaxAge, "k3f9a1-4", "{\"bye\":{\"reason\":\"max_age\",\"retry_ms\":5000,\"cursor\":\"k3f9a1-4\"}}\n"},
		{Form{}, MaxAge, "k3f9a1-4", "retry: 5000\n\n"},
		{Form{}, Limit, "k3f9a1-4.end", "retry: 5000\n\n:\nid: k3f9a1-4.end\n\n"},
		{Form{NDJSON: true}, Limit, "k3f9a1-4.end", "{\"cursor\":\"k3f9a1-4.end\"}\n"},
	} {
		if got := string(c.form.AppendBye(nil, c.r, 5*time.Second, c.id)); got != c.want {
			t.Errorf("%q\nwant %q", got, c.want)
		}
	}
}

// The fields of a head are written as package net/http writes them.
func TestAppendFields(t *testing.T) {
	for _, h := range []http.Header{
		{}, {"Vary": {"Origin"}, "Cache-Control": {"no-store"}, "Link": {"<a>", "<b>"}},
		{"B": {"x"}, "A": {"evil\r\nSet-Cookie: x"}}, {"B": {"x"}, "A": {"line\nfeed"}},
	} {
		var want bytes.Buffer
		if err := h.Write(&want); err != nil {
			t.Fatal(err)
		}
		if got := string(appendFields([]byte("head\n"), h)); got != "head\n"+want.String() {
			t.Errorf("%q, want %q", got, want.String())
		}
	}
}
