package hub_test

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// maxAnswer is what an answer to a model may hold.
const maxAnswer = 8 << 10

// crowd is a hub on which everything is as large as it may be: names, subjects,
// paths and texts of letters of several bytes, and many of each.
func crowd(t *testing.T) (r *rig, agents []*agent) {
	t.Helper()
	r = newRig(t)
	long := strings.Repeat("ü\"", 200)
	text := func(n int) string { return string([]rune(strings.Repeat(long, 20))[:n]) }
	path := func(i int) string {
		return fmt.Sprintf("%s/f%d.go", strings.Repeat("ö/", 330), i) // 1 KiB
	}
	for i := range 26 {
		reg := registration("")
		reg.Branch = strings.Repeat("b", 300)
		reg.Workspace += coord.WorkspaceID(strings.Repeat("w", 1500))
		a := r.join(reg)
		agents = append(agents, a)
		a.call("register_agent", object{"name": fmt.Sprint(i, text(60)), "modules": []string{text(200), fmt.Sprint("m", i), text(150)}})
	}
	var files []string
	for i := range 30 {
		files = append(files, path(i))
	}
	for i, a := range agents {
		work := object{"subject": text(200), "plan": text(2000), "target_files": files, "depends_on_files": files, "target_modules": []string{text(200), "auth"}, "run_id": "r1"}
		if i >= 22 {
			work["keep_open"] = true
		}
		a.call("announce_work", work)
		a.call("log_action_summary", object{"summary": text(2000), "file_path": path(i % 3)})
		a.call("log_action_summary", object{"summary": text(2000), "file_path": path(100)})
	}
	last := agents[21] // whose thread has all before it as respondents
	last.call("propose_resolution", object{"thread_id": "T-21", "summary": text(2000), "order": []coord.AgentID{last.AgentID, agents[0].AgentID}})
	for i := range 12 {
		last.call("post_to_thread", object{"thread_id": "T-21", "content": text(3000 - i)})
	}
	modules := object{}
	for i := range 400 {
		modules[fmt.Sprintf("%s%d", text(60), i)] = object{"depends_on": []string{"core", "ö"}, "exports": []string{text(100)}}
	}
	modules["core"] = object{"exports": []string{text(90), text(91), text(92)}, "owners": []string{text(90)}, "depends_on": []string{text(90), "auth"}}
	modules["ö"] = object{}
	last.call("set_dependency_map", object{"modules": modules})
	return r, agents
}

func TestAnswersOfACrowdedHub(t *testing.T) {
	r, agents := crowd(t)
	t.Run("every page of a list", func(t *testing.T) { pagesGiveEveryRowOnce(t, r, agents) })
	t.Run("no answer is over its budget", func(t *testing.T) { noAnswerIsOverItsBudget(t, agents[0]) })
	t.Run("no event is over its budget", func(t *testing.T) { noEventIsOverItsBudget(t, r, agents) })
}

func noAnswerIsOverItsBudget(t *testing.T, a *agent) {
	for _, tt := range []struct {
		op   string
		args object
	}{
		{"list_agents", object{"limit": 200}}, {"agent_activity", object{"limit": 200}}, {"coordinator_status", nil},
		{"list_threads", object{"limit": 200}}, {"list_threads", object{"limit": 200, "status": "open", "module": "auth"}},
		{"get_thread", object{"thread_id": "T-21", "limit": 200}}, {"get_thread", object{"thread_id": "T-23"}}, {"get_thread_updates", object{"limit": 200}},
		{"hot_files", object{"limit": 200}}, {"get_session_files", object{"limit": 200}}, {"introspection", object{"limit": 200}},
		{"get_blast_radius", object{"module_id": "core", "limit": 200}}, {"get_blast_radius", object{"files": []string{strings.Repeat("ö/", 330), "x"}, "limit": 200}},
		{"get_module_info", object{"module_id": "core", "limit": 200}},
		{"check_file_conflict", object{"file_path": strings.Repeat("ö/", 330) + "f1.go"}}, {"wait_for_peers", nil},
		{"get_queued_messages", object{"max": 200}}, {"wait_for_message", object{"max": 200}}, {"wait_for_message", object{"max": 200, "thread_id": "T-21"}},
		{"announce_work", object{"subject": strings.Repeat("ü", 200), "target_files": []string{strings.Repeat("ö/", 330) + "f1.go"}, "depends_on_files": []string{strings.Repeat("ö/", 330) + "f2.go"}}},
		{"register_agent", object{"name": strings.Repeat("ü", 64), "modules": []string{strings.Repeat("ü", 200), strings.Repeat("ä", 200), strings.Repeat("ö", 200)}}},
		{"approve_resolution", object{"thread_id": "T-21"}}, {"claim_task", object{"thread_id": "T-23"}}, {"unclaim_task", object{"thread_id": "T-23", "reason": strings.Repeat("ü", 2000)}},
		{"heartbeat", object{"current_file": "mine"}}, {"close_thread", object{"thread_id": "A-1"}},
	} {
		t.Run(tt.op, func(t *testing.T) {
			raw := answer(t, a, tt.op, tt.args)
			if len(raw) > maxAnswer {
				t.Errorf("%d bytes: %.300s…", len(raw), raw)
			}
			op, _ := tool.Lookup(tt.op)
			var got any
			if err := json.Unmarshal(raw, &got); err != nil {
				t.Fatal(err)
			}
			noNull(t, op.Out, got, tt.op)
			if strings.Contains(string(raw), `\u003`) || strings.Contains(string(raw), `\u0026`) {
				t.Errorf("letters are escaped for HTML: %.300s…", raw)
			}
		})
	}
}

func answer(t *testing.T, a *agent, op string, args object) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	out, err := a.r.Call(a.ctx, op, raw, "")
	if err != nil {
		t.Fatalf("%s: %v", op, err)
	}
	return out
}

// noNull checks that no list in an answer is null.
func noNull(t *testing.T, of reflect.Type, got any, at string) {
	t.Helper()
	switch of.Kind() {
	case reflect.Pointer:
		if got != nil {
			noNull(t, of.Elem(), got, at)
		}
	case reflect.Slice:
		rows, ok := got.([]any)
		if !ok && of.Elem().Kind() != reflect.Uint8 {
			t.Errorf("%s is %v, want a list", at, got)
		}
		for i, row := range rows {
			noNull(t, of.Elem(), row, fmt.Sprintf("%s[%d]", at, i))
		}
	case reflect.Struct:
		fields, ok := got.(object)
		for i := range of.NumField() {
			f := of.Field(i)
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch value, there := fields[name]; {
			case f.Anonymous:
				noNull(t, f.Type, got, at)
			case !ok || name == "" || (!there && strings.Contains(options, "omit")):
			default:
				noNull(t, f.Type, value, at+"."+name)
			}
		}
	}
}

// pagesGiveEveryRowOnce turns the pages of every list to the end.
func pagesGiveEveryRowOnce(t *testing.T, r *rig, agents []*agent) {
	a := agents[0]
	for _, tt := range []struct {
		op, rows, id string
		args         object
		want         int
	}{
		{"list_agents", "agents", "id", object{}, 26},
		{"list_agents", "agents", "id", object{"limit": 200}, 26},
		{"agent_activity", "agents", "id", object{"limit": 7}, 26},
		{"list_threads", "threads", "thread_id", object{"limit": 200}, 25},
		{"list_threads", "threads", "thread_id", object{"module": "auth", "limit": 3}, 25},
		{"list_threads", "threads", "thread_id", object{"status": "resolving", "run_id": "r1", "agent": agents[21].AgentID}, 1},
		{"hot_files", "files", "path", object{"limit": 200}, 4},
		{"get_session_files", "files", "path", object{"limit": 1}, 2},
		{"introspection", "tools", "name", object{"limit": 200}, len(tool.Offered(false))},
		{"get_module_info", "dependents", "", object{"module_id": "core"}, 400},
		{"get_blast_radius", "direct", "", object{"module_id": "core", "limit": 200}, 400},
	} {
		t.Run(fmt.Sprint(tt.op, tt.args), func(t *testing.T) {
			seen, pages := map[any]bool{}, 0
			for cursor := any(""); cursor != nil; pages++ {
				if pages > 500 {
					t.Fatal("it never ends")
				}
				tt.args["cursor"] = cursor
				out := a.call(tt.op, tt.args)
				for _, row := range out[tt.rows].([]any) {
					id := row
					if tt.id != "" {
						id = row.(object)[tt.id]
					}
					if seen[id] {
						t.Errorf("%v comes twice", id)
					}
					seen[id] = true
				}
				cursor = out["next_cursor"]
			}
			want(t, "rows", len(seen), tt.want)
		})
	}
	t.Run("get_thread_updates", func(t *testing.T) {
		since, n := any(0), 0
		for more := any(true); more != nil; {
			out := agents[1].call("get_thread_updates", object{"since_seq": since})
			since, more, n = out["next_seq"], out["more"], n+len(out["messages"].([]any))
		}
		want(t, "messages", n, 12)
	})
	t.Run("get_queued_messages", func(t *testing.T) {
		before := len(r.pubs.news(agents[1].AgentID))
		n := 0
		for range before {
			got := len(agents[1].call("get_queued_messages", nil)["events"].([]any))
			if got == 0 {
				break
			}
			n += got
		}
		want(t, "events", n, before)
	})
}

func noEventIsOverItsBudget(t *testing.T, r *rig, agents []*agent) {
	agents[3].call("post_to_thread", object{"thread_id": "T-21", "content": strings.Repeat("ü", 4000)})
	agents[3].refused(coord.TooLarge, "mqtt_publish", object{"topic": "coordinator/broadcast", "payload": object{"x": strings.Repeat("y", 4100)}})
	agents[3].call("mqtt_publish", object{"topic": "coordinator/broadcast", "payload": object{"x": strings.Repeat("y", 4000)}})
	agents[3].call("contest_resolution", object{"thread_id": "T-21", "reason": strings.Repeat("ü", 2000)})
	agents[21].call("cancel_thread", object{"thread_id": "T-21", "reason": strings.Repeat("ü", 2000)})
	for i := range 6 {
		agents[i+1].call("close_thread", object{"thread_id": fmt.Sprint("A-", i+2), "summary": strings.Repeat("ü", 2000)})
	}
	r.pass(time.Hour)
	r.pubs.mu.Lock()
	defer r.pubs.mu.Unlock()
	for _, p := range r.pubs.pubs {
		d := coord.Delivery{Event: p.Event}
		if wire := d.Wire(r.Epoch()); len(wire) > 8<<10 {
			t.Errorf("%s of %d bytes: %.200s…", p.Event.Kind, len(wire), wire)
		}
	}
}

func TestAnOperatorReadsEverythingAndChangesNothing(t *testing.T) {
	r, a, _ := consult(t)
	a.call("set_dependency_map", object{"modules": object{"core": object{}}})
	operator := coord.WithCaller(context.Background(), coord.Caller{Operator: true, Project: "shop"})
	for op, args := range map[string]string{
		"list_agents": `{}`, "agent_activity": `{}`, "coordinator_status": `{}`, "list_threads": `{}`, "get_thread": `{"thread_id":"T-1"}`, "hot_files": `{}`,
		"get_session_files": fmt.Sprintf(`{"agent":%q}`, a.AgentID), "get_blast_radius": `{"module_id":"core"}`, "get_module_info": `{"module_id":"core"}`, "introspection": `{}`,
	} {
		if _, err := r.Call(operator, op, json.RawMessage(args), ""); err != nil {
			t.Errorf("%s: %v", op, err)
		}
	}
	for _, op := range tool.Table {
		if !op.ReadOnly && op.Name != tool.RecordTokens.Name { // whose numbers the operator may bring
			if _, err := r.Call(operator, op.Name, json.RawMessage(`{}`), ""); coord.CodeOf(err) != coord.Forbidden {
				t.Errorf("%s: %v", op.Name, err)
			}
		}
	}
	if _, err := r.Call(operator, "list_threads", json.RawMessage(`{"mine":true}`), ""); coord.CodeOf(err) != coord.Invalid {
		t.Errorf("threads of an operator: %v", err)
	}
}

func TestADependencyMapHasItsLimits(t *testing.T) {
	a := newRig(t).named("a")
	modules := object{}
	for i := range tool.MaxModules {
		modules[fmt.Sprint("m", i)] = object{}
	}
	want(t, "as many as may be", a.call("set_dependency_map", object{"modules": modules})["modules"], tool.MaxModules)
	a.refused(coord.TooLarge, "set_dependency_map", object{"modules": object{"one more": object{}}})
	want(t, "a change is no addition", a.call("set_dependency_map", object{"modules": object{"m1": object{"exports": []string{"X"}}}})["modules"], tool.MaxModules)
	a.refused(coord.TooLarge, "set_dependency_map", object{"modules": object{"m1": object{"exports": make([]string, 501)}}})
	a.refused(coord.TooLarge, "set_dependency_map", object{"modules": object{strings.Repeat("m", 201): object{}}})
	a.refused(coord.TooLarge, "set_dependency_map", object{"modules": object{"m1": object{"owners": []string{strings.Repeat("o", 201)}}}})
	want(t, "nothing of that was kept", a.call("get_module_info", object{"module_id": "m1"})["exports"], []string{"X"})
}
