package tool_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coordtest/docs"
	"github.com/coordhq/coord/pkg/tool"
	"github.com/coordhq/coord/pkg/tool/mcptool"
)

var update = flag.Bool("update", false, "write the golden files anew")

const snapshots = "../../testdata/tools"

// listing gives the result of tools/list and its entries by name.
func listing(t *testing.T, core bool) (raw []byte, entries map[string]json.RawMessage) {
	t.Helper()
	result, err := mcptool.List(tool.Offered(core), nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err = json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ Tools []json.RawMessage }
	if err := json.Unmarshal(raw, &list); err != nil {
		t.Fatal(err)
	}
	entries = map[string]json.RawMessage{}
	for _, entry := range list.Tools {
		var named struct{ Name string }
		if err := json.Unmarshal(entry, &named); err != nil {
			t.Fatal(err)
		}
		entries[named.Name] = entry
	}
	return raw, entries
}

// What a client is told about a tool is part of the contract: a change shows in
// testdata/tools and is read in review.
func TestToolsAreListedAsTheySaid(t *testing.T) {
	_, entries := listing(t, false)
	for name, entry := range entries {
		file := filepath.Join(snapshots, name+".json")
		if *update {
			var pretty bytes.Buffer
			if err := json.Indent(&pretty, entry, "", "  "); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, append(pretty.Bytes(), '\n'), 0o644); err != nil { // #nosec G306 -- a golden file
				t.Fatal(err)
			}
		}
		golden, err := os.ReadFile(file)
		if err != nil {
			t.Errorf("%v; run the test with -update", err)
			continue
		}
		var want, got any
		if err := json.Unmarshal(golden, &want); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if err := json.Unmarshal(entry, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-golden +listed), -update writes it anew:\n%s", name, diff)
		}
	}
	files, err := filepath.Glob(filepath.Join(snapshots, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".json"); entries[name] == nil {
			t.Errorf("%s is of a tool that is no more", file)
		}
	}
}

func TestTheListKeepsItsBudget(t *testing.T) {
	for _, tt := range []struct {
		name  string
		core  bool
		tools int
		bytes int
	}{{"all", false, 31, 20 << 10}, {"core", true, 8, 7 << 10}} {
		raw, entries := listing(t, tt.core)
		if len(entries) != tt.tools || len(raw) > tt.bytes {
			t.Errorf("%s: %d tools in %d bytes, want %d in at most %d", tt.name, len(entries), len(raw), tt.tools, tt.bytes)
		}
	}
	total, offered := 0, tool.Offered(false)
	for _, op := range offered {
		total += len(op.Text)
		if n := len(op.Text); n == 0 || n > 600 {
			t.Errorf("%s: a description of %d characters", op.Name, n)
		}
	}
	if mean := total / len(offered); mean > 150 {
		t.Errorf("a description has %d characters in the mean, over 150", mean)
	}
	if n := len(tool.Instructions); n > 1500 {
		t.Errorf("instructions of %d characters, over 1,500", n)
	}
}

func TestTheReadmeListsTheTools(t *testing.T) {
	docs.Section(t, "../../README.md", "tools", tool.Docs(), *update)
}

// The operations a user's configuration and scripts may name.
func TestTheCompatibleToolsAreThere(t *testing.T) {
	_, all := listing(t, false)
	_, core := listing(t, true)
	for _, name := range strings.Fields(`register_agent list_agents heartbeat agent_activity wait_for_peers announce_work post_to_thread propose_resolution
		approve_resolution contest_resolution close_thread cancel_thread get_thread get_thread_updates list_threads log_action_summary hot_files
		get_session_files check_file_conflict set_dependency_map get_blast_radius get_module_info wait_for_message get_queued_messages mqtt_publish
		coordinator_status introspection answer_introspection claim_task unclaim_task complete_task`) {
		if all[name] == nil {
			t.Errorf("there is no %s", name)
		}
	}
	for _, name := range strings.Fields(`announce_work close_thread post_to_thread propose_resolution approve_resolution contest_resolution wait_for_message coordinator_status`) {
		if core[name] == nil {
			t.Errorf("%s is not in the core", name)
		}
	}
	for name, entry := range all {
		loaded := bytes.Contains(entry, []byte(`"anthropic/alwaysLoad":true`))
		if wanted := strings.Contains(" announce_work post_to_thread wait_for_message coordinator_status ", " "+name+" "); loaded != wanted {
			t.Errorf("%s: always loaded %v, want %v", name, loaded, wanted)
		}
	}
}
