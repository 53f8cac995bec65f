package coordtest_test

import (
	"strings"
	"testing"
)

// plays says where each play of the rule book's simulation, S01 to S79, is
// held: by a scenario (file/name), by tests of the hooks and the delivery
// (package:name), or, when it is open by design, why.
var plays = map[int][]string{
	1:  {"gate/S01 same file, implicit lease, then release"},
	2:  {"gate/S02 different files, nobody announces: silence"},
	3:  {"gate/S03 a directory announced does not gate its files"},
	4:  {"plays/S04 a sloppy announcement of everything gates nothing"},
	5:  {"layers/globs without a common file are free"},
	6:  {"gate/S06 an edit of a file somebody depends on"},
	7:  {"gate/S07 both announce, the first edits and stops without closing"},
	8:  {"gate/S08 refused by an announcement that is then closed"},
	9:  {"gate/S09 the line is served in order, a reservation keeps the others off", "gate/S09b a missed reservation passes to the next"},
	10: {"gate/S10 the former holder comes back too early"},
	11: {"gate/S11 a turn that never ends holds a path for ten minutes at most"},
	12: {"plays/S12 an edit that waits for its user's permission all night"},
	13: {"gate/S13 the holder is killed", "plays/S13b a killed holder refuses nobody after two seconds"},
	14: {"gate/S14 the holder is in another worktree: one hint each way"},
	15: {"gate/S15 the announcer is busy on other files: its right lapses with the thread"},
	16: {"gate/S16 an idle announcer refuses nobody"},
	17: {"gate/S17 no agreement after four rounds: the earlier keeps its right by its clock"},
	18: {"thread_ends/one of two respondents leaves, the other one had approved"},
	19: {"thread_ends/the respondent leaves"},
	20: {"thread_ends/the initiator leaves"},
	21: {"story/either side may propose"},
	22: {"thread_ends/a replaced proposal cannot be approved unread"},
	23: {"gate/S23 two agree, the third waits"},
	24: {"gate/S24 a circle of two is let through"},
	25: {"gate/S25 a circle of three"},
	26: {"gate/S26 a circle of a lease and a right of way"},
	27: {"design: what git calls uncommitted names no writer; pkg/workspace:TestUncommittedTellsOfOneFile holds what it tells of one path"},
	28: {"gate/S28 a hub restart forgets no lease"},
	29: {"gate/S29 a night's sleep frees what was held"},
	30: {"plays/S30 refused by an announcement, without a tool to answer with"},
	31: {"plays/S31 ten minutes of tests between two edits"},
	32: {"watch/S32 tools only: edits without another call keep the right of way"},
	33: {"watch/S33 tools only: a write into what the peer holds", "watch/S33b tools only: both announced it, so nobody can be named"},
	34: {"tasks/S34 a task that concerns nobody opens a thread without respondents"},
	35: {"tasks/S35 a worker claims a task in which a peer is at work"},
	36: {"tasks/S36 the orchestrator offers ten tasks and ends its session"},
	37: {"tasks/S37 a claimer that dies does not count, the second one who gives it back poisons it"},
	38: {"plays/S38 two subagents of one session and then its main thread"},
	39: {"watch/S39 a person edits by hand what an agent with hooks holds"},
	40: {"plays/S40 half-done work of the evening, and its owner in the morning"},
	41: {"gate/S41 a follow-up waits for who slipped in"},
	42: {"plays/S42 somebody slips in a minute after the turn"},
	43: {"pkg/coordtest:TestWritingByShellIsTheSameConflict", "pkg/hook/reconcile:TestChildFindsWhatACallWrote"},
	44: {"pkg/coordtest:TestGitThatTouchesTheWorkOfOthersIsRefused", "pkg/hook/shell:TestGitCommandOverUncommittedWorkOfOthers"},
	45: {"pkg/coordtest:TestGitThatTouchesTheWorkOfOthersIsRefused", "pkg/hook/shell:TestGitCommandOverUncommittedWorkOfOthers"},
	46: {"pkg/coordtest:TestWritingByShellIsTheSameConflict", "pkg/hook/shell:TestCorpusIsReadAsWrittenDown"},
	47: {"pkg/coordtest:TestWritingByShellIsTheSameConflict"},
	48: {"pkg/coordtest:TestGitThatTouchesTheWorkOfOthersIsRefused", "pkg/hook/shell:TestGitCommandOverUncommittedWorkOfOthers"},
	49: {"gate/S49 gray lifts nothing"},
	50: {"gate/S50 who announced on a lease hears when it is left"},
	51: {"pkg/coordtest:TestEnforcementIsTheStricterOfSessionAndConfiguration"},
	52: {"plays/S52 a shim dies, its client lives on"},
	53: {"gate/S53 closing one of two announcements keeps the lease the other covers"},
	54: {"plays/S54 one changelog line each in ten working trees"},
	55: {"gate/S55 an agreed order decides who goes first"},
	56: {"layers/0a same file"},
	57: {"plays/S57 cancelling withdraws the announcement, not the peer's right"},
	58: {"gate/S58 an edit that failed holds nothing", "gate/S58b an edit that was denied lapses at the next hook"},
	59: {"plays/S59 a long turn on other files holds its first one for ten minutes"},
	60: {"plays/S60 a place in the line ends after half an hour"},
	61: {"plays/S61 a line is served in the order in which it was joined"},
	62: {"gate/S62 the waiting line survives a restart"},
	63: {"plays/S63 an hour of disjoint work is an hour of silence"},
	64: {"plays/S64 a module around five others is a hint to all of them"},
	65: {"introspection/S65 answered the next morning, over finished work"},
	66: {"gate/S66 a land grab only informs"},
	67: {"plays/S67 announced in the checkout, edited in a worktree that was entered since"},
	68: {"plays/S68 one session resumed in two terminals is two agents"},
	69: {"gate/S69 the holder goes on, the later announcer waits"},
	70: {"pkg/hub:TestAThreadWakesSixTimesThenAPersonIsNeeded", "pkg/hub:TestAtMostOneWakeUpAMinuteAndTenBetweenPrompts"},
	71: {"gate/S71 re-planning keeps seniority"},
	72: {"plays/S72 the respondent is idle: nobody waits for its answer"},
	73: {"design: a solo agent hears of nobody, and the user's own dirty files are the user's; pkg/hub:TestOutcomeByConcernedGrayAndOnline"},
	74: {"gate/S74 clear leaves leases, closes announcements and abandons own threads"},
	75: {"pkg/coordtest:TestNewsThatShouldNotWaitBlocksTheStopOnce"},
	76: {"design: a turn that ends by an error ends like any other, by the same rule as its Stop"},
	77: {"gate/S24 a circle of two is let through"},
	78: {"pkg/coordtest:TestMainStopDoesNotEndTheTurnWhileASubagentWorks"},
	79: {"pkg/coordtest:TestWritingByShellIsTheSameConflict", "pkg/hook/shell:TestCorpusIsReadAsWrittenDown"},
}

func TestEveryPlayOfTheRuleBookHasItsPlace(t *testing.T) {
	for n := range 79 {
		if len(plays[n+1]) == 0 {
			t.Errorf("S%02d is not in the table", n+1)
		}
	}
	there, open := written(t), 0
	for n, where := range plays {
		for _, name := range where {
			switch {
			case strings.HasPrefix(name, "design: "):
				open++
			case !there[name] && !there["scenario:"+name]:
				t.Errorf("S%02d: there is no scenario or test %q", n, name)
			}
		}
	}
	t.Logf("%d of %d plays are tests, the others open by design", len(plays)-open, len(plays))
}
