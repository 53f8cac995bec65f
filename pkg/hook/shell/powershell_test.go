package shell_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/hook/shell"
)

func TestPowerShellIsReadForItsTargets(t *testing.T) {
	for command, want := range map[string]string{
		`Set-Content -Path a.txt -Value 'x > y'`:                            "redirect a.txt",
		`Set-Content a.txt "hello"`:                                         "redirect a.txt",
		`"hello" | Set-Content -LiteralPath 'my file.txt'`:                  "redirect my file.txt",
		`'x' | Out-File -FilePath out.txt -Encoding utf8`:                   "redirect out.txt",
		`'x' | Out-File -Append log.txt`:                                    "append log.txt",
		`Add-Content log.txt "line"`:                                        "append log.txt",
		"@'\nif (a > b) { rm c }\n'@ | Set-Content src/a.c":                 "redirect src/a.c",
		"@\"\n$x > y\n\"@ | Out-File b.txt":                                 "redirect b.txt",
		`Get-ChildItem > list.txt`:                                          "redirect list.txt",
		`Get-ChildItem >> list.txt`:                                         "append list.txt",
		`Get-ChildItem 2>&1 | Select-String foo`:                            "",
		`npm test > $null`:                                                  "?",
		`Remove-Item a.txt, b.txt -Force`:                                   "remove a.txt; remove b.txt",
		`Remove-Item -Recurse -Force build`:                                 "remove build tree",
		`rm *.log`:                                                          "remove *.log glob",
		`Move-Item old.txt new.txt`:                                         "remove old.txt tree; move new.txt tree into old.txt",
		`Copy-Item -Path a.txt -Destination b.txt`:                          "copy b.txt into a.txt",
		`Rename-Item src/a.txt b.txt`:                                       "remove src/a.txt tree; move src/b.txt tree",
		`New-Item -ItemType File -Path a.txt`:                               "touch a.txt",
		`New-Item -ItemType Directory -Path dir`:                            "",
		`Remove-Item a.txt -WhatIf`:                                         "",
		`cd src; Set-Content a.txt x`:                                       "redirect src/a.txt",
		`$f = 'a.txt'; Set-Content $f 'x'`:                                  "redirect a.txt",
		`$f = "src/a.txt"; Set-Content "$f.bak" 'x'`:                        "redirect src/a.txt.bak",
		`Set-Content $unknown 'x'`:                                          "?",
		`Get-Content a.txt`:                                                 "",
		`Get-Content a.txt | Select-String 'a > b'`:                         "",
		`Get-ChildItem -Recurse -Filter *.cs | Where-Object { $_.X -gt 1 }`: "",
		`if (Test-Path a) { Remove-Item a }`:                                "remove a",
		`foreach ($f in 1..3) { Set-Content "$f" x }`:                       "?",
		`(Get-Content a.txt) -replace 'a','b' | Set-Content a.txt`:          "redirect a.txt; ?",
		`[System.IO.File]::WriteAllText('a.txt', 'x')`:                      "?",
		`Invoke-WebRequest https://x.test/a -OutFile a.bin`:                 "output a.bin",
		`git stash`:                     "git stash: move tracked+staged",
		`gofmt -w a.go`:                 "format a.go tree",
		`git status; git diff`:          "",
		`Write-Host "a > b"`:            "",
		`ls; dir; cat a.txt`:            "",
		`python script.py`:              "?",
		`Invoke-Expression $x`:          "?",
		"Set-Content `\n  a.txt `\n  x": "redirect a.txt",
	} {
		got := strings.Join(render(shell.ReadPowerShell(command, place)), "; ")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n%s", command, diff)
		}
	}
}
