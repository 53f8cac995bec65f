package stream_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
	"github.com/coordhq/coord/pkg/hub/sqlite"
	"github.com/coordhq/coord/pkg/hub/stream"
	"github.com/coordhq/coord/pkg/hub/web"
)

// many is the size of the log that the promise is about: the first event of a
// replay from any place comes within 20 ms.
const (
	many    = 200_000
	promise = 20 * time.Millisecond
)

// big serves a real database with many events on a unix socket and gives its path.
func big(t testing.TB) string {
	t.Helper()
	ctx := context.Background()
	dir := t.TempDir()
	store, err := sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(dir, "coordinator.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	fill(t, store)
	log, err := stream.New(stream.Options{Next: &publisher{}, Store: store})
	if err != nil {
		t.Fatal(err)
	}
	log.Begin("e-1", many)
	server, err := web.New(web.Options{Rules: nobody{}, Hello: func() client.Hello { return client.Hello{} }, Member: "mia", OwnUID: os.Geteuid(), Events: log,
		Limits: web.Limits{LocalRate: 1e6, LocalBurst: 1e6}})
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l, true) }()
	t.Cleanup(func() {
		if err := server.Stop(ctx); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return socket
}

// fill stores many events of ten projects, as a busy week leaves them.
func fill(t testing.TB, store *sqlite.Store) {
	t.Helper()
	tx, err := store.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	payload := json.RawMessage(`{"path":"src/models/user.ts","workspace":"h:/home/mia/shop","agent":"ag-alice","name":"alice"}`)
	for seq := int64(1); seq <= many; {
		c := &hub.Changes{}
		for range 1000 {
			c.Events = append(c.Events, coord.Event{Seq: coord.Seq(seq), Kind: coord.KindFileEdited, Project: coord.ProjectID(fmt.Sprintf("project-%d", seq%10)),
				Actor: "ag-alice", Time: coord.Millis(1_800_000_000_000 + seq), Priority: coord.Low, Payload: payload})
			seq++
		}
		c.Counters.Seq = seq - 1
		if err := tx.Apply(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// nobody stands in for the rules, which a stream of events asks for the projects
// only.
type nobody struct{ web.Rules }

func (nobody) Projects() []coord.ProjectID { return []coord.ProjectID{"project-3"} }

func (nobody) Authenticate(coord.SessionKey) (coord.Caller, bool) { return coord.Caller{}, false }

// first connects, asks, and tells when the first byte and the first event came.
func first(t testing.TB, socket, query string) (toByte, toEvent time.Duration) {
	t.Helper()
	start := time.Now()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "GET /api/events?%s HTTP/1.1\r\nHost: h\r\n\r\n", query); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	if _, err := in.Peek(1); err != nil {
		t.Fatal(err)
	}
	toByte = time.Since(start)
	resp, err := http.ReadResponse(in, nil)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", resp, err)
	}
	body := bufio.NewReader(resp.Body)
	for {
		line, err := body.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "id: ") {
			return toByte, time.Since(start)
		}
	}
}

var places = map[string]string{
	"from the beginning":    "since=0",
	"from the middle":       fmt.Sprintf("since=%d", many/2),
	"near the end":          fmt.Sprintf("since=%d", many-10),
	"one project":           "since=0&project=project-3",
	"one project, near end": fmt.Sprintf("since=%d&project=project-3", many-100),
	"one kind":              "since=100&kinds=file.edited",
}

// The best of many tries counts, since other work on the machine makes single
// ones slow; a query that reads the table would make all of them slow.
func TestAReplayBeginsAtOnceWhateverTheSizeOfTheLog(t *testing.T) {
	socket := big(t)
	for name, query := range places {
		best := time.Hour
		for range 20 {
			_, toEvent := first(t, socket, query)
			best = min(best, toEvent)
		}
		t.Logf("%s: first event after %v", name, best)
		if best > promise {
			t.Errorf("%s: the first event comes after %v, want at most %v", name, best, promise)
		}
	}
}

func BenchmarkFirstEventOf200kEvents(b *testing.B) {
	socket := big(b)
	for name, query := range places {
		b.Run(strings.ReplaceAll(name, " ", "_"), func(b *testing.B) {
			var bytes, events time.Duration
			for b.Loop() {
				toByte, toEvent := first(b, socket, query)
				bytes, events = bytes+toByte, events+toEvent
			}
			b.ReportMetric(float64(bytes.Microseconds())/1000/float64(b.N), "ms/first-byte")
			b.ReportMetric(float64(events.Microseconds())/1000/float64(b.N), "ms/first-event")
		})
	}
}
