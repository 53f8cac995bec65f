package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/coordhq/coord/pkg/hub"
	"github.com/coordhq/coord/pkg/hub/sqlite"
)

// commitForever is the process that the test kills: it commits batches of
// announcements and prints the number of each one that is acknowledged.
func commitForever(path string) error {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, sqlite.Options{Path: path})
	if err != nil {
		return err
	}
	snap, err := s.Load(ctx)
	if err != nil {
		return err
	}
	for n := snap.Counters.Announcement; ; {
		b, err := s.Begin(ctx)
		if err != nil {
			return err
		}
		first := n + 1
		for range 1 + rand.IntN(8) {
			n++
			if err := b.Apply(announce(n)); err != nil {
				return err
			}
		}
		if err := b.Commit(); err != nil {
			return err
		}
		for ; first <= n; first++ {
			fmt.Println(first)
		}
	}
}

func TestAcknowledgedWritesSurviveKill(t *testing.T) {
	file := temp(t)
	acked := int64(0)
	for round := range 12 {
		acked = max(acked, killAfter(t, file, 1+rand.IntN(80)))
		checkAfterKill(t, file, round, acked)
	}
	t.Logf("%d announcements were acknowledged", acked)
}

// killAfter runs the child, kills it after it has acknowledged lines
// announcements and gives the last one that it has acknowledged.
func killAfter(t *testing.T, file string, lines int) (acked int64) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0]) // #nosec G204 -- this test itself
	child.Env = append(os.Environ(), childEnv+"="+file)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewScanner(out)
	for in.Scan() { // to the end: what was printed before the kill counts too
		if acked, err = strconv.ParseInt(in.Text(), 10, 64); err != nil {
			t.Errorf("the child printed %q", in.Text())
		}
		if lines--; lines == 0 {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || lines > 0 {
		t.Fatalf("the child ended by itself (%v) with %d lines to go", err, lines)
	}
	return acked
}

// checkAfterKill opens the database anew: everything up to acked is there, and
// what is there is whole.
func checkAfterKill(t *testing.T, file string, round int, acked int64) {
	t.Helper()
	s := open(t, file)
	snap := load(t, s)
	n := snap.Counters.Announcement
	if n < acked {
		t.Fatalf("round %d: %d was acknowledged, the last one stored is %d", round, acked, n)
	}
	equal(t, "counters", snap.Counters, announce(n).Counters)
	if got := len(snap.Announcements); int64(got) != n {
		t.Errorf("round %d: %d announcements, want %d", round, got, n)
	}
	for i, seq := range seqs(t, s, "") {
		if int64(seq) != int64(i+1) {
			t.Fatalf("round %d: event %d is missing", round, i+1)
		}
	}
	inbox, _, err := s.Inbox(t.Context(), "ag-2", 0, int(n)+1)
	if err != nil || int64(len(inbox)) != n {
		t.Errorf("round %d: %d deliveries, error %v, want %d", round, len(inbox), err, n)
	}
	b := begin(t, s)
	reply(t, b, hub.ReplyKey{Agent: "ag-1", Key: fmt.Sprintf("nonce-%d", acked)})
	b.Rollback()
	var verdict string
	if err := rawSQL(t, file).QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("round %d: integrity %q, error %v", round, verdict, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
