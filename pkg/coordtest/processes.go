package coordtest

import (
	"context"
	"fmt"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// company is a home with real processes for many scenarios: its hub goes on from
// one to the next, and so do its counters. Each scenario has projects of its own.
type company struct {
	home     *Home
	surveyor *Agent // learns how far the counters are
	played   int
}

func openCompany(t testing.TB) func(testing.TB) (Stage, error) {
	c := &company{home: NewHome(t)}
	return func(t testing.TB) (Stage, error) { return c.stage(t) }
}

func (c *company) stage(t testing.TB) (Stage, error) {
	if c.surveyor == nil {
		c.surveyor = c.home.Agent("surveyor", c.home.t.TempDir())
	}
	before, err := c.survey(t.Context())
	c.played++
	return &processes{company: c, voices: newVoices(t), before: before}, err
}

// survey gives the number that each counter of the hub has reached.
func (c *company) survey(ctx context.Context) (map[string]int, error) {
	task, err := Try(ctx, c.surveyor, tool.AnnounceWork, tool.AnnounceWorkIn{Subject: "survey", TargetFiles: []string{"survey"}, KeepOpen: true})
	if err != nil {
		return nil, err
	}
	if task.ThreadID == nil {
		return nil, fmt.Errorf("a task without a thread: %+v", task)
	}
	said, err := Try(ctx, c.surveyor, tool.PostToThread, tool.PostToThreadIn{ThreadID: *task.ThreadID, Content: "survey"})
	if err != nil {
		return nil, err
	}
	if _, err := Try(ctx, c.surveyor, tool.CancelThread, tool.CancelThreadIn{ThreadID: *task.ThreadID}); err != nil {
		return nil, err
	}
	reached := map[string]int{}
	for _, id := range []string{string(task.AnnouncementID), string(*task.ThreadID), string(said.MessageID)} {
		letter := id[:1]
		n, ok := coord.Ordinal(letter, id)
		if !ok {
			return nil, fmt.Errorf("%q is no id", id)
		}
		reached[letter] = int(n)
	}
	return reached, nil
}

// processes is one scenario of a company: real shims, and the hub that they
// have started.
type processes struct {
	*company
	voices
	before map[string]int // what the counters had reached when it began
}

func (p *processes) Join(name string, as Role) error {
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	as.Project = fmt.Sprintf("%s-%d", as.Project, p.played)
	dir, env, err := p.place(as)
	if err != nil {
		return err
	}
	a, err := p.home.StartAgent(ctx, name, dir, env...)
	if err != nil {
		return err
	}
	m := &voice{Caller: a, next: a.Next, leave: a.Close}
	p.leaveAtEnd(name, m)
	return p.enter(ctx, name, m)
}

// Number is what the n-th id of a kind is called on a hub that has counted before.
func (p *processes) Number(letter string, n int) int { return p.before[letter] + n }

// Restart ends the hub; the shims start another one.
func (p *processes) Restart() error {
	p.home.StopHub()
	return nil
}
