package shim_test

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	hubclient "github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
	"github.com/coordhq/coord/pkg/topic"
)

// stubHub stands where a hub would: HTTP and MQTT on the sockets of a home, one
// agent, its inbox, and calls that are answered as the test says.
type stubHub struct {
	t    *testing.T
	home config.Home
	over chan struct{} // closed with the test

	doors sync.Mutex // guards http and mqtt
	http  *http.Server
	mqtt  *mqtt.Server

	mu            sync.Mutex // guards what follows
	epoch         coord.Epoch
	instance      string
	key           coord.SessionKey
	registrations []coord.Registration
	left          int
	calls         []received
	inbox         []coord.Delivery
	seen          coord.Seq
	hooks         bool                                    // the client's hooks give news, too
	noSession     *coord.Error                            // registrations are refused with it; nil = they are not
	answer        func(w http.ResponseWriter, r received) // nil = {"ok":true}
	ladder        func(w http.ResponseWriter, r received) // to offer, written and await_wake; nil = an older hub that does not know them

	watch func(tool.WatchIn) tool.WatchOut // nil = an older hub that does not know it

	subscribed chan string    // client ids on MQTT
	acks       chan coord.Seq // each acknowledgement that moved seen
}

// received is one call that reached the hub.
type received struct {
	Op, Key string
	Args    json.RawMessage
	Nth     int // of the calls with this op, from 1
}

const agent = coord.AgentID("ag-1")

func startHub(t *testing.T, home config.Home) *stubHub {
	t.Helper()
	h := &stubHub{t: t, home: home, over: make(chan struct{}), epoch: "ep-1", instance: "i-1", key: "key-1",
		subscribed: make(chan string, 100), acks: make(chan coord.Seq, 1000)}
	if err := home.Prepare(); err != nil {
		t.Fatal(err)
	}
	h.listen()
	t.Cleanup(func() { h.stop(); close(h.over) })
	return h
}

// listen opens both doors, MQTT first: the library must have started when the
// first client comes.
func (h *stubHub) listen() {
	h.t.Helper()
	h.doors.Lock()
	defer h.doors.Unlock()
	h.mqtt = mqtt.New(&mqtt.Options{InlineClient: true, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	ml, err := net.Listen("unix", h.home.MQTTSocket())
	if err != nil {
		h.t.Fatal(err)
	}
	if err := errors.Join(h.mqtt.AddHook(&mqttGate{h: h}, nil), h.mqtt.AddListener(listeners.NewNet("unix", ml)), h.mqtt.Serve()); err != nil {
		h.t.Fatal(err)
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/hello", h.hello)
	mux.HandleFunc("POST /api/sessions", h.register)
	mux.HandleFunc("DELETE /api/sessions", h.leave)
	mux.HandleFunc("POST /api/tools/{op}", h.call)
	h.http = &http.Server{Handler: mux}
	l, err := net.Listen("unix", h.home.Socket())
	if err != nil {
		h.t.Fatal(err)
	}
	serve := h.http.Serve
	go func() { _ = serve(l) }()
}

// stop ends the hub as kill -9 would: connections are cut.
func (h *stubHub) stop() {
	h.doors.Lock()
	defer h.doors.Unlock()
	if h.http == nil {
		return
	}
	_ = h.http.Close()
	_ = h.mqtt.Close()
	_ = os.Remove(h.home.Socket())
	_ = os.Remove(h.home.MQTTSocket())
	h.http = nil
}

type mqttGate struct {
	mqtt.HookBase
	h *stubHub
}

func (g *mqttGate) ID() string         { return "gate" }
func (g *mqttGate) Provides(byte) bool { return true }
func (g *mqttGate) OnConnectAuthenticate(_ *mqtt.Client, pk packets.Packet) bool {
	g.h.mu.Lock()
	defer g.h.mu.Unlock()
	return string(pk.Connect.Password) == string(g.h.key)
}
func (g *mqttGate) OnACLCheck(_ *mqtt.Client, name string, write bool) bool {
	return write || name == string(topic.Inbox(agent))
}
func (g *mqttGate) OnSubscribed(cl *mqtt.Client, _ packets.Packet, _ []byte) {
	g.h.subscribed <- cl.ID
}

func (h *stubHub) hello(w http.ResponseWriter, _ *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	reply(w, hubclient.Hello{Instance: h.instance, Version: "v1.2.3", Protocol: config.Protocol, PID: os.Getpid(), Home: h.home.Dir(), Epoch: h.epoch})
}

func (h *stubHub) register(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var reg coord.Registration
	if err := json.NewDecoder(r.Body).Decode(&reg); err != nil {
		h.t.Errorf("registration: %v", err)
	}
	h.registrations = append(h.registrations, reg)
	if h.noSession != nil {
		refuse(w, h.noSession, http.StatusInsufficientStorage)
		return
	}
	reply(w, coord.Registered{AgentID: agent, Name: "stub", SessionKey: h.key, Epoch: h.epoch, Head: h.head(), Seen: h.seen})
}

func (h *stubHub) head() coord.Seq {
	if len(h.inbox) == 0 {
		return 0
	}
	return h.inbox[len(h.inbox)-1].Seq
}

func (h *stubHub) knows(w http.ResponseWriter, r *http.Request) bool {
	if r.Header.Get("Authorization") == "Bearer "+string(h.key) {
		return true
	}
	refuse(w, coord.Errorf(coord.Unauthorized, "register again", "the session is not known"), http.StatusUnauthorized)
	return false
}

func (h *stubHub) leave(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.knows(w, r) {
		h.left++
	}
}

func (h *stubHub) call(w http.ResponseWriter, r *http.Request) {
	args, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	h.mu.Lock()
	if !h.knows(w, r) {
		h.mu.Unlock()
		return
	}
	if r.PathValue("op") == tool.Sync.Name {
		defer h.mu.Unlock()
		h.sync(w, args)
		return
	}
	if r.PathValue("op") == tool.Watch.Name {
		defer h.mu.Unlock()
		var in tool.WatchIn
		if h.watch == nil || json.Unmarshal(args, &in) != nil {
			refuse(w, coord.Errorf(coord.NotFound, "", "no operation"), http.StatusNotFound)
			return
		}
		reply(w, h.watch(in))
		return
	}
	if ladder[r.PathValue("op")] {
		answer := h.ladder
		h.mu.Unlock()
		if answer != nil {
			answer(w, received{Op: r.PathValue("op"), Args: args})
			return
		}
		refuse(w, coord.Errorf(coord.NotFound, "", "no operation"), http.StatusNotFound)
		return
	}
	c := received{Op: r.PathValue("op"), Key: r.Header.Get("Idempotency-Key"), Args: args, Nth: 1}
	for _, before := range h.calls {
		if before.Op == c.Op {
			c.Nth++
		}
	}
	h.calls = append(h.calls, c)
	answer := h.answer
	h.mu.Unlock()
	if answer != nil {
		answer(w, c)
		return
	}
	reply(w, map[string]bool{"ok": true})
}

// ladder are the operations by which a hub and its shims hand out news together.
var ladder = map[string]bool{tool.Offer.Name: true, tool.Written.Name: true, tool.AwaitWake.Name: true}

func (h *stubHub) sync(w http.ResponseWriter, args []byte) {
	var in tool.SyncIn
	if err := json.Unmarshal(args, &in); err != nil {
		h.t.Errorf("sync: %v", err)
	}
	out := tool.SyncOut{Epoch: h.epoch, Head: h.head(), Seen: h.seen, Hooks: h.hooks, Events: []json.RawMessage{}}
	if in.Epoch == h.epoch && in.Seen > h.seen {
		h.seen, out.Seen = in.Seen, in.Seen
		h.acks <- in.Seen
	}
	for _, d := range h.inbox {
		if in.Epoch == h.epoch && d.Seq > in.After && len(out.Events) < in.Limit {
			out.Events = append(out.Events, d.Wire(h.epoch))
		}
	}
	reply(w, out)
}

// post puts an event into the inbox and rings.
func (h *stubHub) post(seq coord.Seq, thread coord.ThreadID, payload string) {
	h.t.Helper()
	h.mu.Lock()
	d := coord.Delivery{Prev: h.head(), Event: coord.Event{Seq: seq, Kind: coord.KindMessagePosted, Project: "p", Actor: "ag-2",
		Thread: thread, Time: 1700000000000, Priority: coord.Medium, Payload: json.RawMessage(payload)}}
	h.inbox = append(h.inbox, d)
	wire := d.Wire(h.epoch)
	h.mu.Unlock()
	if err := h.mqtt.Publish(string(topic.Inbox(agent)), wire, false, 0); err != nil {
		h.t.Error(err)
	}
}

// with changes or reads the hub's state.
func (h *stubHub) with(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
}

// received lists the calls so far.
func (h *stubHub) received() []received {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]received(nil), h.calls...)
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, e *coord.Error, status int) {
	w.WriteHeader(status)
	reply(w, hubclient.ErrorBody{Code: e.Code, Message: e.Error()})
}

// cut ends the connection of a request without an answer.
func cut(w http.ResponseWriter) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = c.Close()
	}
}
