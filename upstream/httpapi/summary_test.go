package httpapi

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSummary(t *testing.T) {
	for in, want := range map[string]string{
		"": "", " \r\n ": "",
		`{"errors":[{"code":88,"message":"Rate limit exceeded"}]}`:                              "Rate limit exceeded (code 88)",
		`{"errors":[{"message":"no code"},{"message":"second"}]}`:                               "no code",
		`{"errors":["plain text"]}`:                                                             "plain text",
		`{"errors":"one text"}`:                                                                 "one text",
		`{"request":"/1.1/favorites/list.json","error":"Not authorized."}`:                      "Not authorized.",
		`{"error":{"code":32,"message":"Could not authenticate you"}}`:                          "Could not authenticate you (code 32)",
		`{"title":"ConnectionException","detail":"Too many connections"}`:                       "Too many connections",
		`{"title":"Unauthorized"}`:                                                              "Unauthorized",
		`{"strange":true}`:                                                                      `{"strange":true}`,
		`{"errors":[`:                                                                           `{"errors":[`,
		"Exceeded connection limit for user\r\n":                                                "Exceeded connection limit for user",
		"a\x00b\x1b[2Jc\u202edef":                                                               "a b [2Jc def",
		"bad \xff\xfe utf8":                                                                     "bad utf8",
		"<html><body><h1>403</h1><p>It&#39;s\n<b>gone</b></body></html>":                        "403 It's gone",
		"<!DOCTYPE html><!-- hi --><script>var a = '<b>';</script><STYLE>p{}</STYLE><p>text</p": "text",
		strings.Repeat("ä", 500):                                                                strings.Repeat("ä", 199) + "…",
	} {
		got := new(Veil).Quote(Summary([]byte(in)), MaxSummary)
		if got != want {
			t.Errorf("%q\n got %q\nwant %q", in, got, want)
		}
		if utf8.RuneCountInString(got) > MaxSummary {
			t.Errorf("%q is too long", got)
		}
	}
}

// A secret must not survive in half by lying across the end of the summary.
func TestSummaryBlanksBeforeItCuts(t *testing.T) {
	const secret = "0123456789abcdefghij"
	v := new(Veil)
	v.Hide(secret)
	got := v.Quote(Summary([]byte(strings.Repeat("x", MaxSummary-10)+secret)), MaxSummary)
	if strings.Contains(got, "0123") {
		t.Errorf("got %q", got)
	}
}
