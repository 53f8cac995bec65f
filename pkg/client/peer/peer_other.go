//go:build !linux && !darwin

package peer

import "fmt"

func uidOf(int) (int, error) {
	return -1, fmt.Errorf("%w: this platform has no call for it", ErrUnknown)
}

func pidOf(int) (int, error) {
	return -1, fmt.Errorf("%w: this platform has no call for it", ErrUnknown)
}
