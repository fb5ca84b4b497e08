# SPDX-License-Identifier: GPL-2.0-only
# Counting results, and reading TAP strictly: a program passes only with its plan
# complete and exit status 0.  Sourced after lib.sh.
# shellcheck shell=bash disable=SC2154 # $tmp is the caller's, by make_tmp

passed=0 failed=0 skipped=0

# Results go to stdout, one line each; what explains a failure stands under it.
pass() { passed=$((passed + 1)) && echo "ok    $*"; }
skip() { skipped=$((skipped + 1)) && echo "skip  $*"; }

# fail_with FILE WORDS...: told again in the end, with the last words of FILE.
fail_with() {
	local file=$1
	shift
	failed=$((failed + 1))
	echo "FAIL  $*" | tee -a "$tmp/failures"
	sed 's/^/      | /' "$file"
	tail -n 6 "$file" | sed 's/^/      | /' >>"$tmp/failures"
}

# item WORDS CMD...: one result by CMD's exit status.  Needs $tmp.
item() {
	local words=$1
	shift
	if "$@" >"$tmp/item" 2>&1 </dev/null; then pass "$words"; else fail_with "$tmp/item" "$words"; fi
}

# What failed, for who sees the end only, and the last line of all.
summary() {
	[[ ! -s $tmp/failures ]] || { echo Failed: && cat "$tmp/failures"; }
	echo "$passed passed, $failed failed, $skipped skipped"
	((failed == 0 && passed > 0))
}

tap_begin() {
	program=$1 plan='' results=0 misses=0
	: >"$tmp/program"
}

# One result line: "ok 3 words # SKIP why".  Its number must be the next one.
tap_result() {
	local verdict=$1 number=$2 words=${3#- }
	results=$((results + 1))
	if [[ $number != "$results" ]]; then
		misses=$((misses + 1))
		fail_with "$tmp/program" "$program: result $number where $results was due"
	elif [[ $verdict == not ]]; then
		misses=$((misses + 1))
		fail_with "$tmp/program" "$program: $words"
	elif [[ $words =~ ^(.*)#\ *[Ss][Kk][Ii][Pp]\ *(.*)$ ]]; then
		skip "$program: ${BASH_REMATCH[1]}(${BASH_REMATCH[2]})"
	else
		pass "$program: $words"
	fi
}

# $tmp/program holds what was said since the last result: it explains the next.
tap_line() {
	local line=$1
	[[ ! $line ]] || printf '%s\n' "$line" >>"$tmp/program"
	if [[ $line =~ ^(not\ )?ok\ ([0-9]+)\ *(.*)$ ]]; then
		tap_result "${BASH_REMATCH[1]% }" "${BASH_REMATCH[2]}" "${BASH_REMATCH[3]}"
		: >"$tmp/program"
	elif [[ $line =~ ^1\.\.([0-9]+)\ *(#.*)?$ ]]; then
		[[ ! $plan ]] || plan=twice
		plan=${plan:-${BASH_REMATCH[1]}}
		[[ $plan != 0 ]] || skip "$program: all of it (${BASH_REMATCH[2]#\# *SKIP })"
	fi
}

# tap_end STATUS: kselftest's 4 says that all was skipped.
tap_end() {
	local status=$1
	if [[ ! $plan ]]; then
		fail_with "$tmp/program" "$program: no plan (exit status $status)"
	elif [[ $plan != "$results" ]]; then
		fail_with "$tmp/program" "$program: $results of $plan results (exit status $status)"
	elif [[ $status != 0 && $misses == 0 && ($status != 4 || $plan != 0) ]]; then
		fail_with "$tmp/program" "$program: exit status $status"
	fi
	program=
}

# tap_read PROGRAM...: from stdin what scripts/guest-tests prints; every program
# must turn up, once and in this order.
tap_read() {
	local line
	program=
	while IFS= read -r line; do
		if [[ $line =~ ^@\ begin\ (.*)$ ]]; then
			tap_begin "${BASH_REMATCH[1]}"
			[[ $program == "${1-}" ]] || fail_with /dev/null "$program: ${1:-nothing} was due"
			shift || true
		elif [[ $program && $line =~ ^@\ end\ ([0-9]+)$ ]]; then
			tap_end "${BASH_REMATCH[1]}"
		elif [[ $program ]]; then
			tap_line "$line"
		fi
	done
	[[ ! $program ]] || fail_with "$tmp/program" "$program: stopped in the middle"
	for program; do fail_with /dev/null "$program: never started"; done
}
