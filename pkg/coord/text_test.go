package coord_test

import (
	"testing"

	"github.com/coordhq/coord/pkg/coord"
)

func TestCleanLineIsOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"alice":                    "alice",
		" two\nlines\r\n\tof it ":  "two lines of it",
		"\u200b\u2060\ufeff":       "",
		"a\u2028b\u0085c":          "abc",
		"x\u202egnp.exe\x1b[31m":   "xgnp.exe[31m",
		"\u3000wide\u3000spaces\n": "wide spaces",
	} {
		if got := coord.CleanLine(in); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
}
