package config

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/coordhq/coord/pkg/coord"
)

// readOwn reads a small file that only this user may have written. It does not
// follow a symlink and reads at most limit bytes. A missing file is
// fs.ErrNotExist.
func readOwn(name string, limit int64) ([]byte, error) {
	f, err := openNoFollow(name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return nil, &coord.Error{Code: coord.Forbidden, What: "cannot read " + name + " (" + reason(err) + ")", Next: "remove it; it is made again", Err: err}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || !ownedByUs(info) {
		return nil, coord.Errorf(coord.Forbidden, "remove it; it is made again", "%s is not a regular file of your own", name)
	}
	raw, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) > limit {
		return nil, coord.Errorf(coord.TooLarge, "remove it; it is made again", "%s is over %d bytes", name, limit)
	}
	return raw, nil
}

// WriteOwn replaces a file in one step, mode 0600: a reader sees the old or the
// new content, never a part.
func WriteOwn(name string, content []byte) error {
	temp, err := writeTemp(name, content)
	if err != nil {
		return err
	}
	if err := os.Rename(temp, name); err != nil {
		_ = os.Remove(temp)
		return cannotWrite(name, err)
	}
	return nil
}

// createOwn is like WriteOwn but leaves a file that exists as it is and
// reports fs.ErrExist.
func createOwn(name string, content []byte) error {
	temp, err := writeTemp(name, content)
	if err != nil {
		return err
	}
	defer os.Remove(temp)
	err = os.Link(temp, name)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	// A file system without hard links: the last of two writers wins.
	if err := os.Rename(temp, name); err != nil {
		return cannotWrite(name, err)
	}
	return nil
}

// writeTemp puts content into a new file beside name; os.CreateTemp makes it
// 0600 and follows nothing.
func writeTemp(name string, content []byte) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return "", cannotWrite(name, err)
	}
	_, err = f.Write(content)
	if err := errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(f.Name())
		return "", cannotWrite(name, err)
	}
	return f.Name(), nil
}

func cannotWrite(name string, err error) error {
	return &coord.Error{Code: coord.Unavailable, What: "cannot write " + name + " (" + reason(err) + ")",
		Next: "check the disk and the rights of " + filepath.Dir(name), Err: err}
}
