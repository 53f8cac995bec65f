package sqlite_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
	"github.com/coordhq/coord/pkg/hub/sqlite"
)

func TestABackupUnderWritesHoldsWhatWasAcknowledgedBefore(t *testing.T) {
	file := temp(t)
	s := open(t, file)
	var acknowledged atomic.Int64
	wrote := make(chan struct{}, 100_000)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { // 200 writes a second
		defer close(stopped)
		pace := time.NewTicker(5 * time.Millisecond)
		defer pace.Stop()
		for n := int64(1); ; n++ {
			store(t, s, &hub.Changes{Events: []coord.Event{event(coord.Seq(n), shop)}, Counters: hub.Counters{Seq: n}})
			acknowledged.Store(n)
			wrote <- struct{}{}
			select {
			case <-pace.C:
			case <-stop:
				return
			}
		}
	}()
	for i := range 5 {
		for range 20 {
			<-wrote
		}
		before := acknowledged.Load()
		out := filepath.Join(t.TempDir(), "backup.db")
		made, err := sqlite.Backup(t.Context(), file, out)
		if err != nil {
			t.Fatal(err)
		}
		copied := column(t, rawSQL(t, out), "seq", "events")
		if made.Seq < coord.Seq(before) || int64(len(copied)) != int64(made.Seq) || made.Events != len(copied) {
			t.Errorf("backup %d: says seq %d and %d events, holds %d; %d were acknowledged before", i, made.Seq, made.Events, len(copied), before)
		}
		if info, err := os.Stat(out); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(out), ".*")); len(left) > 0 {
			t.Errorf("left beside it: %v", left)
		}
	}
	close(stop)
	<-stopped
}

func TestARestoreKeepsTheOldAndRenewsTheEpoch(t *testing.T) {
	file := temp(t)
	s := open(t, file)
	store(t, s, &hub.Changes{Agents: []*coord.Agent{agent("ag-1")}, Events: []coord.Event{event(1, shop)}, Counters: hub.Counters{Seq: 1}})
	first := load(t, s).Epoch
	backup := filepath.Join(t.TempDir(), "backup.db")
	if _, err := sqlite.Backup(t.Context(), file, backup); err != nil {
		t.Fatal(err)
	}
	store(t, s, &hub.Changes{Events: []coord.Event{event(2, shop)}, Counters: hub.Counters{Seq: 2}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	restored, kept, err := sqlite.Restore(t.Context(), backup, file)
	if err != nil {
		t.Fatal(err)
	}
	snap := load(t, open(t, file))
	if snap.Counters.Seq != 1 || len(snap.Agents) != 1 || snap.Epoch == first || snap.Epoch != restored.Epoch {
		t.Errorf("restored: seq %d, %d agents, epoch %s (was %s, said %s)", snap.Counters.Seq, len(snap.Agents), snap.Epoch, first, restored.Epoch)
	}
	old := load(t, open(t, kept))
	if old.Counters.Seq != 2 || old.Epoch != first {
		t.Errorf("kept aside: seq %d, epoch %s; want 2, %s", old.Counters.Seq, old.Epoch, first)
	}
}

// A crash can leave writes in the -wal file only: they must be in what is kept.
func TestWhatIsKeptAsideHoldsTheWAL(t *testing.T) {
	file := temp(t)
	s := open(t, file)
	store(t, s, &hub.Changes{Events: []coord.Event{event(1, shop)}, Counters: hub.Counters{Seq: 1}})
	backup := filepath.Join(t.TempDir(), "backup.db")
	if _, err := sqlite.Backup(t.Context(), file, backup); err != nil {
		t.Fatal(err)
	}
	crashed := filepath.Join(t.TempDir(), "c.db")
	for _, beside := range []string{"", "-wal"} {
		content, err := os.ReadFile(file + beside)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(crashed+beside, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, kept, err := sqlite.Restore(t.Context(), backup, crashed)
	if err != nil {
		t.Fatal(err)
	}
	if got := load(t, open(t, kept)).Counters.Seq; got != 1 {
		t.Errorf("seq %d in what was kept, want 1", got)
	}
	if got := load(t, open(t, crashed)).Counters.Seq; got != 1 {
		t.Errorf("seq %d restored, want 1", got)
	}
}

func TestWhatIsNoBackupIsRefusedAndNothingTouched(t *testing.T) {
	file := temp(t)
	s := open(t, file)
	store(t, s, &hub.Changes{Events: []coord.Event{event(1, shop)}, Counters: hub.Counters{Seq: 1}})
	good := filepath.Join(t.TempDir(), "good.db")
	if _, err := sqlite.Backup(t.Context(), file, good); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	holed := append([]byte{}, content...)
	for i := len(holed) / 2; i < len(holed)/2+8192; i++ {
		holed[i] = 0xAA
	}
	flipped := bytes.Replace(content, []byte(`{"subject":"number 1"}`), []byte(`{"subject" "number 1"}`), 1)
	if bytes.Equal(flipped, content) {
		t.Fatal("the payload is not in the file as it was written")
	}
	newer := write("newer.db", content)
	if _, err := rawSQL(t, newer).ExecContext(t.Context(), "PRAGMA user_version = 999"); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ file, says string }{
		"missing":   {filepath.Join(dir, "missing"), "there is no backup"},
		"directory": {dir, "there is no backup"},
		"empty":     {write("empty", nil), "not a database of coord"},
		"garbage":   {write("garbage", []byte(strings.Repeat("x", 5000))), "no usable backup"},
		"cut off":   {write("cut", content[:len(content)/2]), "no usable backup"},
		"damaged":   {write("holed", holed), "no usable backup"},
		"bad JSON":  {write("flipped", flipped), "no usable backup (damaged: 1 rows of events hold no valid JSON)"},
		"itself":    {file, "is the database itself"},
		"newer":     {newer, "written by a newer coord"},
	} {
		_, _, err := sqlite.Restore(t.Context(), tt.file, file)
		if err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want %q", name, err, tt.says)
		}
	}
	if left, _ := filepath.Glob(file + "*"); len(left) != 1 {
		t.Errorf("beside the database: %v", left)
	}
	if got := load(t, open(t, file)).Counters.Seq; got != 1 {
		t.Errorf("seq %d, want 1", got)
	}
	if _, err := sqlite.Backup(t.Context(), file, good); coord.CodeOf(err) != coord.Conflict {
		t.Errorf("over an existing file: %v", err)
	}
}
