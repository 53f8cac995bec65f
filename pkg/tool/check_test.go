package tool_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

func TestCheckRefusesWithAClearText(t *testing.T) {
	long := strings.Repeat("x", 4001)
	for _, tt := range []struct {
		name, op, args, want string
		code                 coord.Code
	}{
		{"not an object", "announce_work", `[1]`, "not a JSON object", coord.Invalid},
		{"garbage", "announce_work", `{"subject":`, "not valid JSON", coord.Invalid},
		{"trailing", "announce_work", `{"subject":"a"} {}`, "something follows", coord.Invalid},
		{"invalid UTF-8", "announce_work", "{\"subject\":\"\xff\"}", "not valid UTF-8", coord.Invalid},
		{"unknown argument", "announce_work", `{"subject":"a","files":["x"]}`, "allowed are: subject, target_files", coord.Invalid},
		{"letter case counts", "announce_work", `{"Subject":"a"}`, `unknown argument "Subject"`, coord.Invalid},
		{"given twice", "announce_work", `{"subject":"a","subject":"b"}`, "given twice", coord.Invalid},
		{"alias and name", "propose_resolution", `{"thread_id":"T-1","summary":"a","content":"b"}`, "given twice", coord.Invalid},
		{"wrong type", "announce_work", `{"subject":"a","target_files":"x"}`, "want a list, got a string", coord.Invalid},
		{"wrong entry", "announce_work", `{"subject":"a","target_files":["x",3]}`, "entry 2: want a string, got a number", coord.Invalid},
		{"missing", "announce_work", `{"target_files":["x"]}`, `"subject" is required`, coord.Invalid},
		{"empty", "announce_work", `{"subject":"  ","target_files":["x"]}`, `"subject" is required`, coord.Invalid},
		{"nothing to see", "announce_work", `{"subject":"\u200b \ufeff\u2060\n","target_files":["x"]}`, `"subject" is required`, coord.Invalid},
		{"an entry too long", "announce_work", `{"subject":"a","target_modules":["` + strings.Repeat("é", 2049) + `"]}`, "4098 bytes is over the limit of 4096", coord.TooLarge},
		{"too long", "post_to_thread", `{"thread_id":"T-1","content":"` + long + `"}`, "over the limit of 4000", coord.TooLarge},
		{"outside the enum", "post_to_thread", `{"thread_id":"T-1","content":"a","type":"rant"}`, "want one of context, question", coord.Invalid},
		{"fraction", "get_thread", `{"thread_id":"T-1","limit":1.5}`, "want a whole number", coord.Invalid},
		{"negative", "get_thread", `{"thread_id":"T-1","limit":-1}`, "want 0 to 200", coord.Invalid},
		{"foreign agent", "announce_work", `{"agent_id":"ag-other","subject":"a","target_files":["x"]}`, "is not yours", coord.Forbidden},
		{"wire only", "announce_work", `{"subject":"a","target_files":["x/"],"expansions":{}}`, `unknown argument "expansions"`, coord.Invalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			op, ok := tool.Lookup(tt.op)
			if !ok {
				t.Fatalf("no operation %s", tt.op)
			}
			_, err := op.Check(json.RawMessage(tt.args), "ag-me")
			if err == nil || !strings.Contains(err.Error(), tt.want) || coord.CodeOf(err) != tt.code {
				t.Errorf("got %q (%s), want %q (%s)", err, coord.CodeOf(err), tt.want, tt.code)
			}
		})
	}
}

func TestCheckGivesOneCanonicalForm(t *testing.T) {
	op, _ := tool.Lookup("propose_resolution")
	got, err := op.Check(json.RawMessage(`{"content":"A first","agent_id":"ag-me","thread_id":"T-1","order":null}`), "ag-me")
	if want := `{"summary":"A first","thread_id":"T-1"}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

func TestCheckTakesNoArguments(t *testing.T) {
	op, _ := tool.Lookup("coordinator_status")
	for _, args := range []string{"", "null", "{}"} {
		if got, err := op.Check(json.RawMessage(args), "ag-me"); err != nil || string(got) != "{}" {
			t.Errorf("Check(%q) = %s, %v", args, got, err)
		}
	}
}

func TestCheckMeasuresWhatIsMeantNotHowItIsWritten(t *testing.T) {
	escaped := strings.Repeat(`\u00e9`, 1000) // 6,000 bytes that mean 2,000
	for op, args := range map[string]string{
		"announce_work":  `{"subject":"a","target_files":["` + escaped + `"]}`,
		"post_to_thread": `{"thread_id":"T-1","content":"` + strings.Repeat(`\u200d\u6f22`, 4000) + `"}`,
	} {
		row, _ := tool.Lookup(op)
		if _, err := row.Check(json.RawMessage(args), "ag-me"); err != nil {
			t.Errorf("%s: %v", op, err)
		}
	}
}

func TestReadMakesNamesOneLine(t *testing.T) {
	in, err := tool.AnnounceWork.Read(json.RawMessage(`{"subject":" two\nlines\t","target_modules":["a\nb"],"plan":"two\nlines"}`), "ag-me")
	if err != nil {
		t.Fatal(err)
	}
	if in.Subject != "two lines" || in.TargetModules[0] != "a b" || in.Plan != "two\nlines" {
		t.Errorf("got %q %q %q", in.Subject, in.TargetModules, in.Plan)
	}
}

func TestReadCleansTextAndFillsDefaults(t *testing.T) {
	in, err := tool.PostToThread.Read(json.RawMessage(`{"thread_id":"T-1","content":"a\u001b[31mb\u202ec"}`), "ag-me")
	if err != nil {
		t.Fatal(err)
	}
	if in.Content != "a[31mbc" || in.Type != coord.ContextMessage {
		t.Errorf("got %q %q", in.Content, in.Type)
	}
}

func TestObjectsAreCheckedToo(t *testing.T) {
	modules := make(map[string]tool.ModuleSpec)
	for i := range tool.MaxModules + 1 {
		modules[fmt.Sprint("m", i)] = tool.ModuleSpec{}
	}
	many, err := json.Marshal(map[string]any{"modules": modules})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		read func(json.RawMessage) error
		args string
		want string
		code coord.Code
	}{
		{"no object", readMap, `{"modules":[1]}`, "want an object, got a list", coord.Invalid},
		{"no object inside", readMap, `{"modules":{"a":1}}`, "want an object, got a number", coord.Invalid},
		{"an unknown field inside", readMap, `{"modules":{"a":{"depend_on":[]}}}`, `unknown field "depend_on"`, coord.Invalid},
		{"a wrong list inside", readMap, `{"modules":{"a":{"depends_on":"b"}}}`, "depends_on: want a list, got a string", coord.Invalid},
		{"too many entries", readMap, string(many), "over the limit of 10000", coord.TooLarge},
		{"not in the optional enum", readThreads, `{"status":"done"}`, "want one of open, resolving, ", coord.Invalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.read(json.RawMessage(tt.args))
			if err == nil || !strings.Contains(err.Error(), tt.want) || coord.CodeOf(err) != tt.code {
				t.Errorf("got %q (%s), want %q (%s)", err, coord.CodeOf(err), tt.want, tt.code)
			}
		})
	}
}

func readMap(args json.RawMessage) error {
	_, err := tool.SetDependencyMap.Read(args, "ag-me")
	return err
}

func readThreads(args json.RawMessage) error {
	_, err := tool.ListThreads.Read(args, "ag-me")
	return err
}

func TestAnOptionalEnumHasNoDefault(t *testing.T) {
	in, err := tool.ListThreads.Read(json.RawMessage(`{}`), "ag-me")
	if err != nil || in.Status != "" {
		t.Errorf("got %q, %v", in.Status, err)
	}
	if s := string(tool.ListThreads.Schema()); !strings.Contains(s, `"enum":["open",`) {
		t.Errorf("the schema offers an empty status: %s", s)
	}
}

func TestAFreeObjectKeepsItsNumbers(t *testing.T) {
	in, err := tool.MqttPublish.Read(json.RawMessage(`{"topic":"t","payload":{"n":9007199254740993,"deep":{"x":1.50}}}`), "ag-me")
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := json.Marshal(in.Payload); string(got) != `{"deep":{"x":1.50},"n":9007199254740993}` {
		t.Errorf("got %s", got)
	}
}

func TestWhatIsAnID(t *testing.T) {
	for s, want := range map[string]bool{"T-1": true, "A-20": true, "L-3": true, "./T-1": false, "T-0": false, "t-1": false, "T-1.md": false, "src/a.go": false, "M-1": false, "": false} {
		if tool.IsID(s) != want {
			t.Errorf("IsID(%q) = %v", s, !want)
		}
	}
}
