package tool_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/tool"
)

// contract is what users' prompts and scripts count on: the 26 compatible tools
// and their arguments, a star behind those that must be given.
var contract = map[string]string{
	"register_agent":      "modules name*",
	"list_agents":         "cursor limit online_only",
	"heartbeat":           "current_file current_thread",
	"agent_activity":      "cursor limit",
	"wait_for_peers":      "min_peers timeout_seconds",
	"announce_work":       "assigned_to depends_on_files exports_affected keep_open plan replaces run_id subject* target_files target_modules target_symbols",
	"post_to_thread":      "content* in_reply_to thread_id* type",
	"propose_resolution":  "order summary* thread_id*",
	"approve_resolution":  "proposal thread_id*",
	"contest_resolution":  "proposal reason* thread_id*",
	"close_thread":        "summary thread_id*",
	"cancel_thread":       "reason thread_id*",
	"get_thread":          "limit since_seq thread_id*",
	"get_thread_updates":  "limit since_seq thread_id",
	"list_threads":        "agent cursor limit mine module run_id status",
	"log_action_summary":  "file_path summary*",
	"hot_files":           "cursor limit since_minutes",
	"get_session_files":   "agent cursor limit",
	"check_file_conflict": "file_path*",
	"set_dependency_map":  "modules* replace",
	"get_blast_radius":    "cursor files limit module_id",
	"get_module_info":     "cursor limit module_id*",
	"wait_for_message":    "max thread_id timeout_seconds",
	"get_queued_messages": "max",
	"mqtt_publish":        "payload* topic*",
	"coordinator_status":  "",
}

func TestTheCompatibleToolsTakeWhatTheContractSays(t *testing.T) {
	if len(contract) != 26 {
		t.Errorf("the contract has %d tools, want 26", len(contract))
	}
	_, entries := listing(t, false)
	for name, want := range contract {
		var shown struct {
			InputSchema struct {
				Properties map[string]any
				Required   []string
			}
		}
		if err := json.Unmarshal(entries[name], &shown); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var args []string
		for _, arg := range slices.Sorted(maps.Keys(shown.InputSchema.Properties)) {
			if slices.Contains(shown.InputSchema.Required, arg) {
				arg += "*"
			}
			args = append(args, arg)
		}
		if diff := cmp.Diff(want, strings.Join(args, " ")); diff != "" {
			t.Errorf("%s (-contract +listed):\n%s", name, diff)
		}
	}
}

func TestTheCoreToolsAreThoseOfTheContract(t *testing.T) {
	want := []string{"announce_work", "approve_resolution", "close_thread", "contest_resolution", "coordinator_status",
		"post_to_thread", "propose_resolution", "wait_for_message"}
	var got []string
	for _, op := range tool.Offered(true) {
		got = append(got, op.Name)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("core tools (-contract +offered):\n%s", diff)
	}
}
