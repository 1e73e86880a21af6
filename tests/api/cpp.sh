#!/bin/sh
# A C++ program compiles without a warning and computes, in each standard and with each compiler that is here.
# usage: cpp.sh INCLUDE LIBRARY-FOLDER PROGRAM.cpp COMPILER...
include=$1 library=$2 program=$3
shift 3
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
tried=0
for compiler; do
    command -v "$compiler" >/dev/null || continue
    for std in c++11 c++17 c++20; do
        "$compiler" -std=$std -O1 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -I "$include" "$program" -L "$library" -lgnomon \
            -Wl,-rpath,"$library" -o "$out/plain" || exit 1
        GNOMON_CACHE_DIR=$out/cache GNOMON_TOOLCHAIN=interpreter "$out/plain" || exit 1
        tried=$((tried + 1))
    done
done
echo "$tried programs"
test $tried -gt 0 || exit 77
