package hook

import (
	"path/filepath"
	"strconv"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hook/tokens"
)

// spending is what a transcript says has been used since the report before.
type spending struct {
	book       tokens.Book
	transcript string
	next       tokens.Mark
}

// spent adds to a call what the model has used since the last report. What goes
// wrong here waits for the next one.
func (r *run) spent(call *coord.HookCall) *spending {
	if r.in.spent == "" || !filepath.IsAbs(r.in.spent) || filepath.Ext(r.in.spent) != ".jsonl" {
		return nil
	}
	s := &spending{book: tokens.Book(filepath.Join(r.settings.Home.RunDir(), "tokens")), transcript: r.in.spent}
	mark := s.book.Mark(s.transcript)
	uses, next, err := tokens.Since(s.transcript, mark)
	if err != nil || next == mark {
		return nil
	}
	s.next = next
	call.Spent = &coord.HookSpent{Key: tokens.Key(s.transcript) + ":" + strconv.FormatInt(mark.Offset, 10), Uses: uses}
	return s
}

// counted keeps the mark once the hub has the numbers.
func (s *spending) counted() {
	if s.book.Put(s.transcript, s.next) == nil {
		s.book.Tidy(time.Now())
	}
}
