//go:build cgo

package sqlite_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A build without cgo compiles, so only running one shows what it says.
func TestBuildWithoutCgoSaysSo(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "test", "-v", "-count=1", "-run=^TestOpenWithoutCgo$", ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestOpenWithoutCgo") {
		t.Errorf("%v\n%s", err, out)
	}
}
