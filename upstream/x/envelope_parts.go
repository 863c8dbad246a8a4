package x

// entities reads the entities of e.posts[n].
func (e *envelope) entities(n int, note bool) {
	if !e.Object() {
		return
	}
	for e.Key() {
		switch e.Name {
		case "hashtags":
			e.Each(func() { e.tag(mark{post: n, kind: hashtag, note: note}) })
		case "cashtags":
			e.Each(func() { e.tag(mark{post: n, kind: cashtag, note: note}) })
		case "mentions":
			e.Each(func() { e.mention(mark{post: n, kind: mention, note: note}) })
		case "urls":
			e.Each(func() { e.link(mark{post: n, kind: link, note: note}) })
		default:
			e.Skip()
		}
	}
}

func (e *envelope) tag(m mark) {
	e.Object()
	for e.Key() {
		if e.Name == "tag" {
			m.a, _ = e.Str()
		} else {
			e.Skip()
		}
	}
	if m.a != "" {
		e.mark(m)
	}
}

func (e *envelope) mention(m mark) {
	e.Object()
	for e.Key() {
		switch e.Name {
		case "username":
			m.a, _ = e.Str()
		case "id":
			m.b = e.Numeral()
		case "start":
			at, ok := e.Num()
			m.first = ok && at == "0"
		default:
			e.Skip()
		}
	}
	if m.a != "" || m.b != "" {
		e.mark(m)
	}
}

func (e *envelope) link(m mark) {
	var key, final string
	e.Object()
	for e.Key() {
		switch e.Name {
		case "url":
			m.a, _ = e.Str()
		case "expanded_url":
			m.b, _ = e.Str()
		case "display_url":
			m.c, _ = e.Str()
		case "unwound_url":
			final, _ = e.Str()
		case "media_key":
			key, _ = e.Str()
		default:
			e.Skip()
		}
	}
	if m.a == "" && m.b == "" && m.c == "" {
		return
	}
	m.first = key != "" // of a link: it stands for an attached medium
	e.mark(m)
	if final != "" && final != m.b {
		e.mark(mark{post: m.post, kind: unwound, note: m.note, a: final})
	}
}

// withheld reads the member of a post, or the message of a compliance stream.
func (e *envelope) withheld(n int) {
	if e.Peek() != '{' {
		e.Skip()
		return
	}
	d := duty{name: "withheld"}
	from := len(e.marks)
	e.Object()
	for e.Key() {
		switch e.Name {
		case "country_codes", "withheld_in_countries":
			if !e.Array() {
				continue
			}
			for e.Item() {
				if v, ok := e.Str(); ok {
					e.mark(mark{post: n, kind: withheld, a: v})
				}
			}
		case "tweet":
			e.dutyObject(&d)
		case "event_at":
			d.at, _ = e.Str()
		default:
			e.Skip()
		}
	}
	if n == 0 && d.id != "" {
		for _, m := range e.marks[from:] {
			d.countries = append(d.countries, m.a)
		}
		e.found(d)
	}
}
