package hub_test

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
)

func TestARuleThatFailsTakesBackWhatItChanged(t *testing.T) {
	r := newRig(t)
	a, b := r.named("a"), r.named("b")
	if err := r.Leave(a.ctx); err != nil {
		t.Fatal(err)
	}
	published := len(r.pubs.pubs)
	a.refused(coord.NotFound, "close_thread", object{"thread_id": "A-9"}) // its first step is to bring a back
	want(t, "a", statusOf(b, a), "offline")
	want(t, "published", len(r.pubs.pubs), published)

	a.refused(coord.NotFound, "announce_work", object{"subject": "w", "target_files": []string{"x"}, "replaces": "A-9"}) // after it was numbered
	want(t, "the number is free again", b.announce("x")["announcement_id"], "A-1")
	r.stop()
	r.start(nil)
	want(t, "a, as stored", statusOf(b, a), "offline")
}

func TestARulePanicHitsItsOwnCallOnly(t *testing.T) {
	r := newRig(t)
	a := r.named("a")
	err := r.Panic(context.Background(), &coord.Agent{ID: "ag-ghost", Name: "ghost", Project: "shop", Status: coord.Online})
	if coord.CodeOf(err) != coord.Internal {
		t.Fatalf("the call that panicked: %v", err)
	}
	want(t, "agents", len(a.call("list_agents", nil)["agents"].([]any)), 1)
	want(t, "the writer goes on", a.announce("x")["announcement_id"], "A-1")
}

func TestWhatIsQueuedAtTheStopIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.stop()
		db := &busy{}
		r.start(func(s hub.Store) hub.Store { db.Store = s; return db })
		a := r.named("a")
		db.waits, db.free = make(chan struct{}, 10), make(chan struct{})
		answers := make(chan error, 9)
		call := func() {
			_, err := r.Call(a.ctx, "announce_work", json.RawMessage(`{"subject":"w","target_files":["x"]}`), "")
			answers <- err
		}
		go call()
		synctest.Wait() // the writer is at the first
		for range 8 {
			go call()
		}
		synctest.Wait() // the others are queued
		stopped := make(chan error, 1)
		go func() { stopped <- r.Stop(context.Background()) }()
		synctest.Wait()
		close(db.free)
		for range 9 {
			if err := <-answers; err != nil {
				t.Errorf("a call that was queued: %v", err)
			}
		}
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		db.waits = nil
	})
}

func TestOnlyLiveThingsWarn(t *testing.T) {
	for name, leave := range map[string]func(*rig, *agent){
		"who said goodbye": func(r *rig, a *agent) {
			if err := r.Leave(a.ctx); err != nil {
				t.Fatal(err)
			}
		},
		"who was lost": func(r *rig, a *agent) {
			r.Disconnected(a.AgentID, true)
			r.pass(15 * time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			a, b := r.named("a"), r.named("b")
			a.call("announce_work", object{"subject": "w", "target_files": []string{"x"}, "depends_on_files": []string{"y"}, "target_modules": []string{"auth"}})
			a.call("log_action_summary", object{"summary": "edited it", "file_path": "x"})
			want(t, "while a is there", b.announce("x")["status"], "open")
			b.call("close_thread", object{"thread_id": "A-2"})
			leave(r, a)
			got := b.call("announce_work", object{"subject": "w", "target_files": []string{"x", "y"}, "target_modules": []string{"auth"}})
			want(t, "verdict", verdict(got), [4]any{"clear", "pass", 0, nil})
			want(t, "reasons", len(got["reasons"].([]any)), 0)
		})
	}
}
