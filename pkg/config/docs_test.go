package config_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/config"
)

var update = flag.Bool("update", false, "write the table in docs/SETTINGS.md anew")

func TestTheDocsListTheSettings(t *testing.T) {
	const file, begin, end = "../../docs/SETTINGS.md", "<!-- settings -->\n", "<!-- /settings -->"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	table, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for the settings", file)
	}
	if *update {
		if err := os.WriteFile(file, []byte(before+begin+config.Docs()+end+after), 0o644); err != nil { // #nosec G306 -- a document
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(config.Docs(), table); diff != "" {
		t.Errorf("the settings of %s (-table +docs), -update writes them anew:\n%s", file, diff)
	}
}
