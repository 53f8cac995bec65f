package coordtest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coordtest"
)

// toolLimit bounds one run of a foreign program.
const toolLimit = time.Minute

// token reads the secret of a home, whose hub must run.
func token(t *testing.T, home *coordtest.Home) string {
	t.Helper()
	raw, err := os.ReadFile(home.Path.TokenFile())
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(raw))
}

// withToken gives the address of a proxy on loopback that adds the token to each
// request, for programs that can send none. Where a request names the proxy
// itself it is made to name the hub; every other Host and Origin goes through as
// it came, so that the hub's own guard is what is tested.
func withToken(t *testing.T, hub config.Discovery, secret string) string {
	t.Helper()
	proxy := httptest.NewUnstartedServer(nil)
	_, port, _ := strings.Cut(proxy.Listener.Addr().String(), ":")
	_, hubPort, _ := strings.Cut(hub.HTTP, ":")
	proxy.Config.Handler = &httputil.ReverseProxy{
		FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: hub.HTTP})
			r.Out.Host = strings.Replace(r.In.Host, ":"+port, ":"+hubPort, 1)
			if origin := r.In.Header.Get("Origin"); origin != "" {
				r.Out.Header.Set("Origin", strings.Replace(origin, ":"+port, ":"+hubPort, 1))
			}
			r.Out.Header.Set("Authorization", "Bearer "+secret)
		},
	}
	proxy.Start()
	t.Cleanup(proxy.Close)
	t.Cleanup(proxy.CloseClientConnections)
	return proxy.URL
}

// conformance are the scenarios of the official suite that apply to a server
// that offers tools alone. The others call tools, prompts and resources of fixed
// names that only a test server has.
var conformance = []string{"server-initialize", "ping", "tools-list", "server-sse-multiple-streams", "dns-rebinding-protection"}

func TestTheOfficialConformanceSuiteIsContent(t *testing.T) {
	t.Parallel()
	node := coordtest.NewNode(t)
	home, shop := coordtest.NewHome(t), coordtest.NewRepo(t, "shop")
	home.Agent("alice", shop.Dir).Status() // it starts the hub
	proxy := withToken(t, home.Hub(), token(t, home))
	for _, scenario := range conformance {
		t.Run(scenario, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), toolLimit)
			defer cancel()
			out, err := node.Command(ctx, "@modelcontextprotocol/conformance/dist/index.js", "server", "--url", proxy+"/mcp", "--scenario", scenario).CombinedOutput()
			if err != nil || !passed.Match(out) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// passed is how the suite says that there was something to check and all was
// well; a scenario that it does not know passes nothing.
var passed = regexp.MustCompile(`Passed: ([1-9]\d*)/\d+, 0 failed`)

// The proxy itself must not be what refuses.
func TestTheProxyOfTheSuiteLetsForeignNamesThrough(t *testing.T) {
	var got []string
	hub := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = append(got, r.Host, r.Header.Get("Origin"), r.Header.Get("Authorization"))
	}))
	defer hub.Close()
	address := strings.TrimPrefix(hub.URL, "http://")
	proxy := withToken(t, config.Discovery{HTTP: address}, "secret")
	for _, names := range [][2]string{{"evil.example", "http://evil.example"}, {strings.TrimPrefix(proxy, "http://"), proxy}} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, proxy, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = names[0]
		r.Header.Set("Origin", names[1])
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	want := []string{"evil.example", "http://evil.example", "Bearer secret", address, "http://" + address, "Bearer secret"}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got %q, want %q", got, want)
	}
}
