package workspace

import (
	"net/url"
	"path"
	"strings"
	"unicode"
)

// parseOrigin reads a git remote URL. A local path or file: URL comes back as
// local; everything else as remote in the form "host/path": host in lower case,
// no scheme, user, port, ".git" or trailing slash, so that https, ssh and
// scp-like spellings of one repository are one.
func parseOrigin(origin string) (local, remote string) {
	if helper, address, ok := strings.Cut(origin, "::"); ok && isWord(helper) {
		origin = address // "<transport>::<address>"
	}
	if scheme, _, ok := strings.Cut(origin, "://"); ok && isWord(scheme) {
		return parseURL(origin)
	}
	host, rest, ok := cutSCP(origin)
	if !ok {
		return origin, ""
	}
	return "", join(host, rest)
}

func parseURL(origin string) (local, remote string) {
	u, err := url.Parse(origin)
	if err != nil { // such as a "%" that is none: take it as it is written
		_, rest, _ := strings.Cut(origin, "://")
		host, name, _ := strings.Cut(rest, "/")
		return "", join(host, name)
	}
	if strings.EqualFold(u.Scheme, "file") {
		return u.Path, ""
	}
	return "", join(u.Hostname(), u.Path)
}

// cutSCP splits "[user@]host:path". As for git, a slash before the first colon
// makes it a local path.
func cutSCP(origin string) (host, rest string, ok bool) {
	if at := strings.LastIndex(origin, "@["); at >= 0 || strings.HasPrefix(origin, "[") {
		host, rest, ok = strings.Cut(origin[at+1:], "]:") // "[host:port]:path", "[::1]:path"
		host = strings.Trim(host, "@[")
		if strings.Count(host, ":") == 1 {
			host, _, _ = strings.Cut(host, ":")
		}
		return host, rest, ok
	}
	host, rest, ok = strings.Cut(origin, ":")
	if !ok || strings.Contains(host, "/") {
		return "", "", false
	}
	return host, rest, true
}

// join gives "host/path" in the form of a project id.
func join(host, name string) string {
	if at := strings.LastIndex(host, "@"); at >= 0 {
		host = host[at+1:]
	}
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	if trimmed := strings.TrimSuffix(name, ".git"); trimmed != "" {
		name = strings.TrimRight(trimmed, "/")
	}
	return strings.Map(visible, strings.TrimSuffix(strings.ToLower(host)+"/"+name, "/"))
}

// visible drops what a percent code may have smuggled in.
func visible(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return -1
}

// isWord reports whether s could be the name of a scheme.
func isWord(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("+-.", r) {
			return false
		}
	}
	return s != ""
}
