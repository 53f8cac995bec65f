package sqlite_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/sqlite"
)

func TestCloseLeavesOneFileAndRefusesAllCalls(t *testing.T) {
	file := temp(t)
	s := open(t, file)
	store(t, s, announce(1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("again: %v", err)
	}
	if _, err := os.Stat(file + "-wal"); !os.IsNotExist(err) {
		t.Errorf("the log was left behind: %v", err)
	}

	_, err := s.Begin(context.Background())
	wantCode(t, err, coord.Unavailable)
	_, err = s.Load(t.Context())
	wantCode(t, err, coord.Unavailable)
	_, _, err = s.Inbox(t.Context(), "ag-2", 0, 10)
	wantCode(t, err, coord.Unavailable)
	_, _, err = s.Messages(t.Context(), shop, "T-1", 0, 10)
	wantCode(t, err, coord.Unavailable)
	_, err = s.Events(t.Context(), "", 0, 10)
	wantCode(t, err, coord.Unavailable)
	_, err = s.Thread(t.Context(), shop, "T-1")
	wantCode(t, err, coord.Unavailable)
	wantCode(t, s.Sweep(t.Context(), now), coord.Unavailable)
}

func TestCloseEmptiesTheLogThatAnotherProgramKeepsOpen(t *testing.T) {
	file := temp(t)
	s := open(t, file)
	store(t, s, announce(1))
	column(t, rawSQL(t, file), "seq", "events") // the pool keeps its connection
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file + "-wal"); err != nil || info.Size() != 0 {
		t.Errorf("the log: %v, error %v, want an empty file", info, err)
	}
}

func TestCloseDropsABatchThatStaysOpen(t *testing.T) {
	file := temp(t)
	synctest.Test(t, func(t *testing.T) {
		s, err := sqlite.Open(t.Context(), sqlite.Options{Path: file})
		if err != nil {
			t.Fatal(err)
		}
		b, err := s.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Apply(announce(1)); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err == nil || !strings.Contains(err.Error(), "a batch was open") {
			t.Errorf("close: %v", err)
		}
		wantCode(t, b.Apply(announce(2)), coord.Unavailable)
		wantCode(t, b.Commit(), coord.Unavailable)
	})
	equal(t, "events", seqs(t, open(t, file), ""), []coord.Seq{})
}

func TestCloseWaitsForTheOpenBatch(t *testing.T) {
	file := temp(t)
	s := open(t, file)
	b := begin(t, s)
	if err := b.Apply(announce(1)); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	equal(t, "events", seqs(t, open(t, file), ""), []coord.Seq{1, 2})
}
