package bus

import (
	"strconv"

	"golang.org/x/sys/unix"
)

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
