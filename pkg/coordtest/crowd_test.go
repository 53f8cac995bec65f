package coordtest_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/tool"
)

const crowd = 50

func TestFiftyShimsAtOnceStartOneHub(t *testing.T) {
	home, repo := coordtest.NewHome(t), coordtest.NewRepo(t, "shop")
	served(t, home, gather(t, home, repo))
}

func TestFiftyShimsAtOnceReplaceADeadHub(t *testing.T) {
	home, repo := coordtest.NewHome(t), coordtest.NewRepo(t, "shop")
	home.Agent("first", repo.Dir).Status()
	dead := home.KillHub() // its sockets, hub.json and lock files stay behind
	if now := served(t, home, gather(t, home, repo)); now == dead.Instance {
		t.Error("the killed hub still answers")
	}
}

func TestFiftyShimsOutliveTheirHub(t *testing.T) {
	home, repo := coordtest.NewHome(t), coordtest.NewRepo(t, "shop")
	agents := gather(t, home, repo)
	served(t, home, agents)
	dead := home.KillHub()
	if now := served(t, home, agents); now == dead.Instance {
		t.Error("the killed hub still answers")
	}
}

// gather starts the crowd at one moment.
func gather(t *testing.T, home *coordtest.Home, repo *coordtest.Repo) []*coordtest.Agent {
	t.Helper()
	began := time.Now()
	agents := make([]*coordtest.Agent, crowd)
	errs := together(crowd, func(i int) (err error) {
		agents[i], err = home.StartAgent(t.Context(), fmt.Sprintf("agent-%02d", i), repo.Dir)
		return err
	})
	if errs != nil {
		t.Fatal(errs)
	}
	t.Logf("%d sessions initialised after %v", crowd, time.Since(began))
	return agents
}

// served lets each of the crowd ask at one moment and checks that one hub
// answered all of them, each as somebody of its own. It gives that hub's
// instance.
func served(t *testing.T, home *coordtest.Home, agents []*coordtest.Agent) string {
	t.Helper()
	began := time.Now()
	answers := make([]tool.CoordinatorStatusOut, len(agents))
	errs := together(len(agents), func(i int) (err error) {
		answers[i], err = coordtest.Try(t.Context(), agents[i], tool.CoordinatorStatus, tool.CoordinatorStatusIn{})
		return err
	})
	if errs != nil {
		t.Fatal(errs)
	}
	t.Logf("%d sessions served after %v", len(agents), time.Since(began))
	instances, ids := map[string]int{}, map[coord.AgentID]bool{}
	for i, a := range answers {
		instances[a.Hub.Instance]++
		if a.Me == nil {
			t.Fatalf("%s has no session", agents[i].Name)
		}
		ids[a.Me.ID] = true
	}
	if len(instances) != 1 {
		t.Errorf("answers came from %d hubs: %v", len(instances), instances)
	}
	if len(ids) != len(agents) {
		t.Errorf("%d sessions share %d identities", len(agents), len(ids))
	}
	// Hubs that lost the race for the lock may still be on their way out.
	if !coordtest.Eventually(30*time.Second, func() bool { return len(home.Hubs()) == 1 }) {
		t.Errorf("%d hubs run, want 1", len(home.Hubs()))
	}
	return home.Hub().Instance
}

// together runs n functions from one starting signal and joins their errors.
func together(n int, run func(i int) error) error {
	var wg sync.WaitGroup
	start, errs := make(chan struct{}), make([]error, n)
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = run(i)
		})
	}
	close(start)
	wg.Wait()
	return errors.Join(errs...)
}
