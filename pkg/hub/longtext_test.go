package hub_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
)

// letters are characters of one to four bytes, and one that JSON escapes.
var letters = []string{"x", "ü", "漢", "😀", `"`}

// long is a text of n different positions, so that a piece that is missing or
// comes twice shows.
func long(letter string, n int) string {
	var b strings.Builder
	for i := 0; i < n; {
		word := []rune(fmt.Sprint(i) + strings.Repeat(letter, 20))
		word = word[:min(len(word), n-i)]
		b.WriteString(string(word))
		i += len(word)
	}
	return b.String()
}

func TestAPostOfTheLargestSizeComesWhole(t *testing.T) {
	for _, letter := range letters {
		t.Run(letter, func(t *testing.T) {
			r, a, b := consult(t)
			content := long(letter, 4000)
			for _, text := range []string{"before", content, "after"} {
				if raw := answer(t, a, "post_to_thread", object{"thread_id": "T-1", "content": text}); len(raw) > maxAnswer {
					t.Errorf("the answer has %d bytes", len(raw))
				}
			}
			got := map[int]string{}
			for args, pages := (object{"thread_id": "T-1"}), 0; ; pages++ {
				if pages > 20 {
					t.Fatal("it never ends")
				}
				raw := answer(t, b, "get_thread", args)
				if len(raw) > maxAnswer {
					t.Errorf("page %d has %d bytes", pages, len(raw))
				}
				var page struct {
					Messages []struct {
						MessageID, Content string
						Seq                int
						Cut                bool
					}
					NextSeq    int `json:"next_seq"`
					NextOffset int `json:"next_offset"`
				}
				if err := json.Unmarshal(raw, &page); err != nil {
					t.Fatal(err)
				}
				for _, m := range page.Messages {
					got[m.Seq] += m.Content
				}
				if page.NextSeq == 0 && page.NextOffset == 0 {
					break
				}
				if page.NextSeq != 0 {
					args["since_seq"] = page.NextSeq
				}
				args["offset"] = page.NextOffset
			}
			whole := map[string]bool{}
			for _, text := range got {
				whole[text] = true
			}
			if diff := cmp.Diff(map[string]bool{"before": true, content: true, "after": true}, whole); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
			if raw := answer(t, b, "get_thread_updates", object{}); len(raw) > maxAnswer {
				t.Errorf("get_thread_updates has %d bytes", len(raw))
			}
			theEventIsCut(t, r, b, content)
		})
	}
}

func theEventIsCut(t *testing.T, r *rig, reader *agent, content string) {
	t.Helper()
	r.pubs.mu.Lock()
	defer r.pubs.mu.Unlock()
	for _, p := range r.pubs.pubs {
		d := coord.Delivery{Event: p.Event, Prev: 1 << 40}
		wire := d.Wire(r.Epoch())
		if len(wire) > 8<<10 {
			t.Errorf("an event of %d bytes", len(wire))
		}
		var m coord.MessagePosted
		if err := json.Unmarshal(p.Event.Payload, &m); err != nil {
			t.Fatal(err)
		}
		before, noted := strings.CutSuffix(m.Content, "… cut; get_thread gives all")
		switch {
		case p.Event.Kind != coord.KindMessagePosted:
		case m.Cut != noted, m.Cut && (!strings.HasPrefix(content, before) || len(wire) < 7<<10):
			t.Errorf("cut %t: %.60s…%s of %d bytes", m.Cut, m.Content, m.Content[len(m.Content)-60:], len(wire))
		case !m.Cut && len(m.Content) > 10 && m.Content != content:
			t.Errorf("the event says %.60s…", m.Content)
		}
	}
}

func TestAThreadOfTheLargestSizeKeepsToTheBudget(t *testing.T) {
	for _, letter := range letters {
		t.Run(letter, func(t *testing.T) {
			r := newRig(t)
			text := func(n int) string { return strings.Repeat(letter, n) }
			file := func(i int) string {
				return fmt.Sprintf("%s/%d.go", strings.Repeat("d/", 300)+strings.Repeat(letter, 300/len(letter)), i)
			}
			var files []string
			for i := range 30 {
				files = append(files, file(i))
			}
			var all []*agent
			for i := range 8 {
				a := r.named(fmt.Sprint(i))
				a.call("register_agent", object{"name": fmt.Sprint(i, text(60))})
				a.call("announce_work", object{"subject": text(200), "plan": text(2000), "target_files": files})
				all = append(all, a)
			}
			last := all[7]
			thread := object{"thread_id": "T-7"}
			for range 5 {
				all[0].call("post_to_thread", object{"thread_id": "T-7", "content": text(4000)})
				last.call("post_to_thread", object{"thread_id": "T-7", "content": text(500)})
			}
			var order []coord.AgentID
			for _, a := range all {
				order = append(order, a.AgentID)
			}
			check := func(what string, raw json.RawMessage) {
				t.Helper()
				if len(raw) > maxAnswer {
					t.Errorf("%s: %d bytes", what, len(raw))
				}
			}
			check("propose", answer(t, last, "propose_resolution", object{"thread_id": "T-7", "summary": text(2000), "order": order}))
			check("resolving", answer(t, last, "get_thread", thread))
			check("contest", answer(t, all[0], "contest_resolution", object{"thread_id": "T-7", "reason": text(2000)}))
			check("open again", answer(t, last, "get_thread", thread))
			check("cancel", answer(t, last, "cancel_thread", object{"thread_id": "T-7", "reason": text(2000)}))
			check("cancelled", answer(t, last, "get_thread", thread))

			task := last.call("announce_work", object{"subject": text(200), "plan": text(2000), "target_files": files, "keep_open": true, "run_id": text(64)})["thread_id"]
			check("claim", answer(t, all[1], "claim_task", object{"thread_id": task}))
			all[1].call("post_to_thread", object{"thread_id": task, "content": text(4000)})
			check("task", answer(t, all[2], "get_thread", object{"thread_id": task}))
		})
	}
}
