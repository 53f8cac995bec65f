package reconcile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Stat is what is known of one file's times.
type Stat struct {
	File   string // as given
	Exists bool
	// Modified and Changed are mtime and ctime; Changed is zero where the
	// system has none. For a file that is gone they are those of the nearest
	// directory left, which changed when the name went.
	Modified, Changed time.Time
}

// Look reads the times of files; symbolic links are not followed. A file that
// cannot be looked at is left out.
func Look(files []string) []Stat {
	stats := make([]Stat, 0, len(files))
	for _, file := range files {
		s := Stat{File: file, Exists: true}
		info, err := os.Lstat(file)
		for dir := file; missing(err) && dir != filepath.Dir(dir); {
			s.Exists = false
			dir = filepath.Dir(dir)
			info, err = os.Lstat(dir)
		}
		if err != nil {
			continue
		}
		s.Modified, s.Changed = info.ModTime(), changeTime(info)
		stats = append(stats, s)
	}
	return stats
}

// missing matches a file that is not there, also below what is no directory.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) || notDirectory(err) }

// Finding is a file that a call has written.
type Finding struct {
	File string `json:"file"`
	Gone bool   `json:"gone,omitempty"` // it was removed, or moved away
	// Ambiguous: a call of another session ran at that time too, or the time
	// of a removal cannot be told.
	Ambiguous bool `json:"ambiguous,omitempty"`
}

// Written tells which files the call has written: those with a time stamp in
// its interval. Others are the intervals of shell and edit calls of other
// sessions in the same working tree. All times are of one clock.
//
// A file that is gone counts when its directory changed in the interval; give
// only files that were there before the call.
func Written(stats []Stat, call Interval, others []Interval) []Finding {
	findings := []Finding{}
	for _, s := range stats {
		stamp, ok := s.stamp(call)
		if !ok {
			continue
		}
		f := Finding{File: s.File, Gone: !s.Exists}
		for _, other := range others {
			f.Ambiguous = f.Ambiguous || other.Holds(stamp)
		}
		findings = append(findings, f)
	}
	return findings
}

// stamp gives the time in the interval at which the file changed. The ctime
// tells of a file moved into place with its old mtime, the mtime of one whose
// ctime has moved on since.
func (s Stat) stamp(call Interval) (time.Time, bool) {
	for _, stamp := range []time.Time{s.Modified, s.Changed} {
		if !stamp.IsZero() && call.Holds(stamp) {
			return stamp, true
		}
	}
	return time.Time{}, false
}
