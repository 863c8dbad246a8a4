package server

import (
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"aviary/fanout"
)

// parseSince reads the since parameter: a cursor, a post's id_str, an RFC 3339
// time, or a duration back from now. end: the cursor of a stream that is over.
func parseSince(s string, now time.Time) (start fanout.Start, end bool, err error) {
	if digits(s) {
		return fanout.Start{Mode: fanout.StartPost, Post: s}, false, nil
	}
	if c, end, err := fanout.ParseCursor(s); err == nil {
		return fanout.Start{Mode: fanout.StartCursor, Cursor: c}, end, nil
	}
	if d, err := time.ParseDuration(s); err == nil {
		if d < 0 {
			return start, false, badParam("since", 0, "since=%q: a duration counts back from now and has no sign", clip(s))
		}
		return fanout.Start{Mode: fanout.StartTime, Time: now.Add(-d)}, false, nil
	}
	t, err := time.Parse(time.RFC3339, strings.ToUpper(s)) // RFC 3339, 5.6: t and z may be lower case
	if err == nil {
		return fanout.Start{Mode: fanout.StartTime, Time: t}, false, nil
	}
	hint := ""
	if strings.Contains(s, "T") && strings.Contains(s, " ") {
		hint = "; in a URL a + is written %2B"
	}
	return start, false, badParam("since", sincePosition(s, err),
		"since=%q is neither a cursor, nor a post's id_str, nor an RFC 3339 time, nor a duration like 15m%s", clip(s), hint)
}

// digits reports whether s is the id_str of a post: decimal digits only.
func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != "" && len(s) <= 32
}

// sincePosition is the code point where s stops making sense: of a time, where
// its parser stopped; of what starts like a duration, the first character that
// cannot be in one; else the start.
func sincePosition(s string, err error) int {
	var pe *time.ParseError
	if errors.As(err, &pe) && (strings.Contains(s, "-") || strings.Contains(s, "T")) {
		for what, at := range map[string]int{"month": 5, "day": 8, "hour": 11, "minute": 14, "second": 17} {
			if strings.HasPrefix(pe.Message, ": "+what+" out of range") {
				return at
			}
		}
		if rest, found := strings.CutSuffix(s, pe.ValueElem); found {
			return utf8.RuneCountInString(rest)
		}
	}
	if s == "" || s[0] < '0' || s[0] > '9' {
		return 0
	}
	n := 0
	for _, r := range s {
		if !strings.ContainsRune("0123456789.hmnsuµμ", r) {
			return n
		}
		n++
	}
	return max(n-1, 0)
}
