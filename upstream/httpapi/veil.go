package httpapi

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"aviary/upstream"
)

// leastSecret is how long a text must be to be blanked as a secret: shorter ones
// occur in every sentence.
const leastSecret = 4

// Veil blanks what must not be seen in what an upstream says: the credentials,
// and whatever else of a request it may echo. The zero Veil hides nothing. One
// goroutine at a time.
type Veil struct {
	secrets  []string
	patterns []*regexp.Regexp // of the secrets; made when they are first needed
}

// Hide adds secrets. Very short ones are passed over: they occur in every sentence.
func (v *Veil) Hide(secrets ...string) {
	for _, s := range secrets {
		if len(s) >= leastSecret {
			v.secrets = append(v.secrets, s)
		}
	}
	v.patterns = nil
}

// Seal blanks the secrets in an error and its hint: every error of a source passes
// it on its way out. The result is an *upstream.Error; one of another type counts
// as Network.
func (v *Veil) Seal(err error) error {
	e, ok := err.(*upstream.Error) //nolint:errorlint // what wraps one is sealed as a whole
	if !ok {
		e = &upstream.Error{Class: upstream.Network, Err: err}
	}
	sealed := *e
	if said := v.Mask(e.Error()); said != e.Error() {
		sealed.Err = errors.New(said) // without the cause, which would still tell
	}
	sealed.Hint = v.Mask(e.Hint)
	return &sealed
}

// Quote makes one line of at most n code points of what the upstream says. It
// blanks before it cuts: seal would not know half a secret.
func (v *Veil) Quote(s string, n int) string { return oneLine(v.Mask(s), n) }

// Mask blanks the secrets in s, however they are written there.
func (v *Veil) Mask(s string) string {
	if v.patterns == nil {
		// The longest first: one may be part of another.
		slices.SortFunc(v.secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
		for _, secret := range v.secrets {
			v.patterns = append(v.patterns, pattern(secret))
		}
	}
	for _, p := range v.patterns {
		s = p.ReplaceAllLiteralString(s, "***")
	}
	return s
}

// pattern matches a secret of which each character may be as it is, escaped for
// URLs (also more than once, as in the base of a signature), HTML or JSON, in
// upper or lower case.
func pattern(secret string) *regexp.Regexp {
	named := map[rune]string{'&': "&amp;|", '<': "&lt;|", '>': "&gt;|", '"': "&quot;|", '\'': "&apos;|", ' ': `\+|`}
	var b strings.Builder
	b.WriteString("(?i)")
	for _, r := range strings.ToValidUTF8(secret, "\uFFFD") {
		var percent strings.Builder
		for _, c := range []byte(string(r)) {
			fmt.Fprintf(&percent, "%%(?:25)*%02x", c)
		}
		// The plain one last: the others may begin with it.
		fmt.Fprintf(&b, `(?:%s|&#0*%d;|&#x0*%x;|\\+u%04x|%s\\*%s)`, percent.String(), r, r, r, named[r], regexp.QuoteMeta(string(r)))
	}
	return regexp.MustCompile(b.String())
}
