package shim

import (
	"errors"
	"strings"
	"sync"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
	"github.com/coordhq/coord/pkg/tool/mcptool"
)

// notices are what the user should mend and nobody reads in a log: the model is
// told, so that it can tell.
type notices struct {
	settings string // with every answer; "" = nothing

	mu    sync.Mutex // guards what follows
	place string     // with the first answer, and where one asks how things stand
	told  bool
}

func newNotices(settings []string) *notices {
	n := &notices{}
	if len(settings) > 0 {
		n.settings = "coord goes on without these settings, which are wrong; tell your user: " + strings.Join(settings, "; ")
	}
	return n
}

// trouble notes that git could not be asked where the session works.
func (n *notices) trouble(dir, trouble string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.place = "git cannot be asked in " + dir + " (" + trouble + "), so sessions in other clones and working trees of this repository do not see you; tell your user"
}

// standing are the calls that ask how things stand.
func standing(op string) bool {
	return op == tool.RegisterAgent.Name || op == tool.CoordinatorStatus.Name
}

// add puts what there is to say into an answer, or behind an error.
func (n *notices) add(op string, answer []byte, err error) ([]byte, error) {
	if err != nil {
		return nil, n.behind(err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	said := []string{}
	if n.settings != "" {
		said = append(said, n.settings)
	}
	if n.place != "" && (!n.told || standing(op)) {
		said = append(said, n.place)
	}
	if len(said) == 0 {
		return answer, nil
	}
	full, ok := mcptool.Notice(answer, strings.Join(said, ". "))
	n.told = n.told || ok && n.place != ""
	return full, nil
}

func (n *notices) behind(err error) error {
	var own *coord.Error
	if n.settings == "" || !errors.As(err, &own) {
		return err
	}
	with := *own
	with.Next = strings.TrimPrefix(with.Next+". "+n.settings, ". ")
	return &with
}
