package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"sync"
	"time"
)

// Times of a visit to the dashboard.
const (
	LinkLife  = time.Minute    // of a one-time link
	VisitLife = 12 * time.Hour // of the cookie it is exchanged for
)

// maxLinks bounds the links that wait to be used; the oldest goes.
const maxLinks = 32

// Visits lets a person's browser in: a one-time link is exchanged for a cookie.
// The cookie is signed with a key made from the hub's token, so that it is good
// with the next hub of the same home too, and with no other.
type Visits struct {
	key [sha256.Size]byte
	now func() time.Time

	mu    sync.Mutex // guards links
	links []link     // oldest first
}

type link struct {
	hash [sha256.Size]byte
	ends time.Time
}

// NewVisits makes visits signed with a key made from the token. Nil now is
// time.Now. With an empty token no cookie is good.
func NewVisits(token string, now func() time.Time) *Visits {
	if now == nil {
		now = time.Now
	}
	v := &Visits{now: now}
	if token == "" {
		_, _ = rand.Read(v.key[:]) // never fails
		return v
	}
	mac := hmac.New(sha256.New, []byte(token))
	_, _ = mac.Write([]byte("coord dashboard visit v1")) // never fails
	mac.Sum(v.key[:0])
	return v
}

// Link makes the secret of a link that works once, for LinkLife.
func (v *Visits) Link() string {
	secret := rand.Text()
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.links) == maxLinks {
		v.links = v.links[1:]
	}
	v.links = append(v.links, link{sha256.Sum256([]byte(secret)), v.now().Add(LinkLife)})
	return secret
}

// Exchange uses up a link and gives the value of the cookie; ok is false for a
// link that is unknown, used or too old.
func (v *Visits) Exchange(secret string) (cookie string, ok bool) {
	hash := sha256.Sum256([]byte(secret))
	v.mu.Lock()
	defer v.mu.Unlock()
	for i, l := range v.links {
		if hmac.Equal(l.hash[:], hash[:]) {
			v.links = append(v.links[:i:i], v.links[i+1:]...)
			return v.issue(), v.now().Before(l.ends)
		}
	}
	return "", false
}

// issue makes a cookie: when it ends, something random, and the signature.
func (v *Visits) issue() string {
	var b [24]byte
	binary.BigEndian.PutUint64(b[:], uint64(v.now().Add(VisitLife).Unix())) // #nosec G115 -- after 1970
	_, _ = rand.Read(b[8:])
	return base64.RawURLEncoding.EncodeToString(append(b[:], v.sign(b[:])...))
}

// Good reports whether a cookie is one of ours and still lasts.
func (v *Visits) Good(cookie string) bool {
	b, err := base64.RawURLEncoding.DecodeString(cookie)
	if err != nil || len(b) != 24+sha256.Size || !hmac.Equal(b[24:], v.sign(b[:24])) {
		return false
	}
	return v.now().Unix() < int64(binary.BigEndian.Uint64(b)) // #nosec G115 -- signed by us
}

func (v *Visits) sign(b []byte) []byte {
	mac := hmac.New(sha256.New, v.key[:])
	_, _ = mac.Write(b) // never fails
	return mac.Sum(nil)
}
