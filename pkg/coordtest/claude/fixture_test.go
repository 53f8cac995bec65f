package claude_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/coordtest/claude"
)

// stage is a repository that its user has set up with `coord-hub init`, and
// nothing else.
type stage struct {
	t    *testing.T
	home *coordtest.Home
	repo *coordtest.Repo
	user string // home directory
}

// newStage makes a repository with the files, each with its own name as content.
func newStage(t *testing.T, files ...string) *stage {
	t.Helper()
	s := &stage{t: t, home: coordtest.NewHome(t), repo: coordtest.NewRepo(t, filepath.Base(t.Name()), files...)}
	s.user = claude.NewUser(t, s.repo.Dir)
	s.setUp(s.repo)
	return s
}

// setUp runs `coord-hub init`. A test machine may be busy, so the client's and
// the hook's patience are made longer than a user needs them.
func (s *stage) setUp(r *coordtest.Repo) {
	s.t.Helper()
	cmd := s.home.Command("init", r.Dir)
	cmd.Env = append(cmd.Env, "HOME="+s.user, "PATH="+filepath.Dir(s.home.Program("coord-shim"))+":"+os.Getenv("PATH"))
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("coord-hub init: %v\n%s", err, out)
	}
	settings := filepath.Join(r.Dir, ".claude", "settings.local.json")
	patient := strings.NewReplacer(`"timeout": 2`+"\n", `"timeout": 60`+"\n", `"timeout": 5`+"\n", `"timeout": 60`+"\n", `"timeout": 1`+"\n", `"timeout": 30`+"\n")
	write(s.t, settings, patient.Replace(read(s.t, settings)))
}

// patience is how long a test waits for what has to happen.
const patience = 60 * time.Second

// tools are what a session may use without asking.
const tools = "Read,Edit,Write,Bash,Agent,mcp__coord"

// print starts `claude -p` under a name.
func (s *stage) print(name, prompt string, args ...string) *session {
	s.t.Helper()
	return s.start(name, claude.Options{Prompt: prompt, Args: args})
}

// terminal starts the terminal program under a name and waits until it takes
// prompts.
func (s *stage) terminal(name string, o claude.Options) *session {
	s.t.Helper()
	out := s.start(name, o)
	out.Shows("❯")
	return out
}

func (s *stage) start(name string, o claude.Options) *session {
	s.t.Helper()
	o.Home, o.User = s.home, s.user
	if o.Dir == "" {
		o.Dir = s.repo.Dir
	}
	o.Args = append([]string{"--permission-mode", "acceptEdits", "--allowedTools", tools}, o.Args...)
	o.Env = append([]string{"COORDINATOR_AGENT_NAME=" + name, "COORDINATOR_HOOK_TIMEOUT=20s", "GORACE=atexit_sleep_ms=0"}, o.Env...)
	return &session{Session: claude.Start(s.t, o), t: s.t, name: name, dir: o.Dir}
}

// session is a running client whose model the test plays.
type session struct {
	*claude.Session
	t    *testing.T
	name string
	dir  string
}

func (s *session) path(file string) string { return filepath.Join(s.dir, file) }

// asked waits for the model's next request, which must say something.
func (s *session) asked(want ...string) *claude.Request {
	s.t.Helper()
	r := s.Model.Next()
	for _, w := range want {
		if !strings.Contains(r.News(), w) {
			s.t.Fatalf("%s's model was not told %q but\n%s", s.name, w, r.News())
		}
	}
	return r
}

// reads makes the model read a file, as it must before an edit; it gives the
// next request.
func (s *session) reads(r *claude.Request, file string) *claude.Request {
	s.t.Helper()
	r.Reply(claude.Use("Read", map[string]any{"file_path": s.path(file)}))
	return s.asked()
}

// edits makes the model replace text in a file; it gives the next request.
func (s *session) edits(r *claude.Request, file, old, now string) *claude.Request {
	s.t.Helper()
	r.Reply(claude.Use("Edit", map[string]any{"file_path": s.path(file), "old_string": old, "new_string": now}))
	return s.asked()
}

// runs makes the model run a shell command; it gives the next request.
func (s *session) runs(r *claude.Request, command string) *claude.Request {
	s.t.Helper()
	r.Reply(claude.Use("Bash", map[string]any{"command": command, "description": "work"}))
	return s.asked()
}

// wrote fails the test unless the last tool call of the model went through.
func (s *session) wrote(r *claude.Request) {
	s.t.Helper()
	if why, refused := r.Refused(); refused {
		s.t.Fatalf("%s's call failed:\n%s", s.name, why)
	}
}

// refused fails the test unless the last tool call of the model was refused in
// words that hold want.
func (s *session) refused(r *claude.Request, want ...string) string {
	s.t.Helper()
	why, refused := r.Refused()
	if !refused {
		s.t.Fatalf("%s's call went through:\n%s", s.name, r.News())
	}
	for _, w := range want {
		if !strings.Contains(why, w) {
			s.t.Fatalf("%s's refusal does not say %q:\n%s", s.name, w, why)
		}
	}
	return why
}

// silent fails the test if the request says anything of coord's.
func (s *session) silent(r *claude.Request) {
	s.t.Helper()
	if strings.Contains(r.News(), "coord") {
		s.t.Errorf("%s's model was told\n%s", s.name, r.News())
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file) // #nosec G304 -- a file of the test
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// told reports whether a request says something new to the model.
func told(r *claude.Request, what string) bool { return strings.Contains(r.News(), what) }
