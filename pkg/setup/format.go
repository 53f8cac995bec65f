package setup

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// format is how our part of one file is put in and taken out. The text of a
// file that is not there is empty. An error means that the file is not what it
// should be; it is left alone then.
type format interface {
	add(old []byte) ([]byte, error)
	// remove gives the text without our part. before is the file as it was
	// before us, nil when that is not known: containers it had stay, even empty.
	remove(now, before []byte) ([]byte, error)
}

// jsonFile is a JSON file with entries of ours.
type jsonFile struct{ entries []entry }

func (f jsonFile) add(old []byte) ([]byte, error) {
	t, err := readJSON(old)
	if err != nil {
		return nil, err
	}
	for _, e := range f.entries {
		if err := e.add(t.top()); err != nil {
			return nil, err
		}
	}
	return t.bytes(), nil
}

func (f jsonFile) remove(now, before []byte) ([]byte, error) {
	t, err := readJSON(now)
	if err != nil {
		return nil, err
	}
	was, err := readJSON(before)
	if err != nil {
		return nil, err
	}
	for _, e := range slices.Backward(f.entries) {
		if err := e.remove(t.top()); err != nil {
			return nil, err
		}
		for _, path := range e.paths() {
			if err := prune(t.top(), was.top(), path); err != nil {
				return nil, err
			}
		}
	}
	if list, err := t.top().list(); err == nil && list.len() == 0 && t.top().empty() && len(bytes.TrimSpace(before)) == 0 {
		return nil, nil // all of it was ours
	}
	return t.bytes(), nil
}

// prune removes the containers on the path that are empty and were not there
// before us, the innermost first.
func prune(now, was cursor, path []string) error {
	for n := len(path); n > 0; n-- {
		at, ok, err := walk(now, path[:n])
		if err != nil {
			return err
		}
		_, had, err := walk(was, path[:n])
		if err != nil {
			return err
		}
		if !ok || had || !at.empty() {
			continue
		}
		outer, _, err := walk(now, path[:n-1])
		if err != nil {
			return err
		}
		if err := outer.removeMember(path[n-1]); err != nil {
			return err
		}
	}
	return nil
}

// block is a marked part of a text file. What stands between the marks is ours.
type block struct {
	begin, end string // marks, each a line of its own
	body       string // without a final newline
	check      func(text []byte) error
}

func (b block) add(old []byte) ([]byte, error) {
	start, stop, err := b.find(old)
	if err != nil {
		return nil, err
	}
	newline := "\n"
	if bytes.Contains(old, []byte("\r\n")) {
		newline = "\r\n"
	}
	text := strings.ReplaceAll(b.begin+"\n"+b.body+"\n"+b.end, "\n", newline)
	var out []byte
	switch {
	case start >= 0:
		out = slices.Concat(old[:start], []byte(text), old[stop:])
	case len(bytes.TrimSpace(old)) == 0:
		out = slices.Concat(old, []byte(text+newline))
	default:
		gap := newline
		if !bytes.HasSuffix(old, []byte("\n")) {
			gap += newline
		}
		out = slices.Concat(old, []byte(gap+text+newline))
	}
	if b.check != nil {
		if err := b.check(old); err != nil {
			return nil, err
		}
		if err := b.check(out); err != nil {
			return nil, fmt.Errorf("with our part: %w", err)
		}
	}
	return out, nil
}

func (b block) remove(now, before []byte) ([]byte, error) {
	start, stop, err := b.find(now)
	if err != nil || start < 0 {
		return now, err
	}
	head, rest := now[:start], now[stop:]
	rest = bytes.TrimPrefix(bytes.TrimPrefix(rest, []byte("\r")), []byte("\n"))
	if len(rest) == 0 { // our gap line goes with us
		head = trimGap(head)
	}
	out := slices.Concat(head, rest)
	if len(bytes.TrimSpace(out)) == 0 && len(before) == 0 {
		return nil, nil
	}
	return out, nil
}

// trimGap removes one empty line from the end.
func trimGap(text []byte) []byte {
	for _, gap := range []string{"\n\r\n", "\n\n"} {
		if bytes.HasSuffix(text, []byte(gap)) {
			return text[:len(text)-len(gap)+1]
		}
	}
	return text
}

// find gives the part from the first byte of the first mark to the last byte of
// the second, -1 when there is none.
func (b block) find(text []byte) (start, stop int, err error) {
	begins, ends := b.lines(text, b.begin), b.lines(text, b.end)
	switch {
	case len(begins) == 0 && len(ends) == 0:
		return -1, -1, nil
	case len(begins) != 1 || len(ends) != 1 || begins[0] > ends[0]:
		return -1, -1, fmt.Errorf("the marks %q and %q are not there once each, in this order", b.begin, b.end)
	}
	return begins[0], ends[0] + len(b.end), nil
}

// lines gives where a mark stands as a line of its own.
func (b block) lines(text []byte, mark string) (at []int) {
	offset := 0
	for line := range bytes.Lines(text) {
		if string(bytes.TrimRight(line, " \t\r\n")) == mark {
			at = append(at, offset)
		}
		offset += len(line)
	}
	return at
}

// checkTOML reports what is wrong with a TOML file.
func checkTOML(text []byte) error {
	var v map[string]any
	return toml.Unmarshal(text, &v)
}
