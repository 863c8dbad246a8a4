package filter

import (
	"strconv"
	"strings"
)

// text writes the canonical form.
func (c *condition) text() string {
	var out strings.Builder
	if c.content != nil {
		c.content.writeList(&out)
	}
	if c.language != nil {
		next(&out, "language")
		for i, t := range c.language.alternatesOf() {
			if i > 0 {
				out.WriteByte(',')
			}
			out.WriteString(strings.TrimPrefix(c.language.text(t.code), "lang:"))
		}
	}
	if c.level > LevelNone {
		next(&out, "filter_level").WriteString(c.level.String())
	}
	if c.rule != nil {
		escape.WriteString(next(&out, "q"), c.rule.ruleText())
	}
	for _, r := range c.named {
		escape.WriteString(next(&out, "filter."+r.name), r.form.ruleText())
	}
	return out.String()
}

// alternatesOf returns the trees of which the form is the OR.
func (f *form) alternatesOf() []tree {
	if f.tree.op == opOr {
		return f.tree.kids
	}
	return []tree{f.tree}
}

// writeList writes track, follow and locations.
func (f *form) writeList(out *strings.Builder) {
	last := ""
	for _, c := range f.conjs {
		l := f.lit(c[0])
		param := l.param()
		if param == last {
			out.WriteByte(',')
		} else {
			next(out, param)
		}
		last = param
		switch param {
		case "follow":
			var digits [20]byte
			out.Write(strconv.AppendUint(digits[:0], l.num, 10))
		case "locations":
			out.WriteString(l.detail.box.String())
		default:
			for i, code := range c {
				if i > 0 {
					out.WriteByte(' ')
				}
				escape.WriteString(out, f.lit(code).text)
			}
		}
	}
}

// next begins a parameter.
func next(out *strings.Builder, param string) *strings.Builder {
	if out.Len() > 0 {
		out.WriteByte('&')
	}
	out.WriteString(param)
	out.WriteByte('=')
	return out
}

// escape guards what is special in a URL query.
var escape = strings.NewReplacer("%", "%25", "&", "%26", "+", "%2B", ";", "%3B", "#", "%23")
