# SPDX-License-Identifier: GPL-2.0-only
# Shared by the scripts: words for people, the cache, temporary directories,
# Debian packages fetched without root.  Sourced by bash.
# shellcheck shell=bash

set -euo pipefail

# shellcheck disable=SC2034 # used by those who source this
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cache=${XDG_CACHE_HOME:-${HOME:?is not set: name a cache directory in XDG_CACHE_HOME}/.cache}/kchan

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# 125: the tool failed, as opposed to the command it was to run.
die() {
	say "$*"
	exit 125
}

# The temporary directory $tmp, gone at any exit.
make_tmp() {
	tmp=$(mktemp -d "${TMPDIR:-/tmp}/kchan.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
}

# lock NAME: one process at a time goes on from here, until it exits.  The
# children must not inherit the lock: a forgotten one would hold it.
lock() {
	mkdir -p "$cache/locks" 2>/dev/null ||
		die "cannot write to $cache; name another cache directory in XDG_CACHE_HOME"
	exec {lock_fd}>"$cache/locks/$1"
	flock -n "$lock_fd" && return
	say "waiting for another run that holds $cache/locks/$1"
	flock "$lock_fd"
}

unlock() { exec {lock_fd}>&-; }

# Prepare a directory under this name, then publish it in one step: what is in
# the cache is whole, whenever somebody pressed ctrl-C.
staging() {
	mkdir -p "$cache/staging"
	rm -rf "$cache/staging/${1:?}"
	mkdir "$cache/staging/$1"
	echo "$cache/staging/$1"
}

publish() {
	mkdir -p "$(dirname "$2")"
	rm -rf "${2:?}"
	mv -T "$1" "$2"
}

need() {
	local missing=() tool
	for tool; do
		command -v "$tool" >/dev/null || missing+=("$tool")
	done
	((${#missing[@]} == 0)) || die "${missing[*]}: not found; run scripts/deps"
}
