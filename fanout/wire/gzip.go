package wire

import (
	"bytes"
	"encoding/binary"

	"github.com/klauspost/compress/flate"
)

// A gzip stream here is a header, any number of deflate blocks that each end on
// a byte and look back at nothing before themselves, an empty last block, and
// the trailer.

// gzipHead: magic, deflate, no flags, no time, no hints, unknown system.
var gzipHead = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}

// deflateLevel: 7 to 9 take 1.5 % less and up to twice the time, 1 to 4 take 2
// to 10 % more and save at most a third of it.
const deflateLevel = 5

// maxStored is the most that one stored block holds.
const maxStored = 1<<16 - 1

// deflater is an encoder and the buffer it writes to.
type deflater struct {
	*flate.Writer
	out bytes.Buffer
}

var deflaters = pool[deflater]{build: func() *deflater {
	w, err := flate.NewWriter(nil, deflateLevel)
	if err != nil {
		panic(err) // the level is a constant
	}
	return &deflater{Writer: w}
}}

// deflate returns plain as deflate blocks that end with a sync flush: an empty
// stored block, which brings the stream to a full byte and hands everything
// before it to the reader. There is room for the sum behind them.
func deflate(plain []byte) []byte {
	d := deflaters.get()
	defer deflaters.put(d)
	d.out.Reset()
	d.Reset(&d.out)
	_, _ = d.Write(plain) // a bytes.Buffer takes everything
	_ = d.Flush()
	out := d.out.Bytes()
	return append(make([]byte, 0, len(out)+sumLen), out...)
}

// syncMark is an empty stored block. Readers, Go's among them, hand over what they
// have when they meet one, and not at the end of just any block.
var syncMark = []byte{0, 0, 0, 0xff, 0xff}

// appendStored appends plain as stored blocks, which begin and end on a byte, and
// a syncMark.
func appendStored(dst, plain []byte) []byte {
	if len(plain) == 0 {
		return dst
	}
	for len(plain) > 0 {
		n := min(len(plain), maxStored)
		dst = append(dst, 0) // not the last, stored, and padding to the byte
		dst = binary.LittleEndian.AppendUint16(dst, uint16(n))
		dst = binary.LittleEndian.AppendUint16(dst, ^uint16(n))
		dst = append(dst, plain[:n]...)
		plain = plain[n:]
	}
	return append(dst, syncMark...)
}

// appendGzipTail appends an empty last block and the trailer.
func appendGzipTail(dst []byte, s Sum) []byte {
	dst = append(dst, 3, 0) // last, fixed codes: the end of block at once
	dst = binary.LittleEndian.AppendUint32(dst, s.CRC)
	return binary.LittleEndian.AppendUint32(dst, s.Size)
}
