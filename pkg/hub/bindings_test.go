package hub

import (
	"testing"

	"github.com/coordhq/coord/pkg/tool"
)

func TestTheOperationsOfTheTableAreTheOnesThatAreBound(t *testing.T) {
	for _, op := range tool.Table {
		if handlers[op.Name] == nil {
			t.Errorf("%s has no rule", op.Name)
		}
	}
	for name := range handlers {
		if _, known := tool.Lookup(name); !known {
			t.Errorf("%s is not in the table", name)
		}
	}
}
