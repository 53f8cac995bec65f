package coord_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
)

// FuzzParsePath holds the law that a path is taken again as it was given out:
// what a hub has stored it can load.
func FuzzParsePath(f *testing.F) {
	for _, s := range []string{"", ".", "src/main.go", "a/../C:/x", "\u212a:/x", "./../a", "a//b/", strings.Repeat("\u0958", 341),
		strings.Repeat("e\u0301", 400), "..", "=\u0338/\u0338", "a" + strings.Repeat("\u0301", 40)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := coord.ParsePath(s)
		if err != nil {
			if coord.CodeOf(err) == coord.Internal {
				t.Fatalf("%q: %v is no error of ours", s, err)
			}
			return
		}
		if n := len(p.String()); n == 0 || n > coord.MaxPath {
			t.Fatalf("%q gives a path of %d bytes", s, n)
		}
		again, err := coord.ParsePath(p.String())
		if err != nil || again != p {
			t.Fatalf("%q gives %q, which gives %q, %v", s, p, again, err)
		}
	})
}

func TestAPathIsMeasuredInItsStoredForm(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		code     coord.Code
	}{
		{"at the limit", strings.Repeat("a", coord.MaxPath), ""},
		{"over the limit", strings.Repeat("a", coord.MaxPath+1), coord.TooLarge},
		{"longer in NFC", strings.Repeat("\u0958", 341), coord.TooLarge},
		{"shorter in NFC", strings.Repeat("e\u0301", 400), ""},
		{"shorter cleaned", strings.Repeat("./", 1000) + "a", ""},
		{"a drive after cleaning", "a/../C:/x", coord.Invalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := coord.ParsePath(tt.in)
			if coord.CodeOf(err) != tt.code {
				t.Fatalf("got %v, want %q", err, tt.code)
			}
			if err != nil {
				if len(err.Error()) > 600 {
					t.Errorf("an error of %d bytes", len(err.Error()))
				}
				return
			}
			raw, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			var back coord.Path
			if err := json.Unmarshal(raw, &back); err != nil || back != p {
				t.Errorf("stored and loaded: %q, %v", back, err)
			}
		})
	}
}
