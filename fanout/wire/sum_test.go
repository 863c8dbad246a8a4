package wire_test

import (
	"compress/gzip"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"testing"

	"aviary/fanout/wire"
)

// lateGzip is a gzip reader that reads the header when it is asked to read.
type lateGzip struct {
	from io.Reader
	gzip *gzip.Reader
}

func (g *lateGzip) Read(p []byte) (int, error) {
	if g.gzip == nil {
		var err error
		if g.gzip, err = gzip.NewReader(g.from); err != nil {
			return 0, err
		}
	}
	return g.gzip.Read(p)
}

// Adding batches, whatever they are made of, gives the sum of all bytes.
func TestSum(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 100_000)
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	var batch wire.Batch
	for range 500 {
		var sum wire.Sum
		rest := data[:rng.IntN(len(data))]
		for left := rest; len(left) > 0; {
			var blocks []wire.Block
			for range rng.IntN(4) {
				n := rng.IntN(min(len(left), 1<<rng.IntN(17)) + 1)
				blocks = append(blocks, wire.Block{CRC: crc32.ChecksumIEEE(left[:n]), Size: uint32(n)})
				left = left[n:]
			}
			batch.Reset(blocks...)
			sum.AddBatch(&batch)
			n := rng.IntN(min(len(left), 300) + 1)
			sum.Add(left[:n])
			left = left[n:]
		}
		if want := (wire.Sum{CRC: crc32.ChecksumIEEE(rest), Size: uint32(len(rest))}); sum != want {
			t.Fatalf("%d bytes: %x, want %x", len(rest), sum, want)
		}
	}
}

// The length wraps at 4 GiB, as the trailer's does, and the CRC goes on.
func TestSumWraps(t *testing.T) {
	const piece = 1 << 20
	zeros := make([]byte, piece)
	block := wire.Block{CRC: crc32.ChecksumIEEE(zeros), Size: piece}
	var batch wire.Batch
	batch.Reset(block)
	var sum wire.Sum
	for range 1<<32/piece + 1 {
		sum.AddBatch(&batch)
	}
	if sum.Size != piece {
		t.Errorf("size %d, want %d", sum.Size, piece)
	}
	// The same at one stroke: blocks of 2 GiB, whose CRC the operator gives.
	var half wire.Sum
	for range 1 << 31 / piece {
		half.AddBatch(&batch)
	}
	batch.Reset(wire.Block{CRC: half.CRC, Size: half.Size}, wire.Block{CRC: half.CRC, Size: half.Size}, block)
	var other wire.Sum
	other.AddBatch(&batch)
	if other != sum {
		t.Errorf("%x, want %x", other, sum)
	}
}

// BenchmarkSum shows what a gzip client costs beside its bytes (apply), and a
// batch of blocks once for all of them (reset). Hashing a post for each client
// (hash) would cost many times that.
func BenchmarkSum(b *testing.B) {
	blocks := make([]wire.Block, 8)
	for i := range blocks {
		blocks[i] = wire.Block{CRC: uint32(i) * 0x9e3779b9, Size: 2500 + uint32(i)}
	}
	var batch wire.Batch
	for _, n := range []int{1, 8} {
		b.Run("reset/"+string(rune('0'+n)), func(b *testing.B) {
			for b.Loop() {
				batch.Reset(blocks[:n]...)
			}
		})
	}
	var sum wire.Sum
	b.Run("apply", func(b *testing.B) {
		for b.Loop() {
			sum.AddBatch(&batch)
		}
	})
	post := make([]byte, 2500)
	b.Run("hash", func(b *testing.B) {
		for b.Loop() {
			sum.Add(post)
		}
	})
}
