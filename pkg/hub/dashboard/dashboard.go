// Package dashboard holds the files of the page at /dashboard, as they are
// served: plain modules, no build step. It is a package of its own so that the
// page can be read, and tested, without the hub.
//
// The page is a client of the hub like any other: it follows GET
// /api/events?state=1, which pushes events and, when it has changed, the
// overview of everything live. store.js keeps what came in; each panel is a
// file that shows a part of it. Texts of agents become text nodes, never markup.
package dashboard

import (
	"embed"
	"io/fs"
)

//go:embed files
var files embed.FS

// Files gives the page's files; index.html is the page.
func Files() fs.ReadFileFS {
	sub, err := fs.Sub(files, "files")
	if err != nil {
		panic(err) // the name is a constant
	}
	return sub.(fs.ReadFileFS)
}
