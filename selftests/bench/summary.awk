# SPDX-License-Identifier: GPL-2.0-only
#
# From what selftests/bench/guest prints, a line for each row and peer:
#
#   row peer rounds median lowest quartile quartile highest cpu quartile quartile
#
# separated by tabs: the time for one operation, and then the processor time's median and
# quartiles.  A peer that cannot do a row has "-" for rounds, and nothing else.
# Fails when the rounds are not complete, or not of one number.

BEGIN { FS = OFS = "\t" }

$1 != "@" { next }
$2 == "end" { complete = 1; next }

{
	key = $2 FS $3
	if (!(key in rounds)) {
		rounds[key] = 0
		keys[++nr_keys] = key
	}
	if ($4 == "-") {
		cannot[key] = 1
		next
	}
	if (NF != 6 || $4 + 0 <= 0)
		bad("not a result: " $0)
	n = ++rounds[key]
	wall[key, n] = $5 / $4
	cpu[key, n] = $6 / $4
	if (n > most)
		most = n
}

END {
	if (failed)
		exit 1
	if (!complete)
		bad("the rounds were not completed")
	if (!nr_keys)
		bad("nothing was measured")
	for (k = 1; k <= nr_keys && !failed; k++)
		summarise(keys[k])
	exit failed
}

function bad(words) {
	print "summary.awk: " words | "cat >&2"
	failed = 1
	exit 1
}

function summarise(key,   n, i) {
	n = rounds[key]
	if (key in cannot) {
		if (n)
			bad(key ": can, and cannot")
		print key, "-"
		return
	}
	if (n != most)
		bad(key ": " n " of " most " rounds")
	for (i = 1; i <= n; i++)
		sorted[i] = wall[key, i]
	sort(n)
	printf "%s\t%d\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f", key, n, quantile(n, 1 / 2),
		sorted[1], quantile(n, 1 / 4), quantile(n, 3 / 4), sorted[n]
	for (i = 1; i <= n; i++)
		sorted[i] = cpu[key, i]
	sort(n)
	printf "\t%.3f\t%.3f\t%.3f\n", quantile(n, 1 / 2), quantile(n, 1 / 4),
		quantile(n, 3 / 4)
}

# Of sorted[1..n], in place.
function sort(n,   i, j, value) {
	for (i = 2; i <= n; i++) {
		value = sorted[i]
		for (j = i - 1; j >= 1 && sorted[j] > value; j--)
			sorted[j + 1] = sorted[j]
		sorted[j + 1] = value
	}
}

# Between two of them in proportion.
function quantile(n, part,   at, below) {
	at = 1 + (n - 1) * part
	below = int(at)
	if (below >= n)
		return sorted[n]
	return sorted[below] + (at - below) * (sorted[below + 1] - sorted[below])
}
