package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"aviary/upstream"
)

// Note is what other processes with the same credentials should know. A request
// under way counts as spent. What our own count bounds is this process's alone.
func (b *Budget) Note(now time.Time) upstream.BudgetNote {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.roll(now)
	n := upstream.BudgetNote{Known: b.known, Limit: b.limit, Left: max(0, b.left-b.flying), Window: b.window, Reset: b.reset}
	if now.Before(b.blocked) {
		n.Blocked = b.blocked
	}
	return n
}

// Heed takes what another process has learnt: of a later window all of it, of the
// same one the lower remainder.
func (b *Budget) Heed(n upstream.BudgetNote, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if limit := now.Add(longestWindow); n.Blocked.After(b.blocked) && n.Blocked.Before(limit) {
		b.blocked = n.Blocked
	}
	switch {
	case !n.Known || n.Limit <= 0 || n.Left < 0 || n.Left > n.Limit || !n.Reset.After(now) || n.Reset.After(now.Add(longestWindow)):
		return // over, or nonsense
	case b.known && n.Window < b.window:
		return
	case b.known && n.Window == b.window:
		b.left = min(b.left, n.Left+b.flying)
	default:
		b.known, b.limit, b.left, b.window, b.reset = true, n.Limit, n.Left, n.Window, n.Reset
	}
	b.learntLocked()
}

// Digest stands for credentials where they must not be seen.
func Digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}
