package twitter

import (
	"strconv"
	"strings"

	"aviary/fanout"
)

// walkControl reads a key that names a control message, or skips any other.
//
// A message is a post only if no control key is there. A well-formed duty
// (delete, scrub_geo, the withheld notices) is honoured whatever stands beside
// it: obeying one too many costs a post, ignoring one breaks a promise.
// Anything else that is neither one thing nor the other is KindOther.
func (d *decoder) walkControl() {
	name := d.Name
	switch name {
	case "delete", "scrub_geo", "status_withheld", "user_withheld",
		"limit", "warning", "disconnect", "friends", "friends_str",
		"event", "direct_message", "control", "for_user", "message":
	default:
		d.Skip()
		return
	}
	if d.Null() {
		return
	}
	d.container = true
	if d.Peek() != '{' {
		d.forUser = d.forUser || name == "for_user"
		d.Skip()
		return
	}
	from := d.Offset()
	switch name {
	case "delete":
		d.walkDelete()
	case "scrub_geo", "status_withheld", "user_withheld":
		d.walkDuty(name)
	case "limit":
		d.found(fanout.KindLimit, fanout.Target{})
		d.Skip()
	case "warning":
		d.found(fanout.KindWarning, fanout.Target{})
		d.Skip()
	case "disconnect":
		d.found(fanout.KindDisconnect, fanout.Target{})
		d.Skip()
	case "message":
		d.Skip()
		d.message = span{from, d.Offset(), true}
	default:
		d.Skip()
	}
}

// found notes what a message is. Duties come before notices, else the first wins.
func (d *decoder) found(k fanout.Kind, t fanout.Target) {
	duty := t != fanout.Target{}
	if d.control == fanout.KindPost || duty && d.target == (fanout.Target{}) {
		d.control, d.target = k, t
	}
}

// kind says what was walked. The target's strings are its own.
func (d *decoder) kind() (fanout.Kind, fanout.Target) {
	switch {
	case d.control != fanout.KindPost:
		t := d.target
		t.ID, t.Author = strings.Clone(t.ID), strings.Clone(t.Author)
		return d.control, t
	case !d.container && d.status.hasUser && d.status.id.best() != "":
		return fanout.KindPost, fanout.Target{}
	}
	return fanout.KindOther, fanout.Target{}
}

// walkDelete reads {"status":{"id":…,"user_id":…},"timestamp_ms":"…"}. The
// delete of a direct message has no status and is left alone.
func (d *decoder) walkDelete() {
	var post, user id
	d.Object()
	for d.Key() {
		switch d.Name {
		case "timestamp_ms":
			d.stamp = d.Numeral()
		case "status":
			if d.Object() {
				for d.Key() {
					d.walkID("id", &post, "user_id", &user)
				}
			}
		default:
			d.Skip()
		}
	}
	if post := post.best(); post != "" {
		d.found(fanout.KindDelete, fanout.Target{Source: Name, ID: post, Author: user.best()})
	}
}

// walkDuty reads scrub_geo, status_withheld and user_withheld.
func (d *decoder) walkDuty(name string) {
	var own, user, upTo id
	d.Object()
	for d.Key() {
		switch d.Name {
		case "timestamp_ms":
			d.stamp = d.Numeral()
		case "up_to_status_id":
			upTo.number = d.Numeral()
		case "up_to_status_id_str":
			upTo.text = d.Numeral()
		default:
			d.walkID("id", &own, "user_id", &user)
		}
	}
	switch name {
	case "scrub_geo":
		if user := user.best(); user != "" {
			n, _ := strconv.ParseUint(upTo.best(), 10, 64) // none: all of them
			d.found(fanout.KindScrubGeo, fanout.Target{Source: Name, Author: user, UpTo: n})
		}
	case "status_withheld":
		if post := own.best(); post != "" {
			d.found(fanout.KindStatusWithheld, fanout.Target{Source: Name, ID: post, Author: user.best()})
		}
	case "user_withheld":
		if user := own.best(); user != "" {
			d.found(fanout.KindUserWithheld, fanout.Target{Source: Name, Author: user})
		}
	}
}

// walkID reads one key if it is one of two ids, with or without _str.
func (d *decoder) walkID(one string, a *id, two string, b *id) {
	name, isText := strings.CutSuffix(d.Name, "_str")
	var to *id
	switch name {
	case one:
		to = a
	case two:
		to = b
	default:
		d.Skip()
		return
	}
	v := d.Numeral()
	if isText {
		to.text = v
	} else {
		to.number = v
	}
}
