package filter

import (
	"crypto/rand"
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

// Tokens are short and there are some eighty in a post, so that calling a hash
// of any length for each would cost more than finding them. Up to 16 bytes are
// hashed here, by two multiplications to 128 bits under a secret of 256; what is
// longer goes to maphash. Both are keyed anew by every process.
var (
	secret = newSecret()
	seed   = maphash.MakeSeed()
)

const short = 16 // bytes: the longest that is hashed here

func newSecret() (k [4]uint64) {
	var b [32]byte
	rand.Read(b[:]) // never fails: it would end the program
	for i := range k {
		k[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return k
}

func (k kind) of(s string) uint64 {
	if len(s) > short {
		return maphash.String(seed, s) ^ uint64(k)
	}
	var b [short]byte
	copy(b[:], s)
	return mix(binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:]), len(s)) ^ uint64(k)
}

func (k kind) ofBytes(s []byte) uint64 {
	if len(s) > short {
		return maphash.Bytes(seed, s) ^ uint64(k)
	}
	var b [short]byte
	copy(b[:], s)
	return mix(binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:]), len(s)) ^ uint64(k)
}

// ofToken is ofBytes(s[i:end]) without a copy: s must go on for padding bytes
// behind the token, whatever they are.
func (k kind) ofToken(s []byte, i, end int) uint64 {
	n := end - i
	if n > short {
		return maphash.Bytes(seed, s[i:end]) ^ uint64(k)
	}
	// Tables, since nobody can predict how long the next token is.
	both := s[i : i+short]
	a := binary.LittleEndian.Uint64(both) & keep[n][0]
	b := binary.LittleEndian.Uint64(both[8:]) & keep[n][1]
	return mix(a, b, n) ^ uint64(k)
}

// keep has the bits of the first n of 16 bytes.
var keep = makeKeep()

func makeKeep() (t [short + 1][2]uint64) {
	for n := range t {
		t[n] = [2]uint64{1<<(8*min(n, 8)) - 1, 1<<(8*max(n-8, 0)) - 1}
	}
	return t
}

func mix(a, b uint64, n int) uint64 {
	hi, lo := bits.Mul64(a^secret[0], b^secret[1])
	hi, lo = bits.Mul64(hi^secret[2], lo^secret[3]^uint64(n))
	return hi ^ lo
}
