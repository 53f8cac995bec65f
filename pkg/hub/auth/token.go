// Package auth holds what the hub's doors judge a stranger by: the per-user
// token of the TCP doors, comparison in constant time, and the limit on
// failures per address.
//
// On the unix socket the credential is the peer's uid, which needs none of
// this. A session key is the hub's own business, since only it knows who holds
// one.
package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
)

// tokenBytes is the entropy of a token; its text is base64url without padding.
const tokenBytes = 32

// LoadToken reads the token of the home's TCP doors, or makes it: 32 random
// bytes as base64url in a file of mode 0600. Of several processes that make it
// at once all get the same. The home must be prepared.
//
// It refuses (coord.Forbidden) a file that is a symbolic link, belongs to
// somebody else, or is readable by others: such a token may be known.
func LoadToken(home config.Home) (token string, err error) {
	name := home.TokenFile()
	token, err = readToken(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return token, err
	}
	if err := makeToken(name); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", &coord.Error{Code: coord.Unavailable, What: "cannot write " + name,
			Next: "check the disk and the rights of " + filepath.Dir(name), Err: err}
	}
	return readToken(name)
}

// readToken gives fs.ErrNotExist when there is none.
func readToken(name string) (string, error) {
	const renew = "remove it; a new one is made at the next start"
	// O_NONBLOCK: a planted FIFO must not hang the start.
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0) // #nosec G304 -- a fixed name below the home
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", err
	case errors.Is(err, syscall.ELOOP):
		return "", coord.Errorf(coord.Forbidden, renew, "%s is a symbolic link", name)
	case err != nil:
		return "", &coord.Error{Code: coord.Forbidden, What: "cannot read " + name, Next: renew, Err: err}
	}
	defer f.Close()
	if err := checkOwn(f); err != nil {
		return "", err
	}
	raw, err := io.ReadAll(io.LimitReader(f, 256))
	if err != nil {
		return "", &coord.Error{Code: coord.Unavailable, What: "cannot read " + name, Next: "check the disk", Err: err}
	}
	token := strings.TrimSpace(string(raw))
	if b, err := base64.RawURLEncoding.DecodeString(token); err != nil || len(b) != tokenBytes {
		return "", coord.Errorf(coord.Invalid, renew, "%s does not hold a token", name)
	}
	return token, nil
}

// checkOwn refuses a file that others may have written or read.
func checkOwn(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.Mode().IsRegular():
		return coord.Errorf(coord.Forbidden, "move it away", "%s is not a regular file", f.Name())
	case !ok || int(st.Uid) != os.Geteuid():
		return coord.Errorf(coord.Forbidden, "remove it; a new one is made at the next start", "%s belongs to another user", f.Name())
	case info.Mode().Perm()&0o077 != 0:
		return coord.Errorf(coord.Forbidden, "remove it, since others may know it by now; a new one is made at the next start",
			"%s is open to other users (mode %04o)", f.Name(), info.Mode().Perm())
	}
	return nil
}

// makeToken puts a new token under its name in one step; fs.ErrExist when
// another process was first. The temporary file is made O_EXCL and 0600.
func makeToken(name string) error {
	secret := make([]byte, tokenBytes)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".token-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(base64.RawURLEncoding.EncodeToString(secret) + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), name); err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.Rename(f.Name(), name) // a file system without hard links
}

// Equal compares a secret that somebody gave with the real one, in a time that
// tells nothing about either. An empty secret equals nothing.
func Equal(given, secret string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(secret))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && secret != ""
}
