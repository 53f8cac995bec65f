package driver

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// DefaultGrace is how long Close waits for a shim to leave after the end of its
// stdin, and again after SIGTERM.
const DefaultGrace = 10 * time.Second

// Options say which shim to run and as whom.
type Options struct {
	Shim   string        // path of the coord-shim binary; required
	Dir    string        // its working directory: where the agent works; required
	Home   string        // COORDINATOR_HOME; required, so that no user's own home is touched by accident
	Name   string        // COORDINATOR_AGENT_NAME; "" = the shim makes one up
	Client string        // how the client names itself; "" = coord-driver
	Env    []string      // more "KEY=value" entries, which win over the inherited ones
	Stdin  io.Writer     // gets a copy of what the shim is sent; nil = nobody
	Stderr io.Writer     // where the shim logs to; nil = nowhere
	Grace  time.Duration // 0 = DefaultGrace
}

func (o *Options) validate() error {
	for _, f := range []struct{ name, value string }{{"Shim", o.Shim}, {"Dir", o.Dir}, {"Home", o.Home}} {
		if f.value == "" {
			return fmt.Errorf("driver options: %s is empty", f.name)
		}
	}
	if o.Grace <= 0 {
		o.Grace = DefaultGrace
	}
	if o.Stdin == nil {
		o.Stdin = io.Discard
	}
	return nil
}

// Process is one running shim.
type Process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	copy   io.Writer // of stdin
	grace  time.Duration
	exited chan struct{}
	err    error // of the process, set before exited is closed
	killed atomic.Bool

	mu     sync.Mutex // guards stray
	stray  []string
	finish sync.Once
	ended  error // what Close answers, set inside finish
}

// Spawn starts a shim. Each line it prints is given to onLine, in order and
// without its newline, from one goroutine; the slice belongs to the receiver.
func Spawn(o Options, onLine func(line []byte)) (*Process, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	cmd := exec.Command(o.Shim) // #nosec G204 -- running the shim that the caller names is the purpose
	cmd.Dir, cmd.Env, cmd.Stderr = o.Dir, environment(o), o.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", o.Shim, err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", o.Shim, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", o.Shim, err)
	}
	p := &Process{cmd: cmd, stdin: stdin, copy: o.Stdin, grace: o.Grace, exited: make(chan struct{})}
	go func() {
		p.pump(stdout, onLine)
		p.err = cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// environment is the inherited one without anything that speaks to coord or
// tells of a client session around us, plus what the options say.
func environment(o Options) []string {
	env := make([]string, 0, 32)
	for _, kv := range os.Environ() {
		key, _, _ := strings.Cut(kv, "=")
		if key == "PORT" || key == "LOG_LEVEL" || key == "LOG_FORMAT" ||
			strings.HasPrefix(key, "COORDINATOR_") || strings.HasPrefix(key, "CLAUDE") {
			continue
		}
		env = append(env, kv)
	}
	env = append(env, "COORDINATOR_HOME="+o.Home)
	if o.Name != "" {
		env = append(env, "COORDINATOR_AGENT_NAME="+o.Name)
	}
	return append(env, o.Env...)
}

// pump hands on stdout line by line until its end, and notes what is no message.
func (p *Process) pump(stdout io.Reader, onLine func([]byte)) {
	r := bufio.NewReader(stdout)
	for {
		line, err := r.ReadBytes('\n')
		line = bytes.TrimSuffix(line, []byte("\n"))
		if len(line) > 0 {
			p.check(line)
			onLine(line)
		}
		if err != nil {
			return
		}
	}
}

func (p *Process) check(line []byte) {
	var message struct {
		Version string `json:"jsonrpc"`
	}
	if json.Unmarshal(line, &message) == nil && message.Version == "2.0" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.stray) < 5 {
		p.stray = append(p.stray, string(line[:min(len(line), 200)]))
	}
}

// PID is the process id of the shim.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Write sends raw bytes to the shim's stdin.
func (p *Process) Write(b []byte) (int, error) {
	n, err := p.stdin.Write(b)
	if err == nil {
		_, err = p.copy.Write(b)
	}
	return n, err
}

// Signal sends a signal to the shim.
func (p *Process) Signal(sig os.Signal) error { return p.cmd.Process.Signal(sig) }

// Kill ends the shim without a word. Close then finds nothing wrong with its end.
func (p *Process) Kill() error {
	p.killed.Store(true)
	if err := p.Signal(os.Kill); !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// Exited is closed when the shim has ended and its stdout is read to the end.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Close ends the shim as a client does, by closing its stdin, and waits for it;
// SIGTERM and SIGKILL follow when it stays. The error says when it had to be
// forced, how it exited, and what it printed that is no protocol. It is
// idempotent.
func (p *Process) Close() error {
	p.finish.Do(func() { p.ended = p.end() })
	return p.ended
}

func (p *Process) end() error {
	_ = p.stdin.Close() // it fails only when the shim is gone, which the wait below tells better
	var forced error
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if p.waited() {
			break
		}
		forced = fmt.Errorf("shim %d did not leave within %v of the end of its stdin; sent %v", p.PID(), p.grace, sig)
		_ = p.Signal(syscall.SIGCONT) // a stopped process hears nothing else
		_ = p.Signal(sig)
	}
	if !p.waited() {
		return errors.Join(forced, fmt.Errorf("stdout of shim %d is still held open by a process it started", p.PID()))
	}
	if p.killed.Load() { // perhaps in the middle of a line
		return forced
	}
	return errors.Join(forced, p.exitError(), p.strayError())
}

func (p *Process) waited() bool {
	timer := time.NewTimer(p.grace)
	defer timer.Stop()
	select {
	case <-p.exited:
		return true
	case <-timer.C:
		return false
	}
}

func (p *Process) exitError() error {
	if p.err == nil {
		return nil
	}
	return fmt.Errorf("shim %d: %w", p.PID(), p.err)
}

func (p *Process) strayError() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.stray) == 0 {
		return nil
	}
	return fmt.Errorf("shim %d printed to stdout what is no JSON-RPC message: %q", p.PID(), p.stray)
}
