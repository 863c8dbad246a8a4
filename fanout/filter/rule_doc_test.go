package filter

import (
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The manual names every operator, and the table has each of them.
func TestManual(t *testing.T) {
	manual, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var used []string
	for _, row := range readRules(t) {
		used = append(used, strings.ToLower(row.rule))
	}
	for _, o := range operators {
		if !strings.Contains(string(manual), o.name+":") {
			t.Errorf("doc.go lacks %s:", o.name)
		}
		for _, want := range []string{o.name + ":", "-" + o.name + ":"} {
			if want != "-sample:" && want != "-min_followers:" && want != "-following_count:" && want != "-tweets_count:" &&
				!slices.ContainsFunc(used, func(rule string) bool { return strings.Contains(rule, want) }) {
				t.Errorf("testdata/rules.txt lacks %s", want)
			}
		}
	}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(aliases)), slices.Collect(maps.Keys(refused))) {
		if !strings.Contains(string(manual), name) {
			t.Errorf("doc.go lacks %s", name)
		}
	}
}

// BenchmarkParseRule shows what a client with a rule costs: some 10 µs.
func BenchmarkParseRule(b *testing.B) {
	for name, rule := range map[string]string{
		"keyword": "observatory",
		"usual":   `(observatory OR #stargazing) "opening hours" lang:en -is:retweet`,
		"product": `(a OR b OR c OR d OR e OR f OR g OR h) (i OR j OR k OR l OR m OR n OR o OR p)`,
		"mixed":   `(a OR -b c) (b OR -c d) (c OR -d e) (d OR -e a) (e OR -a b) from:x`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseRule(rule); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkNear shows that a phrase is looked for in time that grows with a text
// and not with its square, where a text is the phrase's first word over and over.
func BenchmarkNear(b *testing.B) {
	f, err := ParseRule(`"a a b"~6`)
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{1000, 10_000, 100_000} {
		p := readPost(b, strings.Repeat("a ", n)+" + b")
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for b.Loop() {
				if f.Match(p) {
					b.Fatal("it should not match")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/token")
		})
	}
}

// BenchmarkLeaf shows what it costs to look closer at a post that holds all the
// words of a leaf: phrases some ten nanoseconds, links some hundred.
func BenchmarkLeaf(b *testing.B) {
	p := readPost(b, strings.Repeat("the quick brown fox jumps over the lazy dog and ", 5)+
		"; url=https://observatory.example/visit/saturday-opening?utm_source=stream ; url=observatory.example/visit/satur…")
	for name, rule := range map[string]string{
		"phrase": `"lazy fox"`, "near": `"lazy fox"~3`, "url": `url:"saturday visit"`, "url_contains": `url_contains:"visit/opening"`,
	} {
		b.Run(name, func(b *testing.B) {
			f, err := ParseRule(rule)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if f.Match(p) {
					b.Fatal("it should not match")
				}
			}
		})
	}
}
