package workspace

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// memoryLife is how long git's answers are believed. A change of the clone's own
// configuration is seen at once; this bounds the rest, such as a change of the
// user's.
const memoryLife = 10 * time.Minute

// Recall is [Locate] for a caller that cannot afford a git process each time: it
// remembers git's answers for a while in the directory memory, which must be the
// user's own; "" remembers nothing. What it remembers is dropped when the
// configuration of the repository changes.
func Recall(ctx context.Context, dir string, getenv func(string) string, host coord.HostID, memory string) (Workspace, error) {
	return locate(ctx, dir, getenv, host, memory)
}

// Around is [Recall] for the directory that the file, existing or not, lies in.
// name is absolute; real is where it lies after symlinks.
func Around(ctx context.Context, name string, getenv func(string) string, host coord.HostID, memory string) (w Workspace, real string, err error) {
	if err := check(name); err != nil {
		return Workspace{}, "", err
	}
	if real, err = realPath(name); err != nil {
		return Workspace{}, "", err
	}
	dir := filepath.Dir(real)
	for dir != filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.IsDir() { // #nosec G703 -- looked at, not opened: where the user's own client writes
			break
		}
		dir = filepath.Dir(dir)
	}
	w, err = locate(ctx, dir, getenv, host, memory)
	return w, real, err
}

// answers is what git said of one repository.
type answers struct {
	Key      string          `json:"key"`
	At       coord.Millis    `json:"at"`
	Top      string          `json:"top"`
	Common   string          `json:"common"`
	GitDir   string          `json:"git_dir"`
	Project  coord.ProjectID `json:"project"`
	FoldCase bool            `json:"fold_case"`
	Config   string          `json:"config"` // state of the configuration file
}

func memoryFile(memory, key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(memory, hex.EncodeToString(sum[:12])+".json")
}

// recall fills the fields that git knows from memory.
func (w *Workspace) recall(memory, key string) bool {
	if memory == "" {
		return false
	}
	raw, err := os.ReadFile(memoryFile(memory, key)) // #nosec G304 -- a name of our own in the user's own directory
	if err != nil {
		return false
	}
	var a answers
	age := time.Duration(0)
	if json.Unmarshal(raw, &a) == nil {
		age = coord.At(time.Now()).Sub(a.At)
	}
	if a.Key != key || age < 0 || age > memoryLife || a.Config == "" || a.Config != stateOf(a.Common) {
		return false
	}
	w.Git, w.Top, w.common, w.Project, w.FoldCase = true, a.Top, a.Common, a.Project, a.FoldCase
	w.Branch = branchOf(a.GitDir)
	return true
}

// remember keeps what git said. A project that is named after its place may get
// a better name with its first commit: that is asked each time. Memory that
// cannot be written is only slow.
func (w *Workspace) remember(memory, key string) {
	if memory == "" || !w.Git || strings.HasPrefix(string(w.Project), "path:") {
		return
	}
	raw, err := json.Marshal(answers{Key: key, At: coord.At(time.Now()), Top: w.Top, Common: w.common, GitDir: w.gitDir, Project: w.Project,
		FoldCase: w.FoldCase, Config: stateOf(w.common)})
	if err != nil {
		return
	}
	temp, err := os.CreateTemp(memory, ".place-*")
	if err != nil {
		return
	}
	_, err = temp.Write(raw)
	if cerr := temp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(temp.Name(), memoryFile(memory, key))
	}
	if err != nil {
		_ = os.Remove(temp.Name())
	}
}

// stateOf tells one version of a repository's configuration from another, ""
// when it cannot be looked at.
func stateOf(common string) string {
	info, err := os.Stat(filepath.Join(common, "config"))
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d %d", info.ModTime().UnixNano(), info.Size())
}
