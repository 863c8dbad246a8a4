package loadgen

import (
	"errors"
	"fmt"
	"syscall"
)

// explain adds to an error of dialling what an operator can do about it.
func explain(err error) error {
	switch {
	case errors.Is(err, syscall.EMFILE):
		return fmt.Errorf("%w; raise the limit of open files (ulimit -n) or open fewer streams", err)
	case errors.Is(err, syscall.ENFILE):
		return fmt.Errorf("%w; raise fs.file-max or open fewer streams", err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%w; the local ports are used up: widen net.ipv4.ip_local_port_range, or measure from several addresses", err)
	}
	return err
}
