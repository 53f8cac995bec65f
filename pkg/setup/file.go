package setup

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

// maxFile is the largest file that is edited, in bytes.
const maxFile = 64 << 20

// file is a file of the user as it is on disk.
type file struct {
	name string      // as the user would call it
	real string      // what is written: name, with symbolic links followed
	mode fs.FileMode // permissions; of a missing file, those it gets
	text []byte      // nil when the file is not there
	dirs []string    // directories that have to be made for it, the outermost first
}

// openFile reads a file below top, or anywhere when top is "". A link that
// leads out of top is refused: what lies there belongs to somebody else.
func openFile(top, name string) (file, error) {
	f := file{name: name, mode: 0o644}
	real, dirs, err := follow(name)
	if err != nil {
		return f, err
	}
	f.real, f.dirs = real, dirs
	if top != "" && !inside(top, f.real) {
		return f, coord.Errorf(coord.Forbidden, "edit that file yourself, or replace the link", "%s is a symbolic link that leads out of %s, to %s", name, top, f.real)
	}
	info, err := os.Stat(f.real)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f, nil
	case err != nil:
		return f, cannot("read", name, err)
	case !info.Mode().IsRegular():
		return f, coord.Errorf(coord.Invalid, "move it away", "%s is not a regular file", name)
	case info.Size() > maxFile:
		return f, coord.Errorf(coord.TooLarge, "edit it yourself", "%s is over %d bytes", name, maxFile)
	}
	f.mode = info.Mode().Perm()
	f.text, err = os.ReadFile(f.real) // #nosec G304 -- the file that the user asked to edit
	if err != nil {
		return f, cannot("read", name, err)
	}
	if f.text == nil {
		f.text = []byte{}
	}
	return f, nil
}

// linked reports whether the file is reached through a symbolic link of its own.
func (f *file) linked() bool {
	info, err := os.Lstat(f.name)
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}

// follow resolves the links of a path whose end may not exist, and lists the
// directories that are missing.
func follow(name string) (real string, missing []string, err error) {
	if info, err := os.Lstat(name); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		if real, err = filepath.EvalSymlinks(name); err != nil {
			return "", nil, coord.Errorf(coord.Invalid, "remove it", "%s is a symbolic link that leads nowhere", name)
		}
		return real, nil, nil
	}
	dir := filepath.Dir(name)
	if real, err = filepath.EvalSymlinks(dir); err == nil {
		return filepath.Join(real, filepath.Base(name)), nil, nil
	}
	if !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
		return "", nil, cannot("reach", name, err)
	}
	if _, err := os.Lstat(dir); err == nil {
		return "", nil, coord.Errorf(coord.Invalid, "remove it", "%s is a symbolic link that leads nowhere", dir)
	}
	real, missing, err = follow(dir)
	if err != nil {
		return "", nil, err
	}
	return filepath.Join(real, filepath.Base(name)), append(missing, real), nil
}

func inside(top, name string) bool {
	rel, err := filepath.Rel(top, name)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// write replaces the content in one step: a reader sees the old or the new one.
// Nil text removes the file.
func (f *file) write(text []byte) error {
	if text == nil {
		if err := os.Remove(f.real); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return cannot("remove", f.name, err)
		}
		return nil
	}
	for _, dir := range f.dirs {
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) { // #nosec G301 -- a directory of the user's repository
			return cannot("make", dir, err)
		}
	}
	temp, err := os.CreateTemp(filepath.Dir(f.real), "."+filepath.Base(f.real)+"-*")
	if err != nil {
		return cannot("write", f.name, err)
	}
	_, err = temp.Write(text)
	err = errors.Join(err, temp.Chmod(f.mode), temp.Sync(), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), f.real)
	}
	if err != nil {
		_ = os.Remove(temp.Name())
		return cannot("write", f.name, err)
	}
	return nil
}

// unchanged reports whether the file on disk is still what was read.
func (f *file) unchanged() bool {
	now, err := os.ReadFile(f.real) // #nosec G304 -- as in openFile
	if errors.Is(err, fs.ErrNotExist) {
		return f.text == nil
	}
	return err == nil && f.text != nil && bytes.Equal(now, f.text)
}

func cannot(what, name string, err error) error {
	cause := err
	var p *fs.PathError
	if errors.As(err, &p) {
		cause = p.Err
	}
	return &coord.Error{Code: coord.Unavailable, What: "cannot " + what + " " + name + " (" + cause.Error() + ")", Next: "check its rights and the disk", Err: err}
}
