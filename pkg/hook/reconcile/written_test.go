package reconcile_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/hook/reconcile"
)

// at is a time n milliseconds after some noon.
func at(ms int) time.Time {
	return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(ms) * time.Millisecond)
}

func span(from, to int) reconcile.Interval {
	return reconcile.Interval{From: at(from), To: at(to)}
}

func TestFileWithATimeStampInTheCallWasWrittenByIt(t *testing.T) {
	call := reconcile.During(at(2000), time.Second)
	mine := []reconcile.Finding{{File: "f"}}
	for name, c := range map[string]struct {
		stat   reconcile.Stat
		others []reconcile.Interval
		want   []reconcile.Finding
	}{
		"modified in it":            {stat: reconcile.Stat{Exists: true, Modified: at(1500), Changed: at(1500)}, want: mine},
		"at its first tick":         {stat: reconcile.Stat{Exists: true, Modified: at(990), Changed: at(990)}, want: mine},
		"before it":                 {stat: reconcile.Stat{Exists: true, Modified: at(900), Changed: at(900)}},
		"after it":                  {stat: reconcile.Stat{Exists: true, Modified: at(2001), Changed: at(2001)}},
		"moved into place":          {stat: reconcile.Stat{Exists: true, Modified: at(-99999), Changed: at(1500)}, want: mine},
		"touched to an old time":    {stat: reconcile.Stat{Exists: true, Modified: at(0), Changed: at(1999)}, want: mine},
		"mode changed since":        {stat: reconcile.Stat{Exists: true, Modified: at(1500), Changed: at(5000)}, want: mine},
		"no ctime on this system":   {stat: reconcile.Stat{Exists: true, Modified: at(1500)}, want: mine},
		"removed":                   {stat: reconcile.Stat{Modified: at(1500), Changed: at(1500)}, want: []reconcile.Finding{{File: "f", Gone: true}}},
		"removed before":            {stat: reconcile.Stat{Modified: at(500), Changed: at(500)}},
		"another ran then":          {stat: reconcile.Stat{Exists: true, Modified: at(1500)}, others: []reconcile.Interval{span(1400, 1600)}, want: []reconcile.Finding{{File: "f", Ambiguous: true}}},
		"another still runs":        {stat: reconcile.Stat{Exists: true, Modified: at(1500)}, others: []reconcile.Interval{{From: at(1400)}}, want: []reconcile.Finding{{File: "f", Ambiguous: true}}},
		"another ran at other time": {stat: reconcile.Stat{Exists: true, Modified: at(1500)}, others: []reconcile.Interval{span(1000, 1400), span(1600, 1700)}, want: mine},
	} {
		c.stat.File = "f"
		if c.want == nil {
			c.want = []reconcile.Finding{}
		}
		if diff := cmp.Diff(c.want, reconcile.Written([]reconcile.Stat{c.stat}, call, c.others)); diff != "" {
			t.Errorf("%s\n%s", name, diff)
		}
	}
}

func TestLookReadsTheTimesOfFiles(t *testing.T) {
	dir := t.TempDir()
	kept, sub := filepath.Join(dir, "kept"), filepath.Join(dir, "sub")
	before := time.Now()
	if err := os.WriteFile(kept, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, stamp := range map[string]time.Time{kept: at(1500), dir: at(1700)} {
		if err := os.Chtimes(name, stamp, stamp); err != nil {
			t.Fatal(err)
		}
	}
	stats := reconcile.Look([]string{kept, filepath.Join(sub, "deep", "gone"), filepath.Join(kept, "below a file")})
	type row struct {
		exists bool
		mtime  time.Time
	}
	got := []row{}
	for _, s := range stats {
		got = append(got, row{s.Exists, s.Modified.UTC()})
		if !s.Changed.IsZero() && s.Changed.Before(before.Add(-time.Second)) {
			t.Errorf("%s changed %v", s.File, s.Changed)
		}
	}
	want := []row{{true, at(1500)}, {false, at(1700)}, {false, at(1500)}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(row{})); diff != "" {
		t.Error(diff)
	}
}

func TestClientsListOfChangedFiles(t *testing.T) {
	for in, want := range map[string][]string{
		`{"stdout":"","bashEditDiff":{"changedFiles":["/w/a.go","/w/b.go"]}}`:          {"/w/a.go", "/w/b.go"},
		`{"bashEditDiff":{"changedFiles":[{"filePath":"/w/a.go"},{"path":"/w/b"},7]}}`: {"/w/a.go", "/w/b"},
		`{"bashEditDiff":{"changedFiles":[]}}`:                                         {},
		`{"bashEditDiff":{}}`:                                                          nil,
		`{"stdout":"x"}`:                                                               nil,
		`"an error"`:                                                                   nil,
		``:                                                                             nil,
		`{"bashEditDiff":{"changedFi`:                                                  nil,
	} {
		got, ok := reconcile.ChangedFiles(json.RawMessage(in))
		if diff := cmp.Diff(want, got); diff != "" || ok != (want != nil) {
			t.Errorf("%s: %v\n%s", in, ok, diff)
		}
	}
}
