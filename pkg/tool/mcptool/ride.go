package mcptool

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/inbox"
)

// Bounds of news that rides along.
const (
	maxResult = 8 << 10 // bytes of an answer with its news
	rideFrame = 64      // bytes around the events
	leastRide = 300     // bytes; less room is not worth a question
	maxEvent  = 2000    // characters of one event
	maxMember = 1000    // characters of one text in an event that is over maxEvent
)

// RideRoom gives how many bytes of news an answer has room for; 0 when it has
// none, or is no object that news could be put into.
func RideRoom(answer []byte) int {
	answer = bytes.TrimSpace(answer)
	room := maxResult - len(answer) - rideFrame
	if room < leastRide || len(answer) < 2 || answer[0] != '{' || answer[len(answer)-1] != '}' {
		return 0
	}
	return room
}

// TakeRide takes the oldest waiting events that Ride puts into an answer with so
// much room; none when not even the first fits.
func TakeRide(q *inbox.Queue, room int) *inbox.Batch {
	return q.Take(WaitBatch, func(d *coord.Delivery) bool {
		if room >= 0 {
			room -= len(short(d)) + len(",")
		}
		return room >= 0
	})
}

// Ride puts events into an answer as its member "news", as many as there is room
// for, the oldest first; told is their number. unread are those that wait besides.
func Ride(answer []byte, events []coord.Delivery, unread int) (full []byte, told int) {
	answer = bytes.TrimSpace(answer)
	room := RideRoom(answer)
	out := struct {
		Unread int               `json:"unread"`
		Events []json.RawMessage `json:"events"`
	}{Events: []json.RawMessage{}}
	for i := range events {
		e := short(&events[i])
		if room -= len(e) + 1; room < 0 {
			break
		}
		out.Events = append(out.Events, e)
	}
	told = len(out.Events)
	if told == 0 {
		return answer, 0
	}
	out.Unread = unread + len(events) - told
	return with(answer, "news", Encode(out)), told
}

// Notice puts words for the user into an answer as its member "notice"; false
// when the answer is no object and stays as it is.
func Notice(answer []byte, words string) ([]byte, bool) {
	answer = bytes.TrimSpace(answer)
	if len(answer) < 2 || answer[0] != '{' || answer[len(answer)-1] != '}' {
		return answer, false
	}
	return with(answer, "notice", Encode(words)), true
}

// with adds a member to an object.
func with(object []byte, name string, value []byte) []byte {
	full := bytes.Clone(object[:len(object)-1])
	if len(bytes.TrimSpace(full)) > 1 {
		full = append(full, ',')
	}
	full = append(full, `"`+name+`":`...)
	full = append(full, value...)
	return append(full, '}')
}

// short is an event as it rides along: with its texts cut, or without its
// payload, when it is long.
func short(d *coord.Delivery) json.RawMessage {
	e := forModel(d)
	if utf8.RuneCount(e) <= maxEvent {
		return e
	}
	var members map[string]json.RawMessage
	cut := *d
	if json.Unmarshal(d.Payload, &members) == nil {
		for name, v := range members {
			var s string
			if json.Unmarshal(v, &s) == nil && utf8.RuneCountInString(s) > maxMember {
				members[name] = Encode(string([]rune(s)[:maxMember]) + "…")
			}
		}
		cut.Payload = Encode(members)
		if e = forModel(&cut); utf8.RuneCount(e) <= maxEvent {
			return e
		}
	}
	cut.Payload = json.RawMessage(`{"cut":true}`)
	return forModel(&cut)
}
