package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/driver"
	"github.com/coordhq/coord/pkg/tool"
)

// Options say how the story is played.
type Options struct {
	Shim  string    // coord-shim to run; "" = beside this program, else on PATH
	Out   io.Writer // where the timeline goes; required
	JSON  bool      // one JSON object per step instead of lines for people
	Color bool      // ANSI colours; never with JSON
	Keep  bool      // leave home and repository behind
}

// The two files of the story.
const (
	model     = "src/models/user.ts"
	migration = "db/migrations/0042_user_email.sql"
)

// story is the play: its steps run in order, each checks what it is told.
type story struct {
	*timeline
	scene      *scene
	alice, bob *driver.Session
	thread     coord.ThreadID
	proposal   int
	dead       string                          // instance of the hub that was killed
	mine       map[string]coord.AnnouncementID // by name

	asked time.Time   // when bob began to announce
	wait  chan waited // what alice's wait_for_message gave; capacity 1
}

// waited is the result of waiting for an event.
type waited struct {
	event coord.Event
	at    time.Time
	err   error
}

// act is one step of the story. It answers what to print.
type act struct {
	who, name string
	run       func(context.Context) (text string, detail any, err error)
}

// Run plays the story. The error names the step that did not hold.
func Run(ctx context.Context, o Options) (err error) {
	if o.Out == nil {
		return errors.New("demo options: Out is nil")
	}
	if o.Shim == "" {
		if o.Shim, err = findShim(); err != nil {
			return err
		}
	}
	s := &story{timeline: &timeline{out: o.Out, json: o.JSON, color: o.Color, start: time.Now()},
		scene: &scene{shim: o.Shim}, mine: map[string]coord.AnnouncementID{}}
	s.title("Two sessions in one repository, and a hub that starts itself.\n")
	defer func() {
		err = errors.Join(err, s.scene.strike(o.Keep))
		if o.Keep {
			s.title("\nkept: %s", s.scene.dir)
		}
	}()
	for _, a := range s.acts() {
		if err := s.play(ctx, a); err != nil {
			return err
		}
	}
	s.title("\nEvery one of %d steps held.", s.steps)
	return nil
}

// play runs one step and prints it.
func (s *story) play(ctx context.Context, a act) error {
	text, detail, err := a.run(ctx)
	if err == nil {
		return s.say(entry{Who: a.who, Step: a.name, Text: text, OK: true, Detail: detail})
	}
	if errors.Is(context.Cause(ctx), context.Canceled) {
		err = errors.New("interrupted")
	}
	return errors.Join(
		coord.Errorf(coord.Internal, "", "step %d (%s: %s) did not hold: %v", s.steps+1, a.who, a.name, err),
		s.say(entry{Who: a.who, Step: a.name, Text: err.Error()}))
}

func (s *story) acts() []act {
	return []act{
		{"demo", "build", s.build},
		{"alice", "start", s.aliceStarts},
		{"bob", "start", s.bobStarts},
		{"alice", "announce_work", s.aliceAnnounces},
		{"alice", "wait_for_message", s.aliceWaits},
		{"bob", "announce_work", s.bobAnnounces},
		{"alice", "thread.opened", s.aliceHears},
		{"bob", "post_to_thread", s.bobAsks},
		{"alice", "post_to_thread", s.aliceAnswers},
		{"hub", "kill", s.hubDies},
		{"bob", "propose_resolution", s.bobProposes},
		{"hub", "return", s.hubReturns},
		{"alice", "approve_resolution", s.aliceApproves},
		{"bob", "resolved", s.bobHears},
		{"bob", "get_thread", s.bobReads},
		{"alice", "close_thread", s.closes("alice")},
		{"bob", "close_thread", s.closes("bob")},
		{"demo", "exit", s.exit},
	}
}

func (s *story) build(ctx context.Context) (string, any, error) {
	return "a repository shop with " + model, nil, s.scene.build(ctx)
}

func (s *story) aliceStarts(ctx context.Context) (text string, _ any, err error) {
	s.alice, err = s.scene.enter(ctx, "alice")
	return "starts a session; its shim answers at once", nil, err
}

func (s *story) bobStarts(ctx context.Context) (text string, _ any, err error) {
	s.bob, err = s.scene.enter(ctx, "bob")
	return "starts a session", nil, err
}

func (s *story) aliceAnnounces(ctx context.Context) (string, any, error) {
	out, err := driver.Call(ctx, s.alice, tool.AnnounceWork, tool.AnnounceWorkIn{
		Subject: "Rename User.name to displayName", TargetFiles: []string{model}})
	if err == nil && (out.Status != "clear" || out.ThreadID != nil || out.Category != coord.Pass) {
		err = fmt.Errorf("wants to hear clear, is told %s, score %d", out.Status, out.Score)
	}
	s.mine["alice"] = out.AnnouncementID
	return fmt.Sprintf("announces %s → %s: nobody overlaps", model, out.Status), out, err
}

// aliceWaits starts alice's wait_for_message; what comes of it is checked later.
func (s *story) aliceWaits(ctx context.Context) (string, any, error) {
	s.wait = make(chan waited, 1)
	go func() {
		e, err := s.alice.Await(ctx, func(e coord.Event) bool { return e.Kind == coord.KindThreadOpened })
		s.wait <- waited{e, time.Now(), err}
	}()
	select { // the call is on its way; give it the time to get there
	case <-time.After(50 * time.Millisecond):
	case <-ctx.Done():
	}
	return "blocks in wait_for_message", nil, nil
}

func (s *story) bobAnnounces(ctx context.Context) (string, any, error) {
	s.asked = time.Now()
	out, err := driver.Call(ctx, s.bob, tool.AnnounceWork, tool.AnnounceWorkIn{
		Subject: "Store an email address per user", TargetFiles: []string{model, migration}})
	if err == nil {
		err = concerned(out)
	}
	if err != nil {
		return "", nil, err
	}
	s.thread, s.mine["bob"] = *out.ThreadID, out.AnnouncementID
	return fmt.Sprintf("announces %s and %s → %s: score %d, layer %s, thread %s with %s",
		model, migration, out.Category, out.Score, *out.Layer, s.thread, out.ConcernedAgents[0].Name), out, nil
}

// concerned checks bob's verdict.
func concerned(out tool.AnnounceWorkOut) error {
	if out.Category != coord.Concerned || out.Score != 100 || out.Layer == nil || *out.Layer != coord.LayerSameFile ||
		out.ThreadID == nil || len(out.ConcernedAgents) != 1 || out.ConcernedAgents[0].Name != "alice" {
		return fmt.Errorf("wants to hear concerned, 100, layer 0a, a thread with alice; is told %s, score %d, concerned %v", out.Category, out.Score, out.ConcernedAgents)
	}
	return nil
}

func (s *story) aliceHears(context.Context) (string, any, error) {
	w := <-s.wait
	if w.err != nil {
		return "", nil, fmt.Errorf("alice waits for the thread: %w", w.err)
	}
	if w.event.Thread != s.thread {
		return "", nil, fmt.Errorf("alice hears of %s, not of %s", w.event.Thread, s.thread)
	}
	return fmt.Sprintf("has %s from wait_for_message %.1f ms after bob's call began", s.thread, milliseconds(w.at.Sub(s.asked))), w.event.Payload, nil
}

func (s *story) bobAsks(ctx context.Context) (string, any, error) {
	return s.post(ctx, s.bob, s.alice, coord.QuestionMessage, "May I add the email field before you rename?")
}

func (s *story) aliceAnswers(ctx context.Context) (string, any, error) {
	return s.post(ctx, s.alice, s.bob, coord.ContextMessage, "Yes. I rename once your field is in.")
}

// post says something and checks that the other side hears it.
func (s *story) post(ctx context.Context, from, to *driver.Session, kind coord.MessageType, text string) (string, any, error) {
	start := time.Now()
	out, err := driver.Call(ctx, from, tool.PostToThread, tool.PostToThreadIn{ThreadID: s.thread, Content: text, Type: kind})
	if err != nil {
		return "", nil, err
	}
	_, err = to.Await(ctx, func(d coord.Event) bool {
		p, err := driver.Payload[coord.MessagePosted](d)
		return err == nil && d.Kind == coord.KindMessagePosted && p.MessageID == out.MessageID
	})
	return fmt.Sprintf("says %q, heard in %.1f ms", text, milliseconds(time.Since(start))), out, err
}

func (s *story) hubDies(context.Context) (string, any, error) {
	d, err := s.scene.killHub()
	s.dead = d.Instance
	return fmt.Sprintf("kill -9 of the hub, process %d, in the middle of it", d.PID), d, err
}

func (s *story) bobProposes(ctx context.Context) (string, any, error) {
	start := time.Now()
	out, err := driver.Call(ctx, s.bob, tool.ProposeResolution, tool.ProposeResolutionIn{
		ThreadID: s.thread, Summary: "bob adds email and the migration, then alice renames."})
	if err != nil {
		return "", nil, err
	}
	if out.Status != coord.ThreadResolving || out.Proposal == nil {
		return "", nil, fmt.Errorf("the thread should be resolving, it is %s", out.Status)
	}
	s.proposal = out.Proposal.Number
	return fmt.Sprintf("proposes %q, answered in %.0f ms", out.Proposal.Summary, milliseconds(time.Since(start))), out, nil
}

func (s *story) hubReturns(context.Context) (string, any, error) {
	d, err := config.ReadDiscovery(s.scene.home)
	if err == nil && d.Instance == s.dead {
		err = errors.New("no new hub has taken over")
	}
	return fmt.Sprintf("a new hub, process %d, was started by a shim and goes on from the database", d.PID), d, err
}

func (s *story) aliceApproves(ctx context.Context) (string, any, error) {
	if _, err := s.alice.Await(ctx, status(coord.ThreadResolving)); err != nil {
		return "", nil, fmt.Errorf("alice waits for the proposal: %w", err)
	}
	out, err := driver.Call(ctx, s.alice, tool.ApproveResolution, tool.ApproveResolutionIn{ThreadID: s.thread, Proposal: s.proposal})
	if err == nil && (out.Status != coord.ThreadResolved || out.Type != coord.Consensus) {
		err = fmt.Errorf("the thread should be resolved by consensus, it is %s %s", out.Status, out.Type)
	}
	return fmt.Sprintf("hears the proposal, approves it and is told %s by %s", out.Status, out.Type), out, err
}

func (s *story) bobHears(ctx context.Context) (string, any, error) {
	d, err := s.bob.Await(ctx, status(coord.ThreadResolved))
	if err != nil {
		return "", nil, fmt.Errorf("bob waits for the end of the thread: %w", err)
	}
	p, err := driver.Payload[coord.StatusChanged](d)
	if err == nil && p.Type != coord.Consensus {
		err = fmt.Errorf("bob hears of another end than consensus: %s", p.Type)
	}
	return fmt.Sprintf("hears that %s is resolved by consensus", s.thread), d.Payload, err
}

func (s *story) bobReads(ctx context.Context) (string, any, error) {
	out, err := driver.Call(ctx, s.bob, tool.GetThread, tool.GetThreadIn{ThreadID: s.thread})
	if err == nil && len(out.Messages) != 2 {
		err = fmt.Errorf("the thread should hold both messages, it holds %d", len(out.Messages))
	}
	return fmt.Sprintf("reads %s: nothing was lost, %d messages", s.thread, len(out.Messages)), out, err
}

func (s *story) closes(name string) func(context.Context) (string, any, error) {
	return func(ctx context.Context) (string, any, error) {
		out, err := driver.Call(ctx, s.session(name), tool.CloseThread, tool.CloseThreadIn{ThreadID: string(s.mine[name]), Summary: "done"})
		return "is done and closes " + strings.Join(out.Closed, ", "), out, err
	}
}

func (s *story) exit(context.Context) (string, any, error) {
	return "both sessions end; home, hub and repository go away", nil, s.scene.exit()
}

func (s *story) session(name string) *driver.Session {
	if name == "alice" {
		return s.alice
	}
	return s.bob
}

func status(want coord.ThreadStatus) func(coord.Event) bool {
	return func(d coord.Event) bool {
		p, err := driver.Payload[coord.StatusChanged](d)
		return err == nil && d.Kind == coord.KindThreadStatus && p.Status == want
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
