package shell_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/hook/shell"
)

// files are given as "path owner" or "path owner state".
func files(lines ...string) []shell.Uncommitted {
	states := map[string]shell.Reach{"modified": shell.Tracked, "new": shell.Untracked, "staged": shell.Staged}
	var out []shell.Uncommitted
	for _, line := range lines {
		f := strings.Fields(line)
		u := shell.Uncommitted{Path: f[0], Owner: f[1]}
		if len(f) > 2 {
			u.State = states[f[2]]
		}
		out = append(out, u)
	}
	return out
}

func TestGitCommandOverUncommittedWorkOfOthers(t *testing.T) {
	exists := func(name string) bool { return name == "/w/src" || name == "/w/clean.go" }
	theirs := files("src/x.go ann", "new.go ann new", "idx.go ann staged")
	mine := files("src/y.go me", "z z.go me", "mine.go me new")
	mine[1].Path = "z z.go"
	for command, want := range map[string]string{
		"git stash":                         "move src/x.go idx.go: git stash push -- src/y.go 'z z.go'",
		"git stash -u":                      "move src/x.go new.go idx.go: git stash push -u -- src/y.go 'z z.go' mine.go",
		"git stash push -- src/y.go":        "",
		"git checkout -- .":                 "drop src/x.go idx.go: git checkout -- src/y.go 'z z.go'",
		"git checkout .":                    "drop src/x.go idx.go: git checkout -- src/y.go 'z z.go'",
		"git checkout src/x.go":             "drop src/x.go: ",
		"git checkout src":                  "drop src/x.go: git checkout -- src/y.go",
		"git checkout clean.go":             "",
		"git checkout main":                 "move src/x.go idx.go: git worktree add ../main main",
		"git checkout -b topic":             "",
		"git switch fix/a":                  "move src/x.go idx.go: git worktree add ../a fix/a",
		"git switch -f main":                "drop src/x.go idx.go: ",
		"git restore .":                     "drop src/x.go idx.go: git restore -- src/y.go 'z z.go'",
		"git restore src/y.go":              "",
		"git restore --staged .":            "",
		"git reset --hard":                  "drop src/x.go idx.go: git restore --source=HEAD --staged --worktree -- src/y.go 'z z.go'",
		"git reset":                         "",
		"git clean -fd":                     "drop src/x.go new.go: git clean -f -- src/y.go 'z z.go' mine.go",
		"git clean -n":                      "",
		"git clean -f build":                "",
		"git rebase main":                   "move src/x.go idx.go: ",
		"git add -A":                        "take in src/x.go new.go idx.go: git add -- src/y.go 'z z.go' mine.go",
		"git add .":                         "take in src/x.go new.go idx.go: git add -- src/y.go 'z z.go' mine.go",
		"git add -u":                        "take in src/x.go: git add -- src/y.go 'z z.go'",
		"git add src/y.go":                  "",
		"git add '*.go'":                    "take in src/x.go new.go idx.go: git add -- src/y.go 'z z.go' mine.go",
		"git add . ':!src'":                 "take in new.go idx.go: git add -- 'z z.go' mine.go",
		"git add :/src":                     "take in src/x.go: git add -- src/y.go",
		"git add /w/src":                    "take in src/x.go: git add -- src/y.go",
		"cd src && git add .":               "take in src/x.go: git add -- y.go",
		"cd src && git add -A":              "take in src/x.go new.go idx.go: git add -- y.go '../z z.go' ../mine.go",
		"git -C src add ../new.go":          "take in new.go: ",
		"git commit -am 'fix it'":           "take in src/x.go idx.go: git commit -m 'fix it' -- src/y.go 'z z.go'",
		"git commit -m x":                   "take in idx.go: git commit -m x -- src/y.go 'z z.go'",
		"git commit -m x src/y.go":          "",
		"git commit -i -m x src/x.go":       "take in src/x.go idx.go: git commit -m x -- src/y.go 'z z.go'",
		"git commit -am \"$(date)\"":        "take in src/x.go idx.go: git commit -m '…' -- src/y.go 'z z.go'",
		"git -C /elsewhere reset --hard":    "",
		"git worktree remove --force /w":    "drop src/x.go new.go idx.go: ",
		"git merge --abort":                 "drop src/x.go idx.go: ",
		"git checkout HEAD~1 -- src/x.go":   "drop src/x.go: ",
		"sudo git -C /w stash":              "move src/x.go idx.go: git stash push -- src/y.go 'z z.go'",
		"bash -c 'cd src; git checkout .'":  "drop src/x.go: git checkout -- y.go",
		"git add -A && git commit -qm done": "take in src/x.go new.go idx.go: git add -- src/y.go 'z z.go' mine.go",
	} {
		got := ""
		p := shell.Read(command, place)
		if len(p.Git) > 0 {
			d := shell.Endangered(p.Git[0], shell.Tree{Top: "/w", Exists: exists}, theirs, mine)
			var names []string
			for _, f := range d.Files {
				names = append(names, f.Path)
			}
			if len(names) > 0 {
				got = string(d.Harm) + " " + strings.Join(names, " ") + ": " + d.Instead
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n%s", command, diff)
		}
	}
}

func TestOwnCommandIsShortWhenTheListIsLong(t *testing.T) {
	var mine []shell.Uncommitted
	for range 100 {
		mine = append(mine, files("some/directory/with/a/file.go me")...)
	}
	act := shell.Read("git add -A", place).Git[0]
	d := shell.Endangered(act, shell.Tree{Top: "/w"}, files("a b"), mine)
	if len(d.Instead) > 300 || !strings.HasSuffix(d.Instead, "…") {
		t.Errorf("%d bytes: %s", len(d.Instead), d.Instead)
	}
}

func TestLastArgumentMayBeADirectory(t *testing.T) {
	target := shell.Read("cp a/x.go lib", place).Targets[0]
	for dir, want := range map[bool]string{true: "/w/lib/x.go", false: "/w/lib"} {
		if got := target.File(func(string) bool { return dir }); got != want {
			t.Errorf("with directory=%v: %s, want %s", dir, got, want)
		}
	}
}
