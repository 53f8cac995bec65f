package coord

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// CleanText makes free text that somebody else will read harmless to terminals
// and renderers, at the moment it enters: invalid UTF-8 becomes U+FFFD; control
// characters other than newline and tab, bidirectional controls, zero-width and
// other format characters and Unicode tag characters are dropped.
func CleanText(s string) string {
	clean := true
	for _, r := range s {
		if dropped(r) || r == utf8.RuneError {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	return strings.Map(func(r rune) rune {
		if dropped(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// CleanLine makes a name or another text of one line harmless: like [CleanText],
// and what stands on several lines is joined by single spaces.
func CleanLine(s string) string { return strings.Join(strings.Fields(CleanText(s)), " ") }

func dropped(r rune) bool {
	if r == '\n' || r == '\t' {
		return false
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029'
}
