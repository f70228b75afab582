#!/bin/sh
# Builds git-credential-hf from this clone, installs it and tells git about it.
# Keeps no record of what it did: install/uninstall.sh finds the program again.
set -eu

name=git-credential-hf

usage() {
	cat <<'USAGE'
Build git-credential-hf from this clone, install it and configure git to use it.

usage: ./install/install.sh [--prefix DIR] [--no-configure] [--static] [--login]

  --prefix DIR     install into DIR/bin (so does the variable PREFIX)
  --no-configure   leave git's configuration alone
  --static         link all libraries in (Linux): starts faster, and can be copied to any
                   other Linux of this processor, a container or an old server
  --login          then ask for a token and show what it may do
  -h, --help       show this text

Without a prefix the program goes to /usr/local/bin for root; for anyone else to
~/.local/bin or cargo's bin folder, whichever is on PATH, and failing both to ~/.local/bin.

examples:
  ./install/install.sh
  ./install/install.sh --prefix ~/tools
  ./install/install.sh --static --no-configure --prefix /tmp/image
  sudo ./install/install.sh --no-configure      # then everyone: git credential-hf configure
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
	say "usage: ./install/install.sh [--prefix DIR] [--no-configure] [--static] [--login]" >&2
	exit 2
}
on_path() { case ":$PATH:" in *":$1:"*) ;; *) return 1 ;; esac; }

prefix=${PREFIX-}
configure=yes
static=
login=
while [ $# -gt 0 ]; do
	case $1 in
	--prefix)
		[ $# -gt 1 ] || misuse "--prefix needs a folder"
		prefix=$2
		shift
		;;
	--prefix=*) prefix=${1#--prefix=} ;;
	--no-configure) configure=no ;;
	--static) static=yes ;;
	--login) login=yes ;;
	-h | --help)
		usage
		exit
		;;
	*) misuse "unknown argument: $1" ;;
	esac
	shift
done

# Where it goes. Keep in step with find_program in uninstall.sh.
if [ -n "$prefix" ]; then
	case $prefix in
	/*) bindir=${prefix%/}/bin ;;
	*) bindir=$PWD/${prefix%/}/bin ;;
	esac
elif [ "$(id -u)" -eq 0 ]; then
	bindir=/usr/local/bin
else
	[ -n "${HOME-}" ] || die "HOME is not set, so there is no folder to install into" "name one: --prefix DIR"
	bindir=$HOME/.local/bin
	cargo_bin=${CARGO_HOME:-$HOME/.cargo}/bin
	if ! on_path "$bindir" && on_path "$cargo_bin"; then bindir=$cargo_bin; fi
fi
program=$bindir/$name

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd -- "$root"
[ -f Cargo.toml ] || die "no Cargo.toml in $root" "run this script from a clone of $name"

scratch=$(mktemp -d)
staged=
trap 'rm -rf -- "$scratch"; [ -z "$staged" ] || rm -f -- "$staged"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# What the build needs. Programs are run, not only looked up: on macOS git and cc
# exist as stand-ins that fail until the command line tools are installed.
git --version >/dev/null 2>&1 || die "git was not found" \
	"install it with your package manager (the package is called git; macOS: xcode-select --install)"

wanted=$(sed -n 's/^rust-version *= *"\([0-9.]*\)".*/\1/p' Cargo.toml)
how_rust="install Rust ${wanted:-(stable)} or newer: your distribution's cargo package if it is new enough, else rustup"
cargo --version >/dev/null 2>&1 || die "cargo was not found (or does not run)" "$how_rust" \
	"with sudo, root's PATH may lack it: run this script as yourself, or build as root with rustup"
found=$(cargo --version | sed 's/^cargo \([0-9.]*\).*/\1/')
older() { # older A B: is version A lower than B?
	printf '%s\n%s\n' "$1" "$2" | awk -F. '
		NR == 1 { a = $1 * 1000000 + $2 * 1000 + $3 }
		NR == 2 { b = $1 * 1000000 + $2 * 1000 + $3 }
		END { exit !(a < b) }'
}
if [ -n "$wanted" ] && older "$found" "$wanted"; then
	die "cargo $found is too old, $name needs $wanted" "$how_rust" "with rustup: rustup update stable"
fi

# Linking a program also notices missing C library files, which 'cc --version' does not.
say 'int main(void) { return 0; }' >"$scratch/try.c"
cc -o "$scratch/try" "$scratch/try.c" >/dev/null 2>&1 || die "no working C compiler and linker (cc), which Rust links with" \
	"Debian, Ubuntu: apt install gcc libc6-dev    Fedora: dnf install gcc    Arch: pacman -S gcc" \
	"Alpine: apk add gcc musl-dev                 macOS: xcode-select --install"

# musl is made for static linking; glibc looks names up through libraries of its own version,
# which a copy of the program does not find elsewhere.
set --
if [ -n "$static" ]; then
	host=$(rustc -vV | sed -n 's/^host: //p')
	case $host in
	*-linux-musl*)
		platform=$host
		export RUSTFLAGS="${RUSTFLAGS-} -C target-feature=+crt-static"
		;;
	*-linux-gnu*)
		platform=${host%%-gnu*}-musl${host##*-gnu}
		libraries=$(rustc --print target-libdir --target "$platform" 2>/dev/null) || libraries=
		[ -d "$libraries" ] || die "Rust has no standard library for $platform here" "rustup target add $platform" \
			"(a distribution's Rust seldom has it: install Rust with rustup)"
		musl-gcc --version >/dev/null 2>&1 || die "musl-gcc was not found, which the TLS library is compiled with" \
			"Debian, Ubuntu: apt install musl-tools    Fedora: dnf install musl-gcc    Arch: pacman -S musl"
		# Its name differs from one processor to the next, unless it is named here.
		compiler=CC_$(printf %s "$platform" | tr - _)
		env | grep -q "^$compiler=" || export "$compiler=musl-gcc"
		;;
	*) die "--static is for Linux, not for $host" ;;
	esac
	set -- --target "$platform"
fi

# Before minutes of building: can the result be put there at all?
mkdir -p -- "$bindir" 2>/dev/null || die "cannot create $bindir" "choose another folder: --prefix DIR"
[ -w "$bindir" ] || die "cannot write to $bindir" "choose another folder: --prefix DIR"
[ ! -d "$program" ] || die "$program is a folder" "move it away, or choose another place: --prefix DIR"

say "building $name in $root"
# cargo says itself where the program is: a target directory or a target platform may
# be set in its configuration. Its progress and its errors go to the terminal as usual.
messages=$(cargo build --release --locked --bin "$name" "$@" --message-format=json-render-diagnostics) ||
	die "the build failed, nothing was installed"
built=$(printf '%s\n' "$messages" | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
[ -f "$built" ] || die "cargo did not say where it put the program"

# A new file renamed into place: a git that runs right now sees the old program or
# the new one, and a program in use is not overwritten.
staged=$(mktemp "$bindir/.$name.XXXXXX")
cp -- "$built" "$staged"
chmod 755 "$staged"
mv -f -- "$staged" "$program"
staged=
say "installed $program"

if [ "$configure" = yes ]; then
	"$program" configure || die "$name is installed, but configuring git failed" "try again: '$program' configure"
fi

hf="git credential-hf"
if ! on_path "$bindir"; then
	hf="'$program'"
	say "" && say "note: $bindir is not on PATH. git finds the helper all the same; to type"
	say "'git credential-hf' put this line in your shell's startup file (~/.profile, ~/.zshrc):"
	say "" && say "  export PATH=\"$bindir:\$PATH\""
elif first=$(command -v "$name") && [ "$first" != "$program" ]; then
	say "" && say "note: another $name comes first on PATH: $first"
fi
if [ "$(id -u)" -eq 0 ] && [ "$configure" = yes ]; then
	say "" && say "note: git is configured for root only; others run: $hf configure"
fi

if [ "$login" = yes ]; then
	say ""
	"$program" login || die "$name is installed, but the login failed" "try again: $hf login"
	exit
fi

say "" && say "next:"
[ "$configure" = yes ] || say "  $hf configure"
say "  $hf login NAME       # NAME is yours to choose, such as work"
say "  git clone https://huggingface.co/NAMESPACE/REPO"
