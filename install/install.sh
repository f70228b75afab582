#!/bin/sh
# Installs git-credential-hf and tells git about it. The program is the released one where
# there is one for this machine, and is built from this clone elsewhere.
# Keeps no record of what it did: install/uninstall.sh finds the program again.
set -eu

name=git-credential-hf
# Where the artefacts of a release are. In the copy that belongs to a release, its address.
release=''

usage() {
	cat <<'USAGE'
Install git-credential-hf and configure git to use it. A clone of a release takes the
program of that release; any other clone builds it.

usage: ./install/install.sh [--prefix DIR] [--no-configure] [--release URL] [--build]
                            [--static] [--login]

  --prefix DIR     install into DIR/bin (so does the variable PREFIX)
  --no-configure   leave git's configuration alone
  --release URL    take the program from here: a folder with the artefacts of a release, or
                   its https address; also to go to another version, newer or older
  --build          build it from this clone, whatever was released
  --static         build it, with all libraries linked in (Linux), as in a release: it starts
                   faster, and can be copied to any other Linux of this processor. This is
                   also what is built where Rust has what it takes
  --login          then ask for a token and show what it may do
  -h, --help       show this text

Without a prefix the program goes to /usr/local/bin for root; for anyone else to
~/.local/bin or cargo's bin folder, whichever is on PATH, and failing both to ~/.local/bin.

examples:
  ./install/install.sh
  ./install/install.sh --prefix ~/tools
  ./install/install.sh --release ~/Downloads/git-credential-hf
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
	say "usage: ./install/install.sh [--prefix DIR] [--no-configure] [--release URL] [--build] [--static] [--login]" >&2
	exit 2
}
on_path() { case ":$PATH:" in *":$1:"*) ;; *) return 1 ;; esac; }

prefix=${PREFIX-}
configure=yes
must_release=$release
build=
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
	--release)
		[ $# -gt 1 ] || misuse "--release needs an address or a folder"
		release=$2
		must_release=yes
		shift
		;;
	--release=*)
		release=${1#--release=}
		must_release=yes
		;;
	--build) build=yes ;;
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

scratch=$(mktemp -d)
staged=
trap 'rm -rf -- "$scratch"; [ -z "$staged" ] || rm -f -- "$staged"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Programs are run, not only looked up: on macOS git and cc exist as stand-ins that fail until
# the command line tools are installed.
git --version >/dev/null 2>&1 || die "git was not found" \
	"install it with your package manager (the package is called git; macOS: xcode-select --install)"

# Before minutes of building: can the result be put there at all?
mkdir -p -- "$bindir" 2>/dev/null || die "cannot create $bindir" "choose another folder: --prefix DIR"
[ -w "$bindir" ] || die "cannot write to $bindir" "choose another folder: --prefix DIR"
[ ! -d "$program" ] || die "$program is a folder" "move it away, or choose another place: --prefix DIR"

# Over another version the keyring and the configuration stay as they are.
before=$("$program" --version 2>/dev/null) || before=

# A clone takes the release that it is a clone of, and no other: its commit has the tag of its
# version, and the release is beside the repository that it came from.
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
in_clone() { grep -qs "^name = \"$name\"" "$root/Cargo.toml"; }
release_of_clone() {
	version=$(sed -n 's/^version *= *"\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
	[ -e "$root/.git" ] || return 1
	tagged=$(git -C "$root" rev-parse -q --verify "refs/tags/v$version^{commit}" 2>/dev/null) || return 1
	[ "$tagged" = "$(git -C "$root" rev-parse HEAD 2>/dev/null)" ] || return 1
	[ -z "$(git -C "$root" status --porcelain --untracked-files=no)" ] || return 1
	origin=$(git -C "$root" config --get remote.origin.url) || return 1
	case $origin in
	https://*@*) return 1 ;;
	https://*) ;;
	git@*:*) origin=https://$(printf %s "${origin#git@}" | sed 's,:,/,') ;;
	*) return 1 ;;
	esac
	origin=${origin%/}
	say "${origin%.git}/releases/download/v$version"
}

# Sets `built` to the released program for this machine. Fails where there is none, and ends the
# script where what was downloaded is not what was released.
take_release() {
	case $(uname -s)-$(uname -m) in
	Linux-x86_64 | Linux-amd64) platform=x86_64-unknown-linux-musl ;;
	Linux-aarch64 | Linux-arm64) platform=aarch64-unknown-linux-musl ;;
	Darwin-*) platform=universal-apple-darwin ;;
	*) return 1 ;;
	esac
	fetch SHA256SUMS || return 1
	line=$(grep -E "^[0-9a-f]{64}  $name-[0-9A-Za-z.+-]*-$platform\.tar\.gz\$" "$scratch/SHA256SUMS") || return 1
	archive=${line#*  }
	say "installing ${archive%.tar.gz} from $release"
	fetch "$archive" || die "$archive could not be downloaded" "try again, or build it from a clone: ./install/install.sh --build"
	sum=$(sha256 "$scratch/$archive") || die "the download cannot be checked" "install sha256sum (coreutils), shasum or openssl"
	[ "$sum" = "${line%% *}" ] || die "$archive is not what was released: its SHA-256 is $sum" "nothing was installed; try again"
	tar -xzf "$scratch/$archive" -C "$scratch" || die "$archive cannot be unpacked"
	built=$scratch/${archive%.tar.gz}/$name
	"$built" --version >/dev/null || die "the released program does not run here" "build it from a clone: ./install/install.sh --build"
}
fetch() { # fetch FILE: a file of the release, into $scratch
	case $release in
	https://*)
		if curl --version >/dev/null 2>&1; then
			curl --proto '=https' -fsSL -o "$scratch/$1" "${release%/}/$1"
		else
			wget -q -O "$scratch/$1" "${release%/}/$1"
		fi 2>/dev/null
		;;
	*://*) die "a release is downloaded by https only, not from $release" ;;
	*) cp -- "${release%/}/$1" "$scratch/$1" 2>/dev/null ;;
	esac
}
sha256() {
	for how in 'sha256sum' 'shasum -a 256' 'openssl dgst -sha256 -r'; do
		sum=$($how "$1" 2>/dev/null) || continue
		sum=${sum#\\}
		say "${sum%% *}"
		return
	done
	return 1
}

# What the build needs, and the build: sets `built`.
build_here() {
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
	host=$(rustc -vV 2>/dev/null | sed -n 's/^host: //p')
	has_musl() {
		case $host in *-linux-gnu*) ;; *) return 1 ;; esac
		libraries=$(rustc --print target-libdir --target "${host%%-gnu*}-musl${host##*-gnu}" 2>/dev/null) &&
			[ -d "$libraries" ] && musl-gcc --version >/dev/null 2>&1
	}
	if [ -n "$static" ] || has_musl; then
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

	say "building $name in $root"
	# cargo says itself where the program is: a target directory or a target platform may
	# be set in its configuration. Its progress and its errors go to the terminal as usual.
	messages=$(cargo build --release --locked --bin "$name" "$@" --message-format=json-render-diagnostics) ||
		die "the build failed, nothing was installed"
	built=$(printf '%s\n' "$messages" | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
	[ -f "$built" ] || die "cargo did not say where it put the program"
}

built=
if [ -z "$build$static" ]; then
	if [ -z "$release" ] && in_clone; then release=$(release_of_clone) || release=; fi
	if [ -n "$release" ] && ! take_release; then
		[ -z "$must_release" ] ||
			die "there is no release for this machine at $release" "build it from a clone: ./install/install.sh --build"
		say "there is no release for this machine at $release"
	fi
fi
if [ -z "$built" ]; then
	in_clone || die "no release to install, and no clone of $name to build in $root" "name one: --release URL"
	cd -- "$root"
	build_here
fi

# A new file renamed into place: a git that runs right now sees the old program or
# the new one, and a program in use is not overwritten.
staged=$(mktemp "$bindir/.$name.XXXXXX")
cp -- "$built" "$staged"
chmod 755 "$staged"
mv -f -- "$staged" "$program"
staged=
now=$("$program" --version 2>/dev/null) || now=
say "installed $program${before:+ (${now##* }, ${before##* } before)}"

# On a terminal it offers a login, which --login makes anyway.
configure_git() {
	if [ "$login" = yes ]; then "$program" configure </dev/null; else "$program" configure; fi
}
if [ "$configure" = yes ]; then
	configure_git || die "$name is installed, but configuring git failed" "try again: '$program' configure"
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
