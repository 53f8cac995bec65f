package config

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/coordhq/coord/pkg/coord"
)

var hostIDForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^h-[a-z0-9]{8,64}$`) })

// HostIDFile holds the id of this machine. A home on a network file system
// serves several machines, so there the name carries the machine's.
func (h Home) HostIDFile() string {
	name := "host_id"
	if machine, err := os.Hostname(); h.network && err == nil {
		name += "." + strings.ReplaceAll(machine, string(filepath.Separator), "_")
	}
	return filepath.Join(h.dir, name)
}

// HostID reads the id of this machine, or makes it. Of several processes that
// make it at once all get the same. The home must be prepared.
func (h Home) HostID() (coord.HostID, error) {
	id, err := h.readHostID()
	if !errors.Is(err, fs.ErrNotExist) {
		return id, err
	}
	fresh := "h-" + strings.ToLower(rand.Text()[:16])
	if err := createOwn(h.HostIDFile(), []byte(fresh+"\n")); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return h.readHostID()
}

func (h Home) readHostID() (coord.HostID, error) {
	raw, err := readOwn(h.HostIDFile(), 256)
	if err != nil {
		return "", err
	}
	id := strings.TrimSpace(string(raw))
	if !hostIDForm().MatchString(id) {
		return "", coord.Errorf(coord.Invalid, "remove it; a new one is made", "%s does not hold a host id", h.HostIDFile())
	}
	return coord.HostID(id), nil
}
