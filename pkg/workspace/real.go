package workspace

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

// maxLinks is how many symlinks one path may go through, as in the kernel.
const maxLinks = 40

// realPath follows name, which is absolute, as the kernel would on opening it:
// symlinks are resolved before "..", also a last one, also one to a file that
// does not exist yet. Where nothing exists, elements are taken as written.
func realPath(name string) (string, error) {
	const sep = string(filepath.Separator)
	volume := filepath.VolumeName(name)
	at := volume + sep
	rest := strings.Split(name[len(volume):], sep)
	for links := 0; len(rest) > 0; {
		element := rest[0]
		rest = rest[1:]
		if element == "" || element == "." {
			continue
		}
		if element == ".." {
			at = filepath.Dir(at)
			continue
		}
		next := filepath.Join(at, element)
		target, err := os.Readlink(next)
		if err != nil { // no symlink: a file, a directory, or nothing
			at = next
			continue
		}
		if links++; links > maxLinks {
			return "", coord.Errorf(coord.Invalid, "name the file itself", "path %q goes round in symbolic links", name)
		}
		if filepath.IsAbs(target) {
			at = volume + sep
		}
		rest = append(strings.Split(target, sep), rest...)
	}
	return at, nil
}
