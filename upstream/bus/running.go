package bus

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// What the server acknowledges is in the kernel's hands, which writes it to the disk
// some time later: the end of a process takes nothing along, that of the machine does.
// The sequences that are lost with it are given out again, and clients may have cursors
// with them. So the file "running" says in which life of the machine a process uses the
// directory, and is there until that one has ended in order and all is on the disk.

// syncing is how long the end of a process waits for the disk.
const syncing = 2 * time.Second

// inUse is the path of the note.
func (e *embedded) inUse() string { return filepath.Join(e.dir, "running") }

// wentDown says that the last process ended with its machine.
func (e *embedded) wentDown() bool {
	wrote, err := os.ReadFile(e.inUse())
	was, is := strings.TrimSpace(string(wrote)), bootOf()
	return err == nil && is != "" && was != is
}

// awake notes that a process uses the directory, before anybody gets a cursor.
func (e *embedded) awake() error {
	is := bootOf()
	if wrote, err := os.ReadFile(e.inUse()); is == "" || err == nil && strings.TrimSpace(string(wrote)) == is {
		return nil
	}
	if err := replaceFile(e.inUse(), []byte(is+"\n")); err != nil {
		return err
	}
	return syncFile(e.dir)
}

// rest brings the store to the disk and notes that no process uses it any more. A disk
// that takes too long leaves the note: if the machine goes
// down as well, the next start begins another epoch.
func (e *embedded) rest() {
	if _, err := os.Stat(e.inUse()); err != nil || e.outage { // who comes next has to know
		return
	}
	done := make(chan error, 1)
	go func() {
		done <- filepath.WalkDir(e.store(), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return syncFile(path)
		})
	}()
	select {
	case err := <-done:
		if err == nil {
			_ = os.Remove(e.inUse())
		}
	case <-time.After(syncing):
	}
}

// syncFile brings a file or a folder to the disk.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
