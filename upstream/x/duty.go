package x

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"aviary/fanout"
)

// duty is a message of the compliance streams: what was deleted or hidden, and
// has to be taken back by everybody who has it.
type duty struct {
	name      string // "": the message is none
	id        string // of the post, or of the user if that is what it is about
	author    string // of the post
	upTo      string
	at        string
	countries []string
}

// readDuty reads a member of data that names a duty, or skips it.
func (e *envelope) readDuty() {
	name := e.Name
	switch name {
	case "tweet_edit":
		e.readEdit()
		return
	case "delete", "drop", "scrub_geo", "user_withheld", "user_delete", "user_suspend", "user_protect":
	default:
		e.Skip()
		return
	}
	if e.Peek() != '{' {
		e.Skip()
		return
	}
	d := duty{name: name}
	e.Object()
	for e.Key() {
		switch e.Name {
		case "tweet", "user":
			e.dutyObject(&d)
		case "up_to_tweet_id":
			d.upTo = e.Numeral()
		case "event_at":
			d.at, _ = e.Str()
		case "withheld_in_countries":
			if !e.Array() {
				continue
			}
			for e.Item() {
				if v, ok := e.Str(); ok && len(d.countries) < maxIncluded {
					d.countries = append(d.countries, v)
				}
			}
		default:
			e.Skip()
		}
	}
	if d.id != "" {
		e.found(d)
	}
}

// readEdit reads the forms that a tweet_edit names; see retract.
func (e *envelope) readEdit() {
	if !e.Object() {
		return
	}
	for e.Key() {
		if e.Name == "edit_tweet_ids" {
			e.readVersions()
		} else {
			e.Skip()
		}
	}
}

// dutyObject reads the tweet or user that a duty is about.
func (e *envelope) dutyObject(d *duty) {
	if e.Peek() != '{' {
		e.Skip()
		return
	}
	e.Object()
	for e.Key() {
		switch e.Name {
		case "id":
			d.id = ifID(e.Numeral())
		case "author_id":
			d.author = ifID(e.Numeral())
		default:
			e.Skip()
		}
	}
}

// found notes the first duty of a message.
func (e *envelope) found(d duty) {
	if e.duty.name == "" {
		e.duty = d
	}
}

func ifID(s string) string {
	if validID(s) {
		return s
	}
	return ""
}

// event makes the v1.1 notice of a duty, which is what clients know.
func (d *duty) event() *fanout.Event {
	id, author := strings.Clone(d.id), strings.Clone(d.author)
	var kind fanout.Kind
	var body any
	target := fanout.Target{Source: Name}
	switch d.name {
	case "delete", "drop":
		return Delete(id, author, parseTime(d.at))
	case "withheld":
		kind, body = fanout.KindStatusWithheld, struct {
			ID        json.Number `json:"id"`
			UserID    json.Number `json:"user_id,omitempty"`
			Countries []string    `json:"withheld_in_countries"`
		}{json.Number(id), json.Number(author), append([]string{}, d.countries...)}
		target.ID, target.Author = id, author
	case "user_withheld":
		kind, body = fanout.KindUserWithheld, struct {
			ID        json.Number `json:"id"`
			Countries []string    `json:"withheld_in_countries"`
		}{json.Number(id), append([]string{}, d.countries...)}
		target.Author = id
	case "scrub_geo":
		upTo := strings.Clone(ifID(d.upTo))
		kind, body = fanout.KindScrubGeo, struct {
			ID    json.Number `json:"user_id"`
			IDStr string      `json:"user_id_str"`
			Up    json.Number `json:"up_to_status_id,omitempty"`
			UpStr string      `json:"up_to_status_id_str,omitempty"`
		}{json.Number(id), id, json.Number(upTo), upTo}
		target.Author = id
		target.UpTo, _ = strconv.ParseUint(upTo, 10, 64)
	default: // of a user's posts: whoever knows which are held takes them one by one
		return nil
	}
	return notice(kind, kind.String(), body, target, parseTime(d.at))
}

// Delete is the event that a post was deleted, in the shape of v1.1's streams.
// An author or a time that is not known is left out.
func Delete(id, author string, at time.Time) *fanout.Event {
	type status struct {
		ID        json.Number `json:"id"`
		IDStr     string      `json:"id_str"`
		UserID    json.Number `json:"user_id,omitempty"`
		UserIDStr string      `json:"user_id_str,omitempty"`
	}
	body := struct {
		Status status `json:"status"`
		Stamp  string `json:"timestamp_ms,omitempty"`
	}{Status: status{json.Number(id), id, json.Number(author), author}}
	if !at.IsZero() {
		body.Stamp = strconv.FormatInt(at.UnixMilli(), 10)
	}
	return notice(fanout.KindDelete, "delete", body, fanout.Target{Source: Name, ID: id, Author: author}, at)
}

func notice(kind fanout.Kind, name string, body any, target fanout.Target, at time.Time) *fanout.Event {
	raw, err := json.Marshal(map[string]any{name: body})
	if err != nil { // cannot happen: ids are numbers, all else is text
		return nil
	}
	e := fanout.NewEvent(Dialect, raw)
	e.Kind, e.Target, e.Sent = kind, target, at
	return e
}

// parseTime reads RFC 3339; what is no time is the zero time.
func parseTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}
	}
	return t.UTC()
}
