#!/usr/bin/env bash
# Runs t0303-credential-external.sh, git's own test for credential helpers, against the
# debug build: with the distribution's git, and with a newer one if that is first on PATH.
#
# The test comes, unmodified, from the distribution's source package of git, fetched with
# apt under a configuration of its own and kept in target/t0303. It expects a built source
# tree around it but uses almost nothing of that, so stand-ins do: see prepare.
#
#   T0303_HELPER=store   test another helper, to see that the mechanism works
#   T0303_SUITE=NAME     take the source package from this suite (default: the machine's own)
set -euo pipefail

root=$(cd -- "$(dirname -- "$0")/.." && pwd)
cd -- "$root"
target=${CARGO_TARGET_DIR:-target}
[[ $target == /* ]] || target=$root/$target
cache=$target/t0303
helper=${T0303_HELPER:-hf}

fail() {
	printf 'FAILED: t0303: %s\n' "$1" >&2
	exit 1
}
skip() {
	[[ ${GIT_CREDENTIAL_HF_TESTS_ALL-} != 1 ]] || fail "$1, and GIT_CREDENTIAL_HF_TESTS_ALL=1 allows no skipping"
	printf 'skipped: t0303: %s\n' "$1"
	exit 0
}

mkdir -p -- "$cache"
tmp=$(mktemp -d)
trap 'rm -rf -- "$tmp"' EXIT
version_of() { "$1" version | sed 's/^git version \([0-9.]*[0-9]\).*/\1/'; }
at_most() { [[ $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; }

# --- git's test, from the source package ---------------------------------------------

# fetch SUITE: puts the test of that suite's git into $cache/SUITE, its version in VERSION.
fetch() {
	tests/git-source.sh "$cache/$1" "$own_suite" "$1" \
		'*/t/[!t]*.sh' '*/t/[!t]*.pl' '*/t/test-lib*.sh' '*/t/t0303-*.sh'
}

# What test-lib.sh looks for in a built tree: the build's options, the built templates, and
# test-tool, of which this test needs one subcommand (how git reads a boolean variable).
# Anything else asked of it is recorded, and makes the run fail.
prepare() {
	mkdir -p -- "$1/templates/blt" "$1/t/helper"
	cat >"$1/GIT-BUILD-OPTIONS" <<-'OPTIONS'
		SHELL_PATH=/bin/sh
		TEST_SHELL_PATH=/bin/sh
		PERL_PATH=/usr/bin/perl
		DIFF=diff
		X=
	OPTIONS
	cat >"$1/t/helper/test-tool" <<-'TOOL'
		#!/bin/sh
		case "$1 $2 $3 $4" in
		"env-helper --type=bool --default="*" --exit-code")
			eval "value=\${$5-${3#--default=}}"
			case $value in
			true | yes | on | 1) exit 0 ;;
			false | no | off | 0 | '') exit 1 ;;
			esac
			;;
		esac
		echo "$*" >>"$T0303_UNEXPECTED"
		exit 1
	TOOL
	chmod +x "$1/t/helper/test-tool"
}

# --- one run ----------------------------------------------------------------------------

run() { # run GIT SUITE
	local git=$1 tree=$cache/$2 dir=$tmp/run-$2 status=0 planned passed
	printf '# t0303 of git %s with %s (%s), helper %s\n' "$(cat "$tree/VERSION")" "$git" "$(version_of "$git")" "$helper"

	prepare "$tree"

	# test-lib.sh puts this folder first on PATH. With links in it, a helper installed
	# beside git cannot take the place of the one under test.
	mkdir -p -- "$dir"/{bin,home,out}
	ln -s -- "$git" "$dir/bin/git"
	if [[ $helper == hf ]]; then
		ln -s -- "$target/debug/git-credential-hf" "$dir/bin/git-credential-hf"
		# git looks there before it looks at PATH.
		[[ ! -e $("$git" --exec-path)/git-credential-hf ]] || fail "$("$git" --exec-path) has a git-credential-hf of its own"
	fi
	cat >"$dir/home/config.toml" <<-'CONFIG'
		version = 1
		storage = "file"
		hints = false

		[endpoints]
		"https://example.com" = { save = "any" }
		"https://victim.example.com" = { save = "any" }
		"http://path.tld" = { allow_http = true, save = "any" }
		"https://timeout.tld" = { save = "any" }
		"https://sso.tld" = { save = "any" }
		"https://badguy.example.com" = { save = "any" }
		"https://other.tld" = { save = "any" }
		"http://example.com" = { allow_http = true, save = "any" }
		"https://git.example.com" = { save = "any" }
		"https://git2.example.com" = { save = "any" }
	CONFIG
	chmod 700 "$dir/home"

	# test-lib.sh clears GIT_* but for GIT_TEST_*, so the helper's own variable is set from
	# the setup command, which the test runs after that.
	(
		cd -- "$tree/t"
		for name in $(compgen -e); do
			case $name in GIT_* | HF_* | HUGGING_FACE_* | SSH_ASKPASS | HARNESS_* | XDG_*) unset "$name" ;; esac
		done
		export T0303_UNEXPECTED=$dir/unexpected T0303_HOME=$dir/home
		export GIT_TEST_INSTALLED=$dir/bin GIT_TEST_CREDENTIAL_HELPER=$helper TEST_OUTPUT_DIRECTORY=$dir/out
		# shellcheck disable=SC2016  # for the test's shell to expand
		export GIT_TEST_CREDENTIAL_HELPER_SETUP='GIT_CREDENTIAL_HF_HOME=$T0303_HOME; export GIT_CREDENTIAL_HF_HOME'
		exec sh ./t0303-credential-external.sh --verbose --no-color --root="$dir/out"
	) >"$dir/log" 2>&1 </dev/null || status=$?

	grep -E '^(ok|not ok) |^1\.\.|^# (passed|failed|still|skip)' "$dir/log" || true
	if ((status != 0)); then
		# From "expecting success" to the verdict. One is enough: the tests build on each other.
		printf '# the first failure in full:\n' >&2
		awk '/^#\t/ { next } /^expecting / { part = "" } { part = part "  | " $0 "\n" }
			/^not ok / { exit } /^ok / { part = "" } END { printf "%s", part }' "$dir/log" >&2
		return "$status"
	fi

	# A pass counts only if everything planned was really run.
	planned=$(sed -n 's/^1\.\.\([0-9]*\)$/\1/p' "$dir/log")
	passed=$(grep -c '^ok ' "$dir/log" || true)
	if [[ -z $planned || $planned == 0 || $planned != "$passed" ]]; then
		cat "$dir/log" >&2
		fail "$passed of ${planned:-an unknown number of} tests ran"
	fi
	if grep -qiE '^(ok .*# (skip|todo)|1\.\.0)' "$dir/log"; then fail "a test was skipped"; fi
	[[ ! -e $dir/unexpected ]] || fail "the stand-in for test-tool was asked for: $(cat "$dir/unexpected")"
}

# ----------------------------------------------------------------------------------------

for tool in apt-get apt-config; do
	command -v "$tool" >/dev/null || skip "there is no $tool here to fetch git's sources with"
done
# shellcheck source=/dev/null
own_suite=${T0303_SUITE:-$(. /etc/os-release && printf '%s' "${VERSION_CODENAME-}")}
[[ -n $own_suite ]] || skip "this system's release has no name; set T0303_SUITE"
[[ $helper != hf ]] || cargo build --locked --quiet

first=$(command -v git) || fail "git was not found"
system=/usr/bin/git
[[ -x $system ]] || system=$first
status=0
fetch "$own_suite" || fail "the source package of git could not be had from the machine's apt sources"
run "$system" "$own_suite" || status=$?

# A newer git deserves a newer test: on Debian, that of a later release, as long as it is
# not newer than the git itself. It has more to check (expiry, refresh tokens, erase).
if ! [[ $first -ef $system ]] && ! at_most "$(version_of "$first")" "$(version_of "$system")"; then
	suite=$own_suite
	if grep -qx 'ID=debian' /etc/os-release; then
		for later in stable oldstable; do
			if fetch "$later" && at_most "$(cat "$cache/$later/VERSION")" "$(version_of "$first")"; then
				suite=$later
				break
			fi
		done
	fi
	[[ $suite != "$own_suite" ]] || printf '# no later test to be had, so the same one again\n'
	run "$first" "$suite" || status=$?
fi
exit "$status"
