# SPDX-License-Identifier: GPL-2.0-only
#
# One mode of the benchmark as a JSON object, of what summary.awk gives.
# -v mode= -v unit= -v processors= -v kernel=

BEGIN {
	FS = "\t"
	printf "{\n  \"mode\": %s,\n  \"unit\": %s,\n  \"processors\": %d,\n", text(mode),
		text(unit), processors
	printf "  \"kernel\": %s,\n  \"results\": [", text(kernel)
}

{
	printf("%s\n    { \"row\": %s, \"peer\": %s", NR == 1 ? "" : ",", text($1), text($2))
	if ($3 == "-")
		printf ", \"median\": null }"
	else
		printf ", \"rounds\": %d, \"median\": %s, \"lowest\": %s, \"quartiles\": [%s, %s]," \
			" \"highest\": %s, \"cpu\": %s, \"cpu_quartiles\": [%s, %s] }",
			$3, $4, $5, $6, $7, $8, $9, $10, $11
}

END { printf "\n  ]\n}\n" }

function text(s) {
	gsub(/\\/, "\\\\", s)
	gsub(/"/, "\\\"", s)
	return "\"" s "\""
}
