package objects

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Read reads an object. Members of other types than expected stay empty.
func Read(raw []byte, to any) error {
	err := json.Unmarshal(raw, to)
	var other *json.UnmarshalTypeError
	if errors.As(err, &other) && other.Field != "" {
		return nil
	}
	return err
}

// Append appends an object as JSON. & < > are left as they are.
func Append(dst []byte, v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return dst, err
	}
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...), nil
}

// Best is an id of v1.1, which comes as a text and as a number; the text is the
// one that is right. "" if there is none.
func Best(text string, number json.Number) string {
	id := cmp.Or(text, string(number))
	if _, err := strconv.ParseUint(id, 10, 64); err != nil || id == "0" {
		return ""
	}
	return id
}

// Number is an id as a number; 0 if it is none.
func Number(id string) json.Number { return json.Number(cmp.Or(Best(id, ""), "0")) }

// Link is an id with its number, as v1.1 has it for what may be missing: null.
func Link(id string) (*json.Number, *string) {
	if Best(id, "") == "" {
		return nil, nil
	}
	n := Number(id)
	return &n, &id
}

// Formats of created_at.
const (
	createdV1 = time.RubyDate
	createdV2 = "2006-01-02T15:04:05.000Z"
)

// CreatedV1 is a time as v1.1 writes it.
func CreatedV1(t time.Time) string { return t.UTC().Format(createdV1) }

// CreatedV2 is a time as v2 writes it: whole seconds, with zeros behind.
func CreatedV2(t time.Time) string { return t.UTC().Truncate(time.Second).Format(createdV2) }

// ParseV1 reads created_at of v1.1; the zero time if it is none.
func ParseV1(s string) time.Time {
	t, err := time.Parse(createdV1, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// ParseV2 reads created_at of v2; the zero time if it is none.
func ParseV2(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// Runes is the length of a text as indices count it: code points, with HTML escapes
// as they are.
func Runes(s string) int { return utf8.RuneCountInString(s) }

// Cut is the first n code points of a text, or fewer: an HTML escape stays whole.
func Cut(s string, n int) string {
	at := 0
	for range n {
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	if amp := strings.LastIndexByte(s[:at], '&'); amp >= 0 && !strings.Contains(s[amp:at], ";") {
		at = amp
	}
	return s[:at]
}

// AppName is the name in source of v1.1, a link: <a href="…">Name</a>.
func AppName(source string) string {
	_, name, isLink := strings.Cut(source, ">")
	if !isLink || !strings.HasPrefix(source, "<") {
		return source
	}
	name, _, _ = strings.Cut(name, "<")
	return name
}
