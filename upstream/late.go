package upstream

import "time"

// pace tells how long what was read last may have lain unread: while the process was
// held up the upstream went on sending, and so its last byte may have come long before it
// was read, and what was lost behind it too.
type pace struct {
	pause time.Duration // the longest between two reads
	least time.Duration // from the upstream's time stamp of a post to its reading
	last  time.Duration // of the last post
	any   bool          // there was one
}

// read notes how long after the one before it a read was.
func (p *pace) read(pause time.Duration) { p.pause = max(p.pause, pause) }

// late notes how long after its time stamp a post was read. The clocks may differ: only
// what is more than the least counts.
func (p *pace) late(by time.Duration) {
	if p.last = by; !p.any || by < p.least {
		p.least, p.any = by, true
	}
}

// behind is how long what was read last may have lain. A post that is old for another
// reason says no more than the reader's longest pause.
func (p *pace) behind() time.Duration { return min(p.last-p.least, p.pause) }

// heard is until when all that the upstream sent was read.
func (a *attempt) heard() time.Time { return a.lastByte.Add(-a.pace.behind()) }
