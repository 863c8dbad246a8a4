package upstream

import "time"

// Lateness tells how much later than others the last post of a stream was read: if the
// reader was held up, the post lay unread so long, and so did what the upstream sent
// behind it. The zero value is ready for use. Not safe for concurrent use.
type Lateness struct {
	least time.Duration // from the upstream's time stamp of a post to its reading
	last  time.Duration // of the last post
	known bool          // there was one
}

// notLive is so much between a post's time stamp and its reading that it says nothing of the
// reader: no clock is as wrong as that, so it is an archive that is played.
const notLive = 24 * time.Hour

// Note notes when a post was read that has that time stamp. The clocks may differ: only
// what is more than the least counts.
func (l *Lateness) Note(sent, read time.Time) {
	by := read.Sub(sent)
	if sent.IsZero() || by.Abs() > notLive {
		return
	}
	if l.last = by; !l.known || by < l.least {
		l.least, l.known = by, true
	}
}

// Last is how much later than the quickest the last post was read; not known: of no post
// it can be said.
func (l *Lateness) Last() (by time.Duration, known bool) { return l.last - l.least, l.known }

// pace tells how long what was read last may have lain unread.
type pace struct {
	late  Lateness
	pause time.Duration // the longest between two reads
}

// read notes how long after the one before it a read was.
func (p *pace) read(pause time.Duration) { p.pause = max(p.pause, pause) }

// behind is how long what was read last may have lain. A post that is old for another
// reason says no more than the reader's longest pause.
func (p *pace) behind() time.Duration {
	late, _ := p.late.Last()
	return min(late, p.pause)
}

// heard is until when all that the upstream sent was read.
func (a *attempt) heard() time.Time { return a.lastByte.Add(-a.pace.behind()) }
