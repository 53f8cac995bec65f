package hook

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
)

// outage counts, between runs, the hooks of one session that found no hub: its
// file has a byte for each, and is gone when one answers. The zero outage
// counts nothing.
type outage struct{ file string }

func outageOf(home config.Home, session coord.SessionID) outage {
	sum := sha256.Sum256([]byte(session))
	return outage{filepath.Join(home.RunDir(), "missed-"+hex.EncodeToString(sum[:8]))}
}

// count gives the hooks missed so far.
func (o outage) count() int {
	info, err := os.Lstat(o.file)
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	return int(min(info.Size(), 1<<20))
}

// miss counts one more; first says that it is the first, or that counting does
// not work and each is as good as the first.
func (o outage) miss() (first bool) {
	if o.file == "" {
		return true
	}
	f, err := os.OpenFile(o.file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return true
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return true
	}
	if info.Size() < 1<<20 {
		_, err = f.Write([]byte{'.'})
	}
	return info.Size() == 0 || err != nil
}

// over forgets what was missed.
func (o outage) over() {
	if o.file != "" && o.count() > 0 {
		_ = os.Remove(o.file)
	}
}

// failed is the answer when the hub gave none: silence and, once, a note to the
// user; in strict mode an edit is refused.
func (r *run) failed(err error) coord.HookAnswer {
	var a coord.HookAnswer
	if r.outage.miss() {
		a.Note = "coord: edits are not coordinated now: " + err.Error() + "."
	}
	if r.in.event == coord.HookBeforeTool && r.writes && r.strict() {
		a.Refused = true
		a.Reason = "coord: no hub answers and COORDINATOR_STRICT=1, so nothing may be written: " + err.Error() + ". Your user can run coord-hub start, or unset COORDINATOR_STRICT."
	}
	return a
}

// strict tells whether edits are refused; with settings that cannot be read the
// environment alone counts.
func (r *run) strict() bool {
	if r.settings != nil {
		return r.settings.Strict
	}
	return r.Getenv("COORDINATOR_STRICT") == "1"
}
