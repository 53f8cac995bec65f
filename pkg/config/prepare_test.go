package config_test

import (
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
		"readable by the group": {func(_ *testing.T, dir string) error {
			return os.Mkdir(dir, 0o750)
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
	if err := os.Mkdir(dir, 0o755); err != nil { // #nosec G301 -- that is the point
		t.Fatal(err)
	}
	err := find(t, env("COORDINATOR_HOME", dir), "").Prepare()
	if want := `it'\''s mine'`; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("error %v, want it to end in %s", err, want)
	}
}
