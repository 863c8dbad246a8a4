package filter

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// ruleRow is a line of testdata/rules.txt.
type ruleRow struct {
	line       int
	rule, post string
	want       bool
}

func readRules(t testing.TB) (rows []ruleRow) {
	t.Helper()
	text, err := os.ReadFile("testdata/rules.txt")
	if err != nil {
		t.Fatal(err)
	}
	posts := map[string]string{}
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" || line == "#" || strings.HasPrefix(line, "# ") || strings.HasPrefix(line, "#\t") {
			continue
		}
		if def, ok := strings.CutPrefix(line, "post "); ok {
			name, post, _ := strings.Cut(def, ":")
			posts["<"+strings.TrimSpace(name)+">"] = strings.TrimSpace(post)
			continue
		}
		cells := strings.Split(line, " | ")
		if len(cells) != 3 || cells[2] != "yes" && cells[2] != "no" {
			t.Fatalf("line %d is not: rule | post | yes or no", i+1)
		}
		post := cells[1]
		if strings.HasPrefix(post, "<") {
			if post = posts[post]; post == "" {
				t.Fatalf("line %d: no such post", i+1)
			}
		}
		rows = append(rows, ruleRow{i + 1, strings.TrimSpace(cells[0]), post, cells[2] == "yes"})
	}
	return rows
}

// readPost builds a post of the table.
func readPost(t testing.TB, s string) *Post {
	t.Helper()
	return build(func(b *Builder) {
		facts := strings.Split(s, " ; ")
		for text := range strings.SplitSeq(facts[0], " + ") {
			b.Text(text)
		}
		for _, fact := range facts[1:] {
			name, value, _ := strings.Cut(strings.TrimSpace(fact), "=")
			if !tell(b, name, value) {
				t.Fatalf("a post with %q", fact)
			}
		}
	})
}

// tell tells a builder one fact of the table.
func tell(b *Builder, name, value string) bool {
	id, user, _ := strings.Cut(value, "/")
	numbers := func(sep string) (out []float64) {
		for s := range strings.SplitSeq(value, sep) {
			n, err := strconv.ParseFloat(s, 64)
			if err != nil {
				n = -1
			}
			out = append(out, n)
		}
		return out
	}
	whole := map[string]func(string){
		"id": b.ID, "conversation": b.Conversation, "in_reply_to": b.InReplyTo, "retweet_of": b.RetweetOf, "lang": b.Lang,
		"source": b.Source, "is": b.Is, "has": b.Has, "url": b.URL, "hashtag": b.Hashtag, "mention": b.Mention,
		"cashtag": b.Cashtag, "country": b.Country, "bio": b.Bio, "bio_name": b.BioName, "bio_location": b.BioLocation,
	}
	switch name {
	case "from":
		b.From(id, user)
	case "to":
		b.To(id, user)
	case "retweets_of":
		b.RetweetsOf(id, user)
	case "place":
		b.Place(id, strings.Split(user, "/")...)
	case "point":
		n := numbers(",")
		b.Point(n[0], n[1])
	case "area":
		n := numbers(",")
		b.Area(Box{n[0], n[1], n[2], n[3]})
	case "counts":
		n := numbers("/")
		b.Counts(int64(n[0]), int64(n[1]), int64(n[2]), int64(n[3]))
	default:
		say, ok := whole[name]
		if ok {
			say(value)
		}
		return ok
	}
	return true
}

func TestRules(t *testing.T) {
	rows := readRules(t)
	if len(rows) < 300 {
		t.Errorf("only %d rows", len(rows))
	}
	x := NewIndex[int]()
	posts := map[string]int{} // place in list
	var list []*Post
	filters := make([]*Filter, len(rows))
	for i, row := range rows {
		f, err := ParseRule(row.rule)
		if err != nil {
			t.Fatalf("line %d: %s: %v", row.line, row.rule, err)
		}
		filters[i] = f
		x.Add(f, i)
		if _, known := posts[row.post]; !known {
			posts[row.post] = len(list)
			list = append(list, readPost(t, row.post))
		}
	}
	found := make([][]int, len(list))
	for i, p := range list {
		x.Match(p, func(row int) { found[i] = append(found[i], row) })
	}
	postings := NewPostings(list)
	for i, row := range rows {
		at := posts[row.post]
		checkRow(t, row, filters[i], list[at])
		if slices.Contains(found[at], i) != row.want {
			t.Errorf("line %d: the index says the opposite: %s | %s", row.line, row.rule, row.post)
		}
		if slices.Contains(postings.Match(filters[i], 0, nil), at) != row.want {
			t.Errorf("line %d: postings say the opposite: %s | %s", row.line, row.rule, row.post)
		}
	}
}

// checkRow holds one rule against its post, as it is, in canonical form, and
// negated beside a word that every post has.
func checkRow(t *testing.T, row ruleRow, f *Filter, p *Post) {
	t.Helper()
	if got := f.Match(p); got != row.want {
		t.Errorf("line %d: %s | %s: %v, want %v (%s)", row.line, row.rule, row.post, got, row.want, f)
	}
	again, err := ParseString(f.String())
	if err != nil || again.String() != f.String() || again.Match(p) != row.want {
		t.Errorf("line %d: %s is %s, and that %v, %v", row.line, row.rule, f, again, err)
	}
	e := f.Explain(p)
	missing := slices.ContainsFunc(e.Branches, func(b Branch) bool { return len(b.Missing) > 0 })
	if e.Matches != row.want || missing == row.want || len(e.Branches) == 0 {
		t.Errorf("line %d: %s | %s: explained by %+v", row.line, row.rule, row.post, e)
	}
	if strings.Contains(row.rule, "sample:") || strings.Contains(row.rule, "is:nullcast") {
		return // neither has an opposite
	}
	not, err := ParseRule("from:witness -(" + row.rule + ")")
	if err != nil {
		t.Errorf("line %d: %s negated: %v", row.line, row.rule, err)
		return
	}
	if got := not.Match(readPost(t, row.post+" ; from=/witness")); got == row.want && !strings.Contains(row.rule, "from:") {
		t.Errorf("line %d: %s | %s: negated it says the same (%s)", row.line, row.rule, row.post, not)
	}
}
