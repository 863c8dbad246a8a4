package httpapi

import (
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxSummary is the longest that the upstream's words may be in an error, in
// code points.
const MaxSummary = 200

// Summary is what an error body says: JSON errors, HTML, plain text or nothing.
// It is as the upstream wrote it; Veil.Quote makes it fit to be shown.
func Summary(raw []byte) string {
	s := strings.TrimSpace(strings.ToValidUTF8(string(raw), "\uFFFD"))
	if said := JSONError([]byte(s)); said != "" {
		return said
	}
	if strings.HasPrefix(s, "<") {
		s = PlainText(s)
	}
	return s
}

// JSONError reads the shapes in which Twitter has put errors into JSON:
// {"errors":[{"code":88,"message":"…"}]}, the same with plain texts, and
// {"error":"…"} or {"errors":"…"}; and problem details, as X sends them.
func JSONError(raw []byte) string {
	var b struct {
		Errors json.RawMessage `json:"errors"`
		Error  json.RawMessage `json:"error"`
		Title  string          `json:"title"`
		Detail string          `json:"detail"`
	}
	if json.Unmarshal(raw, &b) != nil {
		return ""
	}
	for _, part := range []json.RawMessage{b.Errors, b.Error} {
		if said := errorText(part); said != "" {
			return said
		}
	}
	if b.Detail != "" {
		return b.Detail
	}
	return b.Title
}

func errorText(raw json.RawMessage) string {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		for _, item := range list {
			if said := errorText(item); said != "" {
				return said
			}
		}
		return ""
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var item struct {
		Code    json.Number `json:"code"`
		Message string      `json:"message"`
	}
	if json.Unmarshal(raw, &item) != nil || item.Message == "" {
		return ""
	}
	if item.Code == "" {
		return item.Message
	}
	return fmt.Sprintf("%s (code %s)", item.Message, item.Code)
}

var (
	hidden = regexp.MustCompile(`(?is)<(script|style)\b.*?</(script|style)\s*>|<!--.*?-->`)
	tags   = regexp.MustCompile(`(?s)<[^>]*>?`)
)

// PlainText is what a reader would see of a page, about.
func PlainText(page string) string {
	return html.UnescapeString(tags.ReplaceAllString(hidden.ReplaceAllString(page, " "), " "))
}

// oneLine makes s one line of at most n code points: every run of white space,
// control and invisible characters is one space.
func oneLine(s string, n int) string {
	words := strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) || r == utf8.RuneError
	})
	s = strings.Join(words, " ")
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
