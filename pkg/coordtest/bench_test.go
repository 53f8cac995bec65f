package coordtest_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/coordtest/machine"
	"github.com/coordhq/coord/pkg/tool"
)

// report prints a sample in place of the time per iteration, which would hold
// what the benchmark does around the measured part.
func report(b *testing.B, sample []time.Duration) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(percentile(sample, 50).Nanoseconds())/1e6, "p50-ms")
	b.ReportMetric(float64(percentile(sample, 99).Nanoseconds())/1e6, "p99-ms")
}

// From the start of the process to its answer to initialize, with a warm hub.
func BenchmarkShimStart(b *testing.B) {
	b.Log("method: fork of coord-shim to its initialize answer on stdout; a hub runs; one shim at a time")
	home, repo := coordtest.NewHome(b), coordtest.NewRepo(b, "shop")
	home.Agent("warm", repo.Dir).Status()
	var sample []time.Duration
	for b.Loop() {
		start := time.Now()
		shim := home.Raw("fresh", repo.Dir)
		sample = append(sample, shim.Initialize("2025-11-25").At.Sub(start))
		if err := shim.Close(); err != nil {
			b.Fatal(err)
		}
	}
	report(b, sample)
}

// From a tools/call line on a shim's stdin to its answer on stdout.
func BenchmarkToolCall(b *testing.B) {
	home, repo := coordtest.NewHome(b), coordtest.NewRepo(b, "shop")
	b.Run("coordinator_status", func(b *testing.B) {
		b.Log("method: tools/call line on stdin to answer line on stdout, back to back; reads only")
		var sample []time.Duration
		reader := &caller{home: home, dir: repo.Dir, name: "reader", each: 400}
		for b.Loop() {
			shim := reader.session(b)
			_, took := ask(b, shim, tool.CoordinatorStatus.Name, tool.CoordinatorStatusIn{})
			sample = append(sample, took)
		}
		report(b, sample)
	})
	b.Run("announce_work", func(b *testing.B) {
		b.Log("method: as above, with a durable commit (synchronous=FULL) in it; closed again outside the measurement")
		var sample []time.Duration
		announcer := &caller{home: home, dir: repo.Dir, name: "announcer", each: 200}
		for b.Loop() {
			shim := announcer.session(b)
			out, took := ask(b, shim, tool.AnnounceWork.Name, tool.AnnounceWorkIn{Subject: "bench", TargetFiles: []string{"src/index.ts"}})
			sample = append(sample, took)
			closeAnnouncement(b, shim, out)
		}
		report(b, sample)
	})
}

// caller makes calls as one session after the other, since the hub lets no agent
// make more than 500 at once. Those that a shim makes by itself count as well.
type caller struct {
	home      *coordtest.Home
	dir, name string
	each      int // uses of a session, of some calls each
	shim      *coordtest.Raw
	uses      int
}

// session gives a session that is far from its limit, and registered.
func (c *caller) session(b *testing.B) *coordtest.Raw {
	b.Helper()
	if c.uses++; c.shim != nil && c.uses%c.each != 0 {
		return c.shim
	}
	if c.shim != nil {
		if err := c.shim.Close(); err != nil {
			b.Fatal(err)
		}
	}
	c.shim = c.home.Raw(fmt.Sprintf("%s-%d", c.name, c.uses), c.dir)
	c.shim.Initialize("2025-11-25")
	ask(b, c.shim, tool.CoordinatorStatus.Name, tool.CoordinatorStatusIn{})
	return c.shim
}

// From announce_work in one session to the return of wait_for_message in
// another.
func BenchmarkPush(b *testing.B) {
	b.Log("method: announce_work line on one shim's stdin to the answer of wait_for_message on another's stdout; the reader waits already")
	home, repo := coordtest.NewHome(b), coordtest.NewRepo(b, "shop")
	const each = 40 // uses: with offers, receipts and progress a round of alice's is ten calls
	reader, announcer := &caller{home: home, dir: repo.Dir, name: "alice", each: each}, &caller{home: home, dir: repo.Dir, name: "bob", each: each}
	var sample []time.Duration
	for round := 0; b.Loop(); round++ {
		alice, bob := reader.session(b), announcer.session(b)
		in := tool.AnnounceWorkIn{Subject: "bench", TargetFiles: []string{fmt.Sprintf("src/file%d.ts", round)}}
		held, _ := ask(b, alice, tool.AnnounceWork.Name, in)
		alice.Say(call(b, tool.WaitForMessage.Name, tool.WaitForMessageIn{}))
		start := time.Now()
		asked, _ := ask(b, bob, tool.AnnounceWork.Name, in)
		heard := alice.Answer()
		if _, refused := heard.Refusal(); refused || !bytes.Contains(heard.Result, []byte("thread.opened")) {
			b.Fatalf("alice waits for the thread and gets %s", heard.Result)
		}
		sample = append(sample, heard.At.Sub(start))
		closeAnnouncement(b, bob, asked) // ends the thread, so alice hears once more
		ask(b, alice, tool.WaitForMessage.Name, tool.WaitForMessageIn{})
		closeAnnouncement(b, alice, held)
	}
	report(b, sample)
}

// announce_work at the hub itself, beside more and more live announcements.
func BenchmarkAnnounceAtHub(b *testing.B) {
	for _, live := range []int{10, 1_000, 100_000} {
		b.Run(fmt.Sprintf("live=%d", live), func(b *testing.B) {
			b.Log("method: hub.Call in the hub's process with SQLite (synchronous=FULL) on this disk; one new file among that many live file targets of 20 agents")
			home := coordtest.NewInProcess(b)
			fill(b, home, live)
			home.Enter("me")
			var sample []time.Duration
			for round := 0; b.Loop(); round++ {
				args := arguments(b, tool.AnnounceWorkIn{Subject: "bench", TargetFiles: []string{fmt.Sprintf("new/file%d.ts", round)}})
				start := time.Now()
				raw, err := home.Call("me", tool.AnnounceWork.Name, args)
				sample = append(sample, time.Since(start))
				if err != nil {
					b.Fatal(err)
				}
				var out tool.AnnounceWorkOut
				if err := json.Unmarshal(raw, &out); err != nil {
					b.Fatal(err)
				}
				if _, err := home.Call("me", tool.CloseThread.Name, arguments(b, tool.CloseThreadIn{ThreadID: string(out.AnnouncementID)})); err != nil {
					b.Fatal(err)
				}
			}
			report(b, sample)
		})
	}
}

// fill announces that many files, at most 500 at a time, as 20 agents.
func fill(b *testing.B, home *coordtest.InProcess, live int) {
	b.Helper()
	for i := range 20 {
		home.Enter(fmt.Sprintf("peer%d", i))
	}
	for done := 0; done < live; {
		files := make([]string, min(500, live-done))
		for i := range files {
			files[i] = fmt.Sprintf("src/module%d/file%d.ts", done/500, i)
		}
		args := arguments(b, tool.AnnounceWorkIn{Subject: "held", TargetFiles: files})
		if _, err := home.Call(fmt.Sprintf("peer%d", done/500%20), tool.AnnounceWork.Name, args); err != nil {
			b.Fatal(err)
		}
		done += len(files)
	}
}

// What the programs hold in memory when nothing happens.
func BenchmarkIdleMemory(b *testing.B) {
	machine.Has(b, exists("/proc/self/status"), "/proc")
	b.Log("method: VmRSS of coord-shim and coord-hub with one registered session, after 100 calls")
	home, repo := coordtest.NewHome(b), coordtest.NewRepo(b, "shop")
	shim := home.Raw("idle", repo.Dir)
	shim.Initialize("2025-11-25")
	for range 100 {
		ask(b, shim, tool.CoordinatorStatus.Name, tool.CoordinatorStatusIn{})
	}
	var shimMB, hubMB float64
	for b.Loop() {
		shimMB, hubMB = resident(b, shim.PID()), resident(b, home.Hub().PID)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(shimMB, "shim-MB")
	b.ReportMetric(hubMB, "hub-MB")
}

// call words a tools/call line.
func call(b *testing.B, name string, in any) string {
	b.Helper()
	return toolCall(name, string(arguments(b, in)))
}

func arguments(b *testing.B, in any) json.RawMessage {
	b.Helper()
	args, err := json.Marshal(in)
	if err != nil {
		b.Fatal(err)
	}
	return args
}

// ask calls a tool and gives its result and how long it took.
func ask(b *testing.B, shim *coordtest.Raw, name string, in any) (json.RawMessage, time.Duration) {
	b.Helper()
	line := call(b, name, in)
	start := time.Now()
	answer := shim.Ask(line)
	if words, refused := answer.Refusal(); refused {
		b.Fatalf("%s: %s", name, words)
	}
	return answer.Result, answer.At.Sub(start)
}

// closeAnnouncement closes what an announce_work result speaks of.
func closeAnnouncement(b *testing.B, shim *coordtest.Raw, announced json.RawMessage) {
	b.Helper()
	var result struct {
		Content []struct{ Text string } `json:"content"`
	}
	var out tool.AnnounceWorkOut
	if err := json.Unmarshal(announced, &result); err != nil || len(result.Content) != 1 {
		b.Fatalf("announce_work answered %s (%v)", announced, err)
	}
	if err := json.Unmarshal([]byte(result.Content[0].Text), &out); err != nil {
		b.Fatal(err)
	}
	ask(b, shim, tool.CloseThread.Name, tool.CloseThreadIn{ThreadID: string(out.AnnouncementID)})
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// resident reads how many MB of memory a process holds.
func resident(b *testing.B, pid int) float64 {
	b.Helper()
	content, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		b.Fatal(err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(content)); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb / 1024
		}
	}
	b.Fatalf("process %d tells no VmRSS", pid)
	return 0
}
