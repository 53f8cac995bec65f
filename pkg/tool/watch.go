package tool

import "github.com/coordhq/coord/pkg/coord"

// Watch is how a shim looks after the files of a client without hooks: it
// reports those that have changed and learns which to look at.
var Watch = declare[WatchIn, WatchOut](Op{
	Name:   "watch",
	Text:   "Report changed files of the caller's working tree, and learn which ones to look at.",
	Hidden: true,
})

// WatchIn is the argument of watch.
type WatchIn struct {
	Changed []WatchedFile `json:"changed,omitempty" max:"500"`
}

// WatchedFile is a file whose times or size have changed.
type WatchedFile struct {
	Path     coord.Path   `json:"path"`
	Modified coord.Millis `json:"modified"`
}

// WatchOut answers watch.
type WatchOut struct {
	Hooks bool         `json:"hooks,omitempty"` // the client's hooks do it: nothing is to be looked at
	Files []coord.Path `json:"files"`           // announced and leased ones of the working tree, at most 500
}
