package wire

import (
	"crypto/sha256"
	_ "embed" // for the dictionary
)

//go:generate go test -run TestTrain -timeout 30m . -train

//go:embed dictionary.bin
var dictionary []byte

var dictionaryHash = sha256.Sum256(dictionary)

// Dictionary is what the blocks of DCZ refer to, as raw content: 32 KB of what
// posts have in common, in all the forms in which they come. It is trained on
// made-up posts (`go generate`, minutes). It is shared: nobody writes into it.
func Dictionary() []byte { return dictionary }

// DictionaryHash is the SHA-256 of Dictionary.
func DictionaryHash() [32]byte { return dictionaryHash }
