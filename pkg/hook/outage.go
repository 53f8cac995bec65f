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
		a.Reason = "coord: what this writes cannot be told to a hub and COORDINATOR_STRICT=1, so nothing may be written: " + err.Error() + ". Your user can run coord-hub doctor, or unset COORDINATOR_STRICT."
	}
	return a
}

// unreadable answers a hook whose input makes no sense. Of a tool that is about to
// run nobody knows then whether it writes, so it counts as an outage; whatever
// else it was, the client goes on.
func (r *run) unreadable(err error) {
	if r.in.event != coord.HookBeforeTool {
		return
	}
	session := r.in.call.Session
	if session == "" {
		session = coord.SessionID(r.Getenv("CLAUDE_CODE_SESSION_ID"))
	}
	if r.unset == nil && r.settings.Home.Prepare() == nil {
		r.outage = outageOf(r.settings.Home, session)
	}
	var a coord.HookAnswer
	if r.outage.miss() {
		a.Note = "coord: a tool call is not coordinated: " + err.Error() + "."
	}
	if r.strict() {
		a.Refused = true
		a.Reason = "coord: " + err.Error() + " and COORDINATOR_STRICT=1, so nothing may be written. Your user can run coord-hub doctor, or unset COORDINATOR_STRICT."
	}
	_ = printClaude(r.Stdout, r.in, a)
}

// strict tells whether edits are refused; with settings that cannot be read the
// environment alone counts.
func (r *run) strict() bool {
	if r.settings != nil {
		return r.settings.Strict
	}
	return r.Getenv("COORDINATOR_STRICT") == "1"
}
