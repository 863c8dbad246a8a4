package fanout

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
)

// Cursor is a place in the stream: the id of an SSE event. Its text form is
// opaque to clients: six base-36 digits of epoch that begin with a letter, "-",
// the sequence in decimal: "k3f9a1-4711".
type Cursor struct {
	Epoch uint32 // one life of the log; random unless the log is durable
	Seq   uint64 // the publisher's number; grows, may have holes
}

const (
	epochDigits = 6
	epochMin    = 604661760  // "a00000": the first of six digits is a letter
	epochMax    = 2176782335 // "zzzzzz"
	endMark     = ".end"
)

// ErrCursor says that a text is no cursor. Whoever brought it starts live.
var ErrCursor = errors.New("not a cursor: want six base-36 digits that begin with a letter, a dash and a decimal number, like k3f9a1-4711")

// String returns the text form.
func (c Cursor) String() string { return string(c.append(make([]byte, 0, 32))) }

// End returns the text form that tells a client not to come back: String
// followed by ".end".
func (c Cursor) End() string { return string(append(c.append(make([]byte, 0, 32)), endMark...)) }

// Append appends the text form to dst.
func (c Cursor) Append(dst []byte) []byte { return c.append(dst) }

func (c Cursor) append(dst []byte) []byte {
	var epoch [epochDigits]byte
	for i, n := epochDigits-1, c.Epoch; i >= 0; i-- {
		epoch[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[n%36]
		n /= 36
	}
	dst = append(dst, epoch[:]...)
	dst = append(dst, '-')
	return strconv.AppendUint(dst, c.Seq, 10)
}

// ParseCursor reads the text form; end says that it ended in ".end". Only the
// canonical form is a cursor: lower case, no leading zeros, nothing around it.
// The error is ErrCursor.
func ParseCursor(s string) (c Cursor, end bool, err error) {
	s, end = strings.CutSuffix(s, endMark)
	epoch, seq, ok := strings.Cut(s, "-")
	if !ok || len(epoch) != epochDigits || epoch[0] < 'a' || epoch[0] > 'z' {
		return Cursor{}, false, ErrCursor
	}
	for _, b := range []byte(epoch) {
		switch {
		case b >= '0' && b <= '9':
			c.Epoch = c.Epoch*36 + uint32(b-'0')
		case b >= 'a' && b <= 'z':
			c.Epoch = c.Epoch*36 + uint32(b-'a') + 10
		default:
			return Cursor{}, false, ErrCursor
		}
	}
	if !canonicalDecimal(seq) {
		return Cursor{}, false, ErrCursor
	}
	if c.Seq, err = strconv.ParseUint(seq, 10, 64); err != nil {
		return Cursor{}, false, ErrCursor
	}
	return c, end, nil
}

// canonicalDecimal keeps out what ParseUint lets in: signs and leading zeros.
func canonicalDecimal(s string) bool {
	return s != "" && s[0] >= '0' && s[0] <= '9' && (s[0] != '0' || s == "0")
}

// newEpoch draws an epoch; a given one that has no text form is folded into
// those that have.
func newEpoch(given uint32) uint32 {
	switch {
	case given == 0:
		return epochMin + rand.Uint32N(epochMax-epochMin+1)
	case given < epochMin || given > epochMax:
		return epochMin + given%(epochMax-epochMin+1)
	}
	return given
}
