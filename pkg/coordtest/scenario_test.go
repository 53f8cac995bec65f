package coordtest_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coordtest"
)

const scenarios = "../../testdata/scenarios/*.txtar"

func TestScenarios(t *testing.T) {
	t.Parallel()
	coordtest.Play(t, coordtest.Scenarios(t, scenarios))
}

// A scenario is written once and runs wherever it can. What keeps it from an
// arrangement is one of the needs that the player knows.
func TestScenariosRunInEveryArrangementThatCan(t *testing.T) {
	counts, files := map[string]map[string]int{}, []string{}
	names := []string{"rules", "http", "daemon", "shims", "processes"}
	for _, s := range coordtest.Scenarios(t, scenarios) {
		if counts[s.File] == nil {
			counts[s.File], files = map[string]int{}, append(files, s.File)
		}
		where, reasons := s.Arrangements()
		for _, name := range where {
			counts[s.File][name]++
		}
		if len(where) < len(names) && len(reasons) == 0 {
			t.Errorf("%s/%s runs only in %v, and nothing says why", s.File, s.Name, where)
		}
		if len(where) < 2 {
			t.Errorf("%s/%s runs only in %v (%v)", s.File, s.Name, where, reasons)
		}
	}
	for _, file := range files {
		line := fmt.Sprintf("%-20s", file)
		for _, name := range names {
			line += fmt.Sprintf("  %s %2d", name, counts[file][name])
		}
		t.Log(line)
	}
	if diff := cmp.Diff(names, coordtest.ArrangementNames()); diff != "" {
		t.Errorf("arrangements (-want +got):\n%s", diff)
	}
}
