package coordtest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coordtest"
)

// lessons says which test holds each lesson that was learned from the system
// before this one: "package:Test", "scenario:file/name", or in words why there
// is none here. The numbers are those of the list of lessons.
var lessons = map[string][]string{
	"1":   {"pkg/workspace:TestEverySpellingOfAFileIsOnePath", "pkg/shim:TestPathsGoToTheHubInTheProjectsForm"},
	"2":   {"pkg/workspace:TestWorktreesAreOneProjectAndTwoWorkspaces"},
	"3":   {"pkg/workspace:TestPathInAnotherWorktreeIsNamedAsThere", "pkg/workspace:TestTroubleWithGitIsSaid"},
	"4":   {"pkg/hub:TestAnswersToBadCalls", "pkg/hub/streamable:TestOnlyPathsUnderTheWorkingTreeAreTaken"},
	"5":   {"pkg/workspace:TestCasePolicyOfTheWorkingTree", "pkg/hub/streamable:TestAWorkingTreeOnWindows"},
	"6":   {"pkg/workspace:TestSubmoduleIsAProjectOfItsOwn", "pkg/workspace:TestLawsOfResolve"},
	"7":   {"pkg/coordtest:TestTwoRepositoriesNeverMeetAtAnyDoor"},
	"8":   {"pkg/workspace:TestPathThatIsNoneOfTheProjectIsRefused", "pkg/workspace:FuzzResolve"},
	"9":   {"scenario:dependencies/files lie in the innermost module that is named by a path around them"},
	"10":  {"pkg/shim/spawn:TestHubThatDiesAtOnceIsReported", "pkg/shim/spawn:TestHubOfAnotherHomeIsRefused"},
	"11":  {"pkg/hub/daemon:TestABusyPortIsReplacedUnlessItWasChosen"},
	"12":  {"pkg/hub/daemon:TestADiscoveryFileThatNamesALivingStrangerIsNotBelieved"},
	"13":  {"pkg/hub/daemon:TestOfManyAutoStartedHubsOneStaysAndTheOthersGiveWayQuietly"},
	"14":  {"pkg/config:TestHomeIsTheFirstThatIsNamed"},
	"15":  {"pkg/config:TestAProjectsEnvironmentIsNotTheHubs", "pkg/shim/spawn:TestHubInheritsNothingOfTheProject"},
	"16":  {"pkg/hub/daemon:TestEveryWayToEndIsTheSameEnd"},
	"17":  {"pkg/coordtest:TestSmallBinariesHoldNoHub", "pkg/coordtest:BenchmarkShimStart"},
	"18":  {"pkg/coordtest:TestDemoHoldsInEveryStep"},
	"19":  {"pkg/shim/spawn:TestStartsAHubWhenThereIsNone", "pkg/process:TestADetachedChildLeadsItsOwnSession"},
	"20":  {"design: init writes in place and says what to do by hand when it may not"},
	"21":  {"pkg/coordtest:TestIdentityIsTheConnectionsNotAnArgument"},
	"22":  {"pkg/coordtest:TestTwoRepositoriesNeverMeetAtAnyDoor", "pkg/topic:TestMayRead"},
	"23":  {"pkg/hub/broker:TestAClientPublishesOnNoHubTopic", "pkg/topic:TestMayWrite"},
	"24":  {"pkg/hub/broker:TestAClientPublishesOnNoHubTopic"},
	"25":  {"pkg/hub/broker:TestAClientsMessageIsStampedByTheHub"},
	"26":  {"pkg/hub:TestNamesAreUniqueAmongTheLiving"},
	"27":  {"pkg/hub:TestTwoProjectsNeverMeet"},
	"28":  {"pkg/shim:TestTheFirstCallRegistersWhenNobodySaidInitialized"},
	"29":  {"pkg/coordtest:TestTwoSessionsFindAndSettleAConflict"},
	"30":  {"pkg/shim:TestAForgottenSessionIsResumed", "pkg/hub/streamable:TestASessionEndsAfterThirtyMinutesWithoutARequest"},
	"31":  {"pkg/hub/daemon:TestOtherMachinesAreNeverLetIn", "pkg/config:TestOnlyLoopbackIsBound"},
	"32":  {"pkg/hub/web:TestNoWebPageGetsThrough", "pkg/hub/web:TestOnlyOurOwnPagesOpenAWebSocket"},
	"33":  {"pkg/hub/web:TestEachRouteServesWhomItIsFor"},
	"34":  {"pkg/hub/web:TestACookieLetsABrowserReadAndNotMore"},
	"35":  {"pkg/hub/auth:TestATokenIsMadeOnceWith256BitsAndMode0600"},
	"36":  {"pkg/hub:TestEverythingGoesOnAfterARestart"},
	"37":  {"pkg/shim/feed:TestBacklogIsReadFromTheAcknowledgedPosition"},
	"38":  {"pkg/shim:TestWhatCouldNotBeWrittenIsNotAcknowledged", "pkg/shim:TestWhatWasHandedOverIsAcknowledged"},
	"39":  {"pkg/hub/broker:TestAFullQueueDropsAndCounts", "pkg/inbox:TestOverflowLeavesOneMarkerForWhatIsGone"},
	"40":  {"pkg/shim/feed:TestAnOutageLosesNothing", "pkg/hub/sqlite:TestSweepKeepsUnreadNewsAndTheHeadOfEachInbox"},
	"41":  {"pkg/shim:TestNewsComesInBatches"},
	"42":  {"pkg/shim/feed:TestMessagesOutOfOrderComeInOrder"},
	"43":  {"pkg/hub:TestOutcomeByConcernedGrayAndOnline", "scenario:plays/S63 an hour of disjoint work is an hour of silence"},
	"44":  {"pkg/hub/broker:TestAClientRetainsNothing"},
	"45":  {"scenario:threads_listing/what is published is news for all, under one's own name"},
	"46":  {"pkg/shim/feed:TestALostBrokerIsFoundAgainAndNothingIsMissed"},
	"47":  {"scenario:presence/a killed client is gone at once, a lost connection is not", "pkg/hub/broker:TestAgentStatusIsRetained"},
	"48":  {"pkg/shim/feed:TestARefusedSubscriptionIsTriedAgain", "pkg/shim/spawn:TestOtherProtocolIsAnError"},
	"49":  {"pkg/topic:TestGrantedFiltersAreAllGranted"},
	"50":  {"pkg/shim/feed:TestAHoleIsFilledFromTheLog"},
	"51":  {"pkg/coordtest:TestTheZoneOfTheEnvironmentIsInForce"},
	"52":  {"pkg/coordtest:TestTheZoneOfTheEnvironmentIsInForce"},
	"53":  {"pkg/hub/sqlite:TestLoadGivesBackWhatWasStored"},
	"54":  {"pkg/shim:TestWaitsAreCappedByClient", "pkg/inbox:TestNoWakeUpIsLost"},
	"55":  {"pkg/coordtest:TestScenarios"},
	"56":  {"pkg/coordtest:TestOfTwoSimultaneousAnnouncementsExactlyOneIsClear", "pkg/hub:TestThreadsBehaveLikeTheModel"},
	"57":  {"scenario:gate/asking changes nothing"},
	"58":  {"pkg/hub:TestOutcomeByConcernedGrayAndOnline"},
	"59":  {"scenario:gate/a subagent's lease belongs to its session"},
	"60":  {"scenario:layers/nothing to announce", "scenario:gate/a dormant announcement closes after half an hour"},
	"61":  {"pkg/hub:TestThreadsBehaveLikeTheModel", "scenario:gate/S49 gray lifts nothing"},
	"62":  {"scenario:thread_ends/a late comment is kept and reaches the owner"},
	"63":  {"scenario:layers/the highest layer wins and all reasons stay"},
	"64":  {"scenario:gate/a dormant announcement closes after half an hour"},
	"65":  {"pkg/hub:TestWhenALostConnectionHasConsequences"},
	"66":  {"scenario:presence/a night with a closed lid is no leaving", "pkg/hub:TestACallBringsAnAgentBack"},
	"67":  {"scenario:tasks/two tasks on one file are not claimed by two agents"},
	"68":  {"pkg/hub:TestLeasesAreLinearizable", "pkg/hub:TestAskingFirstAndTakingThenIsNotLinearizable"},
	"69":  {"scenario:gate/asking changes nothing", "scenario:layers/1 edited a moment ago"},
	"70":  {"scenario:plays/S13b a killed holder refuses nobody after two seconds"},
	"71":  {"scenario:gate/S07 both announce, the first edits and stops without closing"},
	"72":  {"scenario:thread_ends/the initiator leaves"},
	"73":  {"scenario:plays/S38 two subagents of one session and then its main thread"},
	"74":  {"scenario:presence/what only looks like a double start is two agents"},
	"75":  {"scenario:gate/S58b an edit that was denied lapses at the next hook"},
	"76":  {"pkg/hub/daemon:TestTwoHubsInOneProcessKnowNothingOfEachOther"},
	"77":  {"pkg/hub/sqlite:TestReadersAndTheWriterDoNotDisturbEachOther"},
	"78":  {"pkg/hub/sqlite:TestLoadSkipsUnreadableRows"},
	"79":  {"pkg/hub:BenchmarkAnnounce"},
	"80":  {"design: rules ask no database, an index in memory answers"},
	"81":  {"pkg/hub/sqlite:TestQueriesUseIndexes"},
	"82":  {"pkg/hub/web:TestAStreamSaysWhatIsNoLongerThere", "pkg/hub/stream:TestAReplayBeginsAtOnceWhateverTheSizeOfTheLog"},
	"83":  {"pkg/hub:TestAnswersOfACrowdedHub"},
	"84":  {"pkg/hub/sqlite:TestLoadSkipsUnreadableRows"},
	"85":  {"pkg/coordtest:TestTheDoctorTriesEveryPathAndLeavesNothing", "pkg/coordtest:TestTheDoctorFindsABrokenHome"},
	"86":  {"design: there is no audit chain"},
	"87":  {"cmd/coord-hub:testdata/backup.txtar"},
	"88":  {"pkg/hub/web:TestEachLimitOfConnectionsIsNamed", "pkg/hub/broker:TestAGiantPacketIsRefusedByItsLength"},
	"89":  {"pkg/hub/sqlite:TestEveryTableHasARetentionPolicy"},
	"90":  {"pkg/tool:TestReadCleansTextAndFillsDefaults"},
	"91":  {"pkg/brief:TestNewsIsFramedAsDataByNamedPeers", "pkg/brief:TestNoAttackLeavesItsQuotation"},
	"92":  {"design: one server per session, the shim"},
	"93":  {"pkg/setup:TestInitInAnEmptyProjectAndBack"},
	"94":  {"pkg/coordtest:TestWrongInputIsAnsweredAndTheSessionGoesOn"},
	"95":  {"pkg/shim:TestTheHubsRefusalIsAToolError"},
	"96":  {"pkg/coordtest:TestEditOfWhatAPeerEditsIsRefusedUntilItsTurnEnds"},
	"97":  {"design: no judgement of prose"},
	"98":  {"design: measured are outcomes, not events"},
	"99":  {"pkg/shim:TestInitializeIsAnsweredWithoutAHub"},
	"100": {"pkg/hub/web:TestThePageMayUseNothingButItself"},
	"101": {"design: every guard is tested through a public door"},
	"102": {"design: there is no layer 4"},
	"103": {"pkg/workspace:TestExpansionKnowsWhatGitKnows"},
	"104": {"design: nothing of ours deletes a tree"},
}

// written names everything that a row may point to: scenarios (scenario:file/name),
// test functions (package:name) and scripts of coord-hub (cmd/coord-hub:testdata/file).
func written(t *testing.T) map[string]bool {
	t.Helper()
	there := map[string]bool{}
	for _, s := range coordtest.Scenarios(t, scenarios) {
		there["scenario:"+s.File+"/"+s.Name] = true
	}
	const root = "../.."
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	err := filepath.WalkDir(filepath.Join(root, "pkg"), func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path) // #nosec G304 G122 -- our own sources
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		for _, m := range function.FindAllStringSubmatch(string(text), -1) {
			there[filepath.ToSlash(dir)+":"+m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := filepath.Glob(root + "/cmd/coord-hub/testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range scripts {
		there["cmd/coord-hub:testdata/"+filepath.Base(name)] = true
	}
	return there
}

func TestEveryLessonHasItsTest(t *testing.T) { everyHasItsTest(t, numbered("%d", 104), lessons) }

// numbered gives the names of n rows.
func numbered(format string, n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf(format, i+1))
	}
	return out
}

func everyHasItsTest(t *testing.T, rows []string, table map[string][]string) {
	t.Helper()
	there := written(t)
	reason := regexp.MustCompile(`^design: \w`)
	for _, row := range rows {
		if len(table[row]) == 0 {
			t.Errorf("%s is not in the table", row)
		}
		for _, name := range table[row] {
			if !there[name] && !reason.MatchString(name) {
				t.Errorf("%s: there is no %s", row, name)
			}
		}
	}
}
