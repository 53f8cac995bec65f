// Package docs checks the parts of documents that are made from tables of the
// code.
package docs

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Section compares what stands in a document between <!-- name --> and
// <!-- /name --> with what belongs there; with update it is written instead.
func Section(t testing.TB, file, name, want string, update bool) {
	t.Helper()
	begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
	text, err := os.ReadFile(file) // #nosec G304 -- a document of this repository
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	section, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for the %s: put %q and %q where they belong", file, name, strings.TrimSpace(begin), end)
	}
	if update {
		if err := os.WriteFile(file, []byte(before+begin+want+end+after), 0o644); err != nil { // #nosec G306 G703 -- a document of this repository, named by a test
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, section); diff != "" {
		t.Errorf("the %s of %s (-table +document), -update writes them anew:\n%s", name, file, diff)
	}
}
