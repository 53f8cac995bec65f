package config

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/coordhq/coord/pkg/coord"
)

// stopMark is what coord-hub stop leaves in a home: until it is gone, sessions
// that were there before start no hub of their own accord.
type stopMark struct {
	At coord.Millis `json:"stopped_at"`
}

func (h Home) stopMark() string { return filepath.Join(h.dir, "stopped.json") }

// MarkStopped notes that the user has stopped the hub of a prepared home. Who
// holds the start lock writes it.
func MarkStopped(h Home, at coord.Millis) error {
	raw, err := json.Marshal(stopMark{at})
	if err != nil {
		return err
	}
	return WriteOwn(h.stopMark(), append(raw, '\n'))
}

// StoppedByHand tells whether the user has stopped the hub, and when; 0 when
// that cannot be read.
func StoppedByHand(h Home) (at coord.Millis, stopped bool) {
	raw, err := readOwn(h.stopMark(), 4096)
	if err != nil {
		return 0, false
	}
	var m stopMark
	if json.Unmarshal(raw, &m) != nil {
		return 0, true
	}
	return m.At, true
}

// ClearStopped lets sessions start hubs again: the user has started one, or a
// new session.
func ClearStopped(h Home) error {
	if err := os.Remove(h.stopMark()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &coord.Error{Code: coord.Unavailable, What: "cannot remove " + h.stopMark(), Next: "check the rights of its directory", Err: err}
	}
	return nil
}
