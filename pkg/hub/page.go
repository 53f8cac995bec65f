package hub

import (
	"strconv"

	"github.com/coordhq/coord/pkg/coord"
)

// Bounds of one page of an answer, which as a whole stays under 8 KB.
const (
	defaultPage = 20
	maxPage     = 6 << 10 // bytes of rows
)

// page collects the rows of one answer.
type page[T any] struct {
	rows  []T
	limit int
	room  int // bytes
	size  int
}

func newPage[T any](limit int) *page[T] {
	return &page[T]{rows: []T{}, limit: orDefault(limit, defaultPage), room: maxPage}
}

// add takes a row. It reports false when the page is full: the row belongs to
// the next one. The first row always has its place.
func (p *page[T]) add(row T) bool {
	b := mustJSON(row)
	if len(p.rows) == p.limit || (len(p.rows) > 0 && p.size+len(b) > p.room) {
		return false
	}
	p.rows, p.size = append(p.rows, row), p.size+len(b)+1
	return true
}

// fill adds the rows behind an offset; it gives the cursor of the next page,
// "" after the last.
func fill[Row, T any](p *page[T], rows []Row, skip int, view func(Row) T) (next string) {
	for i := skip; i < len(rows); i++ {
		if !p.add(view(rows[i])) {
			return strconv.Itoa(i)
		}
	}
	return ""
}

// some gives the first entries of a list that fit into so many bytes, the first
// one always, and how many more there are.
func some[T any](list []T, room int) (shown []T, more int) {
	p := newPage[T](len(list))
	p.room = room
	fill(p, list, 0, same)
	return p.rows, len(list) - len(p.rows)
}

// same is the view of rows that are shown as they are.
func same[T any](row T) T { return row }

// offset reads a cursor that counts rows.
func offset(cursor string) (int, error) {
	if cursor == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(cursor)
	if err != nil || n < 0 {
		return 0, badCursor(cursor)
	}
	return n, nil
}

func badCursor(cursor string) error {
	return coord.Errorf(coord.Invalid, "use next_cursor of the page before", "cursor %q is not one of ours", cursor)
}

func orDefault(n, none int) int {
	if n == 0 {
		return none
	}
	return n
}

// shorten cuts a text to n bytes for a row, at a rune's boundary.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n] + "…"
}
