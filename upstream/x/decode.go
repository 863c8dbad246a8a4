package x

import (
	"errors"
	"strings"
	"sync"

	"aviary/fanout"
	"aviary/fanout/filter"
	"aviary/upstream/jsontext"
	"aviary/upstream/twitter"
)

// Name is the name of the dialect, and the source of its posts' keys.
const Name = "x"

// Dialect is what the gateway knows of the JSON of API v2.
var Dialect = &fanout.Dialect{Name: Name, Post: decodePost, Compact: appendCompact, V1: appendV1}

// maxNesting is how many posts inside posts are looked at, as in v1.1.
const maxNesting = 4

var errNoPost = errors.New("the JSON is not a post: its data has no id")

// envelopes keeps their lists and scratch buffers.
var envelopes = sync.Pool{New: func() any { return &decoder{} }}

// decoder is an envelope and what a post is made with.
type decoder struct {
	envelope
	b filter.Builder
}

// Decode turns one raw message, without its line end, into an event: it is
// normalised, checked to be one valid JSON object and recognised. Kind, Dialect,
// Post, Target and Sent are set. The raw bytes are not kept.
//
// data with an id is a post, even beside errors: those say that something it
// refers to cannot be seen. Errors alone end a stream: KindDisconnect. A message
// of the compliance streams becomes the notice that v1.1 has for it; one that
// concerns all posts of a user, for which v1.1 has none, is KindDelete with only an
// author in its Target. All else is KindOther.
func Decode(raw []byte) (*fanout.Event, error) {
	e := fanout.NewEvent(Dialect, raw)
	d := envelopes.Get().(*decoder)
	defer envelopes.Put(d)
	if err := d.read(e.JSON); err != nil {
		return nil, err
	}
	switch p := &d.posts[0]; {
	case d.duty.name != "":
		if notice := d.duty.event(); notice != nil {
			return notice, nil
		}
		e.Kind, e.Target = fanout.KindDelete, fanout.Target{Source: Name, Author: strings.Clone(d.duty.id)}
		e.Sent = parseTime(d.duty.at)
	case validID(p.id):
		e.Post = d.post()
		if created := parseTime(p.created); !created.IsZero() {
			e.Sent = twitter.PostTime(p.id, created)
		}
	case d.hasErrors:
		e.Kind = fanout.KindDisconnect
	default:
		e.Kind = fanout.KindOther
	}
	return e, nil
}

// decodePost is Dialect.Post.
func decodePost(json []byte) (*filter.Post, error) {
	d := envelopes.Get().(*decoder)
	defer envelopes.Put(d)
	if err := d.read(json); err != nil {
		return nil, err
	}
	if !validID(d.posts[0].id) || d.duty.name != "" {
		return nil, errNoPost
	}
	return d.post(), nil
}

// Valid reports whether a text is one JSON object, such as a message is.
func Valid(json []byte) error {
	var r jsontext.Reader
	r.Reset(json)
	if r.Peek() != '{' {
		return jsontext.ErrSyntax
	}
	if r.Skip(); !r.End() {
		return jsontext.ErrSyntax
	}
	return nil
}
