package coordtest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coordtest"
)

// What a refusal tells the user to type is typed, as it stands, where the session
// works: it must let the session write.
func TestTheCommandThatARefusalNamesWorks(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		file string
		from func(repo *coordtest.Repo, other *coordtest.Repo) string // bob's directory
		want string                                                   // how the command ends; "" = in the file's absolute name
	}{
		"in the same tree":            {"login.go", func(repo, _ *coordtest.Repo) string { return repo.Dir }, " login.go"},
		"in a directory of the tree":  {"login.go", func(repo, _ *coordtest.Repo) string { return filepath.Join(repo.Dir, "src") }, ""},
		"in another repository":       {"login.go", func(_, other *coordtest.Repo) string { return other.Dir }, ""},
		"a name with a blank":         {"my login.go", func(repo, _ *coordtest.Repo) string { return repo.Dir }, " 'my login.go'"},
		"a name that begins with -":   {"-login.go", func(repo, _ *coordtest.Repo) string { return repo.Dir }, " ./-login.go"},
		"a name like a lease":         {"L-1", func(repo, _ *coordtest.Repo) string { return repo.Dir }, " ./L-1"},
		"a name that is not shown":    {"a\x1b[31mb'.go", func(repo, _ *coordtest.Repo) string { return repo.Dir }, " L-1"},
		"a name too long to be shown": {strings.Repeat("deep/", 60) + "login.go", func(repo, _ *coordtest.Repo) string { return repo.Dir }, " L-1"},
	} {
		t.Run(name, func(t *testing.T) {
			home := coordtest.NewHome(t)
			repo, other := coordtest.NewRepo(t, "shop", tt.file, "src/x.go"), coordtest.NewRepo(t, "site", "a.go")
			file := filepath.Join(repo.Dir, filepath.FromSlash(tt.file))
			alice, bob := home.HookSession("alice", repo.Dir), home.HookSession("bob", tt.from(repo, other))
			for _, c := range []*coordtest.HookSession{alice, bob} {
				c.Start()
				c.Prompt()
			}
			alice.Edit(file)
			said := bob.Edit(file)
			_, command, found := strings.Cut(said.Reason, "Your user can override: ")
			want := tt.want
			if want == "" {
				want = " " + file
			}
			if !said.Denied || !found || command != "coord-hub release"+want {
				t.Fatalf("bob's edit: %+v, want a refusal that ends in coord-hub release%s", said, want)
			}
			cmd := exec.Command("sh", "-c", command+" --yes")
			cmd.Dir = bob.Dir
			cmd.Env = append(os.Environ(), "COORDINATOR_HOME="+home.Dir, "PATH="+filepath.Dir(home.Program("coord-hub"))+string(os.PathListSeparator)+os.Getenv("PATH"))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", command, err, out)
			}
			if said := bob.Edit(file); said.Denied {
				t.Errorf("bob's edit after it: %+v, want it to pass", said)
			}
		})
	}
}
