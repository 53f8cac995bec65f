package shim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/inbox"
	"github.com/coordhq/coord/pkg/shim/feed"
)

// Times of a shim.
const (
	DefaultPatience = 15 * time.Second // a call goes on trying to reach a hub for this long
	DefaultProgress = 10 * time.Second
	parentEvery     = 2 * time.Second // between two looks at the parent process
	leaveLimit      = 500 * time.Millisecond
	endLimit        = 3 * time.Second // for everything that ends with the shim
)

// Options make a Shim.
type Options struct {
	Stdin  io.ReadCloser // from the client; required
	Stdout io.Writer     // to the client; required; nothing else may write there
	Stderr io.Writer     // for the log; nil = nowhere

	Home    config.Home         // of the hub; required
	Dir     string              // where the client works; required
	Getenv  func(string) string // nil = os.Getenv
	Getppid func() int          // nil = os.Getppid

	AgentName string   // label of the agent; "" = the hub makes one
	Core      bool     // offer only the core tools
	NoWake    bool     // never wake the client while it is idle
	Wrong     []string // settings that are wrong and not used, for the user
	Version   string   // of this program
	HubBinary string   // see spawn.Options

	LogLevel slog.Leveler  // nil = slog.LevelWarn
	Patience time.Duration // 0 = DefaultPatience
	Progress time.Duration // between signs of life of a call that waits; 0 = DefaultProgress

	Tick func(time.Duration) <-chan time.Time // of the look at files; nil = time.Tick
}

func (o *Options) validate() error {
	switch {
	case o.Stdin == nil || o.Stdout == nil:
		return errors.New("shim options: Stdin or Stdout is missing")
	case o.Home.Dir() == "":
		return errors.New("shim options: Home is not set")
	case o.Dir == "":
		return errors.New("shim options: Dir is empty")
	}
	if o.Stderr == nil {
		o.Stderr = io.Discard
	}
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.Getppid == nil {
		o.Getppid = os.Getppid
	}
	if o.LogLevel == nil {
		o.LogLevel = slog.LevelWarn
	}
	if o.Patience <= 0 {
		o.Patience = DefaultPatience
	}
	if o.Progress <= 0 {
		o.Progress = DefaultProgress
	}
	if o.Tick == nil {
		o.Tick = time.Tick
	}
	return nil
}

// Shim serves one client; make it with [New], use it once.
type Shim struct {
	o       Options
	parent  int
	log     *slog.Logger
	started *slog.Logger // for what is done to have a hub
	logFile *logFile
	conn    *stdio
	queue   *inbox.Queue
	feed    *feed.Feed
	session *session
	reports *reports
	watch   *watch
	notices *notices
	told    *told
	hooked  atomic.Bool // the client's hooks hand out news, too
}

// New makes a shim. It touches nothing outside the process.
func New(o Options) (*Shim, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Shim{o: o, parent: o.Getppid(), conn: newStdio(o.Stdin, o.Stdout), queue: inbox.New(inbox.Limit)}
	s.logFile = newLogFile(o.Stderr, filepath.Join(filepath.Dir(o.Home.LogFile()), "shim.log"))
	log := slog.New(slog.NewJSONHandler(s.logFile, &slog.HandlerOptions{Level: o.LogLevel})).With("pid", os.Getpid())
	s.log, s.started = log.With("component", "shim"), log.With("component", "spawn")
	s.session = newSession(s)
	s.reports, s.watch, s.notices, s.told = newReports(), newWatch(), newNotices(o.Wrong), newTold()
	var err error
	s.feed, err = feed.New(feed.Options{Queue: s.queue, Sync: s.session.sync, Dial: s.session.dialMQTT, Log: s.log})
	if err != nil {
		return nil, fmt.Errorf("make the feed: %w", err)
	}
	return s, nil
}

// Run serves until the client is gone: its stdin has ended, its process is no
// longer our parent, or ctx has ended. The agent has left the hub then, if the
// hub could be told within half a second. Only a start that fails is an error.
func (s *Shim) Run(ctx context.Context) error {
	work, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	answering, stopAnswering := context.WithCancel(work)
	defer stopAnswering()

	var background sync.WaitGroup
	background.Go(func() { s.feed.Run(work) })
	background.Go(func() { s.session.run(work, s.feed.Attach) })
	background.Go(func() { s.reports.run(work, s.report) })
	background.Go(func() { s.knock(work) })
	background.Go(func() { s.watchFiles(work) })

	mcpSession, err := s.server(answering).Connect(work, s.conn, nil)
	if err != nil {
		return fmt.Errorf("serve the client: %w", err)
	}
	served := make(chan struct{})
	go func() {
		if err := mcpSession.Wait(); err != nil {
			s.log.Warn("the connection to the client broke", "error", err)
		}
		close(served)
	}()

	select {
	case <-served:
	case <-ctx.Done():
	case <-s.orphaned(work):
	}
	stopAnswering()
	s.conn.hangUp()
	within(endLimit, served)
	end()
	idle := make(chan struct{})
	go func() { background.Wait(); close(idle) }()
	within(endLimit, idle)
	s.session.leave()
	return errors.Join(s.conn.Close(), s.logFile.close())
}

// orphaned gives a channel that is closed when the client's process is gone,
// which not every system tells by closing stdin.
func (s *Shim) orphaned(ctx context.Context) <-chan struct{} {
	gone := make(chan struct{})
	go func() {
		tick := time.NewTicker(parentEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if s.o.Getppid() != s.parent {
					s.log.Warn("the client is gone", "parent", s.parent)
					close(gone)
					return
				}
			}
		}
	}()
	return gone
}

// within waits for done, but not for ever: a client that reads nothing could
// hold a write.
func within(limit time.Duration, done <-chan struct{}) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}
