package auth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/hub/auth"
)

type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func TestALinkWorksOnceAndForAMinute(t *testing.T) {
	c := &clock{time.Unix(1_800_000_000, 0)}
	v := auth.NewVisits("token", c.now)
	link, late := v.Link(), v.Link()
	cookie, ok := v.Exchange(link)
	if !ok || !v.Good(cookie) {
		t.Fatalf("a fresh link gives %q, %t", cookie, ok)
	}
	if _, again := v.Exchange(link); again {
		t.Error("a link works twice")
	}
	c.at = c.at.Add(auth.LinkLife)
	if _, ok := v.Exchange(late); ok {
		t.Error("a link works after its life")
	}
	if _, ok := v.Exchange("guess"); ok {
		t.Error("a guess works")
	}
	c.at = c.at.Add(auth.VisitLife)
	if v.Good(cookie) {
		t.Error("a cookie lasts for ever")
	}
}

func TestACookieIsGoodWithTheNextHubOfTheSameHomeOnly(t *testing.T) {
	v := auth.NewVisits("token", nil)
	cookie, _ := v.Exchange(v.Link())
	for token, want := range map[string]bool{"token": true, "other": false, "": false} {
		if got := auth.NewVisits(token, nil).Good(cookie); got != want {
			t.Errorf("with token %q the cookie is good: %t, want %t", token, got, want)
		}
	}
	for name, forged := range map[string]string{
		"empty": "", "cut": cookie[:len(cookie)-2], "no base64": "%%%", "zeros": strings.Repeat("A", len(cookie)), "other end": "B" + cookie[1:],
	} {
		if v.Good(forged) {
			t.Errorf("%s: a forged cookie is good", name)
		}
	}
}

func TestOldLinksGiveWay(t *testing.T) {
	v := auth.NewVisits("token", nil)
	first := v.Link()
	for range 40 {
		v.Link()
	}
	if _, ok := v.Exchange(first); ok {
		t.Error("any number of links is kept")
	}
}
