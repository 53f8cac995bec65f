package config

import (
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// Program is who reads a setting; values are or-ed into sets.
type Program uint8

// The programs. Serve is the hub started by hand (serve, start), Auto the hub
// that a shim or hook starts with serve --auto.
const (
	Shim Program = 1 << iota
	Hook
	Serve
	Auto
)

// Origin is where a value came from.
type Origin string

// Origins, strongest first.
const (
	FromFlag    Origin = "flag"
	FromEnv     Origin = "env"
	FromFile    Origin = "config.json"
	FromDefault Origin = "default"
)

// Settings are the values one program runs with. Fields whose row in [Table]
// does not name the program hold their defaults.
type Settings struct {
	Home Home // as Find gives it, with the data directory of config.json applied

	Port        int           // HTTP on TCP; 0 = any free port
	Bind        string        // a loopback address
	MQTTPort    int           // MQTT on TCP; 0 = any free port
	IdleTimeout time.Duration // an auto-started hub without clients leaves after this
	Durability  string        // "full" or "normal"
	LogLevel    slog.Level
	LogFormat   string // "json", "pretty", or "" = pretty on a terminal

	Quota    bool    // ask the Anthropic API for the use of the user's plan
	QuotaURL string  // where instead; "" = the API itself
	MaxQuota float64 // percent from which "coord-hub quota" reports too much
	Prices   Prices  // of models, from "prices" in config.json; nil = none

	KeepEvents, KeepThreads, KeepAgents, KeepStats time.Duration // how long the database keeps what is no longer live

	AgentName string          // label of the session; "" = the hub makes one
	Project   coord.ProjectID // "" = found from the repository
	CoreTools bool            // offer the small set of tools
	NoWake    bool            // never wake an idle session

	Enforce coord.Enforce // how much the edit gate may do
	Strict  bool          // refuse an edit while no hub answers

	HookTimeout time.Duration // how long a hook waits for the hub

	Warnings []string // what config.json holds that nobody reads
	Wrong    []string // of a shim: values that are not accepted; the defaults are used instead

	origins map[Key]Origin
	raw     map[Key]string // as it was written, by who is no default
}

// Origin tells where the value of a setting came from. A default port that is
// busy may be replaced; one that somebody chose may not.
func (s *Settings) Origin(k Key) Origin {
	if o, ok := s.origins[k]; ok {
		return o
	}
	return FromDefault
}

// Source is what Load reads from.
type Source struct {
	Program Program             // exactly one
	Getenv  func(string) string // os.Getenv, usually
	Flags   map[string]string   // flags that were given, by name without dashes; nil = none
}

// Load reads the settings of one program. A value that is not accepted gives a
// coord.Invalid error that names key, value and what is accepted; several such
// values are all named.
//
// A shim goes on with the defaults, see [Settings.Wrong]: without a server its
// client would have nobody to tell the user.
func Load(src Source) (*Settings, error) {
	home, err := Find(src.Getenv, src.Flags["data-dir"])
	if err != nil {
		return nil, err
	}
	file, broken := readFile(home.ConfigFile())
	if broken != nil && src.Program != Shim {
		return nil, broken
	}
	if broken != nil {
		file = &fileValues{name: home.ConfigFile(), values: map[string]string{}}
	}
	s := &Settings{Home: home, Warnings: file.unknown(), origins: map[Key]Origin{}, raw: map[Key]string{}}
	var wrong []string
	if broken != nil {
		wrong = []string{broken.Error()}
	}
	if src.Program&anyHub != 0 {
		if s.Prices, err = readPrices(file.prices); err != nil {
			return nil, err
		}
	}
	for _, row := range Table {
		if reason := row.misplaced(src); reason != "" {
			wrong = append(wrong, reason)
			continue
		}
		value, key, origin := row.pick(src, file)
		if value == "" {
			continue
		}
		if err := row.set(s, value); err != nil {
			wrong = append(wrong, key+" is \""+value+"\", accepted: "+row.Accepts)
			continue
		}
		s.origins[row.Key], s.raw[row.Key] = origin, value
	}
	if len(wrong) > 0 && src.Program == Shim {
		s.Wrong, wrong = wrong, nil
	}
	if len(wrong) > 0 {
		return nil, coord.Errorf(coord.Invalid, "correct it and start again", "%s", strings.Join(wrong, "; "))
	}
	if err := s.placeData(src, file); err != nil {
		return nil, err
	}
	return s, nil
}

// Args gives the flags and the environment that chose settings as flags, so
// that a hub started elsewhere has the same ones. The data directory is not
// among them, see [Home.OwnData].
func (s *Settings) Args() []string {
	var args []string
	for _, row := range Table {
		if o := s.Origin(row.Key); row.Flag != "" && row.Key != DataDir && (o == FromFlag || o == FromEnv) {
			args = append(args, "--"+row.Flag+"="+s.raw[row.Key])
		}
	}
	return args
}

// ByHandArgs gives the arguments of "coord-hub serve" without what only a hub
// that a session has started understands.
func ByHandArgs(args []string) []string {
	var out []string
	for _, arg := range args {
		name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if name != "auto" && !slices.ContainsFunc(Table, func(r *Setting) bool { return r.Flag == name && r.Readers&Serve == 0 }) {
			out = append(out, arg)
		}
	}
	return out
}

// misplaced says why a flag that was given has no effect on this program, ""
// when it has.
func (r *Setting) misplaced(src Source) string {
	if r.Flag == "" || src.Flags[r.Flag] == "" {
		return ""
	}
	switch {
	case src.Program == Auto && (r.ByHand || r.Readers&Auto == 0):
		return "--" + r.Flag + " is for a hub started by hand, leave out --auto; a session's hub reads " + r.File + " in config.json"
	case src.Program == Serve && r.Readers&Serve == 0:
		return "--" + r.Flag + " is for serve --auto: a hub started by hand stays until coord-hub stop"
	}
	return ""
}

// placeData applies the data directory of config.json when neither flag nor
// environment named one.
func (s *Settings) placeData(src Source, file *fileValues) error {
	value := file.values["server.data_dir"]
	if value == "" || s.Origin(DataDir) != FromFile {
		return nil
	}
	dir, err := absolute(src.Getenv, "server.data_dir in config.json", value)
	if err != nil {
		return err
	}
	s.Home.data = realParent(dir)
	return nil
}

// pick finds the value of a row, the name of the key that gave it, and its
// origin. An empty value counts as not given.
func (r *Setting) pick(src Source, file *fileValues) (value, key string, origin Origin) {
	if r.Readers&src.Program == 0 {
		return r.Default, string(r.Key), FromDefault
	}
	outside := src.Program != Auto || !r.ByHand
	if v := src.Flags[r.Flag]; r.Flag != "" && v != "" && outside {
		return v, "--" + r.Flag, FromFlag
	}
	if v := src.Getenv(r.Env); r.Env != "" && v != "" && outside && !r.stronger(file.values[r.File], v) {
		return v, r.Env, FromEnv
	}
	if v := file.values[r.File]; r.File != "" && v != "" {
		return v, r.File + " in " + file.name, FromFile
	}
	return r.Default, string(r.Key), FromDefault
}

// stronger reports whether value a counts against b although b comes from nearer.
func (r *Setting) stronger(a, b string) bool {
	if r.File == "" || r.Order == nil || slices.Index(r.Order, strings.ToLower(b)) < 0 {
		return false
	}
	return slices.Index(r.Order, strings.ToLower(a)) > slices.Index(r.Order, strings.ToLower(b))
}
