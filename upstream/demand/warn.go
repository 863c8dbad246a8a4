package demand

import (
	"fmt"
	"strings"

	"aviary/fanout/filter"
)

const (
	maxNamed     = 5  // alternatives that a warning names
	maxNamedText = 60 // code points of each
)

// warn writes what a client should know of the parts of its filter.
func (f *Force) warn(a *filter.Alternatives, s *sorted) (warnings []string) {
	say := func(list []string, format string) {
		if len(list) > 0 {
			warnings = append(warnings, fmt.Sprintf(format, some(list)))
		}
	}
	say(s.never, "never found, because the upstream brings no such posts: %s")
	say(s.chance, "the upstream is not asked for this, so it is found only in posts that come for another reason: %s")
	say(s.loose, "the upstream cannot be asked for this, so it is found only in posts that come for another reason: %s")
	say(s.refused, "the upstream refuses to be asked for this, so it is found only in posts that come for another reason: %s")
	say(s.crowded, "the upstream is not asked for this, as it has room only for what more clients ask for; a gap event tells when that changes: %s")
	say(s.waiting, "the upstream will be asked for this as soon as its limits allow and it has room; a gap event tells when it is: %s")
	if s.broad {
		warnings = append(warnings, f.warnBroad()...)
	}
	var foreign []string
	if len(f.config.Languages) > 0 && !f.config.OwnElse {
		for _, tag := range a.Languages {
			if !f.config.speaks(tag) {
				foreign = append(foreign, tag)
			}
		}
	}
	say(foreign, "never found, because the upstream brings no posts in these languages: %s")
	return warnings
}

// warnBroad warns whoever asks for every post there is while the upstream is asked
// for what others want alone.
func (f *Force) warnBroad() []string {
	if !f.narrowed() {
		return nil
	}
	return []string{"so far only posts that other clients ask for come; the upstream will be asked for every post as soon as its limits allow"}
}

// narrowed reports whether the upstream would bring every post, but for what clients
// ask for.
func (f *Force) narrowed() bool { return f.grows && len(f.own) == 0 && !f.all() }

// some names the first of a list, and how many more there are.
func some(list []string) string {
	var out []string
	for i, text := range list {
		if i == maxNamed {
			out = append(out, fmt.Sprintf("and %d more", len(list)-i))
			break
		}
		if r := []rune(text); len(r) > maxNamedText {
			text = string(r[:maxNamedText]) + "…"
		}
		out = append(out, fmt.Sprintf("%q", text))
	}
	return strings.Join(out, ", ")
}
