package coordtest_test

import (
	"testing"

	"github.com/coordhq/coord/pkg/coordtest"
)

func TestClaudeRuns(t *testing.T) {
	c := coordtest.NewClaude(t)
	out, err := c.Command(t.Context(), t.TempDir(), "--version").CombinedOutput()
	t.Logf("%s %v", out, err)
}
