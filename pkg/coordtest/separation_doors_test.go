package coordtest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/coordtest/machine"
	"github.com/coordhq/coord/pkg/tool"
)

// secret stands in every text that the agents of the shop write.
const secret = "xyzzy-of-the-shop"

// foreign calls every operation with what belongs to somebody else: %[1]s is a
// thread, %[2]s an announcement, %[3]s an agent of theirs. Paths are the same.
var foreign = map[string]string{
	"register_agent":       `{"name":"alice"}`,
	"list_agents":          `{"online_only":false}`,
	"heartbeat":            `{"current_file":"src/index.ts"}`,
	"agent_activity":       `{}`,
	"wait_for_peers":       `{"timeout_seconds":0.1}`,
	"announce_work":        `{"subject":"mine","target_files":["src/"],"target_modules":["api"],"replaces":"%[2]s"}`,
	"post_to_thread":       `{"thread_id":"%[1]s","content":"hello"}`,
	"propose_resolution":   `{"thread_id":"%[1]s","summary":"me first"}`,
	"approve_resolution":   `{"thread_id":"%[1]s"}`,
	"contest_resolution":   `{"thread_id":"%[1]s","reason":"no"}`,
	"close_thread":         `{"thread_id":"%[2]s"}`,
	"cancel_thread":        `{"thread_id":"%[1]s"}`,
	"get_thread":           `{"thread_id":"%[1]s"}`,
	"get_thread_updates":   `{"thread_id":"%[1]s"}`,
	"list_threads":         `{"agent":"%[3]s"}`,
	"log_action_summary":   `{"summary":"mine","file_path":"src/index.ts"}`,
	"hot_files":            `{}`,
	"get_session_files":    `{"agent":"%[3]s"}`,
	"check_file_conflict":  `{"file_path":"src/index.ts"}`,
	"set_dependency_map":   `{"modules":{}}`,
	"get_blast_radius":     `{"files":["src/index.ts"]}`,
	"get_module_info":      `{"module_id":"api"}`,
	"mqtt_publish":         `{"topic":"coordinator/agents/%[3]s/out","payload":{}}`,
	"coordinator_status":   `{}`,
	"introspection":        `{}`,
	"answer_introspection": `{"thread_id":"%[1]s","concerned":true}`,
	"claim_task":           `{"thread_id":"%[1]s"}`,
	"unclaim_task":         `{"thread_id":"%[1]s"}`,
	"complete_task":        `{"thread_id":"%[1]s"}`,
	"wait_for_message":     `{"thread_id":"%[1]s","timeout_seconds":0.1}`,
	"get_queued_messages":  `{}`,
}

// Two repositories with equal relative paths on one hub: what happens in one is
// in no answer, no message and no error text of the other, at no door.
func TestTwoRepositoriesNeverMeetAtAnyDoor(t *testing.T) {
	home := coordtest.NewHome(t)
	shop, blog := coordtest.NewRepo(t, "shop"), coordtest.NewRepo(t, "blog")
	alice, bob, eve := home.Agent("alice", shop.Dir), home.Agent("bob", shop.Dir), home.Agent("eve", blog.Dir)
	ours, theirs := project(t, alice), project(t, eve)
	heard := eavesdrop(t, home, theirs)
	c := client.Dial(home.Hub().Socket)
	t.Cleanup(c.Close)
	guest, err := c.Register(t.Context(), coord.Registration{Client: coord.ClientInfo{Name: "rest"}, Project: theirs, Workspace: "host:/blog", Host: "host"})
	if err != nil {
		t.Fatal(err)
	}
	events := "http://" + home.Hub().HTTP + "/api/events?tail=5000"
	streams := map[string]*watch{
		"a session's stream": follow(t, curl(t, "-H", "Authorization: Bearer "+string(guest.SessionKey), events)),
		"the user's stream":  follow(t, curl(t, "-H", "Authorization: Bearer "+token(t, home), events+"&project="+url.QueryEscape(string(theirs)))),
	}

	work := tool.AnnounceWorkIn{Subject: secret, Plan: secret, TargetFiles: []string{"src/index.ts"}, TargetModules: []string{"api"}}
	first := coordtest.Call(alice, tool.AnnounceWork, work)
	thread := *coordtest.Call(bob, tool.AnnounceWork, work).ThreadID
	coordtest.Call(alice, tool.PostToThread, tool.PostToThreadIn{ThreadID: thread, Content: secret})
	coordtest.Call(alice, tool.SetDependencyMap, tool.SetDependencyMapIn{Modules: map[string]tool.ModuleSpec{"api": {Exports: []string{secret}}}})
	coordtest.Call(alice, tool.LogActionSummary, tool.LogActionSummaryIn{Summary: secret, FilePath: "src/index.ts"})
	coordtest.Call(alice, tool.MqttPublish, tool.MqttPublishIn{Topic: "coordinator/broadcast", Payload: map[string]any{"text": secret}})
	clean := func(where, text string) {
		t.Helper()
		for _, mark := range []string{secret, string(ours), string(bob.ID())} {
			if strings.Contains(text, mark) {
				t.Errorf("%s lets %q through: %.300s", where, mark, text)
			}
		}
	}
	args := func(op string) json.RawMessage {
		t.Helper()
		return foreignTo(t, op, thread, first.AnnouncementID, alice.ID())
	}

	for _, op := range tool.Offered(false) {
		answer, err := eve.Raw(t.Context(), op.Name, args(op.Name))
		clean("the tool "+op.Name, fmt.Sprintf("%s %v", answer, err))
		answer, err = c.Call(t.Context(), guest.SessionKey, op.Name, args(op.Name), "")
		clean("a session's REST "+op.Name, fmt.Sprintf("%s %v", answer, err))
		if op.ReadOnly {
			clean("the operator's REST "+op.Name, operator(t, home, theirs, op.Name, args(op.Name)))
		}
	}
	// The same questions do find it where it is.
	if found := operator(t, home, ours, "get_thread", args("get_thread")); !strings.Contains(found, secret) {
		t.Errorf("the operator does not see the thread of its own project: %s", found)
	}

	coordtest.Call(eve, tool.MqttPublish, tool.MqttPublishIn{Topic: "coordinator/broadcast", Payload: map[string]any{"text": "the end"}})
	for {
		line := heard()
		clean("MQTT", line)
		if strings.Contains(line, "the end") {
			break
		}
	}
	for where, w := range streams {
		for _, data := range w.until("the end", func(_, data string) bool { return strings.Contains(data, "the end") }) {
			clean(where, data)
		}
	}
	for _, query := range []string{"?project=" + url.QueryEscape(string(ours)), "?since=0&project=" + url.QueryEscape(string(ours))} {
		out, err := curl(t, "-H", "Authorization: Bearer "+string(guest.SessionKey), "http://"+home.Hub().HTTP+"/api/events"+query).CombinedOutput()
		if err != nil || !strings.Contains(string(out), `"code"`) || strings.Contains(string(out), secret) {
			t.Errorf("a session asks for the stream of another project: %v, %s", err, out)
		}
	}
	// What was tried has changed nothing.
	if th := coordtest.Call(alice, tool.GetThread, tool.GetThreadIn{ThreadID: thread}); th.Status != coord.ThreadOpen || len(th.Messages) != 1 {
		t.Errorf("the thread is %+v", th)
	}
	if status := alice.Status(); status.Agents.Online != 2 {
		t.Errorf("alice sees %d agents online, want 2", status.Agents.Online)
	}
}

// foreignTo fills in what foreign says of an operation.
func foreignTo(t *testing.T, op string, thread coord.ThreadID, announcement coord.AnnouncementID, agent coord.AgentID) json.RawMessage {
	t.Helper()
	form, ok := foreign[op]
	if !ok {
		t.Fatalf("%s is not in the table of what is tried", op)
	}
	if strings.Contains(form, "%[") {
		form = fmt.Sprintf(form, thread, announcement, agent)
	}
	form, _, _ = strings.Cut(form, "%!(EXTRA")
	return json.RawMessage(form)
}

// eavesdrop subscribes to everything with the user's own token, in one project.
func eavesdrop(t *testing.T, home *coordtest.Home, project coord.ProjectID) (line func() string) {
	t.Helper()
	program, err := exec.LookPath("mosquitto_sub")
	machine.Has(t, err == nil, "mosquitto_sub (apt install mosquitto-clients)")
	ctx, cancel := context.WithTimeout(context.Background(), toolLimit)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, program, "--unix", home.Hub().MQTTSocket, "-u", string(project), "-P", token(t, home), "-v", // #nosec G204 -- looked up above
		"-t", "coordinator/consultations/#", "-t", "coordinator/agents/+/status", "-t", "coordinator/agents/+/out", "-t", "coordinator/files/#", "-t", "coordinator/broadcast")
	e := listen(t, cmd)
	t.Cleanup(func() { _ = cmd.Process.Signal(os.Interrupt) })
	line = func() string {
		t.Helper()
		text, err := e.lines.ReadString('\n')
		if err != nil {
			t.Fatalf("mosquitto_sub: %v", err)
		}
		return text
	}
	line() // a retained message: it has subscribed
	return line
}

// operator asks over TCP with the user's token.
func operator(t *testing.T, home *coordtest.Home, project coord.ProjectID, op string, args json.RawMessage) string {
	t.Helper()
	address := "http://" + home.Hub().HTTP + "/api/tools/" + op + "?project=" + url.QueryEscape(string(project))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(string(args)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token(t, home))
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var answer json.RawMessage
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return string(answer)
}
