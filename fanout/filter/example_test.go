package filter_test

import (
	"errors"
	"fmt"
	"net/url"

	"aviary/fanout/filter"
)

// A filter from the parameters of a request, and a post it lets through.
func Example() {
	f, err := filter.Parse(url.Values{
		"track":    {"Simulated Annealing,#GoLang"},
		"language": {"en"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	var b filter.Builder
	b.Reset(filter.Key{Source: "twitter", ID: "17"})
	b.Author("3")
	b.Text("Annealing, simulated: https://t.co/x7Gh2k")
	b.URL("https://example.com/annealing.html")
	b.Lang("en")
	fmt.Println(f, f.Match(b.Post()))
	// Output: track=%23golang,annealing simulated&language=en true
}

// A rule of X's filtered stream, with what should be said to whoever wrote it.
func ExampleUnderstand() {
	f, warnings, err := filter.Understand(url.Values{"q": {"(dome or observatory) -is:retweet lang:en"}})
	fmt.Println(f, err)
	fmt.Println(warnings)
	// Output:
	// language=en&q=dome observatory or -is:retweet <nil>
	// [q: or is looked for as a word; write OR for either (at character 6)]
}

// Why a post does not pass.
func ExampleFilter_Explain() {
	f, _ := filter.ParseRule(`("opening hours" OR #stargazing) -is:retweet`)
	var b filter.Builder
	b.Reset(filter.Key{Source: "twitter", ID: "17"})
	b.Text("Our #stargazing night")
	b.Is("retweet")
	for _, branch := range f.Explain(b.Post()).Branches {
		fmt.Println(branch.Rule, branch.Text, "has", branch.Tokens, "lacks", branch.Missing)
	}
	// Output:
	// q #stargazing -is:retweet has [#stargazing] lacks [-is:retweet]
	// q "opening hours" -is:retweet has [] lacks ["opening hours" -is:retweet]
}

// The canonical form is the same however a filter is written, and can be read
// again.
func ExampleFilter_String() {
	for _, query := range []string{"track=Go,b++A&follow=12,3", "follow=3&follow=12&track=a b,go,GO"} {
		f, _ := filter.ParseString(query)
		fmt.Println(f)
	}
	// Output:
	// track=a b,go&follow=3,12
	// track=a b,go&follow=3,12
}

// An error says which parameter, where in it, and what may have been meant.
func ExampleError() {
	_, err := filter.Parse(url.Values{"track": {"gophers,www.example.com"}})
	fmt.Println(err)

	var e *filter.Error
	if errors.As(err, &e) {
		fmt.Println(e.Param, e.Pos, e.Near)
	}
	// Output:
	// track: "www.example.com" never matches: links are compared without www. (at character 8); did you mean "example.com"?
	// track 8 example.com
}

// An index names the filters that a post passes.
func ExampleIndex() {
	x := filter.NewIndex[string]()
	for _, query := range []string{"", "track=go", "track=rust"} {
		f, _ := filter.ParseString(query)
		x.Add(f, query)
	}
	var b filter.Builder
	b.Reset(filter.Key{Source: "twitter", ID: "17"})
	b.Text("Go!")
	x.Match(b.Post(), func(client string) { fmt.Printf("a client of %q\n", client) })
	// Unordered output:
	// a client of ""
	// a client of "track=go"
}

func ExampleNearest() {
	fmt.Println(filter.Nearest("trakc", filter.Params()))
	fmt.Println(filter.Nearest("lang", filter.Params()))
	// Output:
	// track
	// language
}
