package impact_test

import (
	"strings"
	"testing"

	"github.com/bmatcuk/doublestar/v4"
	"pgregory.net/rapid"

	"github.com/coordhq/coord/pkg/impact"
)

func TestMeet(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"src/*.ts", "src/*.go", false},
		{"src/*.ts", "src/a*", true},
		{"src/**", "src/auth/login.ts", true},
		{"src/**", "docs/**", false},
		{"**", "docs/readme.md", true},
		{"**/*.md", "docs/**", true},
		{"**/*.md", "docs/*.txt", false},
		{"a/**/z", "a/z", true},
		{"a/?.go", "a/bb.go", false},
		{"a/[xy].go", "a/z.go", true}, // a class counts as *
		{"src/{a,b}.ts", "src/c.ts", true},
		{"*", "*/x", false},
		{"**/**/**/**/**/x", "y/**/**/**/**/**/z", false},
	} {
		if got := impact.Meet(tt.a, tt.b); got != tt.want {
			t.Errorf("Meet(%q, %q) = %v", tt.a, tt.b, got)
		}
		if got := impact.Meet(tt.b, tt.a); got != tt.want {
			t.Errorf("Meet(%q, %q) = %v", tt.b, tt.a, got)
		}
	}
}

// A name that both patterns match is proof that they meet.
func TestMeetNeverDeniesACommonFile(t *testing.T) {
	segment := rapid.SampledFrom([]string{"a", "b", "ab", "*", "?", "a*", "*b", "**", "[ab]", "{a,b}"})
	name := rapid.SampledFrom([]string{"a", "b", "ab", "ba", "aab"})
	rapid.Check(t, func(t *rapid.T) {
		a := strings.Join(rapid.SliceOfN(segment, 1, 5).Draw(t, "a"), "/")
		b := strings.Join(rapid.SliceOfN(segment, 1, 5).Draw(t, "b"), "/")
		file := strings.Join(rapid.SliceOfN(name, 1, 5).Draw(t, "file"), "/")
		if doublestar.MatchUnvalidated(a, file) && doublestar.MatchUnvalidated(b, file) && !impact.Meet(a, b) {
			t.Fatalf("%q matches %q and %q, which are said not to meet", file, a, b)
		}
	})
}

func TestPrefix(t *testing.T) {
	for pattern, want := range map[string]string{"**": ".", "src/*.ts": "src", "src/a/**/x": "src/a", "src/[id]/x": "src", "a": "."} {
		if got := impact.Prefix(pattern); got != want {
			t.Errorf("Prefix(%q) = %q, want %q", pattern, got, want)
		}
	}
}
