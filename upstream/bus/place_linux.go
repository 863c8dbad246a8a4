package bus

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// bootOf names this life of the machine; "": it cannot be known.
func bootOf() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}

// placeOf names where a file is: its inode, and its birth where the file system
// knows it, since a file restored over a removed one may get the same inode.
// Neither changes with the machine's restart, a remount, chown or chmod.
func placeOf(path string) string {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_BTIME, &st); err != nil || st.Mask&unix.STATX_BTIME == 0 {
		return inode(path)
	}
	return inode(path) + " " + strconv.FormatInt(st.Btime.Sec, 10) + "." + strconv.FormatUint(uint64(st.Btime.Nsec), 10)
}
