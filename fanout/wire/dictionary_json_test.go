package wire_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	key   string
	value any
}

func (o object) get(key string) any {
	for _, m := range o {
		if m.key == key {
			return m.value
		}
	}
	return nil
}

// with is the object with a member set, at its old place if it has one.
func (o object) with(key string, value any) object {
	o = slices.Clone(o)
	for i := range o {
		if o[i].key == key {
			o[i].value = value
			return o
		}
	}
	return append(o, member{key, value})
}

func (o object) without(keys ...string) object {
	return slices.DeleteFunc(slices.Clone(o), func(m member) bool { return slices.Contains(keys, m.key) })
}

// pick is the object with these members in this order, null where it has none;
// those that end in "?" are left out then.
func (o object) pick(keys string) (picked object) {
	for key := range strings.FieldsSeq(keys) {
		name := strings.TrimSuffix(key, "?")
		if v := o.get(name); v != nil || name == key {
			picked = append(picked, member{name, v})
		}
	}
	return picked
}

// parse reads JSON into object, []any, string, json.Number, bool and nil.
func parse(raw []byte) object {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return parseValue(d).(object)
}

func parseValue(d *json.Decoder) any {
	token, err := d.Token()
	if err != nil {
		panic(err)
	}
	switch token {
	case json.Delim('{'):
		o := object{}
		for d.More() {
			key := parseValue(d).(string)
			o = append(o, member{key, parseValue(d)})
		}
		_, _ = d.Token()
		return o
	case json.Delim('['):
		list := []any{}
		for d.More() {
			list = append(list, parseValue(d))
		}
		_, _ = d.Token()
		return list
	}
	return token
}

// style is how JSON is written.
type style struct {
	ascii  bool // as the service: \u for everything else, < and >, \/ for a slash
	spaces bool // after colons and commas
}

func (s style) json(v any) []byte { return s.append(nil, v) }

func (s style) append(dst []byte, v any) []byte {
	comma, colon := ",", ":"
	if s.spaces {
		comma, colon = ", ", ": "
	}
	switch v := v.(type) {
	case object:
		dst = append(dst, '{')
		for i, m := range v {
			if i > 0 {
				dst = append(dst, comma...)
			}
			dst = append(s.text(dst, m.key), colon...)
			dst = s.append(dst, m.value)
		}
		return append(dst, '}')
	case []any:
		dst = append(dst, '[')
		for i, item := range v {
			if i > 0 {
				dst = append(dst, comma...)
			}
			dst = s.append(dst, item)
		}
		return append(dst, ']')
	case string:
		return s.text(dst, v)
	case nil:
		return append(dst, "null"...)
	}
	return fmt.Append(dst, v)
}

func (s style) text(dst []byte, text string) []byte {
	dst = append(dst, '"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case s.ascii && r == '/':
			dst = append(dst, `\/`...)
		case r < ' ' || s.ascii && (r >= utf8.RuneSelf || r == '<' || r == '>'):
			for _, unit := range utf16.AppendRune(nil, r) {
				dst = fmt.Appendf(dst, `\u%04x`, unit)
			}
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}
