package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/driver"
	"github.com/coordhq/coord/pkg/process"
	"github.com/coordhq/coord/pkg/workspace"
)

// scene is the temporary home and repository, and what runs in them.
type scene struct {
	dir  string
	home config.Home
	repo string
	shim string
	cast []*driver.Session
}

// files of the repository that the story is about.
var files = map[string]string{
	"src/models/user.ts":               "export interface User {\n  id: number\n  name: string\n}\n",
	"db/migrations/0041_user_name.sql": "ALTER TABLE users ADD COLUMN name text;\n",
	"README.md":                        "# shop\n",
}

// build makes home and repository. What it made is in the scene even when it
// fails, so that strike removes it.
func (s *scene) build(ctx context.Context) (err error) {
	if s.dir, err = os.MkdirTemp("", "coord-demo-"); err != nil {
		return err
	}
	if s.dir, err = filepath.EvalSymlinks(s.dir); err != nil {
		return err
	}
	s.repo = filepath.Join(s.dir, "shop")
	for name, content := range files {
		path := filepath.Join(s.repo, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return err
		}
	}
	if err := s.commit(ctx); err != nil {
		return err
	}
	s.home, err = s.find()
	return err
}

func (s *scene) find() (config.Home, error) {
	return config.Find(func(key string) string {
		if key == "COORDINATOR_HOME" {
			return filepath.Join(s.dir, "home")
		}
		return ""
	}, "")
}

// commit makes the directory a git repository. Without git on this machine it
// stays a plain directory, which two sessions can share as well.
func (s *scene) commit(ctx context.Context) error {
	if _, err := exec.LookPath("git"); err != nil {
		return nil
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"},
		{"-c", "user.name=coord", "-c", "user.email=coord@example.com", "-c", "commit.gpgsign=false", "commit", "-q", "--no-verify", "-m", "start"}} {
		cmd := exec.CommandContext(ctx, "git", args...) // #nosec G204 -- fixed arguments
		cmd.Dir, cmd.Env = s.repo, workspace.PlainGitEnv(os.Environ())
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("git %s: %w: %s", args[0], err, bytes.TrimSpace(out))
		}
	}
	return nil
}

// enter starts a session.
func (s *scene) enter(ctx context.Context, name string) (*driver.Session, error) {
	var stderr bytes.Buffer
	session, err := driver.Start(ctx, driver.Options{Shim: s.shim, Dir: s.repo, Home: s.home.Dir(), Name: name, Stderr: &stderr, Grace: 5 * time.Second})
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	s.cast = append(s.cast, session)
	return session, nil
}

// killHub ends the hub as a crash does.
func (s *scene) killHub() (config.Discovery, error) {
	d, err := config.ReadDiscovery(s.home)
	if err != nil {
		return d, err
	}
	hub := coord.Process{PID: d.PID, Start: d.PIDStart}
	if !process.Alive(hub) {
		return d, fmt.Errorf("the hub, process %d, is gone already", d.PID)
	}
	return d, syscall.Kill(d.PID, syscall.SIGKILL)
}

// exit ends all sessions.
func (s *scene) exit() error {
	var errs []error
	for _, session := range s.cast {
		errs = append(errs, session.Close())
	}
	s.cast = nil
	return errors.Join(errs...)
}
