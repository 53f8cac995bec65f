package dashboard_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/coordtest/machine"
)

func TestMain(m *testing.M) { os.Exit(coordtest.Main(m)) }

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// tab is the dashboard in a real browser, let in by a link as a user gets it.
type tab struct {
	t    *testing.T
	ctx  context.Context
	host string // of the hub

	mu       sync.Mutex // guards the rest
	errors   []string   // of the console, uncaught ones too
	requests []string   // addresses asked for
}

// newHome is a home whose hubs all have one port: a browser shows its key to
// that port only, and the usual one may be another test's by the time the next
// hub starts.
func newHome(t *testing.T) *coordtest.Home {
	t.Helper()
	home := coordtest.NewHome(t)
	own := fmt.Sprintf(`{"server":{"port":%d}}`, freePort(t))
	if err := os.WriteFile(filepath.Join(home.Dir, "config.json"), []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	return home
}

// freePort gives one below those that the kernel hands out by itself, so that
// nobody gets it by chance while a hub is away.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 20_000 + rand.IntN(12_000)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		return port
	}
	t.Fatal("no free port")
	return 0
}

// launch starts a browser with an empty tab.
func launch(t *testing.T) *tab {
	t.Helper()
	var program string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && program == "" {
			program = found
		}
	}
	machine.Has(t, program != "", "a Chromium (apt install chromium)")
	ctx, cancel := chromedp.NewContext(context.Background(), chromedp.WithAllocatorOptions(
		chromedp.ExecPath(program), chromedp.Headless, chromedp.NoSandbox, chromedp.NoFirstRun, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("disable-background-networking", true)))
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	if err := chromedp.Listen(ctx, b.heard); err != nil {
		t.Fatal(err)
	}
	b.size(1440, 1000)
	return b
}

// open starts a browser and opens the dashboard of the home's hub in it.
func open(t *testing.T, home *coordtest.Home) *tab {
	t.Helper()
	b := launch(t)
	link := linkOf(t, home)
	b.host = link.Host
	b.do(chromedp.Navigate(link.String()))
	b.wait("the page is live", `document.querySelector('.link-state.live') !== null && document.querySelector('main[aria-busy="false"]') !== null`)
	return b
}

// linkOf gets a one-time link with the command a user runs.
func linkOf(t *testing.T, home *coordtest.Home) *url.URL {
	t.Helper()
	out, err := home.Command("dashboard", "--json").Output()
	if err != nil {
		t.Fatalf("coord-hub dashboard: %v: %s", err, stderrOf(err))
	}
	var link struct{ URL string }
	if err := json.Unmarshal(out, &link); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(link.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func stderrOf(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(exit.Stderr)
	}
	return ""
}

// heard notes what the browser complains about and asks for.
func (b *tab) heard(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.errors = append(b.errors, fmt.Sprint("uncaught: ", e.ExceptionDetails.Text, " ", describe(e.ExceptionDetails.Exception)))
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" || e.Type == "assert" {
			b.errors = append(b.errors, fmt.Sprint("console: ", e.Type))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == "error" || e.Entry.Level == "warning" {
			b.errors = append(b.errors, fmt.Sprint("log: ", e.Entry.Text, " ", e.Entry.URL))
		}
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	}
}

func describe(o *runtime.RemoteObject) string {
	if o == nil {
		return ""
	}
	return o.Description
}

// clean fails the test for complaints of the browser, and for requests that went
// anywhere but to the hub.
func (b *tab) clean() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.errors {
		b.t.Error(e)
	}
	for _, r := range b.requests {
		u, err := url.Parse(r)
		if err != nil || u.Host != b.host && u.Scheme != "data" {
			b.t.Errorf("the page asks for %s", r)
		}
		if strings.Contains(r, "once=") && !strings.Contains(r, "/enter?") {
			b.t.Errorf("the secret of the link is in %s", r)
		}
	}
}

// forgive forgets the complaints so far: those of a hub that was killed.
func (b *tab) forgive() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.errors = nil
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// eval gives the value of an expression in the page; promises are awaited.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// wait waits until an expression holds in the page, and tells how long it took.
func (b *tab) wait(what, expression string) time.Duration {
	b.t.Helper()
	start := time.Now()
	if !coordtest.Eventually(patience, func() bool { return eval[bool](b, "!!("+expression+")") }) {
		b.shoot("failed")
		b.mu.Lock()
		defer b.mu.Unlock()
		b.t.Fatalf("waited %v in vain until %s\n%s\n%v", patience, what, eval[string](b, "document.body.innerText"), b.errors)
	}
	return time.Since(start)
}

// size makes the window so many CSS pixels wide and high.
func (b *tab) size(wide, high int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(wide, high))
}

// prefer sets a media feature, like prefers-color-scheme to dark.
func (b *tab) prefer(name, value string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: name, Value: value}}})
	if err != nil {
		b.t.Fatal(err)
	}
}

// shoot keeps a picture of the whole page among the test's artifacts, and in
// COORD_SHOTS where somebody wants to look at it.
func (b *tab) shoot(name string) {
	b.t.Helper()
	b.keep(name, chromedp.FullScreenshot(100))
}

// window is shoot for what can be seen without scrolling.
func (b *tab) window(name string) {
	b.t.Helper()
	b.keep(name, chromedp.CaptureScreenshot())
}

func (b *tab) keep(name string, take chromedp.Action[[]byte]) {
	b.t.Helper()
	png, err := chromedp.Run(b.ctx, take)
	if err != nil {
		b.t.Errorf("picture %s: %v", name, err)
		return
	}
	dirs := []string{b.t.ArtifactDir()}
	if dir := os.Getenv("COORD_SHOTS"); dir != "" {
		dirs = append(dirs, dir)
	}
	for _, dir := range dirs {
		if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
			b.t.Error(err)
		}
	}
}
