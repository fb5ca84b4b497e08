# SPDX-License-Identifier: GPL-2.0-only
# Debian packages of any suite, fetched without root and without touching the
# machine's own sources: a private apt directory in the cache, whose mirrors are
# the machine's with only the suite replaced.  Sourced after lib.sh; its callers
# hold the lock "downloads".
# shellcheck shell=bash disable=SC2154 # $cache comes from lib.sh

apt_keyring=/usr/share/keyrings/debian-archive-keyring.gpg
apt_max_age=1440 # minutes after which the mirror is asked again

# is_fresh LINK: what it names was looked up lately enough.
is_fresh() { [[ -e $1 && $(find "$1" -maxdepth 0 -mmin "-$apt_max_age") ]]; }

# The machine's mirrors as "URI RELEASE" lines.
machine_mirrors() {
	# shellcheck disable=SC2016 # apt's variables, not ours
	apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' | sort -u
}

# private_sources SUITE...: sources.list lines for these suites.
private_sources() {
	local mirrors main security suite uri
	mirrors=$(machine_mirrors)
	security=$(awk '$2 ~ /-security$/ { print $1; exit }' <<<"$mirrors")
	main=$(awk -v own="$(. /etc/os-release && echo "${VERSION_CODENAME:-}")" \
		'$2 == own || $2 ~ /^((old)?stable|testing|unstable|sid)$/ { print $1; exit }' \
		<<<"$mirrors")
	[[ $main ]] || die "apt knows no mirror of Debian's main archive; add one to /etc/apt/sources.list"
	for suite; do
		uri=$main
		[[ $suite != *-security ]] || uri=$security
		[[ $uri ]] || continue
		echo "deb [arch=amd64 signed-by=$apt_keyring] $uri $suite main"
	done
}

# private_apt LINK SUITE...: set $apt_dir up, so that apt_private works on these
# suites.  Fails, for the caller to go on with what LINK names in the cache, when
# the mirror cannot be reached; without such a thing that is the end.
private_apt() {
	local known=$1
	shift
	apt_dir=$cache/apt/$1
	mkdir -p "$apt_dir"/{lists/partial,archives/partial,empty}
	: >>"$apt_dir/status"
	private_sources "$@" >"$apt_dir/sources.list"
	cat >"$apt_dir/apt.conf" <<-END
		Dir::State "$apt_dir";
		Dir::State::lists "$apt_dir/lists";
		Dir::State::status "$apt_dir/status";
		Dir::Cache "$apt_dir";
		Dir::Etc::sourcelist "$apt_dir/sources.list";
		Dir::Etc::sourceparts "$apt_dir/empty";
		Dir::Etc::preferences "$apt_dir/preferences";
		Dir::Etc::preferencesparts "$apt_dir/empty";
		APT::Architecture "amd64";
		APT::Architectures { "amd64"; };
		APT::Sandbox::User "";
		Acquire::Languages "none";
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
	END
	say "reading the package index of $1"
	apt_private apt-get -o APT::Update::Error-Mode=any update >&2 && return
	[[ -e $known ]] || die "the package index of $1 cannot be read; see apt's words above"
	say "the mirror cannot be reached; going on with ${known%/*}, version $(readlink "$known")"
	return 1
}

# The machine's own configuration (proxies) is read first, ours on top.
apt_private() {
	local tool=$1
	shift
	"$tool" -qq -c "$apt_dir/apt.conf" "$@"
}

# field PACKAGE FIELD: of the newest version.
field() {
	apt_private apt-cache --no-all-versions show "$1" 2>/dev/null |
		sed -n "s/^$2: //p;/^$/q"
}

# dependency PACKAGE PATTERN: the first dependency whose name matches.
dependency() {
	field "$1" Depends | tr ',' '\n' | sed 's/^ *//; s/ .*//' | grep -m 1 -E "^($2)\$" || true
}

# download DIR PACKAGE...: the packages' files, checked by apt, in DIR.
download() {
	local dir=$1
	shift
	say "downloading $*"
	(cd "$dir" && apt_private apt-get download "$@" >&2) ||
		die "$*: the download failed; see apt's words above, and run again"
}

# download_with_dependencies DIR PACKAGE...: and all that these need.
download_with_dependencies() {
	local dir=$1
	shift
	say "downloading what $* need"
	apt_private apt-get install -y --download-only --no-install-recommends \
		-o Dir::Cache::archives="$dir" "$@" >&2 ||
		die "$*: the download failed; see apt's words above, and run again"
}
