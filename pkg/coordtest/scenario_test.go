package coordtest_test

import (
	"testing"

	"github.com/coordhq/coord/pkg/coordtest"
)

const scenarios = "../../testdata/scenarios/*.txtar"

func TestScenarios(t *testing.T) {
	for _, s := range coordtest.Scenarios(t, scenarios) {
		t.Run(s.File+"/"+s.Name, s.Play)
	}
}
