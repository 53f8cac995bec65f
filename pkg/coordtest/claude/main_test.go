package claude_test

import (
	"os"
	"testing"

	"github.com/coordhq/coord/pkg/coordtest"
)

func TestMain(m *testing.M) { os.Exit(coordtest.Main(m)) }
