# SPDX-License-Identifier: GPL-2.0-only
#
# A table in Markdown of what summary.awk gives: a line for each row, a column for each
# peer.  -v unit=instructions: kchan's own figures are shown too, which mean something by
# themselves only where instructions are counted.  -v cpu=1: processor time in place of
# the time that passed.
#
# A cell is how many times as long the peer takes as kchan: 1.25 is a quarter longer.
# Behind +- stands the spread, half the distance between the quartiles, of the peer's and
# of kchan's figures together, in per cent.

BEGIN { FS = "\t" }

{
	if (!($1 in row_seen)) {
		row_seen[$1] = 1
		rows[++nr_rows] = $1
	}
	if (!($2 in peer_seen)) {
		peer_seen[$2] = 1
		peers[++nr_peers] = $2
	}
	if ($3 == "-")
		next
	median = cpu ? $9 : $4
	time[$1, $2] = median
	half[$1, $2] = median > 0 ? (cpu ? $11 - $10 : $7 - $6) / 2 / median : 0
}

END {
	printf "| |"
	for (p = 1; p <= nr_peers; p++)
		printf " %s |", peers[p]
	printf "\n|---|"
	for (p = 1; p <= nr_peers; p++)
		printf "--:|"
	printf "\n"
	for (r = 1; r <= nr_rows; r++) {
		printf "| %s |", rows[r]
		for (p = 1; p <= nr_peers; p++)
			printf " %s |", cell(rows[r], peers[p])
		printf "\n"
	}
}

function cell(row, peer,   text, base) {
	base = time[row, "kchan"]
	if (!((row, peer) in time))
		return "–"
	if (unit)
		text = thousands(time[row, peer])
	if (peer == "kchan" && !unit)
		text = "1 ±" percent(half[row, peer])
	else if (peer != "kchan" && base > 0)
		text = text (text ? " · " : "") ratio(time[row, peer] / base) spread(row, peer)
	return text ? text : "?"
}

# Where all is counted there is next to none: it would be noise in the table.
function spread(row, peer,   both) {
	both = half[row, peer] + half[row, "kchan"]
	return unit && both < 0.005 ? "" : " ±" percent(both)
}

function ratio(x) {
	return sprintf(x < 10 ? "%.2f" : "%.0f", x)
}

function percent(x) {
	return sprintf(x < 0.0995 ? "%.1f %%" : "%.0f %%", x * 100)
}

function thousands(x,   digits, text) {
	digits = sprintf("%.0f", x)
	while (length(digits) > 3) {
		text = "," substr(digits, length(digits) - 2) text
		digits = substr(digits, 1, length(digits) - 3)
	}
	return digits text
}
