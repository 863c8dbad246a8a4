package wire_test

import (
	"flag"
	"os"
	"testing"

	"aviary/fanout/wire"
)

var retrain = flag.Bool("train", false, "train the dictionary anew (minutes)")

// dictionarySize is what a page fetches once.
const dictionarySize = 32 << 10

// TestTrain makes dictionary.bin. It need not be made again when the posts it
// is made from change: TestRatio says when that is worth while.
func TestTrain(t *testing.T) {
	if !*retrain {
		if n := len(wire.Dictionary()); n > dictionarySize || n < dictionarySize/2 {
			t.Errorf("the dictionary has %d bytes", n)
		}
		return
	}
	if err := os.WriteFile("dictionary.bin", trainDictionary(t, dictionarySize), 0o644); err != nil {
		t.Fatal(err)
	}
}
