#!/bin/sh
# Builds Gnomon and runs all its tests: plain, in a locale with a decimal comma, under AddressSanitizer and UndefinedBehaviorSanitizer.
#
#   ./check.sh                installs what is missing (Debian 12), builds, tests
#   ./check.sh --no-install   with what is there
#   ./check.sh --long         instead of the suite, which takes samples, the whole: 20,000 random graphs and 5,000 random schedules a target, as many
#                             hours as the machine needs; stopped and started again it goes on (scripts/long.sh)
own_options=--long
cd "$(dirname "$0")" && . ./scripts/setup.sh
install_packages "$packages_base $packages_test" needed
install_packages "$packages_llvm" optional
status=0
run_suite() # folder, title, options
{
    folder=$1; title=$2; shift 2
    configure "$folder" -Dtests=true "$@"
    ninja -C "$folder" >"$folder/ninja.log" 2>&1 || { tail -n 60 "$folder/ninja.log" >&2; exit 1; }
    echo "== $title"
    meson test -C "$folder" --no-rebuild --print-errorlogs || status=1
}
for arg in "$@"; do
    [ "$arg" = --long ] || continue
    configure build-check -Dtests=true --buildtype=debugoptimized
    ninja -C build-check >build-check/ninja.log 2>&1 || { tail -n 60 build-check/ninja.log >&2; exit 1; }
    exec ./scripts/long.sh build-check
done
run_suite build-check "plain" --buildtype=debugoptimized
echo "== in a locale with a decimal comma"
meson test -C build-check --no-rebuild --setup comma --no-suite slow --no-suite locale --no-suite faults --print-errorlogs || status=1
run_suite build-asan "under AddressSanitizer and UndefinedBehaviorSanitizer" --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false
count() { grep -hE '^(Ok|Fail|Timeout|Unexpected Pass):' build-check/meson-logs/testlog*.txt build-asan/meson-logs/testlog.txt | grep -E "$1" | awk '{ n += $NF } END { print n + 0 }'; }
echo "$(count '^Ok') passed, $(count '^(Fail|Timeout|Unexpected)') failed"
exit $status
