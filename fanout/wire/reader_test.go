package wire_test

import (
	"strings"
)

// message is what a browser's EventSource dispatches.
type message struct{ name, data, lastID string }

// parser reads a stream as the HTML Standard says (9.2.6, interpreting an event
// stream), word by word and for nothing but tests.
type parser struct {
	messages []message
	retry    string // the last valid reconnection time
	lastID   string // the last event ID string, which a reconnecting client sends

	data, name, id string // the buffers
}

func read(stream string) *parser {
	p := &parser{}
	stream = strings.TrimPrefix(stream, "\uFEFF")
	for stream != "" {
		i := strings.IndexAny(stream, "\r\n")
		if i < 0 {
			break // the end of the stream: an unfinished line and event are discarded
		}
		line := stream[:i]
		if strings.HasPrefix(stream[i:], "\r\n") {
			i++
		}
		stream = stream[i+1:]
		p.line(line)
	}
	return p
}

func (p *parser) line(line string) {
	if line == "" {
		p.dispatch()
		return
	}
	if line[0] == ':' {
		return
	}
	field, value, _ := strings.Cut(line, ":")
	p.field(field, strings.TrimPrefix(value, " "))
}

func (p *parser) field(field, value string) {
	switch field {
	case "event":
		p.name = value
	case "data":
		p.data += value + "\n"
	case "id":
		if !strings.Contains(value, "\x00") {
			p.id = value
		}
	case "retry":
		if value != "" && strings.Trim(value, "0123456789") == "" {
			p.retry = value
		}
	}
}

func (p *parser) dispatch() {
	p.lastID = p.id
	if p.data == "" {
		p.name = ""
		return
	}
	name := p.name
	if name == "" {
		name = "message"
	}
	p.messages = append(p.messages, message{name, strings.TrimSuffix(p.data, "\n"), p.lastID})
	p.data, p.name = "", ""
}
