package coordtest_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coordtest"
)

// From the fork of coord-hook to its end, with 50 sessions connected.
func BenchmarkHook(b *testing.B) {
	b.Log("method: fork of coord-hook to its exit; 50 sessions with a shim each are connected and idle; one hook at a time; an edit takes and renews a lease durably")
	home, repo := coordtest.NewHome(b), coordtest.NewRepo(b, "shop", "login.go", "cart.go")
	for i := range 50 {
		home.Agent(fmt.Sprintf("session-%d", i), repo.Dir).Status()
	}
	alice := home.HookSession("alice", repo.Dir)
	alice.Env = []string{"COORDINATOR_HOOK_TIMEOUT=300ms"}
	alice.Start()
	alice.Prompt()
	for _, bench := range []struct{ name, event, payload, file string }{
		{"pre-edit", "pre-tool", "pre_edit", "login.go"},
		{"post-edit", "post-tool", "post_edit", "login.go"},
		{"post-read", "post-tool", "post_read", "cart.go"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			stdin := []byte(alice.Payload(bench.payload, coordtest.Fill{"file": bench.file}))
			var sample []time.Duration
			late := 0 // those that spoke: nothing overlaps, so it was to say that time was over
			for b.Loop() {
				cmd := alice.Command(bench.event)
				cmd.Stdin = bytes.NewReader(stdin)
				var out bytes.Buffer
				cmd.Stdout = &out
				start := time.Now()
				if err := cmd.Run(); err != nil {
					b.Fatal(err)
				}
				sample = append(sample, time.Since(start))
				if out.Len() > 0 {
					late++
				}
			}
			b.ReportMetric(float64(late), "late")
			report(b, sample)
		})
	}
	b.Run("empty-program", func(b *testing.B) {
		b.Log("for comparison: coord-hook --version, which does nothing")
		var sample []time.Duration
		for b.Loop() {
			cmd := alice.Command("--version")
			start := time.Now()
			if err := cmd.Run(); err != nil {
				b.Fatal(err)
			}
			sample = append(sample, time.Since(start))
		}
		report(b, sample)
	})
}
