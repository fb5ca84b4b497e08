# SPDX-License-Identifier: GPL-2.0-only
#
# compare.awk FIGURES SUMMARY: TAP, a result for each figure that is kept: fails where
# what summary.awk gives is more than -v limit=2 per cent above it, or is not there.
# Exit status 1 when any did.

BEGIN { FS = "\t" }

FNR == NR {
	if (/^#/ || !NF)
		next
	if (NF != 3 || $3 + 0 <= 0) {
		print "# not a figure: " $0
		wrong = 1
	}
	names[++n] = $1 FS $2
	kept[n] = $3
	next
}

{ found[$1 FS $2] = $4 }

END {
	print "TAP version 13"
	print "1.." n
	for (i = 1; i <= n; i++)
		wrong = result(i) || wrong
	exit wrong || !n
}

function result(i,   split_name, words, change) {
	split(names[i], split_name, FS)
	words = split_name[2] ": " split_name[1]
	if (!(names[i] in found) || found[names[i]] + 0 <= 0) {
		printf "# kept: %s; measured: nothing\nnot ok %d %s\n", kept[i], i, words
		return 1
	}
	change = (found[names[i]] / kept[i] - 1) * 100
	if (change < -limit)
		printf "# %.1f per cent fewer than kept: renew the figures, so that they stay so\n",
			-change
	if (change <= limit) {
		printf "ok %d %s: %.0f instructions, %+.2f %%\n", i, words, found[names[i]], change
		return 0
	}
	printf "# kept: %s; measured: %s; may be %s %% more\n", kept[i], found[names[i]], limit
	printf "not ok %d %s: %.0f instructions, %+.2f %%\n", i, words, found[names[i]], change
	return 1
}
