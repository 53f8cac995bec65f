package tokens_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hook/tokens"
)

// said is a line of a transcript as Claude Code writes it.
func said(id, model string, input, output int) string {
	return fmt.Sprintf(`{"parentUuid":"x","type":"assistant","message":{"id":%q,"model":%q,"role":"assistant","content":[{"type":"text","text":"secret words"}],`+
		`"usage":{"input_tokens":%d,"cache_creation_input_tokens":3,"cache_read_input_tokens":4,"output_tokens":%d,"output_tokens_details":{"thinking_tokens":1}}},"uuid":"u"}`+"\n",
		id, model, input, output)
}

const prompt = `{"type":"user","message":{"role":"user","content":"please"}}` + "\n"

type transcript struct {
	t    *testing.T
	path string
	mark tokens.Mark
}

func newTranscript(t *testing.T) *transcript {
	return &transcript{t: t, path: filepath.Join(t.TempDir(), "t.jsonl")}
}

func (x *transcript) add(lines ...string) {
	x.t.Helper()
	f, err := os.OpenFile(x.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		x.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(strings.Join(lines, "")); err != nil {
		x.t.Fatal(err)
	}
}

func (x *transcript) uses(want ...coord.Tokens) {
	x.t.Helper()
	got, next, err := tokens.Since(x.path, x.mark)
	if err != nil {
		x.t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		x.t.Errorf("used (-want +got):\n%s", diff)
	}
	x.mark = next
}

func TestEachMessageIsCountedOnce(t *testing.T) {
	x := newTranscript(t)
	x.uses()
	x.add(prompt, said("m1", "opus", 10, 1), said("m1", "opus", 10, 5), prompt, said("m2", "haiku", 7, 2), said("m3", "opus", 20, 6))
	x.uses(coord.Tokens{Model: "opus", Turn: 1, Input: 30, Output: 11, CacheRead: 8, CacheCreation: 6, Thinking: 2},
		coord.Tokens{Model: "haiku", Turn: 1, Input: 7, Output: 2, CacheRead: 4, CacheCreation: 3, Thinking: 1})
	x.uses()
	x.add(said("m3", "opus", 20, 6), prompt, said("m4", "opus", 1, 1), said("m5", "<synthetic>", 9, 9))
	x.uses(coord.Tokens{Model: "opus", Turn: 2, Input: 1, Output: 1, CacheRead: 4, CacheCreation: 3, Thinking: 1})
}

func TestALineThatIsBeingWrittenIsReadLater(t *testing.T) {
	x := newTranscript(t)
	whole := said("m2", "opus", 2, 2)
	x.add(said("m1", "opus", 1, 1), whole[:40])
	x.uses(coord.Tokens{Model: "opus", Turn: 1, Input: 1, Output: 1, CacheRead: 4, CacheCreation: 3, Thinking: 1})
	x.add(whole[40:])
	x.uses(coord.Tokens{Model: "opus", Turn: 2, Input: 2, Output: 2, CacheRead: 4, CacheCreation: 3, Thinking: 1})
}

func TestWhatIsNoUsageIsPassedOver(t *testing.T) {
	x := newTranscript(t)
	x.add("not json with \"usage\"\n", `{"type":"assistant","message":{"usage":{"input_tokens":"many"}}}`+"\n", `{"type":"assistant","message":{"id":"a","model":"m"}}`+"\n",
		`{"type":"summary","usage":1}`+"\n", "\n", `[]`+"\n", said("m1", "opus", -5, 1))
	x.uses(coord.Tokens{Model: "opus", Turn: 1, Output: 1, CacheRead: 4, CacheCreation: 3, Thinking: 1})
}

func TestALongHistoryIsNotReadAgain(t *testing.T) {
	x := newTranscript(t)
	x.add(strings.Repeat(said("old", "opus", 1, 1), 20_000)) // over 4 MiB
	x.uses()
	x.add(said("m1", "opus", 1, 1))
	x.uses(coord.Tokens{Model: "opus", Turn: 1, Input: 1, Output: 1, CacheRead: 4, CacheCreation: 3, Thinking: 1})
	if err := os.Truncate(x.path, 10); err != nil {
		t.Fatal(err)
	}
	x.uses()
	x.add("\n", said("m2", "opus", 1, 1))
	x.uses(coord.Tokens{Model: "opus", Turn: 2, Input: 1, Output: 1, CacheRead: 4, CacheCreation: 3, Thinking: 1})
}

func TestALineWithoutEndIsLeftBehind(t *testing.T) {
	x := newTranscript(t)
	x.add(said("m0", "opus", 1, 1))
	x.uses(coord.Tokens{Model: "opus", Turn: 1, Input: 1, Output: 1, CacheRead: 4, CacheCreation: 3, Thinking: 1})
	x.add(strings.Repeat("x", 9<<20), "\n", said("m1", "opus", 1, 1))
	x.uses()
	x.uses()
	x.uses(coord.Tokens{Model: "opus", Turn: 2, Input: 1, Output: 1, CacheRead: 4, CacheCreation: 3, Thinking: 1})
}

func TestTheBookKeepsMarks(t *testing.T) {
	book := tokens.Book(filepath.Join(t.TempDir(), "tokens"))
	if got := book.Mark("/a"); got != (tokens.Mark{}) {
		t.Errorf("a new book knows %v", got)
	}
	want := tokens.Mark{Offset: 5, Last: "m", Turns: 2}
	if err := book.Put("/a", want); err != nil {
		t.Fatal(err)
	}
	if got := book.Mark("/a"); got != want || book.Mark("/b") != (tokens.Mark{}) {
		t.Errorf("got %v, want %v", got, want)
	}
	if err := os.WriteFile(filepath.Join(string(book), tokens.Key("/b")), []byte(`{"offset":-1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := book.Mark("/b"); got != (tokens.Mark{}) {
		t.Errorf("a damaged mark is %v", got)
	}
	book.Tidy(time.Now().Add(29 * 24 * time.Hour))
	if got := book.Mark("/a"); got != want {
		t.Error("a mark in use is gone")
	}
	book.Tidy(time.Now().Add(31 * 24 * time.Hour))
	if entries, err := os.ReadDir(string(book)); err != nil || len(entries) != 0 {
		t.Errorf("left: %v, %v", entries, err)
	}
}
