package setup_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/setup"
)

var update = flag.Bool("update", false, "write the plugin's files anew")

// root is the top of the repository, which is the plugin.
const root = "../.."

// pluginVersion is the version in the repository's manifest.
const pluginVersion = "0.1.0"

func TestTheRepositoryHoldsThePlugin(t *testing.T) {
	for name, want := range setup.PluginFiles(pluginVersion) {
		full := filepath.Join(root, name)
		if *update {
			if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(full, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(full)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s (-table +file), -update writes it anew:\n%s", name, diff)
		}
	}
}

// The icon is drawn here: two agents and the hub between them.
func TestTheIconIsTheOneDrawnHere(t *testing.T) {
	const file = root + "/.claude-plugin/icon.png"
	want := drawIcon(512)
	if *update {
		var b bytes.Buffer
		if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, want); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if got.Bounds() != want.Bounds() {
		t.Fatalf("%v, want %v", got.Bounds(), want.Bounds())
	}
	for y := range want.Bounds().Dy() {
		for x := range want.Bounds().Dx() {
			r, g, b, a := got.At(x, y).RGBA()
			if w := want.NRGBAAt(x, y); w != (color.NRGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), uint8(a >> 8)}) {
				t.Fatalf("the icon differs at %d, %d; -update draws it anew", x, y)
			}
		}
	}
}

// drawIcon draws two discs joined by an arc over a third, on a dark square.
func drawIcon(size int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	s := float64(size)
	for y := range size {
		for x := range size {
			c := color.NRGBA{0x14, 0x1b, 0x2d, 0xff}
			px, py := (float64(x)+0.5)/s, (float64(y)+0.5)/s
			paint := func(distance float64, with color.NRGBA) {
				cover := math.Max(0, math.Min(1, 0.5-distance*s))
				c.R = uint8(math.Round(float64(c.R)*(1-cover) + float64(with.R)*cover))
				c.G = uint8(math.Round(float64(c.G)*(1-cover) + float64(with.G)*cover))
				c.B = uint8(math.Round(float64(c.B)*(1-cover) + float64(with.B)*cover))
			}
			paint(math.Abs(math.Hypot(px-0.5, py-0.62)-0.28)-0.022, color.NRGBA{0x5b, 0x6b, 0x8c, 0xff})
			paint(math.Hypot(px-0.5, py-0.34)-0.13, color.NRGBA{0xf2, 0xc1, 0x4e, 0xff})
			paint(math.Hypot(px-0.26, py-0.76)-0.11, color.NRGBA{0x4e, 0xc9, 0xb0, 0xff})
			paint(math.Hypot(px-0.74, py-0.76)-0.11, color.NRGBA{0x6c, 0x9e, 0xf8, 0xff})
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

func TestAMissingProgramIsSaidOnceASession(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "run.sh")
	if err := os.WriteFile(script, []byte(setup.PluginFiles(pluginVersion)["hooks/run.sh"]), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(arg string) string {
		cmd := exec.Command("/bin/sh", script, arg)
		cmd.Env = []string{"PATH=" + dir}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v %s", arg, err, out)
		}
		return string(out)
	}
	program := func(name string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho ran \"$@\"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	var said struct {
		Message string `json:"systemMessage"`
	}
	if err := json.Unmarshal([]byte(run("session-start")), &said); err != nil || !strings.Contains(said.Message, "coord-hook coord-shim coord-hub.") {
		t.Errorf("%v %+v", err, said)
	}
	if out := run("pre-tool"); out != "" {
		t.Errorf("at a tool call it says %q", out)
	}
	program("coord-hook")
	if out := run("pre-tool"); out != "ran pre-tool\n" {
		t.Errorf("with coord-hook: %q", out)
	}
	if out := run("session-start"); !strings.Contains(out, "coord-shim coord-hub.") {
		t.Errorf("without the others: %q", out)
	}
	program("coord-shim")
	program("coord-hub")
	if out := run("session-start"); out != "ran session-start\n" {
		t.Errorf("with all: %q", out)
	}
}
