package x

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Rule is one rule of the filtered stream.
type Rule struct {
	Value string // in X's language
	Tag   string // without aviary's prefix
}

// Limits of the API for rules, on the access level that is sold to everybody.
const (
	MaxRules      = 1000
	MaxRuleLength = 1024 // code points
)

// tagPrefix begins the tag of every rule that aviary added: those it may delete.
// Rules of others are never touched.
const tagPrefix = "aviary:"

// ReadRules reads a file of rules, one a line:
//
//	# a comment: "#" with a space behind it, or alone
//	cats: cat has:images -is:retweet
//	#caturday lang:en
//
// What stands before the first ": " is the rule's tag, if it is one word of letters,
// digits, "_", "-" and "."; no operator has a space behind its colon.
func ReadRules(path string) ([]Rule, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the rules cannot be read: %w", err)
	}
	rules, err := parseRules(string(raw))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return rules, nil
}

func parseRules(text string) ([]Rule, error) {
	if !utf8.ValidString(text) {
		return nil, errors.New("the file is not UTF-8")
	}
	var rules []Rule
	at := map[string]int{}
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(text, "\uFEFF")) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line == "#" || strings.HasPrefix(line, "# ") || strings.HasPrefix(line, "##") {
			continue
		}
		r := parseRule(line)
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if first := at[r.Value]; first > 0 {
			return nil, fmt.Errorf("line %d: the same rule as in line %d", number, first)
		}
		at[r.Value] = number
		rules = append(rules, r)
	}
	return rules, nil
}

func parseRule(line string) Rule {
	tag, value, ok := strings.Cut(line, ": ")
	if !ok || tag == "" || strings.ContainsFunc(tag, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-.", r)
	}) {
		return Rule{Value: line}
	}
	return Rule{Value: strings.TrimSpace(value), Tag: tag}
}

// check refuses what can be seen to be wrong without asking the upstream.
func (r *Rule) check() error {
	switch n := utf8.RuneCountInString(r.Value); {
	case n == 0:
		return errors.New("a tag without a rule")
	case n > MaxRuleLength:
		return fmt.Errorf("the rule has %d characters, X takes %d", n, MaxRuleLength)
	case strings.ContainsFunc(r.Value, unicode.IsControl):
		return errors.New("the rule holds a control character")
	}
	return nil
}
