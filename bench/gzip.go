package main

import (
	"fmt"
	"time"

	"aviary/loadgen"
)

// compressedOnce measures 1,000 clients at 100 posts/s that ask for an encoding.
// Inflating all their streams would cost more than serving them, so ten are read in
// full and the others only counted: all get the same bytes, and a stream whose
// bytes are fewer than those of the ten has lost something.
func (b *bench) compressedOnce(p *peer, encoding string, decoded int) error {
	const rate = 100
	s, err := p.start(b, p)
	if err != nil {
		return err
	}
	defer s.stop()
	request := func(int) []byte { return s.request(everybody, "Accept-Encoding: "+encoding+"\r\n") }
	full, err := join(s, decoded, request, func(c *loadgen.Config) { c.Decode = func(int) bool { return true } })
	if err != nil {
		return err
	}
	defer full.leave()
	others, err := join(s, broadcastClients-decoded, request)
	if err != nil {
		return err
	}
	defer others.leave()
	if asked, got := encoding == "gzip", full.fleet.Streams()[0].Encoding; asked != (got == "gzip") {
		return fmt.Errorf("asked for %s, the answer is in %q", encoding, got)
	}
	in := &session{server: s, crowd: full, size: payload, each: decoded}
	if err := in.warm(toEverybody); err != nil {
		return err
	}
	bytesFull, bytesOthers := full.bytes(), others.bytes()
	w, err := in.pace(rate, b.window, toEverybody)
	if err != nil {
		return err
	}
	time.Sleep(300 * time.Millisecond) // the others' last bytes
	each := float64(full.bytes()-bytesFull) / float64(w.got)
	rest := float64(others.bytes()-bytesOthers) / each
	w.lost += max(int64(broadcastClients-decoded)*w.sent-int64(rest+0.5), 0)
	w.cpu *= float64(w.got) / (float64(w.got) + rest)
	w.perSecond *= (float64(w.got) + rest) / float64(w.got)
	what := "encoding " + encoding
	b.keep(what, p, w)
	b.found.add(what, "bytes", p.name, each)
	return nil
}
