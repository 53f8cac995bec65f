package coord

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ProjectID names what agents share: normally the normalised origin URL of a
// repository ("github.com/acme/shop"). Two projects on one hub never meet.
type ProjectID string

// trial begins the ids of projects that somebody makes to try the hub.
const trial = "coord-doctor-"

// TrialProject names a project that the hub forgets as soon as nobody is in it.
func TrialProject(name string) ProjectID { return ProjectID(trial + name) }

// Trial reports whether the id is that of a TrialProject.
func (id ProjectID) Trial() bool { return strings.HasPrefix(string(id), trial) }

// WorkspaceID names one working tree: "<host id>:<real path of its top>".
type WorkspaceID string

// HostID names a machine; it is made once and kept in the coord home.
type HostID string

// MemberID names whom a credential belongs to: the OS user locally, the
// subject of a token in a team.
type MemberID string

// AgentID names one client session; the hub chooses it ("ag-k3f9x2ab").
type AgentID string

// SessionID is the client's own name of its session (a UUID for Claude Code).
// It is a hint that may change; it is never an identity by itself.
type SessionID string

// SessionKey is the bearer secret of one registered session.
type SessionKey string

// AnnouncementID is "A-<n>", counted per hub.
type AnnouncementID string

// ThreadID is "T-<n>", counted per hub.
type ThreadID string

// LeaseID is "L-<n>", counted per hub.
type LeaseID string

// MessageID is "M-<n>", counted per hub.
type MessageID string

// EventID is "E-<seq>": unique per epoch.
type EventID string

// Seq is the position of an event in the hub's log: strictly increasing,
// assigned inside the transaction that stores the event. Zero is before all.
type Seq int64

// Epoch names one life of the event log. It changes when a database is
// restored, so that a seq of the old life is never taken for one of the new.
type Epoch string

// Number formats the n-th id with the given letter: Number("T", 3) is "T-3".
func Number[ID ~string](letter string, n int64) ID {
	return ID(letter + "-" + strconv.FormatInt(n, 10))
}

// Ordinal gives the number inside an id such as "T-3"; ok is false when the id
// has not the form "<letter>-<positive number>".
func Ordinal[ID ~string](letter string, id ID) (n int64, ok bool) {
	digits, found := strings.CutPrefix(string(id), letter+"-")
	if !found || digits == "" || digits[0] == '0' || digits[0] == '+' {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil && n > 0
}

// Millis is a point in time: milliseconds since 1970 in UTC. Zero means "never".
type Millis int64

// At converts a time.Time.
func At(t time.Time) Millis { return Millis(t.UnixMilli()) }

// Time converts back, in UTC.
func (m Millis) Time() time.Time { return time.UnixMilli(int64(m)).UTC() }

// Add gives the moment d later.
func (m Millis) Add(d time.Duration) Millis { return m + Millis(d.Milliseconds()) }

// Sub gives the duration since an earlier moment.
func (m Millis) Sub(earlier Millis) time.Duration {
	return time.Duration(m-earlier) * time.Millisecond
}

// Ago words a duration for people and models: "12 s", "3 min", "2 h", "4 d".
func Ago(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d d", int(d.Hours()/24))
	}
}
