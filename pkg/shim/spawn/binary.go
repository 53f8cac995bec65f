package spawn

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/mod/semver"

	"github.com/coordhq/coord/pkg/coord"
)

// hubName is the file name of the hub's program.
func hubName() string {
	if runtime.GOOS == "windows" {
		return "coord-hub.exe"
	}
	return "coord-hub"
}

// binary finds the hub's program.
func (s *starter) binary() (string, error) {
	if s.HubBinary != "" {
		return executable(s.HubBinary)
	}
	for _, name := range besideUs() {
		if found, err := executable(name); err == nil {
			return found, nil
		}
	}
	found, err := exec.LookPath(hubName())
	if err == nil {
		return filepath.Abs(found)
	}
	return "", missing(hubName(), err)
}

// besideUs names the hub in the directory of this program, and in that of the
// file a symlink to this program stands for.
func besideUs() []string {
	self, err := os.Executable()
	if err != nil {
		return nil
	}
	names := []string{filepath.Join(filepath.Dir(self), hubName())}
	if real, err := filepath.EvalSymlinks(self); err == nil && real != self {
		names = append(names, filepath.Join(filepath.Dir(real), hubName()))
	}
	return names
}

func executable(name string) (string, error) {
	found, err := exec.LookPath(name)
	if err != nil {
		return "", missing(name, err)
	}
	return filepath.Abs(found)
}

func missing(name string, err error) error {
	return &coord.Error{Code: coord.Unavailable, What: "no hub is running and its program " + name + " cannot be found",
		Next: "run make install in the coord repository, and put its directory on PATH", Err: err}
}

// versionLimit bounds the question for the installed hub's version.
const versionLimit = 5 * time.Second

// installedVersion asks the hub's program for its version, "" when it does not
// say: replacing a hub by an older one would go round in circles.
func (s *starter) installedVersion(ctx context.Context) string {
	binary, err := s.binary()
	if err != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, versionLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "--version") // #nosec G204 -- as in launch
	cmd.Dir = string(filepath.Separator)
	cmd.Env = scrubbed(os.Environ(), s.Home.Dir())
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	for word := range strings.FieldsSeq(string(out)) {
		if word = strings.Trim(word, "(),;"); strings.Count(word, ".") >= 2 && semver.IsValid(canonical(word)) {
			return word
		}
	}
	return ""
}
