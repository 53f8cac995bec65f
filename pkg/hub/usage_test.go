package hub_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
)

// sums gives what tokens_used says to a caller: "name model turns input output".
func sums(t *testing.T, r *rig, c coord.Caller, args string) []string {
	t.Helper()
	raw, err := r.Call(coord.WithCaller(context.Background(), c), "tokens_used", json.RawMessage(args), "")
	if err != nil {
		t.Fatal(err)
	}
	var out struct {
		Totals []struct {
			Agent                struct{ Name string }
			Model                string
			Turns, Input, Output int64
		}
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	lines := []string{}
	for _, s := range out.Totals {
		lines = append(lines, fmt.Sprint(s.Agent.Name, " ", s.Model, " ", s.Turns, " ", s.Input, " ", s.Output))
	}
	return lines
}

func TestTokensAreSummedUpPerAgentAndModelAndSurviveARestart(t *testing.T) {
	r := newRig(t)
	ann, bob := r.named("ann"), r.named("bob")
	elsewhere := registration("zoe")
	elsewhere.Project, elsewhere.Fixed = "other", true
	zoe := r.join(elsewhere)
	turn := func(model string, input, output int) object {
		return object{"model": model, "input": input, "output": output}
	}
	ann.call("record_tokens", object{"uses": []object{turn("opus", 100, 10), turn("opus", 200, 20), turn("haiku", 1, 1)}})
	bob.call("record_tokens", object{"uses": []object{turn("opus", 50, 5)}})
	zoe.call("record_tokens", object{"uses": []object{turn("opus", 7, 7)}})
	shop := []string{"ann opus 2 300 30", "bob opus 1 50 5", "ann haiku 1 1 1"}
	check := func() {
		t.Helper()
		for _, tt := range []struct {
			caller coord.Caller
			args   string
			want   []string
		}{
			{coord.Caller{Agent: ann.AgentID, Project: "shop"}, `{}`, shop},
			{coord.Caller{Operator: true}, `{}`, []string{"ann opus 2 300 30", "bob opus 1 50 5", "zoe opus 1 7 7", "ann haiku 1 1 1"}},
			{coord.Caller{Operator: true}, `{"limit":1,"cursor":"1"}`, shop[1:2]},
			{coord.Caller{Agent: ann.AgentID, Project: "shop"}, fmt.Sprintf(`{"agent":%q}`, zoe.AgentID), []string{}},
		} {
			if diff := cmp.Diff(tt.want, sums(t, r, tt.caller, tt.args)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.args, diff)
			}
		}
	}
	check()
	r.stop()
	r.start(nil)
	check()
}

func TestWhoseTokensMayBeRecorded(t *testing.T) {
	r := newRig(t)
	ann, bob := r.named("ann"), r.named("bob")
	uses := []object{{"model": "opus", "input": 1}}
	ann.refused(coord.Forbidden, "record_tokens", object{"agent": bob.AgentID, "uses": uses})
	ann.refused(coord.Invalid, "record_tokens", object{"uses": []object{{"model": "opus", "input": -1}}})
	ann.refused(coord.Invalid, "record_tokens", object{"uses": []object{{"input": 1}}})
	operator := &agent{r: r, ctx: coord.WithCaller(context.Background(), coord.Caller{Operator: true})}
	operator.refused(coord.Invalid, "record_tokens", object{"uses": uses})
	operator.refused(coord.NotFound, "record_tokens", object{"agent": "ag-nobody", "uses": uses})
	operator.call("record_tokens", object{"agent": bob.AgentID, "uses": uses})
	for i := range 51 {
		if _, err := ann.try("record_tokens", object{"uses": []object{{"model": fmt.Sprint("m", i)}}}); (err != nil) != (i == 50) {
			t.Fatalf("model %d: %v", i, err)
		}
	}
	if got := sums(t, r, coord.Caller{Operator: true}, fmt.Sprintf(`{"agent":%q}`, bob.AgentID)); len(got) != 1 {
		t.Errorf("bob's: %v", got)
	}
}

// A report that names its turns may be sent again and counts once.
func TestARepeatedTurnCountsOnce(t *testing.T) {
	r := newRig(t)
	ann, bob := r.named("ann"), r.named("bob")
	turn := func(n, input int) object { return object{"model": "opus", "turn": n, "input": input, "output": 1} }
	report := object{"uses": []object{turn(1, 100), turn(2, 200)}}
	want(t, "first", ann.call("record_tokens", report)["recorded"], 2.0)
	want(t, "again", ann.call("record_tokens", report)["recorded"], 0.0)
	want(t, "with one more turn", ann.call("record_tokens", object{"uses": []object{turn(2, 200), turn(3, 200)}})["recorded"], 1.0)
	want(t, "the first turn of another session", ann.call("record_tokens", object{"uses": []object{turn(1, 70)}})["recorded"], 1.0)
	want(t, "of another agent", bob.call("record_tokens", report)["recorded"], 2.0)
	want(t, "without a turn", bob.call("record_tokens", object{"uses": []object{turn(0, 5), turn(0, 5)}})["recorded"], 2.0)
	want(t, "sums", sums(t, r, coord.Caller{Operator: true}, `{}`), []string{"ann opus 4 570 4", "bob opus 4 310 4"})
}

func TestAQuotaIsNewsOnceToEachProjectInUse(t *testing.T) {
	r := newRig(t)
	ann := r.named("ann")
	uses := []coord.QuotaUse{{Bucket: coord.QuotaFiveHour, Utilization: 40}, {Bucket: coord.QuotaSevenDay, Utilization: 80, ResetsAt: 5}}
	for range 2 {
		if err := r.RecordQuota(t.Context(), uses); err != nil {
			t.Fatal(err)
		}
	}
	events, err := r.store.Events(t.Context(), "shop", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []coord.QuotaUpdated
	for _, e := range events {
		if e.Kind == coord.KindQuotaUpdated {
			var q coord.QuotaUpdated
			if err := json.Unmarshal(e.Payload, &q); err != nil {
				t.Fatal(err)
			}
			got = append(got, q)
		}
	}
	if diff := cmp.Diff([]coord.QuotaUpdated{{Usage: 80, Limit: 100, Utilization: 80, ResetsAt: 5, Buckets: uses}}, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	late := registration("zoe")
	late.Project, late.Workspace = "other", "host-1:/other"
	for range 2 {
		r.join(late)
	}
	if events, err = r.store.Events(t.Context(), "other", 0, 100); err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, e := range events {
		if e.Kind == coord.KindQuotaUpdated {
			told++
		}
	}
	if told != 1 {
		t.Errorf("a project that comes later is told %d times", told)
	}
	status := ann.call("coordinator_status", nil)
	want(t, "status", status["quota"], object{"utilization_pct": 80.0, "resets_at": 5.0})
	if err := r.RecordQuota(t.Context(), nil); coord.CodeOf(err) != coord.Invalid {
		t.Errorf("an empty quota: %v", err)
	}
}
