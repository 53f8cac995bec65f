package coordtest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/coordtest/machine"
	"github.com/coordhq/coord/pkg/tool"
	"github.com/coordhq/coord/pkg/topic"
)

// mqttJS is an MQTT client as a user of the README would write it: it subscribes,
// publishes once with QoS 1, says "ready", and prints each message it gets as
// "topic payload". It ends well only when it is told to, by the end of stdin.
const mqttJS = `
const mqtt = require("mqtt");
const [url, version, username, password, ...filters] = process.argv.slice(2);
const client = mqtt.connect(url, { protocolVersion: Number(version), username, password, reconnectPeriod: 0, connectTimeout: 20000 });
const lost = () => { console.error("the connection was closed"); process.exit(2); };
client.on("error", (e) => { console.error(String(e)); process.exit(1); });
client.on("close", lost);
client.on("message", (topic, payload) => console.log(topic + " " + payload));
client.on("connect", async () => {
  for (const filter of filters) await client.subscribeAsync(filter, { qos: 1 });
  await client.publishAsync("coordinator/broadcast", JSON.stringify({ hello: "all" }), { qos: 1 });
  console.log("ready");
});
process.stdin.on("end", () => { client.off("close", lost); client.end(true, () => process.exit(0)); }).resume();
`

// filters are what the subscribers of these tests ask for, at QoS 1.
var filters = []string{"coordinator/consultations/#", "coordinator/agents/+/status", "coordinator/agents/+/out", "coordinator/files/#", "coordinator/broadcast"}

// ear reads what a subscriber prints.
type ear struct {
	t     *testing.T
	lines *bufio.Reader
	rows  map[topic.Pattern]map[string]any // all fields that came on a row of the topic table
}

// line reads one line and gives its first word. The fields of a message are noted
// under the row of its topic.
func (e *ear) line() string {
	e.t.Helper()
	line, err := e.lines.ReadString('\n')
	if err != nil {
		e.t.Fatalf("%v, after %v", err, e.rows)
	}
	name, payload, _ := strings.Cut(strings.TrimSpace(line), " ")
	a, ok := topic.Parse(topic.Name(name))
	if !ok {
		return name
	}
	var fields map[string]any
	if err := json.Unmarshal([]byte(payload), &fields); err != nil {
		e.t.Fatalf("%s: %v", line, err)
	}
	if fields["kind"] != string(a.Row.Kind) {
		e.t.Errorf("a message of kind %v on %s", fields["kind"], name)
	}
	if e.rows[a.Row.Topic] == nil {
		e.rows[a.Row.Topic] = map[string]any{}
	}
	maps.Copy(e.rows[a.Row.Topic], fields)
	return name
}

// listen starts a subscriber; at the end of the test its stdin is closed, and it
// has to go in peace.
func listen(t *testing.T, cmd *exec.Cmd) *ear {
	t.Helper()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	e := &ear{t, bufio.NewReader(out), map[topic.Pattern]map[string]any{}}
	t.Cleanup(func() {
		_ = in.Close()                      // it fails when the program has ended,
		_, _ = io.Copy(io.Discard, e.lines) // and so does this:
		if err := cmd.Wait(); err != nil {  // here it is told
			t.Errorf("%v: %v\n%s", cmd.Args, err, &stderr)
		}
	})
	return e
}

// stage is a hub with two agents at work, and a third as the hooks of a client
// make one, which takes and releases leases.
type stage struct {
	home       *coordtest.Home
	project    coord.ProjectID
	alice, bob *coordtest.Agent
	hooks      func(op string, args any)
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{home: coordtest.NewHome(t)}
	shop := coordtest.NewRepo(t, "shop")
	s.alice, s.bob = s.home.Agent("alice", shop.Dir), s.home.Agent("bob", shop.Dir)
	s.project = project(t, s.alice)
	s.bob.Status()
	c := client.Dial(s.home.Hub().Socket)
	t.Cleanup(c.Close)
	me, err := c.Register(t.Context(), coord.Registration{Client: coord.ClientInfo{Name: "hooks"}, Project: s.project, Workspace: "host:/elsewhere", Host: "host"})
	if err != nil {
		t.Fatal(err)
	}
	s.hooks = func(op string, args any) {
		t.Helper()
		raw, err := json.Marshal(args)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Call(t.Context(), me.SessionKey, op, raw, ""); err != nil {
			t.Fatalf("%s: %v", op, err)
		}
	}
	return s
}

// project asks for the project of an agent.
func project(t *testing.T, a *coordtest.Agent) coord.ProjectID {
	t.Helper()
	return coordtest.Call(a, tool.RegisterAgent, tool.RegisterAgentIn{Name: a.Name}).Project
}

// everything does what puts a message on every public topic.
func (s *stage) everything() {
	first, second := s.alice.Announce("src/user.ts"), s.bob.Announce("src/user.ts")
	coordtest.Call(s.alice, tool.PostToThread, tool.PostToThreadIn{ThreadID: *second.ThreadID, Content: "let me go first"})
	coordtest.Call(s.bob, tool.ProposeResolution, tool.ProposeResolutionIn{ThreadID: *second.ThreadID, Summary: "alice first"})
	coordtest.Call(s.alice, tool.CloseThread, tool.CloseThreadIn{ThreadID: string(first.AnnouncementID)})
	coordtest.Call(s.bob, tool.CloseThread, tool.CloseThreadIn{ThreadID: string(second.AnnouncementID)})
	task := coordtest.Call(s.alice, tool.AnnounceWork, tool.AnnounceWorkIn{Subject: "for anybody", TargetFiles: []string{"src/task.ts"}, KeepOpen: true})
	coordtest.Call(s.bob, tool.ClaimTask, tool.ClaimTaskIn{ThreadID: *task.ThreadID})
	coordtest.Call(s.bob, tool.CompleteTask, tool.CompleteTaskIn{ThreadID: *task.ThreadID})
	coordtest.Call(s.alice, tool.MqttPublish, tool.MqttPublishIn{Topic: string(topic.Out(s.alice.ID())), Payload: map[string]any{"any": "thing"}})
	coordtest.Call(s.alice, tool.MqttPublish, tool.MqttPublishIn{Topic: string(topic.Broadcast), Payload: map[string]any{"any": "thing"}})
	s.hooks(tool.Acquire.Name, tool.AcquireIn{FilePaths: []string{"src/own.ts"}})
	s.hooks(tool.Edited.Name, tool.EditedIn{FilePaths: []string{"src/own.ts"}})
	s.hooks(tool.Release.Name, tool.ReleaseIn{FilePaths: []string{"src/own.ts"}, Committed: true})
}

// wantEverything waits until each public topic of the table has brought the
// fields that the table promises; one message need not have them all.
func (e *ear) wantEverything(project coord.ProjectID) {
	e.t.Helper()
	for _, row := range topic.Table {
		if row.Read != topic.Everyone || row.Kind == "" || row.Kind == coord.KindQuotaUpdated { // TestEveryDoorTellsTheSameQuota measures one
			continue
		}
		want := []string{"epoch", "v", "seq", "id", "kind", "project", "agent_id", "ts"}
		if row.Payload != "any object" {
			want = append(want, strings.Split(row.Payload, ", ")...)
		}
		for slices.ContainsFunc(want, func(field string) bool { return e.rows[row.Topic][field] == nil }) {
			e.line()
		}
		if got := e.rows[row.Topic]["project"]; got != string(project) {
			e.t.Errorf("%s is of project %v", row.Topic, got)
		}
	}
}

func TestMQTTJSReadsEveryTopicOfTheREADME(t *testing.T) {
	node, s := coordtest.NewNode(t), newStage(t)
	script := filepath.Join(t.TempDir(), "subscriber.js")
	if err := os.WriteFile(script, []byte(mqttJS), 0o600); err != nil {
		t.Fatal(err)
	}
	for door, url := range map[string]string{"tcp": "mqtt://" + s.home.Hub().MQTT, "ws": "ws://" + s.home.Hub().HTTP + "/mqtt"} {
		for _, version := range []string{"4", "5"} {
			t.Run(door+" protocol "+version, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(context.Background(), toolLimit)
				t.Cleanup(cancel)
				e := listen(t, node.Command(ctx, script, append([]string{url, version, string(s.project), token(t, s.home)}, filters...)...))
				for e.line() != "ready" {
				}
				s.everything()
				e.wantEverything(s.project)
			})
		}
	}
}

func TestMosquittoReadsEveryTopicOfTheREADME(t *testing.T) {
	program, err := exec.LookPath("mosquitto_sub")
	machine.Has(t, err == nil, "mosquitto_sub (apt install mosquitto-clients)")
	s := newStage(t)
	host, port, _ := strings.Cut(s.home.Hub().MQTT, ":")
	for name, door := range map[string][]string{"tcp": {"-h", host, "-p", port}, "unix": {"--unix", s.home.Hub().MQTTSocket}} {
		for _, version := range []string{"mqttv311", "mqttv5"} {
			t.Run(name+" "+version, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(context.Background(), toolLimit)
				t.Cleanup(cancel)
				args := append(slices.Clone(door), "-V", version, "-u", string(s.project), "-P", token(t, s.home), "-q", "1", "-v")
				for _, f := range filters {
					args = append(args, "-t", f)
				}
				cmd := exec.CommandContext(ctx, program, args...) // #nosec G204 -- looked up above
				e := listen(t, cmd)
				t.Cleanup(func() { _ = cmd.Process.Signal(os.Interrupt) }) // runs before listen's: it does not look at stdin
				e.line()                                                   // a retained message: it has subscribed
				s.everything()
				e.wantEverything(s.project)
			})
		}
	}
}
