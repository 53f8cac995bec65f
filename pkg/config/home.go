package config

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

// Home is the directory of one user's hub and the names of all that is in it.
// It is made by [Find]; the zero Home is not usable.
type Home struct {
	dir  string // absolute, parents free of symlinks
	data string
	run  string // dir/run, or a short local directory when that cannot hold sockets

	network bool // dir is on a network file system
}

// Find locates the home: $COORDINATOR_HOME, else dataDir (the --data-dir flag,
// "" when not given) or $COORDINATOR_DATA_DIR, else ~/.coord. A data directory
// given beside COORDINATOR_HOME holds only the database. Nothing is made or
// written; see [Home.Prepare]. The error is coord.Invalid.
func Find(getenv func(string) string, dataDir string) (Home, error) {
	dir, err := absolute(getenv, "COORDINATOR_HOME", getenv("COORDINATOR_HOME"))
	if err != nil {
		return Home{}, err
	}
	data, err := findData(getenv, dataDir)
	if err != nil {
		return Home{}, err
	}
	if dir == "" {
		dir, data = data, ""
	}
	if dir == "" {
		user, err := userHome(getenv)
		if err != nil {
			return Home{}, err
		}
		dir = filepath.Join(user, ".coord")
	}
	return locate(getenv, dir, data), nil
}

// findData gives the data directory named by flag or environment, "" for none.
func findData(getenv func(string) string, flag string) (string, error) {
	if flag == "" {
		return absolute(getenv, "COORDINATOR_DATA_DIR", getenv("COORDINATOR_DATA_DIR"))
	}
	if strings.ContainsAny(flag, "\x00\r\n") {
		return "", coord.Errorf(coord.Invalid, "give a path on one line", "--data-dir is %q", flag)
	}
	abs, err := filepath.Abs(flag) // typed by hand: relative to where the user stands
	if err != nil {
		return "", &coord.Error{Code: coord.Invalid, What: "--data-dir " + flag + " cannot be resolved", Next: "give an absolute path", Err: err}
	}
	return abs, nil
}

func locate(getenv func(string) string, dir, data string) Home {
	h := Home{dir: realParent(dir), network: onNetwork(dir)}
	h.data = filepath.Join(h.dir, "data")
	if data != "" {
		h.data = realParent(data)
	}
	h.run = h.recordedRun()
	if h.run == "" {
		h.run = placeRun(h.dir, h.network, getenv)
	}
	return h
}

// absolute checks a directory given by an environment variable or config.json,
// where a relative one would mean something else in every process. A leading
// "~/" is the user's home, since no shell has expanded it.
func absolute(getenv func(string) string, key, value string) (string, error) {
	if rest, ok := strings.CutPrefix(value, "~/"); ok {
		user, err := userHome(getenv)
		if err != nil {
			return "", err
		}
		return filepath.Join(user, rest), nil
	}
	if value == "" {
		return "", nil
	}
	if !filepath.IsAbs(value) || strings.ContainsAny(value, "\x00\r\n") {
		return "", coord.Errorf(coord.Invalid, "give an absolute path, like /home/me/.coord", "%s is %q", key, value)
	}
	return filepath.Clean(value), nil
}

func userHome(getenv func(string) string) (string, error) {
	for _, key := range []string{"HOME", "USERPROFILE"} {
		if v := getenv(key); filepath.IsAbs(v) {
			return v, nil
		}
	}
	return "", coord.Errorf(coord.Invalid, "set HOME, or COORDINATOR_HOME to a directory of your own", "HOME is not set, so the coord home cannot be found")
}

// realParent resolves symlinks in all but the last element, so that every
// process spells one home alike. The last element stays: Prepare refuses it
// when it is a symlink.
func realParent(dir string) string {
	parent, base := filepath.Dir(dir), filepath.Base(dir)
	if parent == dir {
		return dir
	}
	if real, err := filepath.EvalSymlinks(parent); err == nil {
		return filepath.Join(real, base)
	}
	return filepath.Join(realParent(parent), base)
}

// longestSocket is the longest name of a socket in the run directory: that of
// a relay, which is the client's pid.
const longestSocket = "4194304.sock"

// maxSocketPath is the longest socket path in bytes that works everywhere:
// macOS has room for 104 with the final NUL, Linux for 108.
const maxSocketPath = 100

// placeRun chooses the run directory: dir/run, or a short one of the user's own
// on this machine when sockets cannot live there. The short name is made from
// dir, so every process chooses the same one.
func placeRun(dir string, network bool, getenv func(string) string) string {
	run := filepath.Join(dir, "run")
	if !network && len(filepath.Join(run, longestSocket)) <= maxSocketPath {
		return run
	}
	sum := sha256.Sum256([]byte(dir))
	name := "coord-" + hex.EncodeToString(sum[:4])
	for _, base := range runtimeBases(getenv) {
		if info, err := os.Stat(base); err == nil && info.IsDir() && ownedByUs(info) {
			return filepath.Join(base, name)
		}
	}
	return filepath.Join(sharedTemp, name+"-"+uidText())
}

// Dir is the home itself, absolute.
func (h Home) Dir() string { return h.dir }

// DataDir holds the database and its lock.
func (h Home) DataDir() string { return h.data }

// Database is the SQLite file.
func (h Home) Database() string { return filepath.Join(h.data, "coordinator.db") }

// LockFile is flocked by the hub for its whole life, before it touches the
// database or a socket. It is never removed.
func (h Home) LockFile() string { return filepath.Join(h.data, "hub.lock") }

// RunDir holds the sockets; see [Home.Prepare] for where it is.
func (h Home) RunDir() string { return h.run }

// StartLock is flocked by whoever is about to start a hub. It is never removed.
func (h Home) StartLock() string { return filepath.Join(h.run, "start.lock") }

// Socket is the hub's HTTP door on a unix socket.
func (h Home) Socket() string { return filepath.Join(h.run, "hub.sock") }

// MQTTSocket is the hub's MQTT door on a unix socket.
func (h Home) MQTTSocket() string { return filepath.Join(h.run, "mqtt.sock") }

// Discovery is hub.json; see [Discovery].
func (h Home) Discovery() string { return filepath.Join(h.dir, "hub.json") }

// WithData is the same home with its database in another directory; "" changes
// nothing.
func (h Home) WithData(dir string) Home {
	if dir != "" {
		h.data = realParent(dir)
	}
	return h
}

// OwnData reports whether the database lies where it does when nobody names a
// data directory.
func (h Home) OwnData() bool { return h.data == filepath.Join(h.dir, "data") }

// launchedFile is written by who starts a hub; see [WriteLaunched].
func (h Home) launchedFile() string { return filepath.Join(h.dir, "launched.json") }

// ConfigFile is config.json.
func (h Home) ConfigFile() string { return filepath.Join(h.dir, "config.json") }

// TokenFile holds the secret of the TCP doors.
func (h Home) TokenFile() string { return filepath.Join(h.dir, "token") }

// LogFile is where the hub logs.
func (h Home) LogFile() string { return filepath.Join(h.dir, "logs", "hub.log") }
