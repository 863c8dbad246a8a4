package filter

import (
	"net/url"
	"slices"
	"strings"
)

const (
	namedPrefix = "filter."
	maxName     = 64
)

// validName reports whether a rule may have the name.
func validName(name string) bool {
	return name != "" && len(name) <= maxName && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
}

// readRule reads q. Unlike the lists it cannot be written on by repeating it.
func (p *parsed) readRule(values []string, n *notes) *Error {
	rule, err := oneValue("q", values)
	if err == nil && rule != "" {
		p.rule, err = n.ruleForm("q", rule)
	}
	return err
}

// oneValue returns the one value of a parameter, "" if there is none.
func oneValue(param string, values []string) (one string, err *Error) {
	for i, v := range values {
		switch {
		case v == "":
		case one != "":
			return "", errorAt(param, -1, "there are %d values: one rule holds several joined by OR, each in parentheses; several rules are filter.NAME", i+1)
		default:
			one = v
		}
	}
	return one, nil
}

// readNamed reads all filter.NAME.
func (p *parsed) readNamed(v url.Values, n *notes) *Error {
	var names []string
	for param := range v {
		if name, ok := strings.CutPrefix(param, namedPrefix); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) > MaxNamed {
		return errorAt("filter.NAME", -1, "%d named rules: the limit is %d", len(names), MaxNamed)
	}
	for _, name := range names {
		if !validName(name) {
			return errorAt("filter.NAME", -1, "%s is no name for a rule: it has 1 to %d letters, digits, _ and -", quote(name), maxName)
		}
		param := namedPrefix + name
		if len(v[param]) > 1 {
			return errorAt(param, -1, "there are two rules of this name")
		}
		rule := strings.Join(v[param], "")
		if rule == "" {
			return errorAt(param, 0, "the rule is empty")
		}
		form, err := n.ruleForm(param, rule)
		if err != nil {
			return err
		}
		p.named = append(p.named, namedForm{name, form})
	}
	return nil
}

// Named reports whether the filter holds named rules, so that its clients are
// told which of them each post matched.
func (f *Filter) Named() bool { return f != nil && len(f.named) > 0 }

// Names returns the names of the named rules, in the order of the canonical form.
func (f *Filter) Names() []string {
	if !f.Named() {
		return nil
	}
	names := make([]string, len(f.named))
	for i, r := range f.named {
		names[i] = r.name
	}
	return names
}

// AppendNames appends the names of the rules that the post matches, in the
// order of the canonical form.
func (f *Filter) AppendNames(dst []string, p *Post) []string {
	if f == nil || p == nil {
		return dst
	}
	for _, r := range f.named {
		if f.eval(r.at, p) {
			dst = append(dst, r.name)
		}
	}
	return dst
}
