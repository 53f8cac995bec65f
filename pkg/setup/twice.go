package setup

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

// settleHooks keeps hooks from firing twice: the entries of all settings files
// and of plugins add up, and only identical ones run once.
func (o *Options) settleHooks(out *Result) error {
	if !slices.Contains(o.Clients, Claude) {
		return nil
	}
	user := filepath.Join(o.place().claudeDir(), "settings.json")
	files := []string{user}
	if o.Dir != "" {
		files = append(files, filepath.Join(o.Dir, ".claude", "settings.json"), filepath.Join(o.Dir, ".claude", "settings.local.json"))
	}
	for _, name := range files {
		has, err := look(name)
		if err != nil {
			return err
		}
		switch {
		case o.Plugin && has.hooks:
			return coord.Errorf(coord.Conflict, "run coord-hub uninstall "+o.placeOf(name)+" first", "%s holds coord's hooks, which would fire beside the plugin's", name)
		case !o.Plugin && !o.NoHooks && has.plugin:
			return coord.Errorf(coord.Conflict, "run coord-hub init with --plugin or --no-hooks, or uninstall the plugin", "%s enables the coord plugin, whose hooks would fire beside these", name)
		case !o.Plugin && !o.NoHooks && has.hooks && name != o.settingsFile():
			o.NoHooks = true
			out.note("No hooks were written: " + name + " holds them already.")
		}
	}
	return nil
}

func (o *Options) placeOf(settings string) string {
	if o.Dir != "" && inside(o.Dir, settings) {
		return o.Dir
	}
	return "--user"
}

// present is what of ours a settings file holds.
type present struct{ hooks, plugin bool }

func look(name string) (present, error) {
	var out present
	f, err := openFile("", name)
	if err != nil || f.text == nil {
		return out, err
	}
	t, err := readJSON(f.text)
	if err != nil {
		return out, invalid(name, err)
	}
	if at, ok, err := walk(t.top(), []string{"enabledPlugins"}); err == nil && ok {
		var plugins map[string]any
		if at.decode(&plugins) == nil {
			for id, on := range plugins {
				out.plugin = out.plugin || on == true && strings.HasPrefix(id, pluginName+"@")
			}
		}
	}
	at, ok, err := walk(t.top(), []string{"hooks"})
	if err != nil || !ok {
		return out, nil // the part that edits will say what is wrong
	}
	names, err := at.members()
	if err != nil {
		return out, nil
	}
	for _, event := range names {
		list, _, err := at.member(event)
		if err != nil {
			continue
		}
		groups, err := list.elements()
		if err != nil {
			continue
		}
		for _, g := range groups {
			n, _ := countOurs(g)
			out.hooks = out.hooks || n > 0
		}
	}
	return out, nil
}

const pluginName = "coord"
