package impact

import "strings"

// Meet reports whether two path patterns could name one file. A pattern is a
// doublestar glob or a plain path; "**" stands for any number of segments. The
// answer errs to true: classes and alternatives count as "*".
func Meet(a, b string) bool {
	sa, sb := strings.Split(a, "/"), strings.Split(b, "/")
	if len(sa) > maxSegments || len(sb) > maxSegments {
		return true
	}
	return meet(sa, sb, func(s string) bool { return s == "**" }, func(x, y string) bool {
		return meet([]rune(simplify(x)), []rune(simplify(y)), func(r rune) bool { return r == '*' }, func(p, q rune) bool {
			return p == q || p == '?' || q == '?'
		})
	})
}

// maxSegments bounds the work of one comparison; deeper patterns count as meeting.
const maxSegments = 64

// simplify reduces a segment to letters, "?" and "*": what it cannot say that
// way becomes "*", which matches more.
func simplify(segment string) string {
	if i := strings.IndexAny(segment, "[{\\"); i >= 0 {
		return segment[:i] + "*"
	}
	return segment
}

// meet reports whether two sequences with stars have a common match. It fills
// a table: can[i][j] says that the first i elements of a and the first j of b
// can stand for one sequence.
func meet[E any](a, b []E, star func(E) bool, match func(x, y E) bool) bool {
	can := make([][]bool, len(a)+1)
	for i := range can {
		can[i] = make([]bool, len(b)+1)
		for j := range can[i] {
			switch {
			case i == 0 && j == 0:
				can[i][j] = true
			case i > 0 && star(a[i-1]):
				can[i][j] = can[i-1][j] || (j > 0 && can[i][j-1])
			case j > 0 && star(b[j-1]):
				can[i][j] = can[i][j-1] || (i > 0 && can[i-1][j])
			default:
				can[i][j] = i > 0 && j > 0 && can[i-1][j-1] && match(a[i-1], b[j-1])
			}
		}
	}
	return can[len(a)][len(b)]
}

// Prefix gives the directory that every match of a pattern lies under: the
// leading segments without glob characters, "." when there are none.
func Prefix(pattern string) string {
	segments := strings.Split(pattern, "/")
	n := 0
	for n < len(segments)-1 && !strings.ContainsAny(segments[n], "*?[{\\") {
		n++
	}
	if n == 0 {
		return "."
	}
	return strings.Join(segments[:n], "/")
}
