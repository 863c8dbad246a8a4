package wire_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"aviary/fanout"
	"aviary/fanout/wire"
	"aviary/upstream/twitter"
	"aviary/upstream/twitter/sim"
)

var codings = []wire.Coding{wire.Identity, wire.Gzip, wire.Zstd, wire.DCZ}

// simulated are n published events of the simulator: posts and what else there is.
func simulated(t testing.TB, seed uint64, n int) []*fanout.Event {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	corpus := sim.NewCorpus(seed, now)
	events := make([]*fanout.Event, n)
	for i := range events {
		now = now.Add(20 * time.Millisecond)
		e, err := twitter.Decode(corpus.Next(now).JSON)
		if err != nil {
			t.Fatal(err)
		}
		events[i] = e
	}
	return publish(t, events...)
}

// form is what a client asks for.
type clientForm struct {
	ndjson  bool
	payload wire.Payload
	coding  wire.Coding
}

func (f clientForm) String() string {
	return fmt.Sprintf("%v ndjson=%t payload=%d", f.coding, f.ndjson, f.payload)
}

func (f clientForm) plain(e *fanout.Event) []byte {
	if f.ndjson {
		return wire.NDJSON(e, f.payload)
	}
	return wire.SSE(e, f.payload)
}

// clientForms are all there are.
func clientForms() (all []clientForm) {
	for _, c := range codings {
		for _, p := range []wire.Payload{wire.Full, wire.Compact, wire.IDs} {
			all = append(all, clientForm{false, p, c}, clientForm{true, p, c})
		}
	}
	return all
}

// stream is one client's stream and what it must read as. at are the places
// behind each block in both.
type stream struct {
	coded, plain []byte
	at           [][2]int
}

// write makes the stream of a client that gets a part of the events, chosen by
// chance, with frames of its own between them, blocks in batches as well as alone.
func (f clientForm) write(rng *rand.Rand, events []*fanout.Event) (s stream) {
	var sum wire.Sum
	var batch wire.Batch
	var pending []wire.Block
	flush := func() {
		batch.Reset(pending...)
		sum.AddBatch(&batch)
		pending = nil
	}
	s.coded = f.coding.AppendHead(nil)
	for _, e := range events {
		switch rng.IntN(8) {
		case 0, 1:
			continue
		case 2:
			flush()
		case 3:
			flush()
			own := bytes.Repeat([]byte(": a heartbeat\nid: k3f9a1-4712\n\n"), rng.IntN(3))
			if rng.IntN(50) == 0 {
				own = make([]byte, 200_000) // more than one block of any coding
			}
			s.coded, s.plain = f.coding.AppendPlain(s.coded, own), append(s.plain, own...)
			sum.Add(own)
		}
		b := wire.Coded(e, f.ndjson, f.payload, f.coding)
		pending = append(pending, b)
		s.coded, s.plain = append(s.coded, b.Bytes...), append(s.plain, f.plain(e)...)
		s.at = append(s.at, [2]int{len(s.coded), len(s.plain)})
	}
	flush()
	s.coded = f.coding.AppendTail(s.coded, sum)
	return s
}

// Any part of the events with anything between them is a valid stream that holds
// just that, in every form.
func TestCodedStreams(t *testing.T) {
	events := slices.Concat(simulated(t, 3, 60), fixtures(t))
	for _, f := range clientForms() {
		for seed := range uint64(10) {
			s := f.write(rand.New(rand.NewPCG(seed, 1)), events)
			got, err := io.ReadAll(decoder(t, f.coding, bytes.NewReader(s.coded)))
			if err != nil || !bytes.Equal(got, s.plain) {
				t.Fatalf("%v, seed %d: %d bytes of %d are read: %v", f, seed, len(got), len(s.plain), err)
			}
		}
	}
}

// A reader that has got a block has all of its event in hand: nothing waits for
// the next.
func TestCodedStreamsAreFlushed(t *testing.T) {
	events := simulated(t, 4, 20)
	for _, f := range clientForms() {
		s := f.write(rand.New(rand.NewPCG(1, 1)), events)
		for _, at := range s.at {
			r := decoder(t, f.coding, &endless{data: s.coded[:at[0]]})
			got := make([]byte, at[1])
			if n, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, s.plain[:at[1]]) {
				t.Fatalf("%v: of %d bytes behind a block %d are read: %v", f, at[1], n, err)
			}
		}
	}
}

// endless is a connection on which nothing comes after the data: who asks for
// more would wait for ever.
type endless struct{ data []byte }

func (e *endless) Read(p []byte) (int, error) {
	if len(e.data) == 0 {
		return 0, fmt.Errorf("waits for more")
	}
	n := copy(p, e.data)
	e.data = e.data[n:]
	return n, nil
}

// A form is built once for each event, however many ask at the same time.
func TestCodedOnce(t *testing.T) {
	for _, f := range clientForms() {
		e := simulated(t, 5, 1)[0]
		var first [16]wire.Block
		var all sync.WaitGroup
		for i := range first {
			all.Go(func() { first[i] = wire.Coded(e, f.ndjson, f.payload, f.coding) })
		}
		all.Wait()
		for _, b := range first {
			if &b.Bytes[0] != &first[0].Bytes[0] || b.Size != first[0].Size {
				t.Errorf("%v: two copies", f)
			}
		}
		if n := testing.AllocsPerRun(100, func() { wire.Coded(e, f.ndjson, f.payload, f.coding) }); n != 0 {
			t.Errorf("%v: %v allocations", f, n)
		}
		if b := first[0]; cap(b.Bytes) != len(b.Bytes) {
			t.Errorf("%v: bytes behind the block can be written to", f)
		}
	}
}

// What is no post has no payloads, and so one block for all of them.
func TestCodedNoticesOnce(t *testing.T) {
	for _, e := range fixtures(t)[4:] {
		for _, c := range codings {
			full, ids := wire.Coded(e, false, wire.Full, c), wire.Coded(e, false, wire.IDs, c)
			if &full.Bytes[0] != &ids.Bytes[0] {
				t.Errorf("%v in %v: two blocks", e.Kind, c)
			}
		}
	}
}

// What is not compressed by a library is held to the standards byte by byte.
func TestCodedGolden(t *testing.T) {
	hash := wire.DictionaryHash()
	for _, test := range []struct{ what, got, want string }{
		{"gzip head", string(wire.Gzip.AppendHead(nil)), "1f8b08000000000000ff"},
		{"gzip frame", string(wire.Gzip.AppendPlain(nil, []byte("abc"))), "000300fcff616263000000ffff"},
		{"gzip nothing", string(wire.Gzip.AppendPlain(nil, nil)), ""},
		{"gzip tail", string(wire.Gzip.AppendTail(nil, wire.Sum{CRC: 0x01020304, Size: 0x05060708})), "03000403020108070605"},
		{"zstd head", string(wire.Zstd.AppendHead(nil)), ""},
		{"zstd frame", string(wire.Zstd.AppendPlain(nil, []byte("abc"))), "28b52ffd2003190000616263"},
		{"zstd frame of 256", string(wire.Zstd.AppendPlain(nil, make([]byte, 256))[:10]), "28b52ffd600000010800"},
		{"zstd frame of 200,000", string(wire.Zstd.AppendPlain(nil, make([]byte, 200_000))[:12]), "28b52ffda0400d0300000010"},
		{"zstd tail", string(wire.Zstd.AppendTail(nil, wire.Sum{CRC: 1, Size: 1})), ""},
		{"dcz head", string(wire.DCZ.AppendHead(nil)), "5e2a4d1820000000" + hex.EncodeToString(hash[:])},
		{"dcz frame", string(wire.DCZ.AppendPlain(nil, []byte("abc"))), "28b52ffd2003190000616263"},
		{"dcz tail", string(wire.DCZ.AppendTail(nil, wire.Sum{})), ""},
	} {
		if got := hex.EncodeToString([]byte(test.got)); got != test.want {
			t.Errorf("%s: %s, want %s", test.what, got, test.want)
		}
	}
	for c, name := range map[wire.Coding]string{wire.Identity: "identity", wire.Gzip: "gzip", wire.Zstd: "zstd", wire.DCZ: "dcz"} {
		if c.String() != name {
			t.Errorf("%s is called %s", name, c)
		}
	}
}

// FuzzCoded writes any events in any order with anything between them in every
// coding, and reads them back.
func FuzzCoded(f *testing.F) {
	f.Add([]byte(`{"id_str":"1","text":"plain"}`), []byte(":\nid: k3f9a1-1\n\n"), uint64(1))
	f.Add([]byte(`{"text":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}`), []byte{}, uint64(2))
	f.Add([]byte("\x00\xff\x1f\x8b\x28\xb5\x2f\xfd"), []byte("\x28\xb5\x2f\xfd"), uint64(3))
	f.Add(wire.Dictionary()[:2000], wire.Dictionary()[10_000:14_000], uint64(4))
	f.Add(bytes.Repeat([]byte("0123456789abcdef"), 10_000), bytes.Repeat([]byte("x"), 70_000), uint64(5))
	f.Fuzz(func(t *testing.T, raw, more []byte, seed uint64) {
		events := publish(t, post("1", string(raw)), post("2", string(more)), notice(fanout.KindOther, string(more)), post("3", string(raw)+string(more)))
		for _, c := range codings[1:] {
			rng := rand.New(rand.NewPCG(seed, uint64(c)))
			form := clientForm{rng.IntN(2) == 0, wire.Payload(rng.IntN(3)), c}
			var sum wire.Sum
			var batch wire.Batch
			var plain []byte
			coded := c.AppendHead(nil)
			for range rng.IntN(12) {
				own := more[:rng.IntN(len(more)+1)]
				coded, plain = c.AppendPlain(coded, own), append(plain, own...)
				sum.Add(own)
				e := events[rng.IntN(len(events))]
				b := wire.Coded(e, form.ndjson, form.payload, c)
				coded, plain = append(coded, b.Bytes...), append(plain, form.plain(e)...)
				batch.Reset(b)
				sum.AddBatch(&batch)
			}
			coded = c.AppendTail(coded, sum)
			got, err := io.ReadAll(decoder(t, c, bytes.NewReader(coded)))
			if err != nil || !bytes.Equal(got, plain) {
				t.Fatalf("%v: %d bytes of %d: %v", form, len(got), len(plain), err)
			}
		}
	})
}

// decoder reads a coding as another program would.
func decoder(t testing.TB, c wire.Coding, r io.Reader) io.Reader {
	t.Helper()
	switch c {
	case wire.Gzip:
		return &lateGzip{from: r}
	case wire.Zstd, wire.DCZ:
		options := []zstd.DOption{zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(8 << 20)}
		if c == wire.DCZ {
			options = append(options, zstd.WithDecoderDictRaw(0, wire.Dictionary()))
		}
		d, err := zstd.NewReader(r, options...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(d.Close)
		return d
	}
	return r
}
