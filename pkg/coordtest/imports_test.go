package coordtest_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/coordhq/coord/"

// imports is the architecture: what each package of ours may import of ours.
// Imports go inwards. A package that is not in the table has no place yet.
var imports = map[string][]string{
	"pkg/brief":        {"pkg/coord"},
	"pkg/build":        {},
	"pkg/client":       {"pkg/client/peer", "pkg/coord"},
	"pkg/client/peer":  {"pkg/coord"},
	"pkg/config":       {"pkg/coord"},
	"pkg/coord":        {},
	"pkg/impact":       {"pkg/coord"},
	"pkg/inbox":        {"pkg/coord"},
	"pkg/process":      {"pkg/coord"},
	"pkg/statusline":   {"pkg/client", "pkg/config", "pkg/coord", "pkg/process", "pkg/tool"},
	"pkg/tool":         {"pkg/coord"},
	"pkg/tool/mcptool": {"pkg/coord", "pkg/inbox", "pkg/tool"},
	"pkg/top":          {"pkg/client", "pkg/coord", "pkg/tool"},
	"pkg/topic":        {"pkg/coord"},
	"pkg/workspace":    {"pkg/coord"},

	"pkg/hub":        {"pkg/brief", "pkg/coord", "pkg/impact", "pkg/tool", "pkg/topic"},
	"pkg/hub/auth":   {"pkg/config", "pkg/coord"},
	"pkg/hub/broker": {"pkg/client/peer", "pkg/coord", "pkg/hub", "pkg/topic"},
	"pkg/hub/daemon": {"pkg/client", "pkg/config", "pkg/coord", "pkg/hub", "pkg/hub/auth", "pkg/hub/broker", "pkg/hub/metrics",
		"pkg/hub/quota", "pkg/hub/sqlite", "pkg/hub/stream", "pkg/hub/streamable", "pkg/hub/web", "pkg/process"},
	"pkg/hub/dashboard":  {},
	"pkg/hub/metrics":    {"pkg/coord", "pkg/hub"},
	"pkg/hub/quota":      {"pkg/coord"},
	"pkg/hub/sqlite":     {"pkg/coord", "pkg/hub"},
	"pkg/hub/stream":     {"pkg/coord", "pkg/hub"},
	"pkg/hub/streamable": {"pkg/coord", "pkg/inbox", "pkg/tool", "pkg/tool/mcptool"},
	"pkg/hub/web": {"pkg/client", "pkg/client/peer", "pkg/config", "pkg/coord", "pkg/hub", "pkg/hub/auth", "pkg/hub/dashboard",
		"pkg/hub/quota", "pkg/tool"},

	"pkg/shim": {"pkg/brief", "pkg/client", "pkg/client/peer", "pkg/config", "pkg/coord", "pkg/inbox", "pkg/process", "pkg/shim/feed",
		"pkg/shim/spawn", "pkg/tool", "pkg/tool/mcptool", "pkg/workspace"},
	"pkg/shim/feed":   {"pkg/coord", "pkg/inbox", "pkg/tool", "pkg/topic"},
	"pkg/shim/launch": {"pkg/config", "pkg/coord", "pkg/process"},
	"pkg/shim/spawn":  {"pkg/client", "pkg/config", "pkg/coord", "pkg/process", "pkg/shim/launch"},

	"pkg/hook": {"pkg/brief", "pkg/client/peer", "pkg/config", "pkg/coord", "pkg/hook/reconcile", "pkg/hook/shell", "pkg/hook/tokens",
		"pkg/process", "pkg/shim/launch", "pkg/workspace"},
	"pkg/hook/reconcile": {"pkg/coord", "pkg/process", "pkg/workspace"},
	"pkg/hook/shell":     {},
	"pkg/hook/tokens":    {"pkg/config", "pkg/coord"},

	"pkg/setup": {"pkg/client", "pkg/config", "pkg/coord", "pkg/driver", "pkg/tool", "pkg/workspace"},

	"pkg/driver": {"pkg/coord", "pkg/tool"},

	"pkg/demo": {"pkg/client", "pkg/config", "pkg/coord", "pkg/driver", "pkg/process", "pkg/tool", "pkg/workspace"},

	"pkg/coordtest": {"pkg/client", "pkg/config", "pkg/coord", "pkg/coordtest/machine", "pkg/driver", "pkg/hub", "pkg/hub/daemon", "pkg/hub/sqlite", "pkg/hub/web",
		"pkg/process", "pkg/shim", "pkg/tool", "pkg/workspace"},
	"pkg/coordtest/asroot":  {"pkg/coordtest/machine"},
	"pkg/coordtest/docs":    {},
	"pkg/coordtest/machine": {},
	"pkg/coordtest/claude":  {"pkg/coord", "pkg/coordtest", "pkg/process"},

	"cmd/coord-hook": {"pkg/build", "pkg/coord", "pkg/hook"},
	"cmd/coord-hub": {"pkg/build", "pkg/client", "pkg/config", "pkg/coord", "pkg/demo", "pkg/hook", "pkg/hook/reconcile", "pkg/hub/daemon",
		"pkg/hub/quota", "pkg/setup", "pkg/tool", "pkg/top", "pkg/workspace"},
	"cmd/coord-shim": {"pkg/build", "pkg/config", "pkg/coord", "pkg/shim", "pkg/statusline"},
}

// reserved are libraries that only the named packages may import.
var reserved = map[string][]string{
	"github.com/mattn/go-sqlite3":            {"pkg/hub/sqlite"},
	"github.com/mochi-mqtt/server":           {"pkg/hub/broker"},
	"github.com/eclipse/paho.mqtt.golang":    {"pkg/shim/feed"},
	"mvdan.cc/sh/v3":                         {"pkg/hook/shell"},
	"charm.land/bubbletea/v2":                {"pkg/top"},
	"charm.land/lipgloss/v2":                 {"pkg/top"},
	"github.com/modelcontextprotocol/go-sdk": {"pkg/driver", "pkg/hub/streamable", "pkg/shim", "pkg/tool/mcptool"},
}

// forbidden is what a small binary must not hold, not even by way of others.
var forbidden = map[string][]string{
	"cmd/coord-shim": {"github.com/mattn/go-sqlite3", "github.com/mochi-mqtt/server", module + "pkg/hub", "database/sql"},
	"cmd/coord-hook": {"net/http", "crypto/tls", "github.com/modelcontextprotocol/go-sdk", "github.com/eclipse/paho.mqtt.golang", "github.com/gorilla/websocket",
		"github.com/mattn/go-sqlite3", "github.com/mochi-mqtt/server", module + "pkg/hub", "database/sql"},
}

type listed struct {
	ImportPath string
	Imports    []string
}

func TestImportsGoInwards(t *testing.T) {
	packages := map[string]listed{}
	for _, p := range list(t, "./...") {
		packages[strings.TrimPrefix(p.ImportPath, module)] = p
	}
	for name := range imports {
		if _, ok := packages[name]; !ok {
			t.Errorf("the table has %s, the module has not", name)
		}
	}
	for name, p := range packages {
		allowed, ok := imports[name]
		if !ok {
			t.Errorf("%s is not in the table: give it its place", name)
			continue
		}
		for _, path := range p.Imports {
			ours, isOurs := strings.CutPrefix(path, module)
			if isOurs && !slices.Contains(allowed, ours) {
				t.Errorf("%s must not import %s", name, ours)
			}
			for library, users := range reserved {
				if within(path, library) && !slices.Contains(users, name) {
					t.Errorf("%s imports %s, which is for %v only", name, path, users)
				}
			}
		}
	}
}

// The table itself must keep the promises of the design.
func TestTheImportTableKeepsHubAndShimApart(t *testing.T) {
	for name, allowed := range imports {
		for _, path := range allowed {
			switch {
			case within(name, "pkg/hub") && within(path, "pkg/shim"), within(name, "pkg/shim") && within(path, "pkg/hub"):
				t.Errorf("the table lets %s import %s", name, path)
			case name == "pkg/coord", name == "pkg/hub" && within(path, "pkg/hub"):
				t.Errorf("the table lets %s import %s", name, path)
			}
		}
	}
}

func TestSmallBinariesHoldNoHub(t *testing.T) {
	for program, paths := range forbidden {
		for _, p := range list(t, "-deps", "./"+program) {
			for _, path := range paths {
				if within(p.ImportPath, path) {
					t.Errorf("%s holds %s", program, p.ImportPath)
				}
			}
		}
	}
}

// within reports whether path is the package or lies below it.
func within(path, top string) bool { return path == top || strings.HasPrefix(path, top+"/") }

func list(t *testing.T, args ...string) []listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports"}, args...)...)
	cmd.Dir = "../.."
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, stderr.String())
	}
	var packages []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}
