package workspace

import (
	"context"
	"path/filepath"
	"strings"
)

// ExcludeFile gives the file of the clone around dir in which its user keeps what
// git is to ignore there and nobody commits; "" without a repository. All
// working trees of the clone share it.
func ExcludeFile(ctx context.Context, dir string) string {
	out, err := git(ctx, dir, "rev-parse", "--git-path", "info/exclude")
	if err != nil {
		return ""
	}
	name := filepath.FromSlash(strings.TrimSuffix(out, "\n"))
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	return filepath.Clean(name)
}

// LeftOut reports whether there is nothing to ignore about a file below dir,
// existing or not: git ignores it already, or tracks it, which no rule changes.
func LeftOut(ctx context.Context, dir, name string) bool {
	if _, err := git(ctx, dir, "ls-files", "--error-unmatch", "--", name); err == nil {
		return true
	}
	_, err := git(ctx, dir, "check-ignore", "-q", "--", name)
	return err == nil
}
