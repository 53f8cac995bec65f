package workspace_test

import (
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
)

func TestSlipsInAPathAreMendedWhereTheFileIsThere(t *testing.T) {
	top := newRepo(t, tempDir(t), "src/index.ts", `odd\name`, "v:12", " x ", "~/own", "zero\u200bwidth")
	w := locate(t, top)
	for typed, want := range map[string]string{
		`src\index.ts`: "src/index.ts", "src/index.ts:12": "src/index.ts", "src/index.ts:12:5": "src/index.ts", "src/index.ts:3-9": "src/index.ts",
		" src/index.ts ": "src/index.ts", " src\\index.ts:7:\n": "src/index.ts", `src\`: "src/", top + "/src/index.ts:1": top + "/src/index.ts",
		// there as typed, or there in no spelling
		`odd\name`: `odd\name`, "v:12": "v:12", " x ": " x ", "~/own": "~/own", "zero\u200bwidth": "zero\u200bwidth",
		`src\new.ts`: `src\new.ts`, "new:12": "new:12", "src/*.ts": "src/*.ts", `a\*b`: `a\*b`, "": "", "   ": "   ", "a\x00b": "a\x00b", "👩\u200d💻.md": "👩\u200d💻.md",
	} {
		if got, err := w.Typed(typed); err != nil || got != want {
			t.Errorf("%q gives %q, %v; want %q", typed, got, err, want)
		}
	}
	for typed, words := range map[string]string{
		"~/x": "only a shell expands", " ~/x": "only a shell expands",
		"file:///etc/passwd": "is a URL", "File://" + top + "/src/index.ts": "is a URL",
		"src/in\u200bdex.ts": `in\u200bdex.ts" holds an invisible`, "src/\u202est.xedni": "invisible", "\ufeffsrc/index.ts": "invisible",
	} {
		if got, err := w.Typed(typed); coord.CodeOf(err) != coord.Invalid || !strings.Contains(err.Error(), words) {
			t.Errorf("%q gives %q, %v; want words %q", typed, got, err, words)
		}
	}
}
