package spawn

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/semver"

	"github.com/coordhq/coord/pkg/shim/launch"
)

// versionLimit bounds the question for the installed hub's version.
const versionLimit = 5 * time.Second

// installedVersion asks the hub's program for its version, "" when it does not
// say: replacing a hub by an older one would go round in circles.
func (s *starter) installedVersion(ctx context.Context) string {
	binary, err := launch.Binary(s.HubBinary)
	if err != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, versionLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "--version") // #nosec G204 -- as in launch
	cmd.Dir = string(filepath.Separator)
	cmd.Env = launch.Scrubbed(os.Environ(), s.Home.Dir())
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
