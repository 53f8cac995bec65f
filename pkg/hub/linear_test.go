package hub_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/coordhq/coord/pkg/coord"
)

// leaseCall is one call about one path, as its caller saw it.
type leaseCall struct {
	path, agent string
	release     bool
	ok          bool // it has the path now; it has released it
}

// register is one path as the gate must behave if its calls had been made one
// after the other: one holder; who is refused stands in line; a released path is
// kept for the first in line.
type register struct {
	holder   string
	reserved string
	line     []string
}

func (r register) with(line ...string) register { r.line = line; return r }

// step gives whether the answer is right, and what comes after it.
func (r register) step(c leaseCall) (bool, register) {
	if c.release {
		if r.holder != c.agent {
			return !c.ok, r
		}
		r.holder = ""
		if len(r.line) > 0 {
			r.reserved = r.line[0]
		}
		return c.ok, r
	}
	if r.holder != c.agent && (r.holder != "" || (r.reserved != "" && r.reserved != c.agent)) {
		if !slices.Contains(r.line, c.agent) {
			r = r.with(append(slices.Clone(r.line), c.agent)...)
		}
		return !c.ok, r
	}
	r = r.with(slices.DeleteFunc(slices.Clone(r.line), func(a string) bool { return a == c.agent })...)
	r.holder, r.reserved = c.agent, ""
	return c.ok, r
}

// leaseModel holds each path by itself.
var leaseModel = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		by := map[string][]porcupine.Operation{}
		for _, op := range history {
			path := op.Input.(leaseCall).path
			by[path] = append(by[path], op)
		}
		var out [][]porcupine.Operation
		for _, of := range by {
			out = append(out, of)
		}
		return out
	},
	Init: func() any { return register{} },
	Step: func(state, input, output any) (bool, any) {
		c := input.(leaseCall)
		c.ok = output.(bool)
		ok, next := state.(register).step(c)
		return ok, next
	},
	Equal: func(a, b any) bool {
		x, y := a.(register), b.(register)
		return x.holder == y.holder && x.reserved == y.reserved && slices.Equal(x.line, y.line)
	},
	DescribeOperation: func(input, output any) string {
		c := input.(leaseCall)
		if c.release {
			return fmt.Sprintf("%s releases %s: %v", c.agent, c.path, output)
		}
		return fmt.Sprintf("%s acquires %s: %v", c.agent, c.path, output)
	},
}

// history is what many callers saw.
type history struct {
	clock atomic.Int64

	mu  sync.Mutex // guards ops
	ops []porcupine.Operation
}

// note runs a call and keeps when it began, when it ended and what it said.
func (h *history) note(client int, c leaseCall, run func() bool) bool {
	began := h.clock.Add(1)
	ok := run()
	op := porcupine.Operation{ClientId: client, Input: c, Output: ok, Call: began, Return: h.clock.Add(1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, op)
	return ok
}

func (h *history) check(t *testing.T) porcupine.CheckResult {
	t.Helper()
	return porcupine.CheckOperationsTimeout(leaseModel, h.ops, time.Minute)
}

// acquire asks the gate for a path; the edit counts as done.
func (a *agent) acquire(path string) bool {
	return a.call("acquire", object{"file_paths": []string{path}, "done": true})["decision"] != string(coord.DecisionRefuse)
}

func (a *agent) release(path string) bool {
	return len(a.call("release", object{"file_paths": []string{path}, "committed": true})["released"].([]any)) > 0
}

func TestLeasesAreLinearizable(t *testing.T) {
	const paths, each, rounds = 4, 4, 30 // agents stay with one path, so that no circle of waits lets two in
	r := newRig(t)
	h := &history{}
	var all sync.WaitGroup
	held := make([]int, paths)
	for p := range paths {
		path := fmt.Sprintf("src/f%d.go", p)
		var mu sync.Mutex
		for n := range each {
			a := r.named(fmt.Sprintf("a%d-%d", p, n))
			all.Go(func() {
				for range rounds {
					c := leaseCall{path: path, agent: a.Name}
					if !h.note(p*each+n, c, func() bool { return a.acquire(path) }) {
						continue
					}
					mu.Lock()
					held[p]++
					mu.Unlock()
					c.release = true
					h.note(p*each+n, c, func() bool { return a.release(path) })
				}
			})
		}
	}
	all.Wait()
	if got := h.check(t); got != porcupine.Ok {
		t.Errorf("%d calls: %s", len(h.ops), got)
	}
	for p, n := range held {
		if n == 0 {
			t.Errorf("nobody ever held path %d", p)
		}
	}
}

// What happens to who asks first and takes then: between the two calls somebody
// else has asked as well. The checker must see it.
func TestAskingFirstAndTakingThenIsNotLinearizable(t *testing.T) {
	r := newRig(t)
	h := &history{}
	a, b := r.named("a"), r.named("b")
	var asked, taken sync.WaitGroup
	asked.Add(2)
	for n, who := range []*agent{a, b} {
		taken.Go(func() {
			h.note(n, leaseCall{path: "x", agent: who.Name}, func() bool {
				free := who.call("check_file_conflict", object{"file_path": "x"})["verdict"] == "free"
				asked.Done()
				asked.Wait()
				if free {
					who.call("log_action_summary", object{"summary": "wrote it", "file_path": "x"})
				}
				return free
			})
		})
	}
	taken.Wait()
	if got := h.check(t); got != porcupine.Illegal {
		t.Errorf("two holders at once pass as %s", got)
	}
}

func TestOneOfManyClaimersWins(t *testing.T) {
	r := newRig(t)
	boss := r.named("boss")
	var workers []*agent
	for n := range 4 {
		workers = append(workers, r.named(fmt.Sprint("w", n)))
	}
	for round := range 50 {
		task := boss.call("announce_work", object{"subject": "t", "target_files": []string{fmt.Sprint("f", round)}, "keep_open": true})["thread_id"]
		start := make(chan struct{})
		outcomes := make(chan error, len(workers))
		for _, w := range workers {
			go func() {
				<-start
				raw, _ := json.Marshal(object{"thread_id": task})
				_, err := r.Call(w.ctx, "claim_task", raw, "")
				outcomes <- err
			}()
		}
		close(start)
		won := 0
		for range workers {
			switch err := <-outcomes; coord.CodeOf(err) {
			case "":
				won++
			case coord.Conflict:
			default:
				t.Fatal(err)
			}
		}
		if won != 1 {
			t.Fatalf("round %d: %d claims of %s won", round, won, task)
		}
		th := boss.call("get_thread", object{"thread_id": task})
		want(t, "status", th["status"], "claimed")
	}
}
