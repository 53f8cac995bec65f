package coordtest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coordtest"
)

// plays says where each play of the rule book's simulation, S01 to S79, is
// held: by a scenario (file/name), or by the hooks and the delivery that are
// another issue's, whose name stands first then.
var plays = [][]string{
	{"gate/S01 same file, implicit lease, then release"},                                                                              // S01
	{"gate/S02 different files, nobody announces: silence"},                                                                           // S02
	{"gate/S03 a directory announced does not gate its files"},                                                                        // S03
	{"plays/S04 a sloppy announcement of everything gates nothing"},                                                                   // S04
	{"layers/globs without a common file are free"},                                                                                   // S05
	{"gate/S06 an edit of a file somebody depends on"},                                                                                // S06
	{"gate/S07 both announce, the first edits and stops without closing"},                                                             // S07
	{"gate/S08 refused by an announcement that is then closed"},                                                                       // S08
	{"gate/S09 the line is served in order, a reservation keeps the others off", "gate/S09b a missed reservation passes to the next"}, // S09
	{"gate/S10 the former holder comes back too early"},                                                                               // S10
	{"gate/S11 a turn that never ends holds a path for ten minutes at most"},                                                          // S11
	{"plays/S12 an edit that waits for its user's permission all night"},                                                              // S12
	{"gate/S13 the holder is killed", "plays/S13b a killed holder refuses nobody after two seconds"},                                  // S13
	{"gate/S14 the holder is in another worktree: one hint each way"},                                                                 // S14
	{"gate/S15 the announcer is busy on other files: its right lapses with the thread"},                                               // S15
	{"gate/S16 an idle announcer refuses nobody"},                                                                                     // S16
	{"gate/S17 no agreement after four rounds: the earlier keeps its right by its clock"},                                             // S17
	{"thread_ends/one of two respondents leaves, the other one had approved"},                                                         // S18
	{"thread_ends/the respondent leaves"},                                                                                             // S19
	{"thread_ends/the initiator leaves"},                                                                                              // S20
	{"story/either side may propose"},                                                                                                 // S21
	{"thread_ends/a replaced proposal cannot be approved unread"},                                                                     // S22
	{"gate/S23 two agree, the third waits"},                                                                                           // S23
	{"gate/S24 a circle of two is let through"},                                                                                       // S24
	{"gate/S25 a circle of three"},                                                                                                    // S25
	{"gate/S26 a circle of a lease and a right of way"},                                                                               // S26
	{"issue 3: git status of a path at the first edit of a turn"},                                                                     // S27
	{"gate/S28 a hub restart forgets no lease"},                                                                                       // S28
	{"gate/S29 a night's sleep frees what was held"},                                                                                  // S29
	{"plays/S30 refused by an announcement, without a tool to answer with"},                                                           // S30
	{"plays/S31 ten minutes of tests between two edits"},                                                                              // S31
	{"issue 3: the shim of a client without hooks stats what is announced and leased"},                                                // S32
	{"open by design: a client without hooks is warned, not held; issue 3 for the warning"},                                           // S33
	{"tasks/S34 a task that concerns nobody opens a thread without respondents"},                                                      // S34
	{"tasks/S35 a worker claims a task in which a peer is at work"},                                                                   // S35
	{"tasks/S36 the orchestrator offers ten tasks and ends its session"},                                                              // S36
	{"tasks/S37 a claimer that dies does not count, the second one who gives it back poisons it"},                                     // S37
	{"plays/S38 two subagents of one session and then its main thread"},                                                               // S38
	{"open by design: a human writes; issue 3 for what git status tells afterwards"},                                                  // S39
	{"plays/S40 half-done work of the evening, and its owner in the morning"},                                                         // S40
	{"gate/S41 a follow-up waits for who slipped in"},                                                                                 // S41
	{"plays/S42 somebody slips in a minute after the turn"},                                                                           // S42
	{"issue 3: shell targets"},                                                                                                        // S43
	{"issue 3: git commands over others' files"},                                                                                      // S44
	{"issue 3: git commands over others' files"},                                                                                      // S45
	{"issue 3: shell targets"},                                                                                                        // S46
	{"issue 3: shell writes take leases"},                                                                                             // S47
	{"issue 3: git commands over others' files"},                                                                                      // S48
	{"gate/S49 gray lifts nothing"},                                                                                                   // S49
	{"gate/S50 who announced on a lease hears when it is left"},                                                                       // S50
	{"issue 3: COORDINATOR_ENFORCE=warn"},                                                                                             // S51
	{"plays/S52 a shim dies, its client lives on"},                                                                                    // S52
	{"gate/S53 closing one of two announcements keeps the lease the other covers"},                                                    // S53
	{"plays/S54 one changelog line each in ten working trees"},                                                                        // S54
	{"gate/S55 an agreed order decides who goes first"},                                                                               // S55
	{"layers/0a same file"},                                                                                                           // S56
	{"plays/S57 cancelling withdraws the announcement, not the peer's right"},                                                         // S57
	{"gate/S58 an edit that failed holds nothing", "gate/S58b an edit that was denied lapses at the next hook"},                       // S58
	{"plays/S59 a long turn on other files holds its first one for ten minutes"},                                                      // S59
	{"plays/S60 a place in the line ends after half an hour"},                                                                         // S60
	{"plays/S61 a line is served in the order in which it was joined"},                                                                // S61
	{"gate/S62 the waiting line survives a restart"},                                                                                  // S62
	{"plays/S63 an hour of disjoint work is an hour of silence"},                                                                      // S63
	{"plays/S64 a module around five others is a hint to all of them"},                                                                // S64
	{"introspection/S65 answered the next morning, over finished work"},                                                               // S65
	{"gate/S66 a land grab only informs"},                                                                                             // S66
	{"plays/S67 announced in the checkout, edited in a worktree that was entered since"},                                              // S67
	{"plays/S68 one session resumed in two terminals is two agents"},                                                                  // S68
	{"gate/S69 the holder goes on, the later announcer waits"},                                                                        // S69
	{"issue 3: wake limits of the delivery ladder"},                                                                                   // S70
	{"gate/S71 re-planning keeps seniority"},                                                                                          // S71
	{"plays/S72 the respondent is idle: nobody waits for its answer"},                                                                 // S72
	{"issue 3: git status of a path at the first edit of a turn"},                                                                     // S73
	{"gate/S74 clear leaves leases, closes announcements and abandons own threads"},                                                   // S74
	{"issue 3: the Stop hook"},                                                                                                        // S75
	{"issue 3: the StopFailure hook"},                                                                                                 // S76
	{"gate/S24 a circle of two is let through"},                                                                                       // S77
	{"issue 3: the Stop hook and background tasks"},                                                                                   // S78
	{"issue 3: shell targets"},                                                                                                        // S79
}

// elsewhere begins the reason of a play that is no scenario here.
var elsewhere = []string{"issue 3: ", "issue 4: ", "open by design: "}

func TestEveryPlayOfTheRuleBookHasItsPlace(t *testing.T) {
	if len(plays) != 79 {
		t.Errorf("%d plays are in the table, the rule book has 79", len(plays))
	}
	known := map[string]bool{}
	for _, s := range coordtest.Scenarios(t, scenarios) {
		known[s.File+"/"+s.Name] = true
	}
	held := 0
	for i, where := range plays {
		if len(where) == 1 && slices.ContainsFunc(elsewhere, func(prefix string) bool { return strings.HasPrefix(where[0], prefix) }) {
			continue
		}
		held++
		for _, name := range where {
			if !known[name] {
				t.Errorf("S%02d: there is no scenario %q", i+1, name)
			}
		}
	}
	t.Logf("%d of %d plays are scenarios", held, len(plays))
}
