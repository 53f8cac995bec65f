package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest/asroot"
)

func TestPrepareMakesPrivateDirectories(t *testing.T) {
	base := filepath.Join(realTemp(t), "a", "b")
	h := find(t, env("COORDINATOR_HOME", base), filepath.Join(realTemp(t), "data"))
	for range 2 { // the second time all is there
		if err := h.Prepare(); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{h.Dir(), h.DataDir(), h.RunDir(), filepath.Dir(h.LogFile())} {
		info, err := os.Stat(dir)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o700 {
			t.Errorf("%s has mode %04o, want 0700", dir, mode)
		}
	}
}

func TestPrepareRefusesWhatIsNotOursAlone(t *testing.T) {
	for name, tc := range map[string]struct {
		plant func(t *testing.T, dir string) error
		words string
	}{
		"symlink": {func(t *testing.T, dir string) error { return os.Symlink(t.TempDir(), dir) }, "symbolic link; remove it"},
		"dangling symlink": {func(t *testing.T, dir string) error {
			return os.Symlink(filepath.Join(t.TempDir(), "gone"), dir)
		}, "symbolic link; remove it"},
		"file": {func(_ *testing.T, dir string) error { return os.WriteFile(dir, nil, 0o600) }, "not a directory"},
		"writable by all": {func(_ *testing.T, dir string) error {
			return errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, 0o777)) // #nosec G302 -- that is the point
		}, "run: chmod 700 "},
		"foreign": {func(t *testing.T, dir string) error {
			if err := os.Mkdir(dir, 0o700); err != nil {
				return err
			}
			return os.Chown(dir, 65534, -1)
		}, "another user"},
	} {
		for _, sub := range []string{"", "data", "run", "logs"} {
			t.Run(name+" "+sub, func(t *testing.T) {
				if name == "foreign" && !asroot.Test(t) {
					return
				}
				base := filepath.Join(realTemp(t), "it's mine")
				if sub != "" {
					if err := os.Mkdir(base, 0o700); err != nil {
						t.Fatal(err)
					}
				}
				dir := filepath.Join(base, sub)
				if err := tc.plant(t, dir); err != nil {
					t.Fatal(err)
				}
				err := find(t, env("COORDINATOR_HOME", base), "").Prepare()
				if coord.CodeOf(err) != coord.Forbidden || !strings.Contains(err.Error(), tc.words) || !strings.Contains(err.Error(), dir) {
					t.Errorf("error %v, want code %q naming %s and saying %q", err, coord.Forbidden, dir, tc.words)
				}
			})
		}
	}
}

func TestPrepareQuotesItsFix(t *testing.T) {
	dir := filepath.Join(realTemp(t), "it's mine")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, 0o777)); err != nil { // #nosec G302 -- that is the point
		t.Fatal(err)
	}
	err := find(t, env("COORDINATOR_HOME", dir), "").Prepare()
	if want := `it'\''s mine'`; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("error %v, want it to end in %s", err, want)
	}
}

func TestPrepareClosesWhatIsOursToOthers(t *testing.T) {
	for _, sub := range []string{"", "data", "run", "logs"} {
		base := realTemp(t)
		dir := filepath.Join(base, "home", sub)
		for _, d := range []string{filepath.Join(base, "home"), dir} {
			if err := os.MkdirAll(d, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chmod(dir, 0o755); err != nil { // #nosec G302 -- that is the point
			t.Fatal(err)
		}
		h := find(t, env("COORDINATOR_HOME", filepath.Join(base, "home")), "")
		for range 2 { // the second time there is nothing to say
			if err := h.Prepare(); err != nil {
				t.Fatal(err)
			}
		}
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%q: %v %v", sub, info.Mode(), err)
		}
		raw, err := os.ReadFile(h.LogFile())
		if err != nil || strings.Count(string(raw), dir+" was open to other users (mode 0755)") != 1 {
			t.Errorf("%q: the log says %q, %v", sub, raw, err)
		}
	}
}
