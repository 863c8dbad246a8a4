package wire

import (
	"encoding/binary"
	"hash/crc32"

	"aviary/fanout"
)

// Coding is a content coding of a stream (RFC 9110, 8.4.1).
type Coding uint8

// The codings. All but Identity are made of blocks that stand alone: any
// sequence of blocks and plain frames between a head and a tail is a valid
// stream, and a reader has each event in hand when its block has come.
const (
	Identity Coding = iota
	Gzip            // RFC 1952
	Zstd            // RFC 8878: a frame an event
	DCZ             // RFC 9842: the same, with Dictionary
	codings
)

var codingNames = [codings]string{Identity: "identity", Gzip: "gzip", Zstd: "zstd", DCZ: "dcz"}

// String returns the coding's name in Accept-Encoding and Content-Encoding.
func (c Coding) String() string { return codingNames[c] }

// Block is one event in one coding. All clients share the bytes; nobody writes
// into them.
type Block struct {
	Bytes []byte
	CRC   uint32 // CRC-32 (IEEE) of the plain bytes; only set for Gzip, which alone needs it
	Size  uint32 // length of the plain bytes
}

// sumLen is what stands behind the bytes of a block in its encoding slot: CRC
// and size of the plain bytes.
const sumLen = 8

// Coded returns e as a stream in coding c holds it: what SSE or NDJSON give, as
// one block. It is made at most once for each coding, format and payload, and
// shared; in Identity it is not made at all. e must be published.
func Coded(e *fanout.Event, ndjson bool, p Payload, c Coding) Block {
	if e.Kind != fanout.KindPost {
		p = Full // the others have no payloads
	}
	plain := SSE
	if ndjson {
		plain = NDJSON
	}
	if c == Identity {
		b := plain(e, p)
		return Block{Bytes: b[:len(b):len(b)], Size: uint32(len(b))}
	}
	frame := plain(e, p) // not within Encoding: the compact form is an encoding itself
	kept := e.Encoding(codedSlot(ndjson, p, c), func() []byte { return encode(frame, c) })
	end := len(kept) - sumLen
	return Block{
		Bytes: kept[:end:end],
		CRC:   binary.LittleEndian.Uint32(kept[end:]),
		Size:  binary.LittleEndian.Uint32(kept[end+4:]),
	}
}

// encode returns the block of a frame, and behind it the frame's sum.
func encode(frame []byte, c Coding) []byte {
	var kept []byte
	var crc uint32
	switch c {
	case Gzip:
		crc = crc32.ChecksumIEEE(frame)
		kept = deflate(frame)
	default:
		kept = zstdFrame(frame, c)
	}
	kept = binary.LittleEndian.AppendUint32(kept, crc)
	return binary.LittleEndian.AppendUint32(kept, uint32(len(frame)))
}

// codedSlot is the encoding slot of a block.
func codedSlot(ndjson bool, p Payload, c Coding) int {
	slot := int(c-Gzip)*int(payloads) + int(p)
	if ndjson {
		slot += int(codings-Gzip) * int(payloads)
	}
	return slotCoded + slot
}

// AppendHead appends what a stream starts with.
func (c Coding) AppendHead(dst []byte) []byte {
	switch c {
	case Gzip:
		return append(dst, gzipHead...)
	case DCZ:
		return append(append(dst, dczMagic...), dictionaryHash[:]...)
	}
	return dst
}

// AppendPlain appends frames made for one client only, which are not worth
// compressing: a few bytes around them make them part of the stream. In Gzip,
// plain must be added to the client's Sum.
func (c Coding) AppendPlain(dst, plain []byte) []byte {
	switch c {
	case Gzip:
		return appendStored(dst, plain)
	case Zstd, DCZ:
		return appendRaw(dst, plain)
	}
	return append(dst, plain...)
}

// AppendTail appends the end of a stream: for Gzip the trailer, whose sum must
// cover everything between head and tail. A stream that is cut off before it is
// readable up to there.
func (c Coding) AppendTail(dst []byte, s Sum) []byte {
	if c == Gzip {
		return appendGzipTail(dst, s)
	}
	return dst
}
