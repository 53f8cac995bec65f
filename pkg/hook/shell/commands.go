package shell

import "sync"

// readersList names the commands of [readers]; "_" stands for the space before
// a subcommand. Those that only make directories, set modes or talk to other
// machines count: no file of the working tree gets other content.
const readersList = `
: . .. [ alias arch base64 basename bat bc bg bind break builtin cal cat chgrp chmod chown cksum clear cloc cmp column comm complete
continue cut date declare df diff diff3 dig dirname dirs disown du echo egrep enable env exit export expr factor false fc fg fgrep file
fmt fold free getent getopts groups hash head hexdump hexyl history host hostname htop id ifconfig info ip iconv jobs join jq kill killall
last less let ll local locale locate logname look ls lsblk lscpu lsof man md5 md5sum mkdir mkfifo mktemp more netstat nl nm nohup nproc nslookup
ntpdate numfmt objdump od otool paste pathchk pgrep ping pkill pr printenv printf ps pstree pwd pwdx readelf readlink readonly realpath
return rev rg rmdir seq set sha1sum sha224sum sha256sum sha384sum sha512sum shasum shellcheck shift shopt shuf size sleep ss stat strings stty
sum suspend sw_vers sync sysctl tac tail test times tldr tokei top tput tr tree true tsort tty type typeset ugrep ulimit umask unalias
uname unexpand expand uptime users vmstat w wait wc whatis whereis which who whoami xxd yes zcat zgrep zless bzcat xzcat ag ack grep fd
fdfind fzf eza exa lsd delta dust duf procs bottom btop cut nproc pygmentize rga scc sg sqlite3_-version ffprobe exiftool_-v
go_vet go_list go_doc go_env go_version go_help go_tool gofmt_-h staticcheck gosec govulncheck golint gocyclo
cargo_check cargo_tree cargo_metadata cargo_search cargo_version cargo_clippy rustc_--version rustup_show rustup_toolchain
npm_ls npm_list npm_view npm_outdated npm_config npm_root npm_prefix npm_bin npm_whoami npm_search npm_audit npm_explain npm_why npm_version
pnpm_ls pnpm_list pnpm_why pnpm_outdated pnpm_root yarn_list yarn_why yarn_info yarn_--version
pip_list pip_show pip_freeze pip_check pip_index pip3_list pip3_show pip3_freeze uv_tree uv_version poetry_show
docker_ps docker_images docker_logs docker_inspect docker_info docker_version docker_stats docker_top docker_port kubectl_get kubectl_describe kubectl_logs
gh_pr gh_issue gh_run gh_api gh_auth gh_search gh_browse gh_status gh_workflow gh_label helm_list helm_status terraform_validate terraform_show terraform_version
json.tool compileall tabnanny pydoc systemctl_status systemctl_list-units journalctl brew_list brew_info apt_list apt-cache dpkg rpm_-q make_-n make_--dry-run make_-q
mypy pyright pylint flake8 bandit vulture mdl yamllint hadolint actionlint ruff_version
code_--version open xdg-open pbcopy pbpaste xclip xsel say notify-send tmux_ls tmux_list-sessions tmux_capture-pane crontab_-l ssh-add
`

// commands is what the commands do that write files: one entry for each.
var commands = sync.OnceValue(func() map[string]rule {
	table := map[string]rule{
		"tee":        {op: OpTee, operands: all, options: options{value: "--output-error"}},
		"sponge":     {op: OpInPlace, operands: all},
		"touch":      {op: OpTouch, operands: all, options: options{value: "-d -r -t --date --reference"}},
		"truncate":   {op: OpTouch, operands: all, options: options{value: "-s --size -r --reference"}},
		"rm":         {op: OpRemove, operands: all, treeWith: "-r -R --recursive"},
		"unlink":     {op: OpRemove, operands: all},
		"trash":      {op: OpRemove, operands: all, tree: true},
		"shred":      {op: OpRemove, operands: all, options: options{value: "-n -s --iterations --size"}},
		"ed":         {op: OpInPlace, operands: all, options: options{value: "-p --prompt"}},
		"ex":         {op: OpInPlace, operands: all, options: options{value: "-c -S -u"}},
		"py_compile": {},
		"uniq":       {op: OpOutput, operands: second, options: options{value: "-f -s -w --skip-fields --skip-chars --check-chars"}},
		"split":      {opaque: true, when: "--never"},
		"gzip":       {op: OpRemove, operands: all, unless: "-c -l -t --stdout --list --test -k --keep"},
		"bzip2":      {op: OpRemove, operands: all, unless: "-c -t -k --stdout --keep"},
		"xz":         {op: OpRemove, operands: all, unless: "-c -l -t -k --stdout --keep"},
		"dos2unix":   {op: OpInPlace, operands: all, unless: "-n -i --info", options: options{value: "-c --convmode"}},
		"unix2dos":   {op: OpInPlace, operands: all, unless: "-n -i --info", options: options{value: "-c --convmode"}},

		"cp": {op: OpCopy, operands: last, treeWith: "-r -R -a --recursive --archive", into: "-t --target-directory",
			options: options{value: "-t --target-directory -S --suffix"}},
		"mv": {op: OpMove, operands: last, tree: true, removes: true, into: "-t --target-directory",
			options: options{value: "-t --target-directory -S --suffix"}},
		"install": {op: OpCopy, operands: last, unless: "-d --directory", into: "-t --target-directory",
			options: options{value: "-m --mode -o --owner -g --group -t --target-directory -S --suffix"}},
		"ln": {op: OpLink, operands: last, twin: true, into: "-t --target-directory", options: options{value: "-t --target-directory -S --suffix"}},

		"sed": {op: OpInPlace, operands: all, skip: 1, script: "-e -f --expression --file", when: "-i --in-place",
			options: options{value: "-e -f --expression --file -l --line-length", attached: "iI"}},
		"perl": {op: OpInPlace, operands: all, skip: 1, script: "-e -E", when: "-i", opaque: true,
			options: options{value: "-e -E -I -M -m", attached: "i", digits: "0l"}},
		"ruby": {op: OpInPlace, operands: all, skip: 1, script: "-e", when: "-i", opaque: true,
			options: options{value: "-e -r -I", attached: "i"}},
		"sd": {op: OpInPlace, operands: all, skip: 2, unless: "-p --preview -s", options: options{value: "-n -f --flags --max-replacements"}},
		"yq": {op: OpInPlace, operands: all, skip: 1, when: "-i --inplace --in-place", options: options{value: "-o -p --output-format --input-format -I --indent"}},
		"jaq": {op: OpInPlace, operands: all, skip: 1, when: "-i --in-place",
			options: options{value: "--arg --argjson"}},

		"curl": {output: "-o --output -D --dump-header -c --cookie-jar", op: OpOutput, operands: urls, when: "-O --remote-name", options: options{value: "-o --output -D --dump-header " +
			"-c --cookie-jar -b --cookie -H --header -d --data --data-raw --data-binary --data-urlencode -X --request -u --user -A --user-agent -e --referer -F --form " +
			"-m --max-time --connect-timeout --retry --retry-delay -w --write-out -x --proxy --unix-socket --cacert --cert --key -T --upload-file --resolve --json --url"}},
		"wget": {output: "-O --output-document -o --output-file", op: OpOutput, operands: urls, unless: "-O --output-document --spider",
			options: options{value: "-O --output-document -o --output-file -P -T -t -U --header --timeout"}},
		"sort": {output: "-o --output", options: options{value: "-o --output -k --key -t --field-separator -S --buffer-size -T --parallel"}},
		"shuf": {output: "-o --output", options: options{value: "-o --output -n -i -e"}},
		"tree": {output: "-o", options: options{value: "-o -L -I -P"}},
		"gcc":  {output: "-o", opaque: true, when: "-o -fsyntax-only -E", options: options{value: "-o -I -L -D -x -include", single: true}},
		"cc":   {output: "-o", opaque: true, when: "-o -fsyntax-only -E", options: options{value: "-o -I -L -D -x -include", single: true}},
		"g++":  {output: "-o", opaque: true, when: "-o -fsyntax-only -E", options: options{value: "-o -I -L -D -x -include", single: true}},
		"clang": {output: "-o", opaque: true, when: "-o -fsyntax-only -E",
			options: options{value: "-o -I -L -D -x -include", single: true}},
		"pandoc":   {output: "-o --output", options: options{value: "-o --output -f -t --from --to"}},
		"xmllint":  {output: "-o --output", options: options{value: "-o --output --xpath --schema --encode"}},
		"tsc":      {op: OpFormat, opaque: true, when: "--noEmit --version -v"},
		"tar":      {opaque: true, when: "-t --list tf tzf tvf"},
		"unzip":    {opaque: true, when: "-l -p -t -v -Z"},
		"source":   {opaque: true, when: "--never"},
		".":        {opaque: true, when: "--never"},
		"vim":      {opaque: true, when: "--version"},
		"ast-grep": {opaque: true, when: "--json"},
	}
	for name, r := range formatters() {
		r.op = OpFormat
		r.tree = true
		r.operands = all
		table[name] = r
	}
	return table
})

// formatters are programs that write the files they are given. When a formatter
// is only asked, it writes nothing.
func formatters() map[string]rule {
	return map[string]rule{
		"gofmt":         {when: "-w", options: options{value: "-r -cpuprofile", single: true}},
		"goimports":     {when: "-w", options: options{value: "-local -srcdir", single: true}},
		"gofumpt":       {when: "-w", options: options{value: "-lang -modpath", single: true}},
		"gci write":     {options: options{value: "-s --section"}},
		"golines":       {when: "-w", options: options{value: "-m -t -b", single: true}},
		"go fmt":        {here: true, unless: "-n", options: options{single: true}},
		"go fix":        {here: true, options: options{single: true}},
		"golangci-lint": {skip: 1, here: true, when: "--fix", options: options{value: "-c --config -E --enable -D --disable --timeout"}},

		"prettier": {when: "--write -w --fix", options: options{value: "--config --parser --plugin --ignore-path --tab-width --print-width --log-level --loglevel"}},
		"eslint": {when: "--fix", here: true,
			options: options{value: "-c --config --ext --rule --parser --plugin --ignore-path --ignore-pattern -f --format --max-warnings --cache-location --resolve-plugins-relative-to --env --global"}},
		"oxlint":            {when: "--fix", here: true, options: options{value: "-c --config -D -A -W"}},
		"stylelint":         {when: "--fix", options: options{value: "--config --custom-syntax --ignore-path"}},
		"standard":          {when: "--fix", here: true},
		"xo":                {when: "--fix", here: true},
		"biome format":      {when: "--write --fix", here: true, options: options{value: "--config-path"}},
		"biome lint":        {when: "--write --fix --apply", here: true, options: options{value: "--config-path"}},
		"biome check":       {when: "--write --fix --apply --apply-unsafe", here: true, options: options{value: "--config-path"}},
		"dprint fmt":        {here: true, unless: "--diff", options: options{value: "--config -c"}},
		"deno fmt":          {here: true, unless: "--check", options: options{value: "--config -c --ignore --ext"}},
		"js-beautify":       {when: "-r --replace", options: options{value: "-s -i --indent-size"}},
		"markdownlint":      {when: "--fix -f", options: options{value: "-c --config -i --ignore -r"}},
		"markdownlint-cli2": {when: "--fix", options: options{value: "--config"}},

		"black":       {unless: "--check --diff --version -c --code", options: options{value: "-l --line-length -t --target-version --config --include --exclude -c --code"}},
		"ruff format": {here: true, unless: "--check --diff", options: options{value: "--config --line-length --exclude --target-version"}},
		"ruff check": {here: true, when: "--fix --fix-only --unsafe-fixes",
			options: options{value: "--config --select --ignore --extend-select --exclude --line-length --output-format --target-version"}},
		"ruff":         {when: "--fix", options: options{value: "--config --select --ignore --output-format"}},
		"isort":        {unless: "--check --check-only -c --diff --stdout -d", options: options{value: "--profile -l --line-length --settings-path --sp"}},
		"autopep8":     {when: "-i --in-place", options: options{value: "--max-line-length --select --ignore"}},
		"autoflake":    {when: "-i --in-place", options: options{value: "--imports --exclude"}},
		"yapf":         {when: "-i --in-place", options: options{value: "--style -l --lines -e --exclude"}},
		"docformatter": {when: "-i --in-place", options: options{value: "--wrap-summaries --wrap-descriptions"}},
		"pyupgrade":    {},
		"djlint":       {when: "--reformat"},
		"sqlfluff fix": {options: options{value: "--dialect --rules --config"}},

		"rustfmt":            {unless: "--check -l --print-config", options: options{value: "--edition --config --config-path --emit"}},
		"cargo fmt":          {here: true, unless: "--check", options: options{value: "-p --package --manifest-path"}},
		"clang-format":       {when: "-i", options: options{value: "-style --style -assume-filename", single: true}},
		"shfmt":              {when: "-w --write", options: options{value: "-i -ln --indent --language-dialect", single: true}},
		"stylua":             {unless: "--check", options: options{value: "--config-path"}},
		"terraform fmt":      {here: true, unless: "-check -diff -write=false", options: options{single: true}},
		"tofu fmt":           {here: true, unless: "-check -diff -write=false", options: options{single: true}},
		"swiftformat":        {unless: "--lint --dryrun", options: options{value: "--config --swiftversion"}},
		"swift-format":       {when: "-i --in-place"},
		"ktlint":             {when: "-F --format", here: true},
		"ktfmt":              {},
		"google-java-format": {when: "-i -r --replace"},
		"rubocop":            {when: "-a -A --autocorrect --autocorrect-all --auto-correct -x", here: true, options: options{value: "-c --config --only --except"}},
		"standardrb":         {when: "--fix", here: true},
		"dart format":        {unless: "-o --output", options: options{value: "-l --line-length -o --output"}},
		"mix format":         {here: true, unless: "--check-formatted --dry-run"},
		"zig fmt":            {unless: "--check"},
		"buf format":         {when: "-w --write", here: true},
		"taplo fmt":          {here: true, unless: "--check --diff"},
		"taplo format":       {here: true, unless: "--check --diff"},
		"nixfmt":             {unless: "-c --check"},
		"nixpkgs-fmt":        {unless: "--check"},
		"alejandra":          {unless: "-c --check"},
		"php-cs-fixer fix":   {here: true, unless: "--dry-run", options: options{value: "--config --rules"}},
		"phpcbf":             {options: options{single: true}},
		"pint":               {here: true, unless: "--test"},
		"ormolu":             {when: "-i"},
		"fourmolu":           {when: "-i"},
		"elm-format":         {unless: "--validate"},
		"csharpier":          {unless: "--check"},
		"scalafmt":           {here: true, unless: "--test --check"},
		"codespell":          {when: "-w --write-changes", here: true, options: options{value: "-L -S --skip --ignore-words-list"}},
		"typos":              {when: "-w --write-changes", here: true},
		"addlicense":         {unless: "-check", options: options{value: "-c -l -f -y -ignore", single: true}},
	}
}
