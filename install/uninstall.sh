#!/bin/sh
# Takes back what install.sh did: git's configuration first, the program last.
set -eu

name=git-credential-hf

usage() {
	cat <<'USAGE'
Remove git-credential-hf: its lines in git's configuration and the program itself.
Tokens and configuration stay, unless asked for.

usage: ./install/uninstall.sh [--prefix DIR] [--tokens]

  --prefix DIR   the program is in DIR/bin (so says the variable PREFIX)
  --tokens       also delete every token, the configuration and the state,
                 also once the program is gone
  -h, --help     show this text

examples:
  ./install/uninstall.sh
  ./install/uninstall.sh --prefix ~/tools --tokens
USAGE
}

say() { printf '%s\n' "$*"; }
die() {
	printf 'error: %s\n' "$1" >&2
	shift
	for line; do printf '  %s\n' "$line" >&2; done
	exit 1
}
misuse() {
	printf 'error: %s\n' "$1" >&2
	say "usage: ./install/uninstall.sh [--prefix DIR] [--tokens]" >&2
	exit 2
}

prefix=${PREFIX-}
tokens=no
while [ $# -gt 0 ]; do
	case $1 in
	--prefix)
		[ $# -gt 1 ] || misuse "--prefix needs a folder"
		prefix=$2
		shift
		;;
	--prefix=*) prefix=${1#--prefix=} ;;
	--tokens) tokens=yes ;;
	-h | --help)
		usage
		exit
		;;
	*) misuse "unknown argument: $1" ;;
	esac
	shift
done
[ -n "${HOME-}" ] || die "HOME is not set, so git's configuration cannot be found"

# The folders install.sh chooses from. PATH is not asked: it may have changed since.
find_program() {
	if [ -n "$prefix" ]; then
		case $prefix in
		/*) set -- "${prefix%/}/bin" ;;
		*) set -- "$PWD/${prefix%/}/bin" ;;
		esac
	elif [ "$(id -u)" -eq 0 ]; then
		set -- /usr/local/bin
	else
		set -- "$HOME/.local/bin" "${CARGO_HOME:-$HOME/.cargo}/bin"
	fi
	program=
	for dir; do
		if [ -e "$dir/$name" ] || [ -L "$dir/$name" ]; then
			program=$dir/$name
			return
		fi
	done
	elsewhere=$(command -v "$name") || elsewhere=
	if [ "$tokens" = yes ] && [ -z "$prefix$elsewhere" ]; then return; fi
	die "no $name in: $*" ${elsewhere:+"there is one at $elsewhere"} "name the folder given to install.sh: --prefix DIR"
}
find_program

# The program's own folders. A relative XDG path counts as unset, as its specification says.
absolute() { case $1 in /*) say "$1" ;; *) say "$2" ;; esac; }
if [ -n "${GIT_CREDENTIAL_HF_HOME-}" ]; then
	config=$GIT_CREDENTIAL_HF_HOME
	data=$config
elif [ "$(uname -s)" = Darwin ]; then
	config="$HOME/Library/Application Support/$name"
	data=$config
else
	config=$(absolute "${XDG_CONFIG_HOME-}" "$HOME/.config")/$name
	data=$(absolute "${XDG_DATA_HOME-}" "$HOME/.local/share")/$name
fi
# What this program has made in a folder. Files of others may be beside them, and stay.
remove_own() {
	for file in config.toml config.lock state.json state.lock tokens.lock; do
		rm -f -- "$1/$file" "$1/.$file".[0-9]*-[0-9]*-[0-9]*.tmp
	done
	for folder in tokens locks; do
		[ -L "$1/$folder" ] || [ ! -d "$1/$folder" ] && continue
		rm -f -- "$1/$folder"/*-????????????????.token "$1/$folder"/.*.token.[0-9]*-[0-9]*-[0-9]*.tmp \
			"$1/$folder"/*-????????????????.renewal "$1/$folder"/????????????????.lock "$1/$folder/import.lock"
		rmdir -- "$1/$folder" 2>/dev/null || :
	done
	rmdir -- "$1" 2>/dev/null || :
	if [ -d "$1" ]; then say "kept $1, where other files are"; fi
}
remove_all_own() {
	remove_own "$config"
	[ "$data" = "$config" ] || remove_own "$data"
	say "removed every token, the configuration and the state"
}

# After an uninstallation that kept the tokens. Those in a keyring need a program that reaches it.
if [ -z "$program" ]; then
	if grep -qs '"storage": "keyring"' "$data/state.json"; then
		if [ "$(uname -s)" = Darwin ]; then
			for service in "$name" "$name-renewal"; do
				while security delete-generic-password -s "$service" >/dev/null 2>&1; do :; done
			done
		elif command -v secret-tool >/dev/null; then
			secret-tool clear service "$name"
			secret-tool clear service "$name-renewal"
		else
			die "some tokens are in the system's keyring, and secret-tool is not installed" \
				"remove the entries of $name there, then the rest: rm -r -- '$config' '$data'"
		fi
	fi
	remove_all_own
	exit
fi

# install.sh makes a plain file that nobody else keeps a record of. Anything else
# belongs to a package manager, which would be surprised to find it gone.
if [ -L "$program" ] || [ ! -f "$program" ]; then
	die "$program is not a plain file, so install.sh did not make it" "remove it the way it was installed"
fi
if command -v dpkg >/dev/null && dpkg -S "$program" >/dev/null 2>&1; then
	die "$program belongs to a package" "remove it with apt"
fi
if command -v rpm >/dev/null && rpm -qf "$program" >/dev/null 2>&1; then
	die "$program belongs to a package" "remove it with the package manager"
fi
if grep -qs "\"$name\"" "$(dirname -- "$program")/../.crates.toml"; then
	die "$program was installed by 'cargo install'" "remove it with: cargo uninstall $name"
fi
[ -w "$(dirname -- "$program")" ] || die "cannot write to $(dirname -- "$program")" "run this script as who installed it"

# unconfigure may need the state, so it comes before anything is deleted.
"$program" unconfigure || die "unconfigure failed, nothing was removed" \
	"git may still call $program; see: git config --show-origin --get-regexp '^credential'"

if [ "$tokens" = yes ]; then
	"$program" logout --all --yes || die "deleting the tokens failed" \
		"git no longer uses $program, but it, the tokens and the configuration are still there"
	remove_all_own
fi

rm -f -- "$program"
say "removed $program"

if [ "$tokens" = no ]; then
	kept=
	for dir in "$config" "$data"; do
		[ -d "$dir" ] || continue
		[ "$kept" != "$dir" ] || continue
		[ -n "$kept" ] || say "kept: tokens (in the system's keyring, if one is used), and"
		say "  $dir"
		kept=$dir
	done
	if [ -n "$kept" ]; then
		say "to delete these too: ./install/uninstall.sh --tokens"
	else
		say "no configuration or state was found; tokens are only removed with --tokens"
	fi
fi
if left=$(command -v "$name"); then say "note: another $name is still on PATH: $left"; fi
