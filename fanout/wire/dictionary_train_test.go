package wire_test

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// trainDictionary makes the dictionary from made-up posts only, in three steps:
//
//  1. the posts of testdata/dictionary, written by hand to hold what most posts
//     hold, with values of the usual lengths, in the forms that matter most;
//  2. before them what many other samples share and those lack;
//  3. the pieces without which other samples take least more are taken away.
//
// What is likeliest stands last, where offsets are short and win over older ones.
func trainDictionary(t *testing.T, size int) []byte {
	dictionary := handwritten(t)
	var simulated, others [][]byte
	for i, s := range samples(1, 2000*len(forms)) {
		if i%len(forms) == 0 {
			simulated = append(simulated, s.frame)
		} else if s.weight > 0.1 {
			others = append(others, s.frame)
		}
	}
	dictionary = fill(dictionary, others, len(others)/50, 2000)
	dictionary = fill(dictionary, simulated, len(simulated)/100, 8000)
	return prune(dictionary, samples(2, 20*len(forms)), size)
}

// handwritten are the posts of testdata/dictionary as frames.
func handwritten(t *testing.T) (all []byte) {
	raw, err := os.ReadFile("testdata/dictionary/posts.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	var posts []object
	for line := range bytes.Lines(raw) {
		posts = append(posts, parse(line))
	}
	repost, quote, reply, simRepost, simQuote := posts[0], posts[1], posts[2], posts[3], posts[4]
	chance := tailor{rand.New(rand.NewPCG(1, 7))}
	plain, ascii := style{}, style{ascii: true}
	for _, json := range [][]byte{
		style{spaces: true}.json(chance.shuffled(repost)), ascii.json(chance.rest(quote)), plain.json(mapped(repost)),
		plain.json(simRepost), ascii.json(simQuote), plain.json(simQuote), compact(plain.json(simRepost)), compact(plain.json(quote)),
		ascii.json(reply), ascii.json(quote), ascii.json(repost),
	} {
		all = append(all, frameOf("k3f9a1-4712", json)...)
	}
	return all
}

// gramLen is the length of the pieces that fill counts.
const gramLen = 8

func grams(b []byte) func(func(uint64) bool) {
	return func(yield func(uint64) bool) {
		for at := range max(0, len(b)-gramLen+1) {
			if !yield(binary.LittleEndian.Uint64(b[at:])) {
				return
			}
		}
	}
}

// fill puts size bytes before the dictionary: runs of what at least few of the
// samples hold and the dictionary does not, those worth most for their length last.
func fill(dictionary []byte, samples [][]byte, few, size int) []byte {
	worth, last := map[uint64]int{}, map[uint64]int{}
	for i, s := range samples {
		for g := range grams(s) {
			if last[g] != i+1 {
				last[g] = i + 1
				worth[g]++
			}
		}
	}
	for g, n := range worth {
		if n < few {
			delete(worth, g)
		}
	}
	forget := func(run []byte) {
		for g := range grams(run) {
			delete(worth, g)
		}
	}
	forget(dictionary)
	value := func(run string) float64 {
		sum := 0
		for g := range grams([]byte(run)) {
			sum += worth[g]
		}
		return float64(sum) / float64(len(run)+gramLen)
	}
	runs := sharedRuns(samples, worth)
	for full := len(dictionary) + size; len(dictionary) < full && len(runs) > 0; {
		now := map[string]float64{}
		for _, run := range runs {
			now[run] = value(run)
		}
		runs = slices.DeleteFunc(runs, func(run string) bool { return now[run] == 0 })
		slices.SortFunc(runs, func(a, b string) int { return cmp.Or(cmp.Compare(now[b], now[a]), cmp.Compare(a, b)) })
		for _, run := range runs[:min(len(runs), 32)] {
			if value(run) > 0.9*now[run] { // those before have left it its worth
				dictionary = append([]byte(run), dictionary...)
				forget([]byte(run))
			}
		}
	}
	return dictionary
}

// sharedRuns are the longest runs of grams with worth that some samples hold.
func sharedRuns(samples [][]byte, worth map[uint64]int) (runs []string) {
	times := map[string]int{}
	for _, s := range samples {
		start, at := 0, 0
		for g := range grams(s) {
			if worth[g] == 0 {
				if start < at {
					times[string(s[start:at+gramLen-1])]++
				}
				start = at + 1
			}
			at++
		}
	}
	for run, n := range times {
		if n >= 3 {
			runs = append(runs, run)
		}
	}
	return runs
}

// prune takes pieces away, large ones first, until size bytes are left: those
// without which the samples take least more.
func prune(dictionary []byte, samples []sample, size int) []byte {
	over := len(dictionary) - size
	for piece := 256; piece >= 32; piece /= 2 {
		target := size + over*piece/512
		if piece == 32 {
			target = size
		}
		for len(dictionary) > target {
			pieces := slices.Collect(slices.Chunk(dictionary, piece))
			order, without := make([]int, len(pieces)), make([]float64, len(pieces))
			for i := range pieces {
				order[i] = i
				without[i] = share(samples, bytes.Join(slices.Delete(slices.Clone(pieces), i, i+1), nil))
			}
			slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(without[a], without[b]) })
			for _, i := range order[:max(1, (len(dictionary)-target)/piece/3)] {
				pieces[i] = nil
			}
			dictionary = bytes.Join(pieces, nil)
		}
		fmt.Printf("in pieces of %d: %d bytes, %.4f of the samples\n", piece, len(dictionary), share(samples, dictionary))
	}
	return dictionary
}

// share is what the samples take with a dictionary, of their size.
func share(samples []sample, dictionary []byte) float64 {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderDictRaw(0, dictionary), zstd.WithEncoderLevel(zstd.SpeedDefault),
		zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true), zstd.WithWindowSize(128<<10))
	if err != nil {
		panic(err)
	}
	sum, weight := 0.0, 0.0
	buf := make([]byte, 0, 64<<10)
	for _, s := range samples {
		sum += s.weight * float64(len(e.EncodeAll(s.frame, buf))) / float64(len(s.frame))
		weight += s.weight
	}
	return sum / weight
}
