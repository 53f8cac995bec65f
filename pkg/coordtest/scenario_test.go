package coordtest_test

import (
	"testing"

	"github.com/coordhq/coord/pkg/coordtest"
)

func TestScenarios(t *testing.T) {
	coordtest.PlayScenarios(t, "../../testdata/scenarios/*.txtar")
}
