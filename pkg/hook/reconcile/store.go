package reconcile

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// Limits of looking afterwards.
const (
	defaultLimit = 5 * time.Second  // for one git status
	maxOver      = 2                // times over the limit in a row, then it is off
	offFor       = 24 * time.Hour   // then it is tried again
	maxReport    = 500              // files of one report
	maxTickets   = 50               // waiting at a time
	stale        = time.Hour        // a report nobody fetched is removed
	maxFile      = 1 << 20          // bytes of a file of ours
	childLife    = 30 * time.Second // of the child, whatever happens
)

// Options say where a Store keeps its files.
type Options struct {
	Dir   string           // required: below the run directory of the home; made with mode 0700
	Limit time.Duration    // for one git status; 0 = 5 s
	Now   func() time.Time // nil = time.Now
}

func (o *Options) validate() error {
	if !filepath.IsAbs(o.Dir) {
		return errors.New("reconcile: Options.Dir must be absolute")
	}
	if o.Limit == 0 {
		o.Limit = defaultLimit
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return nil
}

// Store is what hooks and the child leave for each other: small files of mode
// 0600. It is safe for use by several processes.
type Store struct{ Options }

// New makes the directory.
func New(o Options) (*Store, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, &coord.Error{Code: coord.Unavailable, What: "cannot make " + o.Dir, Next: "check the rights of the directory above", Err: err}
	}
	return &Store{o}, nil
}

// Ticket is a call whose writes are wanted.
type Ticket struct {
	Session   coord.SessionID   `json:"session"`
	Subagent  string            `json:"subagent,omitempty"`
	ToolUse   string            `json:"tool_use,omitempty"`
	Workspace coord.WorkspaceID `json:"workspace"`
	Project   coord.ProjectID   `json:"project"`
	Top       string            `json:"top"` // real path of the working tree
	Call      Interval          `json:"call"`
	Others    []Interval        `json:"others,omitempty"` // as for [Written]
}

// Report is what a call has written.
type Report struct {
	Ticket
	Found []Finding `json:"found"` // absolute, as on disk; at most 500
	More  int       `json:"more,omitempty"`
}

// key makes a file name of an id.
func key(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:8])
}

func (s *Store) file(id, suffix string) string { return filepath.Join(s.Dir, key(id)+suffix) }

// Collect gives the reports of a session and removes them; with two hooks at a
// time each report goes to one. Files that cannot be read are removed silently:
// they are hints.
func (s *Store) Collect(session coord.SessionID) []Report {
	var reports []Report
	names, _ := filepath.Glob(s.file(string(session), ".*.found"))
	for _, name := range names {
		var r Report
		if take(name, &r) && r.Session == session {
			reports = append(reports, r)
		}
	}
	return reports
}

// take reads a file after renaming it, so that only one process has it.
func take(name string, into any) bool {
	mine := name + ".taken"
	if os.Rename(name, mine) != nil {
		return false
	}
	defer os.Remove(mine)
	return load(mine, into)
}

func load(name string, into any) bool {
	info, err := os.Lstat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxFile {
		return false
	}
	raw, err := os.ReadFile(name) // #nosec G304 -- in our own directory
	return err == nil && json.Unmarshal(raw, into) == nil
}

// leave writes a file that others see whole or not at all. A "*" in the name is
// replaced to make it unique.
func (s *Store) leave(pattern string, content any) error {
	raw, err := json.Marshal(content)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(s.Dir, ".new-*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	if err := errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	unique := filepath.Base(f.Name())[len(".new-"):]
	if err := os.Rename(f.Name(), filepath.Join(s.Dir, filled(pattern, unique))); err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	return nil
}

func filled(pattern, unique string) string {
	for i := range len(pattern) {
		if pattern[i] == '*' {
			return pattern[:i] + unique + pattern[i+1:]
		}
	}
	return pattern
}

// sweep removes what was left for sessions that are gone.
func (s *Store) sweep() {
	entries, err := os.ReadDir(s.Dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) || err != nil {
			continue
		}
		if ext := filepath.Ext(e.Name()); (ext == ".found" || ext == ".taken" || ext == ".ticket") && s.Now().Sub(info.ModTime()) > stale {
			_ = os.Remove(filepath.Join(s.Dir, e.Name()))
		}
	}
}
