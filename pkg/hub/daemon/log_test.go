package daemon_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/daemon"
)

func TestTheLogIsJSONAndForItsOwnerOnly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hub.log")
	var screen bytes.Buffer
	log, closer := daemon.OpenLog(daemon.LogOptions{File: file, Screen: &screen, Pretty: true})
	missing(t, file) // a hub that finds another at work writes nothing
	log.Debug("quiet")
	log.With("component", "http").Info("hello", "n", 1)
	if err := closer.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(file) // #nosec G304 -- of this test
	if err != nil {
		t.Fatal(err)
	}
	var line map[string]any
	if err := json.Unmarshal(raw, &line); err != nil {
		t.Fatalf("%v in %q", err, raw)
	}
	delete(line, "time")
	if diff := cmp.Diff(map[string]any{"level": "INFO", "msg": "hello", "component": "http", "n": 1.0}, line); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if s := screen.String(); !strings.Contains(s, "INF hello component=http n=1") || strings.Contains(s, "\x1b") {
		t.Errorf("the screen shows %q", s)
	}
}

func TestTheLevelIsKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hub.log")
	log, closer := daemon.OpenLog(daemon.LogOptions{File: file, Level: slog.LevelWarn})
	defer closer.Close()
	log.Info("quiet")
	missing(t, file)
	log.Warn("loud")
	if lines, err := daemon.ReadLog(file, 10, daemon.LogFilter{}); err != nil || len(lines) != 1 {
		t.Errorf("%q, %v", lines, err)
	}
}

func TestAFullLogIsRenamedAndTheOldestDropped(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hub.log")
	log, closer := daemon.OpenLog(daemon.LogOptions{File: file})
	defer closer.Close()
	text := strings.Repeat("x", 1<<20)
	const records = 45 // of a little over 1 MiB: 9 in a file
	for i := range records {
		log.Info("full", "i", i, "text", text)
	}
	var total int64
	for _, name := range []string{file, file + ".1", file + ".2"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > 10<<20 {
			t.Errorf("%s has %d bytes", name, info.Size())
		}
		total += info.Size()
	}
	missing(t, file+".3")
	if total < 20<<20 {
		t.Errorf("%d bytes are left of %d", total, records<<20)
	}
	lines, err := daemon.ReadLog(file, 20, daemon.LogFilter{}) // over two files
	if err != nil || len(lines) != 20 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	for i, line := range lines {
		if want := fmt.Sprintf(`"i":%d,`, records-20+i); !strings.Contains(line, want) {
			t.Fatalf("line %d is %.80q, want %s", i, line, want)
		}
	}
}

func TestReadLog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hub.log")
	for _, n := range []int{0, 5} {
		if _, err := daemon.ReadLog(file, n, daemon.LogFilter{}); coord.CodeOf(err) != coord.NotFound {
			t.Errorf("last %d of no log: %v", n, err)
		}
	}
	if err := os.WriteFile(file, []byte("a\nb\nhalf"), 0o600); err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int][]string{0: {}, 1: {"b"}, 5: {"a", "b"}} {
		got, err := daemon.ReadLog(file, n, daemon.LogFilter{})
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("last %d: %s %v", n, diff, err)
		}
	}
}

func TestFollowLogSeesWholeLinesOverRotations(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hub.log")
	write := func(text string) {
		f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) // #nosec G304 -- of this test
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	write("old\n")
	ctx, cancel := context.WithCancel(t.Context())
	lines, done := make(chan string), make(chan error, 1)
	go func() { done <- daemon.FollowLog(ctx, file, func(l string) { lines <- l }) }()
	// What stood there before is not repeated; when following has begun is not
	// known, so write until it shows.
	first := func() string {
		for {
			write("begun\n")
			select {
			case l := <-lines:
				return l
			default:
			}
		}
	}()
	if first != "begun" {
		t.Fatalf("the first line is %q", first)
	}
	want := func(text string) {
		t.Helper()
		for {
			select {
			case l := <-lines:
				if l == text {
					return
				}
				if l != "begun" {
					t.Errorf("got %q, want %q", l, text)
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("%q has not come within 20 s", text)
			}
		}
	}
	write("one ha")
	write("lf\n")
	want("one half")
	for i := range 20 {
		last, first := fmt.Sprint("last of file ", i), fmt.Sprint("first of file ", i+1)
		write(last + "\n")
		if err := os.Rename(file, file+".1"); err != nil {
			t.Fatal(err)
		}
		write(first + "\n")
		want(last)
		want(first)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// What logs --component offers is what there is, and all of it.
func TestEveryComponentLogs(t *testing.T) {
	named := regexp.MustCompile(`With\("component", "([a-z]+)"\)|^\tcoord\.Kind[A-Za-z]+: +\{"([a-z]+)", `)
	found := map[string]bool{}
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		raw, err := os.ReadFile(name) // #nosec G304 G122 -- our own source
		for l := range strings.Lines(string(raw)) {
			for _, m := range named.FindAllStringSubmatch(l, -1) {
				found[m[1]+m[2]] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Sorted(slices.Values(daemon.Components()))
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(found))); diff != "" {
		t.Errorf("components (-offered +in the code):\n%s", diff)
	}
}

func TestLogFilter(t *testing.T) {
	const line = `{"time":"2026-05-04T12:00:00Z","level":"WARN","msg":"m","component":"mcp"}`
	for _, c := range []struct {
		f          daemon.LogFilter
		line, none bool // whether it wants the line, and one that is no record
	}{
		{daemon.LogFilter{}, true, true},
		{daemon.LogFilter{Components: []string{"http", "mcp"}}, true, false},
		{daemon.LogFilter{Components: []string{"http"}}, false, false},
		{daemon.LogFilter{AtLeast: true, Level: slog.LevelWarn}, true, false},
		{daemon.LogFilter{AtLeast: true, Level: slog.LevelError}, false, false},
		{daemon.LogFilter{AtLeast: true, Level: slog.LevelDebug, Components: []string{"mcp"}}, true, false},
	} {
		if got := c.f.Wants(line); got != c.line {
			t.Errorf("%+v wants the record: %v", c.f, got)
		}
		if got := c.f.Wants("panic: x"); got != c.none {
			t.Errorf("%+v wants another line: %v", c.f, got)
		}
	}
}
