#!/usr/bin/env bash
# install/install.sh and install/uninstall.sh, run as a user would: from an untouched
# copy of the tree, with a home folder and prefixes of their own, all with a space in
# their names. The release build is kept in target/install for the next time.
set -euo pipefail

root=$(cd -- "$(dirname -- "$0")/.." && pwd)
cd -- "$root"
target=${CARGO_TARGET_DIR:-target}
[[ $target == /* ]] || target=$root/$target

# The home folder is about to change; the Rust toolchain stays where it is.
export CARGO_HOME=${CARGO_HOME:-$HOME/.cargo} RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
export CARGO_TARGET_DIR=$target/install

for name in $(compgen -e); do
	case $name in
	GIT_SSL_* | GIT_PROXY*) ;;
	GIT_* | SSH_ASKPASS | HF_* | HUGGING_FACE_* | PREFIX) unset "$name" ;;
	XDG_CONFIG_HOME | XDG_DATA_HOME | XDG_STATE_HOME | XDG_CACHE_HOME) unset "$name" ;;
	esac
done
export GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 LC_ALL=C

tmp=$(mktemp -d)
trap 'rm -rf -- "$tmp"' EXIT
export HOME="$tmp/a home"
gitconfig=$HOME/.gitconfig
log=$tmp/log

fail() {
	printf 'FAILED: %s\n' "$1" >&2
	if [[ -s $log ]]; then sed 's/^/  | /' "$log" >&2; fi
	exit 1
}
ok() { printf 'ok - %s\n' "$1"; }
quietly() { "$@" >"$log" 2>&1; }
# Every file below the given folders, with its content's checksum.
snapshot() { find "$@" -type f -exec cksum {} + | sort; }

# The files git knows or would add, at a path that stays the same, so that cargo need
# not build again what did not change.
copy="$target/install-tree/a clone"
rm -rf -- "$copy"
mkdir -p -- "$copy"
git ls-files -z --cached --others --exclude-standard |
	while IFS= read -r -d '' file; do
		# A link is copied as one; a file that was deleted but not committed is left out.
		if [[ -e $file || -L $file ]]; then printf '%s\0' "$file"; fi
	done | xargs -0 tar -cf - -- | tar -xf - -C "$copy"
install=$copy/install/install.sh
uninstall=$copy/install/uninstall.sh

# What git sees when it is started from a desktop, without the user's PATH.
gui() { env -i HOME="$HOME" PATH=/usr/bin:/bin GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 "$@"; }

check_configured() { # check_configured PROGRAM
	local helpers helper token answer
	helpers=$(git config --global --get-all credential.https://huggingface.co.helper | sed 's/^$/(reset)/') ||
		fail "configure left no helper for https://huggingface.co in $gitconfig"
	[[ $helpers == *'(reset)'* ]] || fail "no reset before our helper, so other helpers are handed tokens: $helpers"
	[[ $(git config --global --get credential.https://huggingface.co.useHttpPath) == true ]] ||
		fail "useHttpPath is not true for https://huggingface.co"

	helper=$(gui git config --get-all credential.https://huggingface.co.helper | tail -n 1)
	case $helper in
	hf) gui sh -c 'command -v git-credential-hf' >/dev/null || fail "helper = hf, but a plain PATH does not find it" ;;
	/* | !*)
		# Git hands this value to a shell, so that is how to read it.
		gui sh -c "set -- ${helper#!}; test -x \"\$1\" && test \"\$1\" -ef \"\$0\"" "$1" ||
			fail "helper = $helper, which is not $1"
		;;
	*) fail "helper = $helper, neither a bare name nor an absolute path" ;;
	esac

	token=hf_$(od -An -N17 -tx1 /dev/urandom | tr -d ' \n')
	answer=$(printf 'protocol=https\nhost=huggingface.co\n\n' | gui HF_TOKEN="$token" git credential fill 2>"$log") ||
		fail "git credential fill failed"
	grep -qx "password=$token" <<<"$answer" || fail "git credential fill did not answer with HF_TOKEN"
	if grep -rqF "$token" "$HOME"; then fail "a token from the environment was written below the home folder"; fi
}

# 1. With --prefix, for someone whose configuration has a life of its own: another
# helper, odd spacing, and a last line that does not end.
mkdir -p -- "$HOME"
printf '# mine\n[user]\n  name=A B\n[credential]\n\thelper = cache  # stays\n[alias]\n\tst = status' >"$gitconfig"
cp -- "$gitconfig" "$tmp/gitconfig.before"
prefix="$tmp/a prefix"
program=$prefix/bin/git-credential-hf

# Not quietly: a release build takes minutes, and cargo shows how far it is.
"$install" --prefix "$prefix" || fail "install.sh --prefix"
quietly "$program" -h || fail "the installed program does not run"
[[ $(find "$prefix" -type f) == "$program" ]] || fail "install.sh left other files in the prefix: $(find "$prefix" -type f)"
ok "install.sh --prefix installs one program that runs"
(($(wc -c <"$program") < 6000000)) || fail "the program has grown to $(wc -c <"$program") bytes"
ok "the program is under 6 MB"
check_configured "$program"
ok "git finds the helper, also without the user's PATH"

snapshot "$prefix" "$HOME" >"$tmp/first"
quietly "$install" "--prefix=$prefix" || fail "install.sh, the second time"
snapshot "$prefix" "$HOME" >"$tmp/second"
cmp -s "$tmp/first" "$tmp/second" || fail "installing twice changed something: $(diff "$tmp/first" "$tmp/second")"
ok "installing twice changes nothing"

quietly "$uninstall" --prefix "$prefix" || fail "uninstall.sh --prefix"
cmp -s "$gitconfig" "$tmp/gitconfig.before" || fail "uninstall.sh changed .gitconfig: $(diff "$tmp/gitconfig.before" "$gitconfig")"
[[ -z $(find "$prefix" ! -type d) ]] || fail "uninstall.sh left files in the prefix: $(find "$prefix" ! -type d)"
ok "uninstall.sh leaves .gitconfig byte for byte as it was, and nothing in the prefix"

# 2. With PREFIX, for someone without any configuration; tokens go too.
rm -rf -- "$HOME"
mkdir -- "$HOME"
PREFIX="$prefix" quietly "$install" || fail "PREFIX=.. install.sh, with an empty home folder"
check_configured "$program"
PREFIX="$prefix" quietly "$uninstall" --tokens || fail "PREFIX=.. uninstall.sh --tokens"
[[ -z $(find "$HOME" "$prefix" ! -type d) ]] || fail "--tokens left files: $(find "$HOME" "$prefix" ! -type d)"
ok "uninstall.sh --tokens leaves an empty home folder as empty as it was"

# 3. Without a prefix, not as root (which id only pretends): ~/.local/bin.
mkdir -- "$tmp/fake"
printf '#!/bin/sh\necho 1000\n' >"$tmp/fake/id"
chmod +x "$tmp/fake/id"
# Neither folder that install.sh prefers is on this PATH, only the tools it runs.
for tool in cargo rustc cc git; do ln -s -- "$(command -v "$tool")" "$tmp/fake/$tool"; done
as_user() { PATH=$tmp/fake:/usr/bin:/bin quietly "$@"; }
local_program=$HOME/.local/bin/git-credential-hf
as_user "$install" --no-configure || fail "install.sh without a prefix"
[[ -x $local_program ]] || fail "install.sh without a prefix did not install $local_program"
grep -q 'is not on PATH' "$log" || fail "install.sh does not say that $HOME/.local/bin is not on PATH"
[[ ! -e $gitconfig ]] || fail "--no-configure wrote $gitconfig"
as_user "$local_program" configure || fail "configure"
check_configured "$local_program"
as_user "$uninstall" || fail "uninstall.sh without a prefix"
[[ ! -e $local_program ]] || fail "uninstall.sh without a prefix left $local_program"
ok "without a prefix the program goes to ~/.local/bin, and back"

# 4. Linked statically, where Rust has what that takes; else it says how to get that.
if quietly env PATH="$tmp/fake:/usr/bin:/bin" "$install" --prefix "$tmp/static" --static --no-configure; then
	quietly readelf -d "$tmp/static/bin/git-credential-hf" || fail "readelf"
	if grep -q NEEDED "$log"; then fail "--static made a program that loads libraries"; fi
	ok "--static installs a program that loads nothing"
else
	grep -Eq 'rustup target add [a-z0-9_]+-unknown-linux-musl|musl-tools' "$log" || fail "--static fails without a way out"
	[[ ! -e $tmp/static/bin/git-credential-hf ]] || fail "--static failed and installed something"
	ok "--static says what is missing"
fi

# 5. What uninstall.sh must not do.
mkdir -p -- "$prefix/bin"
ln -s /bin/true "$program"
if quietly "$uninstall" --prefix "$prefix" || [[ ! -L $program ]]; then fail "uninstall.sh removed a link that it did not make"; fi
rm -- "$program"
printf '#!/bin/sh\nexit 1\n' >"$program"
chmod +x "$program"
if quietly "$uninstall" --prefix "$prefix" --tokens || [[ ! -e $program ]]; then fail "uninstall.sh went on after unconfigure failed"; fi
printf '#!/bin/sh\nexit 0\n' >"$program"
mkdir -p -- "$tmp/own/tokens" "$tmp/own/locks"
for file in config.toml state.json .state.json.17-0-5.tmp state.lock tokens/work-0123456789abcdef.token \
	tokens/.work-0123456789abcdef.token.17-0-5.tmp locks/0123456789abcdef.lock \
	thesis.tex .thesis.tex.tmp tokens/notes; do
	echo mine >"$tmp/own/$file"
done
GIT_CREDENTIAL_HF_HOME=$tmp/own quietly "$uninstall" --prefix "$prefix" --tokens || fail "uninstall.sh --tokens"
left=$(cd "$tmp/own" && find . ! -type d | sort | tr '\n' ' ')
[[ $left == "./.thesis.tex.tmp ./thesis.tex ./tokens/notes " ]] || fail "uninstall.sh --tokens left: $left"
ok "uninstall.sh --tokens removes this program's own files and no other"

# What it says about the tokens that it keeps is done as it says, with the program gone.
mkdir -p -- "$(dirname -- "$local_program")" "$tmp/kept/tokens"
for file in config.toml state.json tokens/work-0123456789abcdef.token; do echo mine >"$tmp/kept/$file"; done
printf '#!/bin/sh\nexit 0\n' >"$local_program"
chmod +x "$local_program"
GIT_CREDENTIAL_HF_HOME=$tmp/kept as_user "$uninstall" || fail "uninstall.sh without --tokens"
[[ -e $tmp/kept/state.json ]] || fail "uninstall.sh removed tokens unasked"
advice=$(sed -n 's/^to delete these too: //p' "$log")
# shellcheck disable=SC2086  # It is a command with arguments.
(cd "$copy" && GIT_CREDENTIAL_HF_HOME=$tmp/kept as_user $advice) || fail "$advice, once the program is gone"
[[ ! -e $tmp/kept ]] || fail "$advice left: $(find "$tmp/kept")"
ok "uninstall.sh names what deletes the tokens later, and that does"
if quietly "$uninstall" --prefix "$tmp/none"; then fail "uninstall.sh found a program where there is none"; fi
ok "uninstall.sh stops at what it did not install, and when unconfigure fails"
