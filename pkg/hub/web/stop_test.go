package web_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/web"
)

func TestALeavingHubAnswersWhatItHasBegun(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	s := open(t, nil)
	s.rules.on = func(ctx context.Context, _ string) (json.RawMessage, error) {
		close(begun)
		<-finish
		return json.RawMessage(`{"done":true}`), ctx.Err()
	}
	idle, answered, stopped := s.dial(t, false), make(chan reply, 1), make(chan error, 1)
	defer idle.Close()
	go func() { answered <- s.do(t, ask{method: "POST", path: "/api/tools/x", body: "{}"}) }()
	<-begun
	go func() { stopped <- s.server.Stop(context.Background()) }()
	if _, err := idle.Read(make([]byte, 1)); err == nil { // a connection that has asked nothing is closed at once
		t.Error("an idle connection was answered")
	}
	select {
	case err := <-stopped:
		t.Errorf("stopped (%v) with a request at work", err)
	default:
	}
	close(finish)
	if got := <-answered; got.status != 200 || got.body != `{"done":true}` {
		t.Errorf("the request at work: %d %s", got.status, got.body)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestAConnectionThatHasAskedNothingDelaysNoStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dial := bubble(t, &rules{})
		conn := dial()
		synctest.Wait()
		start := time.Now()
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("Stop took %v", took)
		}
		_ = conn.Close()
	})
}

func TestAWaitEndsWhenTheHubLeaves(t *testing.T) {
	begun := make(chan struct{})
	s := open(t, nil)
	s.rules.on = func(ctx context.Context, _ string) (json.RawMessage, error) {
		close(begun)
		<-ctx.Done()
		return nil, coord.Errorf(coord.Unavailable, "call again", "the wait was cancelled")
	}
	answered := make(chan reply, 1)
	go func() { answered <- s.do(t, ask{method: "POST", path: "/api/tools/wait_for_message", body: "{}"}) }()
	<-begun
	if err := s.server.Stop(context.Background()); err != nil { // would wait for ever
		t.Error(err)
	}
	if got := <-answered; got.status != 503 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestARequestThatNeverEndsIsCutAtTheDeadline(t *testing.T) {
	begun := make(chan struct{})
	s := open(t, nil)
	s.rules.on = func(ctx context.Context, _ string) (json.RawMessage, error) {
		close(begun)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	conn := s.dial(t, false)
	defer conn.Close()
	req := newRequest(t, "POST", "http://x/api/tools/x", strings.NewReader("{}"))
	req.Header.Set("Content-Type", "application/json")
	if err := req.Write(conn); err != nil {
		t.Fatal(err)
	}
	<-begun
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.server.Stop(over); err == nil {
		t.Error("Stop says nothing of the cut request")
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the cut request was answered")
	}
	_ = s.server.Stop(over)
}

func TestWhileDrainingOnlyHandshakeAndHealthAnswer(t *testing.T) {
	s := open(t, func(o *web.Options) {
		o.Enter = func() (func(), bool) { return nil, false }
		o.Hello = func() client.Hello { return client.Hello{Instance: "i-1", Draining: true} }
	})
	for _, r := range web.Routes() {
		headers := map[string]string{}
		if r.Access == web.Session {
			headers = bearer(string(key))
		}
		got := s.do(t, ask{method: r.Method, path: concrete(r.Pattern), body: bodyFor(r), headers: headers})
		want := 503
		if r.Pattern == "/api/hello" || r.Access == web.Open {
			want = 200
		}
		if r.Pattern == "/api/stop" {
			want = 202
		}
		if got.status != want {
			t.Errorf("%s %s: %d %s, want %d", r.Method, r.Pattern, got.status, got.body, want)
		}
	}
	if calls := s.rules.seen(); len(calls) > 0 {
		t.Errorf("reached the rules: %v", calls)
	}
}
