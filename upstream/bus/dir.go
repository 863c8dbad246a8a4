package bus

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// CheckDir says why this process cannot use a path as DATA_DIR, as far as can be known
// without writing anything: it is a file, or it, or something in it, cannot be written,
// or there is nothing where it could be made. The words say what to do.
func CheckDir(path string) error {
	info, err := os.Lstat(path)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		if info, err = os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is a link to nothing; create what it points to, or mount the volume", path)
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		parent := filepath.Dir(path)
		if info, err := os.Stat(parent); err != nil || !info.IsDir() {
			return fmt.Errorf("neither %s nor the folder above it is there; create it, or mount the volume", path)
		}
		if err := writable(parent); err != nil {
			return fmt.Errorf("%s is not there and cannot be made (%w); create it and give it to this user, or mount the volume writable", path, err)
		}
		return nil
	case err != nil:
		return fmt.Errorf("the folder cannot be looked at (%w); let this user read and write it", err)
	case !info.IsDir():
		return fmt.Errorf("%s is a file; name a folder", path)
	}
	if err := mine(path); err != nil {
		return err
	}
	for _, part := range []string{"lock", "place", "stream", "running", "store"} { // a volume has lost+found too
		if err := filepath.WalkDir(filepath.Join(path, part), func(one string, entry fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist): // it was not there, or has just been removed
				return nil
			case err != nil || entry.IsDir() || entry.Type().IsRegular():
				return mine(one)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// mine says why this process may not write a part of the folder.
func mine(path string) error {
	if err := writable(path); err != nil {
		return fmt.Errorf("%s cannot be written (%w); give the folder and all in it to this user (chown -R), or mount the volume writable", path, err)
	}
	return nil
}
