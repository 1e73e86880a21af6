#!/bin/sh
# The long run: random graphs, compiled and called, and more of them through the interpreter of generated code, against
# the reference evaluator; random schedules against the meaning of their kernels. In shards, as many at once as there are
# processors; a shard that went well is not run again as long as the programs are the same, so a run that was stopped
# goes on where it was. Writes tests/long.txt: what ran, seeds, counts, and what failed.
#
#   scripts/long.sh BUILD_FOLDER
#   GRAPHS, SCHEDULES   how many [20000, 20000]
#   FIRST               seed of the first compiled graph [1]
#   SHARD               how many in one [500]
#   JOBS                shards at once [processors]
set -eu
export LC_ALL=C
build=$1 first=${FIRST:-1} graphs=${GRAPHS:-20000} schedules=${SCHEDULES:-20000} each=${SHARD:-500}
programs="$build/tests/test_random $build/tests/test_random_schedule"
state=$build/long/$(cat $programs | sha256sum | cut -c 1-16)-$each
mkdir -p "$state"

# One shard: its output, and a file beside it when it went well. What it found lies in a folder of its own.
run_shard() # kind first
{
    log=$state/$1-$2.log
    [ ! -e "$state/$1-$2.ok" ] || return 0
    mkdir -p "$state/found"
    here=$(pwd) rc=0
    case $build in /*) ;; *) build=$here/$build ;; esac
    case $state in /*) ;; *) state=$here/$state; log=$here/$log ;; esac
    export GNOMON_LINTS=-all GNOMON_CACHE_DIR="$state/cache-$1-$2"
    cd "$state/found"
    case $1 in
    interpreted) GNOMON_TOOLCHAIN=interpreter GNOMON_TEST_SEED=$2 GNOMON_TEST_GRAPHS=$each GNOMON_TEST_FAILURES=$each timeout 7200 "$build/tests/test_random" ;;
    graphs) GNOMON_TEST_SEED=$2 GNOMON_TEST_GRAPHS=$each GNOMON_TEST_FAILURES=$each timeout 7200 "$build/tests/test_random" ;;
    schedules) GNOMON_TEST_FIRST=$2 GNOMON_TEST_COUNT=$each timeout 7200 "$build/tests/test_random_schedule" ;;
    esac >"$log" 2>&1 || rc=$?
    rm -rf "$GNOMON_CACHE_DIR"
    if [ "$rc" = 0 ]; then : >"$state/$1-$2.ok"; else echo "exit status $rc" >>"$log"; fi
    echo "$1 from $2: $([ "$rc" = 0 ] && echo well || echo "FAILED, $log")"
}

if [ $# -gt 1 ]; then
    run_shard "$2" "$3"
    exit 0
fi
{
    seq 1 "$each" "$schedules" | sed 's/^/schedules /'
    seq $((graphs + 1)) "$each" $((2 * graphs)) | sed 's/^/interpreted /'
    seq "$first" "$each" "$graphs" | sed 's/^/graphs /'
} | xargs -P "${JOBS:-$(nproc)}" -L 1 "$0" "$build"

# ---- what was found ----

total() { awk '{ n += $1 } END { print n + 0 }'; }
# "graphs: seeds 1 to 500, 500 run, 1234 elements compared, 0 differences" and the differences themselves
tell_graphs() # kind, what they are, first seed, last
{
    ls "$state/$1"-*.log >/dev/null 2>&1 || return 0
    count=$(cat "$state/$1"-*.log | sed -n 's/^\([0-9]*\) graphs, .*/\1/p' | total)
    elements=$(cat "$state/$1"-*.log | sed -n 's/.* graphs, \([0-9]*\) elements.*/\1/p' | total)
    echo "graphs $2: seeds $3 to $4, $count run, $elements elements compared, $(cat "$state/$1"-*.log | grep -c '^seed [0-9]*: ' || true) differences"
    cat "$state/$1"-*.log | grep '^seed [0-9]*: ' | sort -k 2 -n | cut -c1-150 | sed 's/^/    /' || true
}
broken=$(grep -l '^exit status' "$state"/*.log | wc -l)
{
    echo "# Written by ./check.sh --long: random graphs against the reference evaluator, random schedules against their kernels."
    echo "commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown)$(git diff --quiet HEAD 2>/dev/null || echo ' with changes'), $(date -u +%Y-%m-%d), $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
    tell_graphs graphs compiled "$first" "$graphs"
    tell_graphs interpreted interpreted $((graphs + 1)) $((2 * graphs))
    for target in $(cat "$state"/schedules-*.log | sed -n 's/^\([a-z0-9]*\): [0-9]* right, .*/\1/p' | sort -u); do
        cat "$state"/schedules-*.log | sed -n "s/^$target: \([0-9]*\) right, \([0-9]*\) refused, \([0-9]*\) wrong.*/\1 \2 \3/p" | awk -v target="$target" -v last="$schedules" '
            { right += $1; refused += $2; wrong += $3 }
            END { printf "schedules for %s: seeds 1 to %d, %d right, %d refused, %d wrong (tests/known_wrong.txt)\n", target, last, right, refused, wrong }'
    done
    echo "shards: $(ls "$state"/*.ok 2>/dev/null | wc -l) went well, $broken failed"
    grep -l '^exit status' "$state"/*.log | while read -r log; do echo "    $(basename "$log" .log): $(tail -n 1 "$log")"; done
} >tests/long.txt
cat tests/long.txt
[ "$broken" = 0 ]
