package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

// TrustedHubs is the list in config.json of the hubs, by origin, that may be
// sent this user's token. It is no setting: only coord-hub login and the user
// write it, and no flag or environment variable adds to it.
const TrustedHubs = "trusted_hubs"

// maxConfig is the largest config.json that is read, in bytes.
const maxConfig = 1 << 20

// fileValues is config.json, flattened: "server.port" → "3100".
type fileValues struct {
	name   string
	values map[string]string
	prices json.RawMessage // the object under "prices"; nil = none
}

// readFile reads config.json; a missing or empty file holds nothing.
func readFile(name string) (*fileValues, error) {
	f := &fileValues{name: name, values: map[string]string{}}
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err == nil && (!info.Mode().IsRegular() || info.Size() > maxConfig) {
		return nil, coord.Errorf(coord.Invalid, "replace it by a JSON file", "%s is not a file of at most %d bytes", name, maxConfig)
	}
	raw, err := os.ReadFile(name) // #nosec G304 -- the user's own config.json
	if err != nil {
		return nil, &coord.Error{Code: coord.Invalid, What: "cannot read " + name + " (" + reason(err) + ")", Next: "correct its rights, or remove it", Err: err}
	}
	raw = bytes.TrimPrefix(raw, []byte("\xEF\xBB\xBF")) // some editors begin a file with it
	if len(bytes.TrimSpace(raw)) == 0 {
		return f, nil
	}
	return f, f.parse(raw)
}

func (f *fileValues) parse(raw []byte) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var top map[string]any
	if err := dec.Decode(&top); err != nil {
		return f.invalid(raw, dec.InputOffset(), err)
	}
	if dec.More() {
		return f.invalid(raw, dec.InputOffset(), errors.New("more than one value"))
	}
	if prices, ok := top["prices"]; ok && prices != nil {
		again, err := json.Marshal(prices)
		if err != nil {
			return f.invalid(raw, 0, err)
		}
		f.prices = again
	}
	delete(top, "prices")
	f.flatten("", top)
	return nil
}

func (f *fileValues) invalid(raw []byte, at int64, err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = syntax.Offset
	}
	line := 1 + bytes.Count(raw[:min(at, int64(len(raw)))], []byte("\n"))
	return &coord.Error{Code: coord.Invalid, What: fmt.Sprintf("%s is not a JSON object (line %d: %v)", f.name, line, err), Next: "correct it", Err: err}
}

func (f *fileValues) flatten(prefix string, object map[string]any) {
	for key, value := range object {
		name := prefix + key
		switch v := value.(type) {
		case map[string]any:
			f.flatten(name+".", v)
		case nil: // null says: not given
		case string:
			f.values[name] = v
		default: // numbers and booleans as they are written; a list is named in the error about it
			f.values[name] = fmt.Sprint(v)
		}
	}
}

// unknown lists the keys that no row of the table reads, one warning each.
func (f *fileValues) unknown() []string {
	var out []string
	for key := range f.values {
		if key != TrustedHubs && !slices.ContainsFunc(Table, func(r *Setting) bool { return r.File == key }) {
			out = append(out, fmt.Sprintf("%s holds the unknown key %q, which nothing reads; known are %s", f.name, key, knownKeys()))
		}
	}
	slices.Sort(out)
	return out
}

func knownKeys() string {
	var keys []string
	for _, r := range Table {
		if r.File != "" {
			keys = append(keys, r.File)
		}
	}
	return strings.Join(keys, ", ")
}
