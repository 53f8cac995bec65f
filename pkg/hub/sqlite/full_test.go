//go:build linux || darwin

package sqlite_test

import (
	"encoding/json"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
)

// fillDisk makes every write beyond the present end of the database's log fail,
// as a full disk does, until the function it gives is called.
func fillDisk(t *testing.T, file string) (empty func()) {
	t.Helper()
	info, err := os.Stat(file + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	limit := func(l syscall.Rlimit) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &l); err != nil {
			t.Fatal(err)
		}
	}
	empty = func() { limit(old) }
	t.Cleanup(func() {
		empty()
		signal.Reset(syscall.SIGXFSZ)
	})
	limit(syscall.Rlimit{Cur: uint64(info.Size()), Max: old.Max})
	return empty
}

func TestCommitOnAFullDiskStoresNothingAndTheNextOneWorks(t *testing.T) {
	file := temp(t)
	s := open(t, file)
	store(t, s, announce(1))
	empty := fillDisk(t, file)

	b := begin(t, s)
	if err := b.Apply(announce(2)); err != nil {
		t.Fatal(err)
	}
	err := b.Commit()
	wantCode(t, err, coord.Storage)
	if err == nil || !strings.Contains(err.Error(), "disk") {
		t.Errorf("error %v does not name the disk", err)
	}
	equal(t, "events, which are still readable", seqs(t, s, ""), []coord.Seq{1, 2})
	equal(t, "counters", load(t, s).Counters, announce(1).Counters)

	empty()
	store(t, s, announce(2))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, file)
	equal(t, "events", seqs(t, s, ""), []coord.Seq{1, 2, 3, 4})
	equal(t, "counters", load(t, s).Counters, announce(2).Counters)
}

// SQLite rolls back the whole transaction when a write fails inside it. What is
// applied after that would be committed by its own savepoint.
func TestBatchThatLostItsTransactionRefusesAllThatFollows(t *testing.T) {
	file := temp(t)
	s := open(t, file)
	store(t, s, announce(1))
	empty := fillDisk(t, file)

	b := begin(t, s)
	if err := b.Apply(announce(2)); err != nil {
		t.Fatal(err)
	}
	large := announce(3) // more than the page cache holds, so that it is written before the commit
	for i := range large.Events {
		large.Events[i].Payload = json.RawMessage(`"` + strings.Repeat("x", 4<<20) + `"`)
	}
	wantCode(t, b.Apply(large), coord.Storage)
	empty()
	err := b.Apply(announce(4))
	wantCode(t, err, coord.Storage)
	if !strings.Contains(err.Error(), "disk") {
		t.Errorf("what follows is not told of the disk: %v", err)
	}
	_, _, err = b.Reply(hub.ReplyKey{Agent: "ag-1", Key: "nonce-1"})
	wantCode(t, err, coord.Storage)
	wantCode(t, b.Commit(), coord.Storage)

	equal(t, "events", seqs(t, s, ""), []coord.Seq{1, 2})
	store(t, s, announce(2))
	equal(t, "events", seqs(t, s, ""), []coord.Seq{1, 2, 3, 4})
}
