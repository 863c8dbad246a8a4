package x

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"aviary/upstream"
)

// Spend counts the posts that were read in a month of UTC, by stream, search and
// look-up, and says when the budget for them is used up. As the provider counts,
// a post that comes again on the same day of UTC costs nothing.
//
// With a file the count outlives the process; it is written every few seconds, so
// a process that dies may forget that much. Without one a restart begins at 0.
// Safe for concurrent use.
type Spend struct {
	limit int    // 0: none
	path  string // "": memory only

	mu    sync.Mutex
	month string // "2026-01"
	used  int
	day   string
	seen  map[string]struct{} // ids read on the day; at most maxSeen
	saved time.Time
	dirty bool
}

const (
	saveEvery = 5 * time.Second
	maxSeen   = 500_000 // beyond it a repeated post counts again
)

// NewSpend reads the count of the month from the file, if there is one. limit is
// the budget of posts a month, 0 for none.
func NewSpend(limit int, path string) (*Spend, error) {
	s := &Spend{limit: limit, path: path, seen: map[string]struct{}{}}
	if path == "" {
		return s, nil
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	var saved spendFile
	if err == nil {
		err = json.Unmarshal(raw, &saved)
	}
	if err != nil {
		return nil, fmt.Errorf("the count of posts read this month cannot be taken from %s: %w; remove the file to begin at 0", path, err)
	}
	s.month, s.used = saved.Month, saved.Used
	return s, nil
}

type spendFile struct {
	Month string `json:"month"`
	Used  int    `json:"used"`
}

// Read counts a post.
func (s *Spend) Read(id string) {
	now := time.Now().UTC()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rollLocked(now)
	if _, again := s.seen[id]; again {
		return
	}
	if len(s.seen) < maxSeen {
		s.seen[string([]byte(id))] = struct{}{}
	}
	s.used++
	s.dirty = true
	if now.Sub(s.saved) >= saveEvery {
		_ = s.saveLocked(now) // tried again with the next post; Save tells
	}
}

// rollLocked begins a new day and a new month.
func (s *Spend) rollLocked(now time.Time) {
	if day := now.Format(time.DateOnly); s.day != day {
		s.day = day
		clear(s.seen)
	}
	if month := now.Format("2006-01"); s.month != month {
		s.month, s.used, s.dirty = month, 0, true
	}
}

// Left is how many posts may still be read this month, and Used how many were.
// Without a budget ok is false.
func (s *Spend) Left() (left int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rollLocked(time.Now().UTC())
	return max(0, s.limit-s.used), s.limit > 0
}

// Used is how many posts were read this month.
func (s *Spend) Used() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rollLocked(time.Now().UTC())
	return s.used
}

// Count is how many posts were read in which month ("2026-01").
func (s *Spend) Count() (month string, used int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rollLocked(time.Now().UTC())
	return s.month, s.used
}

// Heed takes a count that was kept elsewhere: of this month, the higher one counts.
func (s *Spend) Heed(month string, used int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rollLocked(time.Now().UTC())
	if month == s.month && used > s.used {
		s.used, s.dirty = used, true
	}
}

// Save writes the count, if there is a file and something to write.
func (s *Spend) Save() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.saveLocked(time.Now())
}

// saveLocked writes beside the file and renames: a reader finds the old count or
// the new one.
func (s *Spend) saveLocked(now time.Time) error {
	if s.path == "" || !s.dirty {
		return nil
	}
	s.saved = now
	raw, err := json.Marshal(spendFile{s.month, s.used})
	if err != nil {
		return err
	}
	beside := filepath.Join(filepath.Dir(s.path), "."+filepath.Base(s.path)+".new")
	if err = os.WriteFile(beside, append(raw, '\n'), 0o600); err == nil {
		err = os.Rename(beside, s.path)
	}
	if err != nil {
		return fmt.Errorf("the count of posts read this month cannot be kept: %w", err)
	}
	s.dirty = false
	return nil
}

// room is nil while a request for n posts fits into what is left of the budget.
func (s *Spend) room(n int) error {
	if left, limited := s.Left(); limited && left < n {
		if err := s.over(); err != nil {
			return err
		}
		return &upstream.Error{Class: upstream.RateLimit, NotBefore: nextMonth(time.Now()),
			Err: fmt.Errorf("of the budget of %d posts a month %d are left, too few for a page", s.limit, left), Hint: "a larger AVIARY_X_POST_BUDGET (after a restart) goes on at once"}
	}
	return nil
}

// over is the error while the budget is spent, nil while it is not.
func (s *Spend) over() error {
	if left, limited := s.Left(); !limited || left > 0 {
		return nil
	}
	end := nextMonth(time.Now())
	return &upstream.Error{Class: upstream.RateLimit, NotBefore: end, Clean: true,
		Err:  fmt.Errorf("the budget of %d posts a month is spent", s.limit),
		Hint: "reading goes on at " + end.Format(time.RFC3339) + "; a larger AVIARY_X_POST_BUDGET (after a restart) goes on at once"}
}
