package bus

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/minio/highwayhash"
)

// The server marks a message as deleted before it overwrites it. When the process is
// killed between the two, the words of a deleted post stay in the file, and the server
// does not touch what it holds for gone. So what is to be overwritten is noted
// before, and what was noted is overwritten here before the next start, in the way of
// the server's own eraseMsg. The record's own checksum says whether its form is the one that this
// code knows: a server of another version leaves nothing worse than the words.

// erasing notes which messages are about to be overwritten; none: all were.
func (e *embedded) erasing(seqs []uint64) error {
	path := filepath.Join(e.store(), "erasing")
	if len(seqs) == 0 {
		return os.Remove(path)
	}
	var text []byte
	for _, seq := range seqs {
		text = append(strconv.AppendUint(text, seq, 10), '\n')
	}
	return os.WriteFile(path, text, 0o600)
}

// scrub overwrites what was noted and not finished. The server must not run.
func (e *embedded) scrub() error {
	noted, err := os.ReadFile(filepath.Join(e.store(), "erasing"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	doomed := map[uint64]bool{}
	for line := range strings.Lines(string(noted)) {
		if seq, err := strconv.ParseUint(strings.TrimSpace(line), 10, 64); err == nil {
			doomed[seq] = true
		}
	}
	folders, err := filepath.Glob(filepath.Join(e.store(), "jetstream", "*", "streams", e.stream, "msgs"))
	for _, folder := range folders {
		blocks, _ := filepath.Glob(filepath.Join(folder, "*.blk"))
		for _, path := range blocks {
			err = errors.Join(err, scrubBlock(path, e.stream, doomed))
		}
	}
	return errors.Join(err, e.erasing(nil))
}

// The form of a record in a block: length and a bit for headers (4 bytes), sequence
// (8), time (8), length of the subject (2), then all that it holds, then a checksum (8).
const (
	recordHead  = 22
	recordSum   = 8
	withHeaders = 1 << 31 // in the length
	isErased    = 1 << 63 // in the sequence
)

// scrubBlock overwrites records of a block. Whatever it does not understand stays.
func scrubBlock(path, stream string, doomed map[uint64]bool) error {
	all, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	number, _, _ := strings.Cut(filepath.Base(path), ".")
	key := sha256.Sum256([]byte(stream + "-" + number))
	changed := false
	for rest := all; len(rest) >= recordHead+recordSum; {
		length := binary.LittleEndian.Uint32(rest)
		size := int(length &^ withHeaders)
		if size < recordHead+recordSum || size > len(rest) {
			break
		}
		record := rest[:size]
		rest = rest[size:]
		if !doomed[binary.LittleEndian.Uint64(record[4:])] {
			continue
		}
		if !bytes.Equal(recordSumOf(record, key[:], length&withHeaders != 0), record[size-recordSum:]) {
			return fmt.Errorf("a deleted post may be left in %s: the file is damaged or of another version", path)
		}
		erase(record, key[:])
		changed = true
	}
	if !changed {
		return nil
	}
	// What the server remembers of the blocks is no longer true: it reads them instead.
	if err := os.Remove(filepath.Join(filepath.Dir(path), "index.db")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return replaceFile(path, all)
}

// erase makes a record one that holds nothing.
func erase(record, key []byte) {
	binary.LittleEndian.PutUint32(record, uint32(len(record)))
	binary.LittleEndian.PutUint64(record[4:], binary.LittleEndian.Uint64(record[4:])|isErased)
	clear(record[12:recordHead])
	_, _ = rand.Read(record[recordHead : len(record)-recordSum]) // it never fails
	copy(record[len(record)-recordSum:], recordSumOf(record, key, false))
}

// recordSumOf is the checksum of a record. It leaves out the lengths.
func recordSumOf(record, key []byte, headers bool) []byte {
	h, err := highwayhash.NewDigest64(key)
	if err != nil {
		return nil
	}
	data := record[recordHead : len(record)-recordSum]
	subject := min(int(binary.LittleEndian.Uint16(record[20:])), len(data))
	_, _ = h.Write(record[4:20])
	_, _ = h.Write(data[:subject])
	if data = data[subject:]; headers {
		data = data[min(4, len(data)):]
	}
	_, _ = h.Write(data)
	return h.Sum(nil)
}

// replaceFile puts a file in the place of another at once. What a crash leaves behind,
// sweep removes.
func replaceFile(path string, content []byte) error {
	f, err := os.OpenFile(path+".tmp", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}
