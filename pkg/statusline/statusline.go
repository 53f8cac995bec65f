package statusline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/process"
	"github.com/coordhq/coord/pkg/tool"
)

// Bounds of one run.
const (
	limit    = 200 * time.Millisecond // of the call
	maxInput = 1 << 20                // bytes of the client's JSON
)

// Options of Run.
type Options struct {
	Stdin  io.Reader // required: the client's JSON
	Stdout io.Writer // required
	Getenv func(string) string
	Parent int // pid of who runs us, used when the client does not name itself; 0 = unknown
}

func (o *Options) validate() error {
	if o.Stdin == nil || o.Stdout == nil {
		return errors.New("statusline: Options.Stdin and Stdout are required")
	}
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	return nil
}

// Run prints the line, if there is one to print. Its error is for who debugs;
// the client is to see nothing of it.
func Run(ctx context.Context, o Options) error {
	if err := o.validate(); err != nil {
		return err
	}
	in, err := read(o)
	if err != nil {
		return err
	}
	settings, err := config.Load(config.Source{Program: config.Shim, Getenv: o.Getenv})
	if err != nil {
		return err
	}
	if in.Host, err = settings.Home.HostID(); err != nil {
		return err
	}
	args, err := json.Marshal(in)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	hub := client.Dial(settings.Home.Socket())
	defer hub.Close()
	raw, err := hub.Call(ctx, "", tool.StatusLine.Name, args, "")
	if err != nil {
		return err
	}
	var out tool.StatusLineOut
	if err := json.Unmarshal(raw, &out); err != nil {
		return fmt.Errorf("read the hub's answer: %w", err)
	}
	text := Words(out, o.Getenv("NO_COLOR") == "")
	if text == "" {
		return nil
	}
	_, err = io.WriteString(o.Stdout, text+"\n")
	return err
}

// read names the session by what the client says of itself.
func read(o Options) (tool.StatusLineIn, error) {
	var said struct {
		Session coord.SessionID `json:"session_id"`
	}
	if err := json.NewDecoder(io.LimitReader(o.Stdin, maxInput)).Decode(&said); err != nil {
		return tool.StatusLineIn{}, fmt.Errorf("read the client's JSON: %w", err)
	}
	in := tool.StatusLineIn{Session: said.Session, PID: o.Parent}
	if pid, err := strconv.Atoi(o.Getenv("CLAUDE_PID")); err == nil {
		in.PID = pid
	}
	start, err := process.StartTime(in.PID)
	if in.PID <= 1 || err != nil {
		in.PID, start = 0, 0
	}
	in.PIDStart = start
	return in, nil
}

// Words gives the line: what the user has to know first, in yellow if colours
// are wanted. It is empty for a session that the hub does not know.
func Words(s tool.StatusLineOut, colour bool) string {
	if !s.Known {
		return ""
	}
	yellow := func(text string) string {
		if !colour {
			return text
		}
		return "\x1b[33m" + text + "\x1b[0m"
	}
	parts := []string{peers(s)}
	if n := len(s.Answer); n > 0 {
		parts = append(parts, yellow(first("answer ", texts(s.Answer))))
	}
	if len(s.Wants) > 0 {
		var names []string
		for _, p := range s.Wants {
			names = append(names, p.Base())
		}
		parts = append(parts, yellow(first("waiting for ", names)))
	} else if s.Waits != "" {
		parts = append(parts, yellow("waiting in "+coord.CleanLine(string(s.Waits))))
	}
	if s.Wanted > 0 {
		parts = append(parts, fmt.Sprintf("%d waiting for you", s.Wanted))
	}
	if s.Quota != nil {
		parts = append(parts, fmt.Sprintf("quota %.0f%%", s.Quota.UtilizationPct))
	}
	return "coord: " + strings.Join(parts, " · ")
}

func peers(s tool.StatusLineOut) string {
	words := "nobody else here"
	switch {
	case s.Peers == 1:
		words = "1 peer"
	case s.Peers > 1:
		words = fmt.Sprintf("%d peers", s.Peers)
	}
	if s.Working > 0 {
		words += fmt.Sprintf(", %d working", s.Working)
	}
	return words
}

// first names the first two of a list and how many more there are.
func first(lead string, list []string) string {
	const shown = 2
	text := lead + coord.CleanLine(strings.Join(list[:min(len(list), shown)], ", "))
	if more := len(list) - shown; more > 0 {
		text += fmt.Sprintf(" +%d", more)
	}
	return text
}

func texts(ids []coord.ThreadID) (out []string) {
	for _, id := range ids {
		out = append(out, string(id))
	}
	return out
}
