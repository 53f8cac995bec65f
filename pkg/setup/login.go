package setup

import (
	"net"
	"net/url"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

// origin checks the URL of a hub and gives its scheme, host and port. Plain
// http to another machine shows the token to everybody between: it wants
// COORDINATOR_INSECURE=1.
func origin(hub string, getenv func(string) string) (string, error) {
	u, err := url.Parse(hub)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		strings.Trim(u.Path, "/") != "" {
		return "", coord.Errorf(coord.Invalid, "give it like https://coord.example.com", "%q is not the address of a hub", hub)
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) && getenv("COORDINATOR_INSECURE") != "1" {
		return "", coord.Errorf(coord.Forbidden, "use https, or set COORDINATOR_INSECURE=1 if the network is yours alone", "plain http would show the token to everybody between here and %s", u.Host)
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
