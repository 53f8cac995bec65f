package setup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
)

// written is what we did to one file.
type written struct {
	Path   string      `json:"path"`          // real path
	Place  string      `json:"place"`         // the directory it was done for, "" = the user's own configuration
	Client Client      `json:"client"`        // whose file it is
	Kind   kind        `json:"kind"`          // which part of ours is in it
	Made   bool        `json:"made"`          // there was no such file before
	Old    []byte      `json:"old,omitempty"` // its content before us
	Sum    string      `json:"sum"`           // of the content we wrote
	Dirs   []string    `json:"dirs,omitempty"`
	Mode   fs.FileMode `json:"mode"`
}

func sum(text []byte) string {
	s := sha256.Sum256(text)
	return hex.EncodeToString(s[:])
}

// record is setup.json in the coord home: what init wrote, and what was there
// before. It holds copies of the user's files and is therefore theirs alone.
type record struct {
	Version int       `json:"version"`
	Files   []written `json:"files"`

	name string
	lock *flock.Flock
}

// openRecord reads the record and locks it until close. The home must be
// prepared.
func openRecord(ctx context.Context, home config.Home) (*record, error) {
	r := &record{Version: 1, name: filepath.Join(home.Dir(), "setup.json")}
	r.lock = flock.New(r.name+".lock", flock.SetPermissions(0o600))
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := r.lock.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return nil, coord.Errorf(coord.Unavailable, "wait until it is done", "another coord-hub init or uninstall is at work: %v", err)
	}
	raw, err := os.ReadFile(r.name)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, r)
	}
	if err == nil && r.Version != 1 {
		err = errors.New("it is of a newer version of coord")
	}
	if err != nil {
		r.close()
		return nil, &coord.Error{Code: coord.Invalid, What: "cannot read " + r.name + " (" + err.Error() + ")", Next: "move it away; uninstall then removes only our own entries", Err: err}
	}
	return r, nil
}

func (r *record) close() { _ = r.lock.Close() }

func (r *record) find(path string) *written {
	i := slices.IndexFunc(r.Files, func(w written) bool { return w.Path == path })
	if i < 0 {
		return nil
	}
	w := r.Files[i] // a copy: the list moves when something is forgotten
	return &w
}

func (r *record) put(w written) {
	r.forget(w.Path)
	r.Files = append(r.Files, w)
}

func (r *record) forget(path string) {
	r.Files = slices.DeleteFunc(r.Files, func(w written) bool { return w.Path == path })
}

func (r *record) save() error {
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	f := file{name: r.name, real: r.name, mode: 0o600}
	return f.write(append(raw, '\n'))
}
