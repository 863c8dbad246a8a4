package filter

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// benchTweets are matched in turn.
const benchTweets = 8192

func benchIndex(filters []*Filter, warm []*Post) *Index[int] {
	x := NewIndex[int]()
	for _, p := range warm {
		x.Match(p, func(int) {})
	}
	for i, f := range filters {
		x.Add(f, i)
	}
	for range 3 { // and moves those in the wrong place
		for _, p := range warm {
			x.Match(p, func(int) {})
		}
	}
	return x
}

func postsOf(tweets []*tweet) []*Post {
	posts := make([]*Post, len(tweets))
	for i, t := range tweets {
		posts[i] = t.post()
	}
	return posts
}

// BenchmarkIndexMatch is what a post costs at so many different filters: to take
// it apart, and to find those it matches. It hardly grows with the filters, but
// for the matches there are.
func BenchmarkIndexMatch(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("filters=%d", n), func(b *testing.B) {
			c := newCorpus(0)
			tweets := c.tweets(benchTweets)
			x := benchIndex(c.filters(n), postsOf(tweets))
			var builder Builder
			var post Post
			matches := 0
			count := func(int) { matches++ }
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				tweets[i%benchTweets].build(&builder)
				builder.Fill(&post)
				x.Match(&post, count)
			}
			b.ReportMetric(float64(matches)/float64(b.N), "matches/post")
		})
	}
}

// BenchmarkIndexMatchOnly is the same without taking the posts apart.
func BenchmarkIndexMatchOnly(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("filters=%d", n), func(b *testing.B) { benchMatch(b, 0, n) })
	}
}

// BenchmarkIndexPopular has half the words of all filters from the two thousand
// most frequent ones, so that every post matches many: it is the price of one match.
func BenchmarkIndexPopular(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprintf("filters=%d", n), func(b *testing.B) { benchMatch(b, 50, n) })
	}
}

func benchMatch(b *testing.B, head, n int) {
	c := newCorpus(head)
	posts := postsOf(c.tweets(benchTweets))
	x := benchIndex(c.filters(n), posts)
	matches := 0
	count := func(int) { matches++ }
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		x.Match(posts[i%benchTweets], count)
	}
	b.ReportMetric(float64(matches)/float64(b.N), "matches/post")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(max(matches, 1)), "ns/match")
}

// BenchmarkNaive holds every post against every filter, one after the other: what
// the index is there to avoid.
func BenchmarkNaive(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprintf("filters=%d", n), func(b *testing.B) {
			c := newCorpus(0)
			posts := postsOf(c.tweets(benchTweets))
			filters := c.filters(n)
			matches := 0
			for i := 0; b.Loop(); i++ {
				for _, f := range filters {
					if f.Match(posts[i%benchTweets]) {
						matches++
					}
				}
			}
			b.ReportMetric(float64(matches)/float64(b.N), "matches/post")
		})
	}
}

// BenchmarkIndexAdd is a filter's coming while there are many: what it takes
// under the lock, at most and on average, and what it holds, text, condition and
// index together, by the heap and by what the index says of itself.
func BenchmarkIndexAdd(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprintf("filters=%d", n), func(b *testing.B) {
			for b.Loop() {
				c := newCorpus(0)
				posts := postsOf(c.tweets(benchTweets))
				before := heapInUse()
				filters := c.filters(n)
				x := NewIndex[int]()
				for _, p := range posts {
					x.Match(p, func(int) {})
				}
				var spent, worst time.Duration
				for i, f := range filters {
					start := time.Now()
					x.Add(f, i)
					d := time.Since(start)
					spent += d
					worst = max(worst, d)
				}
				clear(filters)
				b.ReportMetric(float64(spent.Nanoseconds())/float64(n), "ns/add")
				b.ReportMetric(float64(worst.Microseconds()), "worst-µs/add")
				b.ReportMetric(float64(heapInUse()-before)/float64(n), "heap-B/filter")
				b.ReportMetric(float64(x.Size())/float64(n), "size-B/filter")
				runtime.KeepAlive(x)
				runtime.KeepAlive(posts)
			}
		})
	}
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
