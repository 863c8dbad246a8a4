package bus

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"aviary/fanout"
	"aviary/upstream"
	"aviary/upstream/twitter"
)

// What goes over the bus comes out the same.
func TestMessage(t *testing.T) {
	c := testConfig(Config{}).withDefaults()
	received := time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.UTC)
	lap := testPost(t, 1)
	lap.Window = 7
	withheld := decoded(t, []byte(`{"status_withheld":{"id":5,"user_id":3,"withheld_in_countries":["DE"]}}`))
	scrub := decoded(t, []byte(`{"scrub_geo":{"user_id":3,"user_id_str":"3","up_to_status_id":9,"up_to_status_id_str":"9"}}`))
	odd := testDelete(t, 1)
	odd.Target, odd.Seen = fanout.Target{Source: "x y\r\nNats-TTL: 1s", ID: "at://did:plc/a.b*>%"}, true
	for name, c2 := range map[string]struct {
		e       *fanout.Event
		subject string
	}{
		"post":     {lap, "aviary.ev"},
		"delete":   {testDelete(t, 42), "aviary.tomb.42"},
		"withheld": {withheld, "aviary.tomb.5"},
		"scrub":    {scrub, "aviary.tomb.by.3"},
		"odd":      {odd, "aviary.tomb.=YXQ6Ly9kaWQ6cGxjL2EuYio-JQ"},
		"limit":    {decoded(t, []byte(`{"limit":{"track":3}}`)), "aviary.ev"},
		"gap":      {upstream.GapEvent(fanout.Loss{Reason: "oversize", Missed: 2, From: received, To: received}), "aviary.ev"},
	} {
		t.Run(name, func(t *testing.T) {
			m := c.encode(c2.e, received)
			if m.Subject != c2.subject {
				t.Errorf("the subject is %s", m.Subject)
			}
			if ages := m.Header.Get(headerTTL) == "86400s"; ages != strings.HasSuffix(m.Subject, ".ev") {
				t.Errorf("Nats-TTL is %q", m.Header.Get(headerTTL))
			}
			for key, values := range m.Header {
				if len(values) != 1 || strings.ContainsAny(values[0], "\r\n") {
					t.Errorf("header %s is %q", key, values)
				}
			}
			got, err := c.decode(m.Header, m.Data)
			if err != nil {
				t.Fatal(err)
			}
			e, want := got.event, c2.e
			target := want.Target
			if target.Source == "" && takesAway(want.Kind) {
				target.Source = twitter.Name
			}
			if e.Kind != want.Kind || e.Dialect != want.Dialect || string(e.JSON) != string(want.JSON) || e.Window != want.Window ||
				!e.Sent.Equal(want.Sent) || !e.Received.Equal(received) || e.Target != target || e.Seen != want.Seen ||
				!reflect.DeepEqual(e.Loss, want.Loss) || !reflect.DeepEqual(e.Post, want.Post) {
				t.Errorf("got  %+v\nwant %+v", e, want)
			}
		})
	}
}

// Whatever stands in a message's headers and body, decoding ends in an event that
// the hub takes, a marker, or an error.
func FuzzDecode(f *testing.F) {
	c := testConfig(Config{}).withDefaults()
	t := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, e := range []*fanout.Event{testPost(f, 1), testDelete(f, 2), upstream.GapEvent(fanout.Loss{Reason: "upstream", Missed: -1})} {
		m := c.encode(e, t)
		m.Header[headerTerm], m.Header[headerID] = []string{"3"}, []string{"3-17"}
		f.Add(rawHeader(m.Header), m.Data)
	}
	f.Add(rawHeader(nats.Header{headerKind: {kindMarker}, headerTerm: {"4"}, headerNode: {"a%20b"}, headerSlot: {"1"}}), []byte{})
	f.Add("NATS/1.0\r\n\r\n", []byte(`{}`))
	f.Fuzz(func(t *testing.T, raw string, body []byte) {
		h, err := nats.DecodeHeadersMsg([]byte(raw))
		if err != nil {
			return
		}
		m, err := c.decode(h, body)
		if err != nil {
			return
		}
		if m.event == nil {
			if !m.mine || m.term == 0 {
				t.Error("a marker without a term")
			}
			return
		}
		hub := fanout.NewHub(fanout.Config{})
		m.event.ID.Seq = 1
		hub.Publish(m.event)
		if strings.ContainsAny(strings.TrimSuffix(string(m.event.Line()), "\n"), "\r\n\x00") {
			t.Errorf("a line end in %q", m.event.Line())
		}
	})
}

func rawHeader(h nats.Header) string {
	s := "NATS/1.0\r\n"
	for key, values := range h {
		s += key + ": " + values[0] + "\r\n"
	}
	return s + "\r\n"
}
