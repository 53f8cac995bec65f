package workspace_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
)

// A claim on a submodule's file in the outer project would be seen by nobody who
// works in the submodule.
func TestAFileOfAnotherRepositoryInsideIsRefused(t *testing.T) {
	base := tempDir(t)
	inner := newRepo(t, base+"/inner", "src/q.ts")
	outer := newRepo(t, base+"/outer", "a.ts")
	run(t, outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", inner, "sub")
	newRepo(t, filepath.Join(outer, "clone"), "b.ts")
	w := locate(t, outer)
	for _, typed := range []string{"sub/src/q.ts", "sub/new.ts", outer + "/sub/src/q.ts", "sub/", "sub/**/*.ts", "sub/src", "clone/b.ts"} {
		_, _, _, _, err := w.Target(t.Context(), typed)
		if coord.CodeOf(err) != coord.Invalid || !strings.Contains(err.Error(), "submodule") {
			t.Errorf("target %s: error %v, want that it belongs to another project", typed, err)
		}
	}
	for _, typed := range []string{"sub", "a.ts", "subway/x.ts", ".gitmodules"} {
		if _, _, _, _, err := w.Target(t.Context(), typed); err != nil {
			t.Errorf("target %s: %v", typed, err)
		}
	}
	if _, err := locate(t, filepath.Join(outer, "sub")).Resolve("src/q.ts"); err != nil {
		t.Errorf("from the submodule itself: %v", err)
	}
}
