#!/bin/sh
# Builds Gnomon and runs all its tests twice: plain; then under AddressSanitizer and UndefinedBehaviorSanitizer, in a
# locale with a decimal comma.
#
#   ./check.sh                installs what is missing (Debian 12), builds, tests
#   ./check.sh --no-install   with what is there
#   ./check.sh --long         instead of the suite, which takes samples, the whole: 20,000 random graphs and 20,000
#                             random schedules a target, as many hours as the machine needs; stopped and started again
#                             it goes on (scripts/long.sh)
own_options=--long
cd "$(dirname "$0")" && . ./scripts/setup.sh
install_packages "$packages_base $packages_test" needed
install_packages "$packages_llvm" optional
status=0
run_suite() # folder, title, options of the tests, options of the build
{
    folder=$1; title=$2; how=$3; shift 3
    configure "$folder" -Dtests=true --buildtype=debugoptimized "$@"
    ninja -C "$folder" >"$folder/ninja.log" 2>&1 || { tail -n 60 "$folder/ninja.log" >&2; exit 1; }
    echo "== $title"
    # shellcheck disable=SC2086
    meson test -C "$folder" --no-rebuild --print-errorlogs $how || status=1
}
for arg in "$@"; do
    [ "$arg" = --long ] || continue
    configure build-check -Dtests=true --buildtype=debugoptimized
    ninja -C build-check >build-check/ninja.log 2>&1 || { tail -n 60 build-check/ninja.log >&2; exit 1; }
    exec ./scripts/long.sh build-check
done
run_suite build-check "plain" ""
run_suite build-asan "under AddressSanitizer and UndefinedBehaviorSanitizer, in a locale with a decimal comma" \
    "--setup comma" -Doptimization=1 -Db_sanitize=address,undefined -Db_lundef=false
count()
{
    grep -hE "$1" build-check/meson-logs/testlog.txt build-asan/meson-logs/testlog-comma.txt | awk '{ n += $NF } END { print n + 0 }'
}
echo "$(count '^Ok:') passed, $(count '^(Fail|Timeout|Unexpected Pass):') failed"
exit $status
