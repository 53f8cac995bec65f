//go:build unix

package sqlite_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/sqlite"
)

func TestFilesAreReadableByTheirOwnerAlone(t *testing.T) {
	for _, umask := range []int{0, 0o777} {
		dir := t.TempDir()
		old := syscall.Umask(umask)
		s := open(t, filepath.Join(dir, "a.db"))
		store(t, s, announce(1))
		seqs(t, s, "")
		syscall.Umask(old)
		equal(t, "modes", modes(t, dir), map[string]fs.FileMode{"a.db": 0o600, "a.db-wal": 0o600, "a.db-shm": 0o600})
	}
}

func TestLooseModesAreRepaired(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "a.db")
	s := open(t, name)
	store(t, s, announce(1))
	// A copy taken while the store is open has its log beside it.
	other := t.TempDir()
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(name + suffix)
		if err != nil {
			t.Fatal(err)
		}
		copied := filepath.Join(other, "a.db"+suffix)
		if err := os.WriteFile(copied, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(copied, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	s = open(t, filepath.Join(other, "a.db"))
	equal(t, "modes", modes(t, other), map[string]fs.FileMode{"a.db": 0o600, "a.db-wal": 0o600, "a.db-shm": 0o600})
	equal(t, "events", seqs(t, s, ""), []coord.Seq{1, 2})
}

func TestEveryPathNamesItsFile(t *testing.T) {
	for _, name := range []string{"with space", "a?mode=memory", "50%41", "a#b", "ä&ö=ü+x", ":memory:", "file:x?y", "'quoted\""} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), name)
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, name)
			s := open(t, file)
			store(t, s, announce(1))
			equal(t, "events", seqs(t, s, ""), []coord.Seq{1, 2})
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			equal(t, "files", modes(t, dir), map[string]fs.FileMode{name: 0o600})
			equal(t, "events", seqs(t, open(t, file), ""), []coord.Seq{1, 2})
		})
	}
}

func TestRelativePathIsMeantFromHere(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	store(t, open(t, "a.db"), announce(1))
	if _, err := os.Stat(filepath.Join(dir, "a.db")); err != nil {
		t.Error(err)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	link, text := filepath.Join(dir, "link"), filepath.Join(dir, "text")
	if err := os.Symlink(filepath.Join(dir, "elsewhere"), link); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(text, []byte(strings.Repeat("this is no database\n", 400)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name    string
		options sqlite.Options
		code    coord.Code
		words   string
	}{
		{"no path", sqlite.Options{}, coord.Invalid, "Options.Path"},
		{"a path with NUL", sqlite.Options{Path: "a\x00b"}, coord.Invalid, "Options.Path"},
		{"an unknown durability", sqlite.Options{Path: "x", Durability: "off"}, coord.Invalid, "full or normal"},
		{"a missing directory", sqlite.Options{Path: filepath.Join(dir, "none", "a.db")}, coord.Storage, "coord home exists"},
		{"a directory", sqlite.Options{Path: dir}, coord.Invalid, "not a regular file"},
		{"a symbolic link", sqlite.Options{Path: link}, coord.Invalid, "not a regular file"},
		{"another file", sqlite.Options{Path: text}, coord.Internal, "damaged; run coord-hub restore"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := sqlite.Open(t.Context(), test.options)
			if err == nil {
				t.Fatal("it opened", s.Close())
			}
			wantCode(t, err, test.code)
			if !strings.Contains(err.Error(), test.words) {
				t.Errorf("error %q does not say %q", err, test.words)
			}
		})
	}
}

func modes(t *testing.T, dir string) map[string]fs.FileMode {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]fs.FileMode{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = info.Mode()
	}
	return out
}
