//go:build !linux && unix

package bus

func placeOf(path string) string { return inode(path) }

func bootOf() string { return "" }
