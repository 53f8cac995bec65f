package mcptool_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/inbox"
	"github.com/coordhq/coord/pkg/tool"
	"github.com/coordhq/coord/pkg/tool/mcptool"
)

func wire(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAnAnswerIsOneBlockOfText(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	for _, tt := range []struct {
		name string
		run  func() ([]byte, error)
		want string
	}{
		{"its own bytes", func() ([]byte, error) { return []byte(`{"b":9007199254740993,"a":"<&>"}` + "\n"), nil },
			`{"content":[{"type":"text","text":"{\"b\":9007199254740993,\"a\":\"\u003c\u0026\u003e\"}"}]}`},
		{"a refusal in words", func() ([]byte, error) { return nil, coord.Errorf(coord.NotFound, "look again", "there is no T-9") },
			`{"content":[{"type":"text","text":"there is no T-9; look again"}],"isError":true}`},
		{"a wrapped refusal", func() ([]byte, error) { return nil, fmt.Errorf("get: %w", coord.Errorf(coord.NotFound, "", "gone")) },
			`{"content":[{"type":"text","text":"gone"}],"isError":true}`},
		{"another error", func() ([]byte, error) { return nil, errors.New("disk full") },
			`{"content":[{"type":"text","text":"coord failed: disk full; go on without coord"}],"isError":true}`},
		{"a panic", func() ([]byte, error) { panic("secret") },
			`{"content":[{"type":"text","text":"x failed; this is a fault of coord; go on without it"}],"isError":true}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, wire(t, mcptool.Answer(log, "x", tt.run))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheListHasOnePage(t *testing.T) {
	if _, err := mcptool.List(tool.Offered(true), &mcp.ListToolsParams{Cursor: "x"}); err == nil {
		t.Error("an invented cursor is taken")
	}
	got, err := mcptool.List(nil, nil)
	if err != nil || wire(t, got) != `{"tools":[]}` {
		t.Errorf("%s, %v", wire(t, got), err)
	}
}

func TestAMisspeltToolIsGuessed(t *testing.T) {
	for typed, want := range map[string]string{
		"announce_wrok": "did you mean announce_work?",
		"Announce-Work": "did you mean announce_work?",
		"message":       "wait_for_message",
		"xy":            "the tools are:",
		"":              "the tools are:",
	} {
		if _, err := mcptool.Find(tool.Offered(false), typed); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q in it", typed, err, want)
		}
	}
	if op, err := mcptool.Find(tool.Offered(true), "announce_work"); err != nil || op != tool.AnnounceWork.Op {
		t.Errorf("%v, %v", op, err)
	}
}

// queue holds events with a payload of the given sizes.
func queue(sizes ...int) *inbox.Queue {
	q := inbox.New(inbox.Limit)
	for i, size := range sizes {
		seq := coord.Seq(i + 1)
		event := coord.Event{Seq: seq, Kind: coord.KindMessagePosted, Project: "p", Thread: "T-1", Actor: "ag-1",
			Payload: json.RawMessage(`{"content":"` + strings.Repeat("x", size) + `"}`)}
		q.Push(coord.Delivery{Event: event, Prev: seq - 1})
	}
	return q
}

func TestABatchFitsIntoAnAnswer(t *testing.T) {
	for _, tt := range []struct {
		name  string
		sizes []int
		limit int
		want  int
	}{
		{"nothing", nil, 0, 0},
		{"all", []int{10, 10}, 0, 2},
		{"as many as asked for", []int{10, 10, 10}, 2, 2},
		{"as many as usual", make([]int, 30), 0, mcptool.WaitBatch},
		{"as many as fit", []int{3000, 3000, 3000}, 0, 2},
		{"in order: a small one does not pass a large one", []int{3000, 6000, 1}, 0, 1},
		{"one that is too large", []int{20_000, 1}, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := queue(tt.sizes...)
			b := mcptool.Take(q, tt.limit, mcptool.WaitBatch, nil)
			if len(b.Events) != tt.want {
				t.Errorf("%d events, want %d", len(b.Events), tt.want)
			}
			var out tool.WaitForMessageOut
			if err := json.Unmarshal(mcptool.News(b, q, nil), &out); err != nil || len(out.Events) != tt.want || out.Remaining != len(tt.sizes)-tt.want {
				t.Errorf("%d events, %d remain, %v", len(out.Events), out.Remaining, err)
			}
		})
	}
}

func TestNewsIsWithoutWhatOnlyMachinesNeed(t *testing.T) {
	q := inbox.New(inbox.Limit)
	full := coord.Delivery{Prev: 6, Event: coord.Event{Seq: 7, Kind: coord.KindMessagePosted, Project: "p", Thread: "T-1", Actor: "ag-1", Time: 5,
		Priority: coord.Medium, Payload: json.RawMessage(`{"z":"<b>","big":9007199254740993,"a":1}`)}}
	_, d, err := coord.ParseWire(full.Wire("e-1"))
	if err != nil {
		t.Fatal(err)
	}
	q.Push(d)
	want := `{"events":[{"seq":7,"id":"E-7","kind":"message.posted","agent_id":"ag-1","thread_id":"T-1","ts":5,"priority":"medium","z":"\u003cb>","big":9007199254740993,"a":1}],"remaining":0}`
	if diff := cmp.Diff(want, string(mcptool.News(mcptool.Take(q, 0, 1, nil), q, nil))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOfThreadLetsMarkersThrough(t *testing.T) {
	f := mcptool.OfThread("T-1")
	for want, d := range map[bool][]coord.Event{
		true:  {{Thread: "T-1"}, {Kind: coord.KindResync}},
		false: {{Thread: "T-2"}, {}},
	} {
		for _, e := range d {
			if got := f(&coord.Delivery{Event: e}); got != want {
				t.Errorf("%+v: %v", e, got)
			}
		}
	}
	if mcptool.OfThread("") != nil {
		t.Error("no thread is a filter")
	}
}
