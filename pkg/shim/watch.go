package shim

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
	"github.com/coordhq/coord/pkg/tool/mcptool"
)

// watchEvery is between two looks at the files, besides the one at each call.
const watchEvery = 10 * time.Second

// watch looks at the announced and leased files of the working tree for a client
// without hooks, whose edits nobody would hear of otherwise. For one with hooks
// the hub gives it nothing to look at.
type watch struct {
	mu    sync.Mutex // guards what follows, and is held during a look
	files map[coord.Path]stamp
}

// stamp tells one version of a file from another.
type stamp struct {
	exists   bool
	size     int64
	modified time.Time
}

func newWatch() *watch {
	return &watch{files: map[coord.Path]stamp{}}
}

// watchFiles looks every ten seconds until ctx ends.
func (s *Shim) watchFiles(ctx context.Context) {
	ticks := s.o.Tick(watchEvery)
	for {
		select {
		case <-ticks:
		case <-ctx.Done():
			return
		}
		s.watch.mu.Lock()
		s.look(ctx, true)
		s.watch.mu.Unlock()
	}
}

// lookNow looks before a call, so that what the hub answers knows of the client's
// edits. It asks the hub only if something has changed.
func (s *Shim) lookNow(ctx context.Context) {
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	s.look(ctx, false)
}

// look reports what has changed since the look before, and takes over which files
// to look at. A report that does not arrive is made again.
func (s *Shim) look(ctx context.Context, ask bool) {
	l := s.session.linkNow()
	if l == nil {
		return
	}
	var in tool.WatchIn
	seen := map[coord.Path]stamp{}
	for p, before := range s.watch.files {
		now := stampOf(l, p)
		if seen[p] = now; now != before {
			in.Changed = append(in.Changed, tool.WatchedFile{Path: p, Modified: now.when()})
		}
	}
	if len(in.Changed) == 0 && !ask {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, syncLimit)
	defer cancel()
	var out tool.WatchOut
	answer, err := l.hub.Call(ctx, l.me.SessionKey, tool.Watch.Name, mcptool.Encode(in), "")
	if err == nil {
		err = json.Unmarshal(answer, &out)
	}
	if err != nil {
		s.log.Debug("the hub does not say which files to look at", "error", err)
		return
	}
	files := map[coord.Path]stamp{}
	for _, p := range out.Files {
		if was, known := seen[p]; known {
			files[p] = was
		} else {
			files[p] = stampOf(l, p)
		}
	}
	s.watch.files = files
}

// stampOf looks at one file of the link's working tree; the path is the hub's.
func stampOf(l *link, p coord.Path) stamp {
	info, err := os.Lstat(filepath.Join(l.space.Top, filepath.FromSlash(p.String())))
	if err != nil || info.IsDir() {
		return stamp{}
	}
	return stamp{true, info.Size(), info.ModTime()}
}

// when is the time of the change; of a file that is gone nobody knows it.
func (s stamp) when() coord.Millis {
	if !s.exists {
		return coord.At(time.Now())
	}
	return coord.At(s.modified)
}
