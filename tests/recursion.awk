# Functions that may reach themselves within their file and touch operands: prints FILE:LINE:FUNCTION. Functions begin and end in column 0.
function finish_file(   i, j, k) {
    for (i in text) for (j in text) if (text[i] ~ ("(^|[^A-Za-z0-9_])" j " *\\(")) calls[i, j] = 1
    for (k in text) for (i in text) if ((i, k) in calls) for (j in text) if ((k, j) in calls) calls[i, j] = 1
    for (i in text) if ((i, i) in calls && text[i] ~ operands) print file ":" line[i] ":" i
    split("", text); split("", calls); split("", line)
}
BEGIN { operands = "->(a|in)\\[|[.>]atom\\[|[a-z]->[ab][,);]" }
FNR == 1 { if (file != "") finish_file(); file = FILENAME; name = ""; head = "" }
/^[A-Za-z].*\(/ { head = $0; sub(/\(.*/, "", head); sub(/.*[ *]/, "", head); start = FNR }
/^\{/ && head != "" { name = head; line[name] = start; text[name] = "" }
/^\}/ { name = ""; head = "" }
name != "" { if ($0 !~ /^ *(\/\*|\*)/) text[name] = text[name] $0 "\n" }
END { if (file != "") finish_file() }
