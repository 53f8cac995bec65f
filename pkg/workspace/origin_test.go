package workspace_test

import (
	"testing"

	"github.com/coordhq/coord/pkg/workspace"
)

func TestSpellingsOfOneOriginAreOne(t *testing.T) {
	for want, spellings := range map[string][]string{
		"github.com/acme/shop": {
			"https://github.com/acme/shop.git", "https://github.com/acme/shop", "https://github.com/acme/shop/", "https://github.com/acme/shop.git/",
			"https://me:secret@GitHub.com:443/acme/shop.git", "http://github.com//acme/./shop", "ssh://git@github.com/acme/shop.git",
			"ssh://git@github.com:2222/acme/shop", "git+ssh://github.com/acme/shop", "git://github.com/acme/shop.git", "git@github.com:acme/shop.git",
			"github.com:acme/shop", "github.com:/acme/shop.git/", "[git@github.com:2222]:acme/shop.git", "git@[github.com]:acme/shop",
			"https://github.com/acme/shop?x=1#frag", "https://github.com/acme%2Fshop", "foo::https://github.com/acme/shop",
		},
		"github.com/Acme/Shop":    {"https://GITHUB.com/Acme/Shop.git", "git@GitHub.com:Acme/Shop"},
		"example.org/~me/r":       {"ssh://example.org/~me/r.git", "example.org:~me/r"},
		"example.org/a b":         {"https://example.org/a%20b", "example.org:a b"},
		"example.org/100%":        {"https://example.org/100%.git"},
		"example.org/ab":          {"https://example.org/a%0ab"},
		"::1/r":                   {"ssh://git@[::1]:22/r.git", "git@[::1]:r"},
		"host/shop":               {"https://host/shop/.git", "host:shop.git"},
		"host":                    {"https://host", "https://host/"},
		"example.org/x.git.y/z.v": {"https://example.org/x.git.y/z.v.git"},
	} {
		for _, s := range spellings {
			if local, remote := workspace.ParseOrigin(s); local != "" || remote != want {
				t.Errorf("%s gives local %q, remote %q; want remote %q", s, local, remote, want)
			}
		}
	}
}

func TestLocalOriginIsAPath(t *testing.T) {
	for s, want := range map[string]string{
		"/srv/git/shop.git": "/srv/git/shop.git", "file:///srv/git/a%20b": "/srv/git/a b", "../shop": "../shop", "shop": "shop",
		"./a:b": "./a:b", "/a:b": "/a:b", "file://localhost/srv": "/srv",
	} {
		if local, remote := workspace.ParseOrigin(s); local != want || remote != "" {
			t.Errorf("%s gives local %q, remote %q; want local %q", s, local, remote, want)
		}
	}
}
