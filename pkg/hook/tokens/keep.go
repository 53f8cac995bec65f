package tokens

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"github.com/coordhq/coord/pkg/config"
)

// Book keeps the marks of transcripts as small files in a directory, mode 0600.
type Book string

// maxAge is how long the mark of a transcript that nobody writes to is kept.
const maxAge = 30 * 24 * time.Hour

// Key names a transcript in the book; it is also good as the begin of an
// idempotency key.
func Key(transcript string) string {
	sum := sha256.Sum256([]byte(transcript))
	return hex.EncodeToString(sum[:12])
}

// Mark gives how far a transcript has been read. One that cannot be read is as
// good as none.
func (b Book) Mark(transcript string) (m Mark) {
	content, err := os.ReadFile(b.file(transcript))
	if err != nil || json.Unmarshal(content, &m) != nil || m.Offset < 0 || m.Turns < 0 {
		return Mark{}
	}
	return m
}

// Put keeps a mark, in one step.
func (b Book) Put(transcript string, m Mark) error {
	if err := os.MkdirAll(string(b), 0o700); err != nil {
		return err
	}
	content, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return config.WriteOwn(b.file(transcript), content)
}

// Tidy removes marks that nobody has used for a month.
func (b Book) Tidy(now time.Time) {
	entries, err := os.ReadDir(string(b))
	if err != nil {
		return // there is no book yet
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) > maxAge {
			_ = os.Remove(filepath.Join(string(b), e.Name())) // the next time, if not now
		}
	}
}

func (b Book) file(transcript string) string { return filepath.Join(string(b), Key(transcript)) }
