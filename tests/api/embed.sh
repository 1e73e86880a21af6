#!/bin/sh
# Trains, exports, builds the embedding program with libm alone, and expects the accuracy that the library measured.
# usage: embed.sh DIGITS DATA MAIN COMPILER...
digits=$1 data=$2 main=$3
shift 3
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
GNOMON_CACHE_DIR=$out/cache "$digits" "$data" "$out" >"$out/log" || exit 1
want=$(sed -n 's/^test accuracy *//p' "$out/log")
for compiler; do
    command -v "$compiler" >/dev/null || continue
    "$compiler" -O2 -Wall -Wextra -Werror -Wno-psabi -I "$out" "$main" "$out/digits.c" -o "$out/embed" -lm || exit 1
    got=$("$out/embed" <"$data/optdigits-test.csv") || exit 1
    echo "$compiler: $got, in the library $want"
    case $got in *": $want") ;; *) exit 1 ;; esac
done
