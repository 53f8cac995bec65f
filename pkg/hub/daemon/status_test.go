package daemon_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/daemon"
)

func TestAStatusIsThereForASubscriberOfTheNextHub(t *testing.T) {
	home := newHome(t)
	first := start(t, daemon.Options{Home: home})
	c := client.Dial(home.Socket())
	defer c.Close()
	r, err := c.Register(t.Context(), coord.Registration{Project: "shop", Workspace: "h:/shop", Host: "h", Label: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Leave(t.Context(), r.SessionKey); err != nil {
		t.Fatal(err)
	}
	if err := first.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}

	second := start(t, daemon.Options{Home: home})
	reader := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + second.Discovery().MQTT).SetUsername("shop").SetPassword(tokenOf(t, home)).SetAutoReconnect(false))
	if s := reader.Connect(); !s.WaitTimeout(20*time.Second) || s.Error() != nil {
		t.Fatal(s.Error())
	}
	defer reader.Disconnect(0)
	heard := make(chan paho.Message, 1)
	if s := reader.Subscribe("coordinator/agents/+/status", 1, func(_ paho.Client, m paho.Message) { heard <- m }); !s.WaitTimeout(20*time.Second) || s.Error() != nil {
		t.Fatal(s.Error())
	}
	select {
	case m := <-heard:
		var got coord.AgentStatusChanged
		err := json.Unmarshal(m.Payload(), &got)
		if err != nil || m.Topic() != "coordinator/agents/"+string(r.AgentID)+"/status" || !m.Retained() || got.Status != coord.Offline || got.Name != "alice" {
			t.Errorf("got %s %s (retained %t), %v", m.Topic(), m.Payload(), m.Retained(), err)
		}
	case <-time.After(20 * time.Second):
		t.Error("no status after 20 s")
	}
}
