#!/usr/bin/env bash
# git-source.sh DIR OWN SUITE PATTERN..: puts the files that match the patterns out of git's
# source package into DIR, unmodified, and its version into DIR/VERSION. What is there already
# is not fetched again.
#
# OWN is the release that the machine's apt sources name, SUITE the one whose git is wanted. It
# is fetched with apt under a configuration of its own, which changes nothing on the machine.
set -euo pipefail

dir=$1 own=$2 suite=$3
shift 3
[[ ! -f $dir/VERSION ]] || exit 0
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

# The machine's own apt sources, of both formats, as sources of source packages: the
# entries for the machine's suite, with that suite replaced by the wanted one.
write_sources() { # write_sources DIR FROM TO
	local etc=/etc/apt
	find "$etc/sources.list.d" -name '*.sources' -exec awk -v RS= -v from="$2" -v to="$3" '
		match($0, "(^|\n)Suites:([^\n]*[ \t])?" from "([ \t\n]|$)") {
			gsub(/(^|\n)Types:[^\n]*/, "\nTypes: deb-src")
			gsub(/(^|\n)Suites:[^\n]*/, "\nSuites: " to)
			print $0 "\n"
		}' {} + >"$1/git.sources" 2>/dev/null || true
	find "$etc/sources.list" "$etc/sources.list.d" -name '*.list' -exec sed -nE \
		"s/^deb[[:space:]]+(\[[^]]*\][[:space:]]+)?([^[:space:]]+)[[:space:]]+$2([[:space:]].*)/deb-src \1\2 $3\3/p" \
		{} + >"$1/git.list" 2>/dev/null || true
	[[ -s $1/git.sources || -s $1/git.list ]]
}

printf '# fetching the source package of git (%s)\n' "$suite"
mkdir -p -- "$work"/{conf,sources,lists/partial,cache/archives/partial,tree}
write_sources "$work/sources" "$own" "$suite" || {
	printf '# no entry for %s in the apt sources\n' "$own"
	exit 1
}

# The machine's apt settings (proxies, certificates) followed by ours. They are copied
# because only so can its hooks, which act on the machine, be switched off. Images of Debian for
# containers have apt compress its lists again, which takes half a minute.
cp -R -- /etc/apt/apt.conf.d/. "$work/conf"
cat >"$work/conf/zzz-git-source" <<-CONF
	Dir::Etc::SourceList "/dev/null";
	Dir::Etc::SourceParts "$work/sources";
	Dir::State::Lists "$work/lists";
	Dir::Cache "$work/cache";
	Acquire::Languages "none";
	Acquire::GzipIndexes "false";
	Acquire::PDiffs "false";
	APT::Sandbox::User "$(id -un)";
	#clear APT::Update::Pre-Invoke;
	#clear APT::Update::Post-Invoke;
	#clear APT::Update::Post-Invoke-Success;
CONF
printf 'Dir::Etc::Parts "%s";\n' "$work/conf" >"$work/apt.conf"

# The update may fail for an archive without source packages; only git counts.
(
	export APT_CONFIG=$work/apt.conf
	cd -- "$work"
	apt-get update || true
	apt-get source --download-only --only-source git
) >"$work/log" 2>&1 || {
	sed 's/^/# | /' "$work/log"
	exit 1
}

tarball=$(find "$work" -maxdepth 1 -name 'git_*.orig.tar.*')
[[ -f $tarball ]] || exit 1
tar -xf "$tarball" -C "$work/tree" --strip-components=1 --wildcards --no-wildcards-match-slash "$@"
tarball=${tarball##*/git_}
printf '%s\n' "${tarball%.orig.tar.*}" >"$work/tree/VERSION"
rm -rf -- "${dir:?}"
mkdir -p -- "${dir%/*}"
mv -- "$work/tree" "$dir"
