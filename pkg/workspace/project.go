package workspace

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

// repository is one clone on its way to a project id.
type repository struct {
	dir    string   // where git is run
	common string   // real path of its shared git directory
	seen   []string // common directories of the clones that led here

	foldCase bool // core.ignorecase
}

// project gives the project id, and fills foldCase. With an error the id is
// the best that could be found without the answer.
func (r *repository) project(ctx context.Context) (coord.ProjectID, error) {
	conf, err := r.config(ctx)
	if err != nil {
		return r.pathID(), err
	}
	r.foldCase = conf.foldCase
	if origin := conf.origin(); origin != "" {
		if id := r.fromOrigin(ctx, origin); id != "" {
			return id, nil
		}
	}
	return r.fromHistory(ctx)
}

// fromOrigin gives "" when origin leads nowhere.
func (r *repository) fromOrigin(ctx context.Context, origin string) coord.ProjectID {
	local, remote := parseOrigin(origin)
	if remote != "" {
		return coord.ProjectID(remote)
	}
	next, ok := r.follow(ctx, local)
	if !ok {
		return ""
	}
	id, err := next.project(ctx)
	if err != nil {
		return ""
	}
	return id
}

// follow opens the repository that a local origin names.
func (r *repository) follow(ctx context.Context, local string) (*repository, bool) {
	if !filepath.IsAbs(local) {
		local = filepath.Join(r.mainDir(), local)
	}
	for _, dir := range []string{local, local + ".git"} {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			continue
		}
		out, err := gitAt(ctx, dir, "rev-parse", "--git-common-dir")
		if err != nil {
			continue
		}
		common, err := realFrom(dir, strings.TrimSuffix(out, "\n"))
		seen := append(slices.Clone(r.seen), r.common)
		if err != nil || slices.Contains(seen, common) {
			return nil, false
		}
		return &repository{dir: dir, common: common, seen: seen}, true
	}
	return nil, false
}

// fromHistory names the project after its first commit, or after its place
// when there is none yet. It asks the HEAD of the main working tree, so that
// all working trees of a clone get one answer.
func (r *repository) fromHistory(ctx context.Context) (coord.ProjectID, error) {
	out, err := git(ctx, r.dir, "--git-dir="+r.common, "rev-list", "--max-parents=0", "HEAD", "--")
	if err != nil && r.unborn(ctx) {
		return r.pathID(), nil
	}
	if err != nil {
		return r.pathID(), err
	}
	roots := strings.Fields(out)
	if len(roots) == 0 {
		return r.pathID(), nil
	}
	return coord.ProjectID("root:" + slices.Min(roots)), nil
}

// unborn reports whether HEAD names a branch without commits.
func (r *repository) unborn(ctx context.Context) bool {
	_, err := git(ctx, r.dir, "--git-dir="+r.common, "rev-parse", "--verify", "--quiet", "HEAD")
	return saidNo(err)
}

// mainDir is the main working tree, or the git directory of a bare repository.
func (r *repository) mainDir() string {
	if filepath.Base(r.common) == ".git" {
		return filepath.Dir(r.common)
	}
	return r.common
}

func (r *repository) pathID() coord.ProjectID {
	return coord.ProjectID("path:" + filepath.ToSlash(r.mainDir()))
}

// gitConfig is what we read from a repository's configuration.
type gitConfig struct {
	url      string      // the first remote.origin.url
	rewrites [][2]string // url.<base>.insteadOf: prefix, base
	foldCase bool
}

// config reads all settings of interest with one process.
func (r *repository) config(ctx context.Context) (gitConfig, error) {
	const keys = `^(remote\.origin\.url|core\.ignorecase|url\..*\.insteadof)$`
	out, err := git(ctx, r.dir, "config", "--null", "--get-regexp", keys)
	if saidNo(err) { // nothing matched
		return gitConfig{}, nil
	}
	var c gitConfig
	for entry := range strings.SplitSeq(out, "\x00") {
		key, value, valued := strings.Cut(entry, "\n")
		switch {
		case key == "remote.origin.url" && c.url == "":
			c.url = value
		case key == "core.ignorecase":
			c.foldCase = !valued || slices.Contains([]string{"true", "yes", "on", "1"}, strings.ToLower(value))
		case strings.HasPrefix(key, "url."):
			base := strings.TrimSuffix(strings.TrimPrefix(key, "url."), ".insteadof")
			c.rewrites = append(c.rewrites, [2]string{value, base})
		}
	}
	return c, err
}

// origin is the URL as git would use it: the longest insteadOf prefix is
// replaced, so that "gh:acme/shop" and the full URL are one project.
func (c gitConfig) origin() string {
	prefix, base := "", ""
	for _, rw := range c.rewrites {
		if strings.HasPrefix(c.url, rw[0]) && len(rw[0]) > len(prefix) {
			prefix, base = rw[0], rw[1]
		}
	}
	return base + strings.TrimPrefix(c.url, prefix)
}
