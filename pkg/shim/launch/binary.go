package launch

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/coordhq/coord/pkg/coord"
)

// hubName is the file name of the hub's program.
func hubName() string {
	if runtime.GOOS == "windows" {
		return "coord-hub.exe"
	}
	return "coord-hub"
}

// Binary finds the hub's program: the one given, else coord-hub beside this
// program, else on PATH.
func Binary(given string) (string, error) {
	if given != "" {
		return executable(given)
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
