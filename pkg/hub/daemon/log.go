package daemon

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"

	"github.com/lmittmann/tint"

	"github.com/coordhq/coord/pkg/coord"
)

// LogOptions say where a hub logs.
type LogOptions struct {
	File   string     // JSON lines, rotated; "" = none
	Level  slog.Level // the zero Level is info
	Screen io.Writer  // a second copy for somebody who watches; nil = none
	Pretty bool       // the copy is for reading, not JSON
	Color  bool       // of a pretty copy
}

// OpenLog makes the logger of a hub. Nothing is written or made before the
// first record; close it after the hub has stopped.
func OpenLog(o LogOptions) (*slog.Logger, io.Closer) {
	var handlers []slog.Handler
	file := &rotator{path: o.File, max: maxLogSize}
	if o.File != "" {
		handlers = append(handlers, slog.NewJSONHandler(file, &slog.HandlerOptions{Level: o.Level}))
	}
	switch {
	case o.Screen == nil:
	case o.Pretty:
		handlers = append(handlers, tint.NewTextHandler(o.Screen, &tint.Options{Level: o.Level, NoColor: !o.Color, TimeFormat: "15:04:05.000"}))
	default:
		handlers = append(handlers, slog.NewJSONHandler(o.Screen, &slog.HandlerOptions{Level: o.Level}))
	}
	return slog.New(slog.NewMultiHandler(handlers...)), file
}

// Components are the parts of a hub that log, as they name themselves.
func Components() []string {
	return []string{"http", "mcp", "mqtt", "consultation", "conflict", "auth", "tokens", "quota", "hook", "spawn", "daemon", "sqlite"}
}

// LogFilter says which lines of a log are wanted. The zero value wants all, those
// that are no records too.
type LogFilter struct {
	Components []string   // of these only; none = of all
	Level      slog.Level // with AtLeast: of this level and above
	AtLeast    bool
}

// Wants reports whether a line is wanted.
func (f LogFilter) Wants(line string) bool {
	if len(f.Components) == 0 && !f.AtLeast {
		return true
	}
	var record struct {
		Level     slog.Level `json:"level"`
		Component string     `json:"component"`
	}
	if json.Unmarshal([]byte(line), &record) != nil {
		return false
	}
	return (len(f.Components) == 0 || slices.Contains(f.Components, record.Component)) && (!f.AtLeast || record.Level >= f.Level)
}

// ReadLog gives the last n lines of a hub's log that are wanted, older files
// included, oldest first. The error is coord.NotFound when there is no log.
func ReadLog(file string, n int, f LogFilter) ([]string, error) {
	var lines []string
	found := false
	for i := 0; i < maxLogFiles && (i == 0 || len(lines) < n); i++ {
		raw, err := os.ReadFile(logFile(file, i)) // at most maxLogSize each
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return nil, &coord.Error{Code: coord.Unavailable, What: "cannot read " + logFile(file, i), Next: "check its rights", Err: err}
		}
		found = true
		lines = append(lastLines(raw, n-len(lines), f), lines...)
	}
	if !found {
		return nil, coord.Errorf(coord.NotFound, "start a hub with coord-hub start", "there is no log at %s", file)
	}
	return lines, nil
}

// lastLines gives the last n complete lines that are wanted.
func lastLines(raw []byte, n int, f LogFilter) []string {
	raw = raw[:bytes.LastIndexByte(raw, '\n')+1]
	var lines []string
	for line := range bytes.Lines(raw) {
		if text := string(bytes.TrimRight(line, "\r\n")); f.Wants(text) {
			lines = append(lines, text)
		}
	}
	return lines[max(0, len(lines)-n):]
}
