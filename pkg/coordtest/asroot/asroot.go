// Package asroot lets a test do what only root can, such as giving a file to
// another user, without being skipped where the suite runs as somebody else.
package asroot

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coordtest/machine"
)

// again marks the run under sudo, so that it cannot begin another.
const again = "COORD_AS_ROOT"

// Test tells whether to go on: true for root. Else the test is run once more by
// sudo, without a question, and its result counts here: return then. Without
// such a sudo the test is skipped, or fails where COORD_NO_SKIP=1 forbids that.
func Test(t *testing.T) bool {
	t.Helper()
	if os.Geteuid() == 0 {
		return true
	}
	if out, err := exec.Command("sudo", "-n", "true").CombinedOutput(); err != nil || os.Getenv(again) != "" {
		machine.Has(t, false, fmt.Sprintf("root, or a sudo that asks nothing (%v %s)", err, out))
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(t.Name(), "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	cmd := exec.CommandContext(t.Context(), "sudo", "-n", "env", again+"=1", "PATH="+os.Getenv("PATH"), "CI="+os.Getenv("CI"), // #nosec G204 G702 -- the test binary itself
		self, "-test.v", "-test.run="+strings.Join(parts, "/"))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("as root: %v\n%s", err, out)
	}
	return false
}
