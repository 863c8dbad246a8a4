package wire

import (
	"encoding/binary"

	"github.com/klauspost/compress/zstd"
)

// A zstd stream here is a sequence of frames, one an event, without checksums. A
// frame says how long it is, so a reader needs no window beyond that.

// dczMagic is the head of a skippable frame of 32 bytes, which hold the hash of
// the dictionary (RFC 9842, 5).
var dczMagic = []byte{0x5e, 0x2a, 0x4d, 0x18, 0x20, 0, 0, 0}

// zstdLevel: with the dictionary the next one takes 5 to 7 % less and twice the
// time, the one before 7 % more and half the time; without it they hardly differ
// in size.
const zstdLevel = zstd.SpeedDefault

// zstdWindow bounds what an encoder holds; longer events are several blocks.
const zstdWindow = 128 << 10

var (
	zstdEncoders = pool[zstdEncoder]{build: func() *zstdEncoder { return newZstdEncoder() }}
	dczEncoders  = pool[zstdEncoder]{build: func() *zstdEncoder {
		return newZstdEncoder(zstd.WithEncoderDictRaw(0, dictionary))
	}}
)

// zstdEncoder is an encoder and the buffer it writes to.
type zstdEncoder struct {
	*zstd.Encoder
	out []byte
}

// newZstdEncoder makes an encoder for EncodeAll, which starts no goroutine.
func newZstdEncoder(more ...zstd.EOption) *zstdEncoder {
	e, err := zstd.NewWriter(nil, append(more,
		zstd.WithEncoderLevel(zstdLevel), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true),
		zstd.WithWindowSize(zstdWindow), zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true))...)
	if err != nil {
		panic(err) // the options are constants
	}
	return &zstdEncoder{Encoder: e}
}

// zstdFrame returns plain as one frame, with room for the sum behind it.
func zstdFrame(plain []byte, c Coding) []byte {
	encoders := &zstdEncoders
	if c == DCZ {
		encoders = &dczEncoders
	}
	e := encoders.get()
	defer encoders.put(e)
	e.out = e.EncodeAll(plain, e.out[:0])
	return append(make([]byte, 0, len(e.out)+sumLen), e.out...)
}

const (
	zstdMagic  = 0xfd2fb528
	maxRaw     = 128 << 10 // of one block
	oneSegment = 1 << 5    // frame header: no window, the content's size instead
	size4      = 2<<6 | oneSegment
	size2      = 1<<6 | oneSegment
)

// appendRaw appends plain as one frame of raw blocks.
func appendRaw(dst, plain []byte) []byte {
	if len(plain) == 0 {
		return dst
	}
	dst = binary.LittleEndian.AppendUint32(dst, zstdMagic)
	switch n := len(plain); {
	case n < 256:
		dst = append(dst, oneSegment, byte(n))
	case n < 256+1<<16:
		dst = append(dst, size2)
		dst = binary.LittleEndian.AppendUint16(dst, uint16(n-256))
	default:
		dst = append(dst, size4)
		dst = binary.LittleEndian.AppendUint32(dst, uint32(n))
	}
	for len(plain) > 0 {
		n := min(len(plain), maxRaw)
		head := uint32(n) << 3 // a raw block
		if n == len(plain) {
			head |= 1 // the last
		}
		dst = append(dst, byte(head), byte(head>>8), byte(head>>16))
		dst = append(dst, plain[:n]...)
		plain = plain[n:]
	}
	return dst
}
