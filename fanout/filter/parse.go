package filter

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The parameters, in the order of the canonical form; behind them filter.NAME.
var params = []string{"track", "follow", "locations", "language", "filter_level", "q"}

// Params returns the names of the parameters that Parse reads, without the
// filter.NAME that anybody makes up, see IsParam.
func Params() []string { return slices.Clone(params) }

// IsParam reports whether Parse reads a parameter of that name: one of Params, or
// "filter." and a NAME of 1 to 64 letters, digits, "_" and "-".
func IsParam(name string) bool {
	own, isNamed := strings.CutPrefix(name, namedPrefix)
	return slices.Contains(params, name) || isNamed && validName(own)
}

// Limits is how much one filter may hold. Elevated roles of the v1.1 API had
// other figures than everybody else, so they are not constants.
type Limits struct {
	Phrases int // of track
	IDs     int // of follow
	Boxes   int // of locations
}

// DefaultLimits returns the published limits of the v1.1 standard role: 400
// phrases, 5,000 ids, 25 boxes.
func DefaultLimits() Limits { return Limits{Phrases: 400, IDs: 5000, Boxes: 25} }

// Parse reads a filter within DefaultLimits from the parameters named by Params
// and filter.NAME, and ignores all others. The error is an *Error.
func Parse(v url.Values) (*Filter, error) { return DefaultLimits().Parse(v) }

// Parse is the function Parse within limits of one's own.
func (l Limits) Parse(v url.Values) (*Filter, error) {
	c, err := l.condition(v, nil)
	if err != nil {
		return nil, err
	}
	return c.filter(), nil
}

// Understand is Parse with warnings: sentences, at most ten, about what was
// understood otherwise than it may have been meant. They are not to be written to.
// What was understood lately is not read again. The error is an *Error.
func Understand(v url.Values) (f *Filter, warnings []string, err error) {
	var room [recentLength + 64]byte
	key := appendKey(room[:0], v)
	if key != nil {
		if u, ok := lately.get(key); ok {
			return u.filter, u.said, nil
		}
	}
	var n notes
	c, wrong := DefaultLimits().condition(v, &n)
	if wrong != nil {
		return nil, nil, wrong
	}
	f, warnings = c.filter(), slices.Clip(n.said)
	if key != nil {
		lately.put(key, understood{f, warnings})
	}
	return f, warnings, nil
}

// ParseRule reads one rule of X's filtered stream: Parse of q alone. The error is
// an *Error, and so is that of an empty rule.
func ParseRule(s string) (*Filter, error) {
	if s == "" {
		return nil, errorAt("q", 0, "the rule is empty")
	}
	return Parse(url.Values{"q": {s}})
}

// ParseString reads what String wrote, or anything else in the form of a URL
// query that holds none but the parameters of a filter. The error is an *Error.
func ParseString(s string) (*Filter, error) {
	c, err := parseString(s)
	if err != nil {
		return nil, err
	}
	return c.filter(), nil
}

func parseString(s string) (*condition, *Error) {
	v, err := url.ParseQuery(s)
	if err != nil {
		return nil, errorAt("filter", -1, "%s is not a URL query: a %%, & or ; in it must be percent-encoded", quote(s))
	}
	for name := range v {
		if !slices.Contains(params, name) && !strings.HasPrefix(name, namedPrefix) {
			return nil, errorAt(name, -1, "no such parameter").near(Nearest(name, params))
		}
	}
	return DefaultLimits().condition(v, nil)
}

// condition reads all parameters. Warnings go to n, which may be nil.
func (l Limits) condition(v url.Values, n *notes) (*condition, *Error) {
	p := parsed{content: anyOf(), language: anyOf()}
	for _, read := range []struct {
		param string
		most  int // items
		into  func([]item) *Error
	}{
		{"track", l.Phrases, p.track},
		{"follow", l.IDs, p.follow},
		{"locations", 4 * l.Boxes, p.locations},
		{"language", -1, p.languages},
		{"filter_level", -1, p.filterLevel},
	} {
		list, err := items(read.param, v[read.param])
		if err == nil && len(list) > 0 {
			err = read.into(list)
			if read.most >= 0 && len(list) > read.most {
				err = tooMany(read.param, l, list[read.most].pos)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if err := p.readRule(v["q"], n); err != nil {
		return nil, err
	}
	if err := p.readNamed(v, n); err != nil {
		return nil, err
	}
	return p.condition(l)
}

func tooMany(param string, l Limits, pos int) *Error {
	switch param {
	case "track":
		return errorAt(param, pos, "too many phrases: the limit is %d", l.Phrases)
	case "follow":
		return errorAt(param, pos, "too many user ids: the limit is %d", l.IDs)
	}
	return errorAt(param, pos, "too many boxes: the limit is %d, of four numbers each", l.Boxes)
}

// An item is one of a comma list, without the white space around it.
type item struct {
	text string
	pos  int // code point of its first character in the value
}

// items splits the values of a parameter, which are as good as one value with
// commas between them; a value that is wholly empty is as good as none. Positions
// count through the values so joined.
func items(param string, values []string) ([]item, *Error) {
	values = slices.DeleteFunc(slices.Clone(values), func(s string) bool { return s == "" })
	value := strings.Join(values, ",")
	if value == "" {
		return nil, nil
	}
	if err := checkText(param, value); err != nil {
		return nil, err
	}
	var list []item
	pos := 0
	for text := range strings.SplitSeq(value, ",") {
		inner := strings.TrimLeftFunc(text, unicode.IsSpace)
		it := item{strings.TrimRightFunc(inner, unicode.IsSpace), pos + utf8.RuneCountInString(text[:len(text)-len(inner)])}
		if it.text == "" {
			return nil, errorAt(param, pos, "an empty item in the list: a comma too many")
		}
		list = append(list, it)
		pos += utf8.RuneCountInString(text) + 1
	}
	return list, nil
}

// checkText refuses what no filter needs and no log, header or terminal wants.
func checkText(param, value string) *Error {
	pos := 0
	for i, r := range value {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(value[i:]); n == 1 {
				return errorAt(param, pos, "not valid UTF-8")
			}
		}
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return errorAt(param, pos, "a control character (U+%04X); words are separated by spaces, items by commas", r)
		}
		pos++
	}
	return nil
}
