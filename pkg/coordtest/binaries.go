package coordtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Binaries is a directory that holds coord-shim, coord-hook and coord-hub side
// by side.
type Binaries string

// Shim is the path of coord-shim.
func (b Binaries) Shim() string { return filepath.Join(string(b), "coord-shim") }

// Hook is the path of coord-hook.
func (b Binaries) Hook() string { return filepath.Join(string(b), "coord-hook") }

// Hub is the path of coord-hub.
func (b Binaries) Hub() string { return filepath.Join(string(b), "coord-hub") }

// built is the one build of this test process. The binaries belong to the
// process as its own executable does, so this is the package's only variable.
var built struct {
	sync.Once
	dir Binaries
	err error
}

// Main runs the tests of a package and removes what was built for them:
// os.Exit(coordtest.Main(m)).
func Main(m *testing.M) int {
	defer func() {
		if built.dir != "" {
			_ = os.RemoveAll(string(built.dir))
		}
	}()
	return m.Run()
}

// Build gives the binaries, building them at the first call.
func Build(t testing.TB) Binaries {
	t.Helper()
	built.Do(func() { built.dir, built.err = build() })
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.dir
}

// BuildVersion builds the binaries anew as another version; they go with the
// test.
func BuildVersion(t testing.TB, version string) Binaries {
	t.Helper()
	dir := t.TempDir()
	b, err := buildInto(dir, "-ldflags=-X main.linked="+version)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func build() (Binaries, error) {
	dir, err := os.MkdirTemp("", "coord-bin-")
	if err != nil {
		return "", err
	}
	return buildInto(dir)
}

func buildInto(dir string, flags ...string) (Binaries, error) {
	root, err := moduleRoot()
	if err != nil {
		return Binaries(dir), err
	}
	commands := []*exec.Cmd{
		goBuild(dir, "./cmd/coord-hub", flags...),
		goBuild(dir, "./cmd/coord-shim", flags...),
		goBuild(dir, "./cmd/coord-hook", flags...),
	}
	if !RaceEnabled {
		commands[1].Env = append(os.Environ(), "CGO_ENABLED=0") // as they are shipped
		commands[2].Env = commands[1].Env
	}
	for _, cmd := range commands {
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			return Binaries(dir), fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
		}
	}
	return Binaries(dir), nil
}

func goBuild(dir, pkg string, flags ...string) *exec.Cmd {
	args := append([]string{"build", "-buildvcs=false", "-o", dir + string(filepath.Separator)}, flags...)
	if RaceEnabled {
		args = append(args, "-race")
	}
	return exec.Command("go", append(args, pkg)...) // #nosec G204 -- the go tool on our own packages
}

func moduleRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}
