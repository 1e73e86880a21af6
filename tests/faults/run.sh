#!/bin/bash
# Checks the tests: plants one fault after the other in a copy of the project and demands that the test named in the patch fails, by a value
# that differs and not by a crash.
#
#   run.sh SOURCE BUILD       BUILD: where the copy is kept between runs
#
# A patch opens with lines of these forms:
#   test: NAME                the executable under tests/
#   env: NAME=VALUE ...       for running it
#   says: TEXT                what its output must contain
#   nodes: N                  the most nodes to which a failing graph may have been shrunk (random graphs)
set -u
source=$(cd "$1" && pwd) && mkdir -p "$2" && cd "$2" || exit 1
copy=$PWD/copy

field() { sed -n "s/^$2: //p" "$1" | head -n 1; }

sync_copy() # the tracked files as they are; unchanged ones keep their times, so that only what changed is built
{
    mkdir -p "$copy"
    (cd "$source" && git ls-files -z --cached --others --exclude-standard 2>/dev/null || find . -type f -not -path './build*' -not -path './.git/*' -print0) |
        (cd "$source" && while IFS= read -r -d '' f; do
            [ -f "$f" ] && { cmp -s "$f" "$copy/$f" || { mkdir -p "$copy/$(dirname "$f")" && cp "$f" "$copy/$f"; }; }
        done)
}

run_fault() # patch
{
    name=$(basename "$1" .patch)
    test=$(field "$1" test)
    (cd "$copy" && patch -s -p1 <"$1") || { echo "FAIL $name: the patch does not apply"; return 1; }
    outcome=1
    if ! ninja -C "$copy/build" "tests/$test" >build.log 2>&1; then
        echo "FAIL $name: does not build"; tail -n 20 build.log
    else
        (cd "$copy/build" && env $(field "$1" env) timeout 300 "tests/$test") >"$name.log" 2>&1
        status=$?
        says=$(field "$1" says)
        nodes=$(sed -n 's/.*shrunk to \([0-9]*\) nodes.*/\1/p' "$name.log" | sort -n | head -n 1)
        most=$(field "$1" nodes)
        if [ $status -eq 0 ]; then echo "FAIL $name: $test does not notice"
        elif [ $status -gt 124 ] || grep -q 'Test failed with exception' "$name.log"; then echo "FAIL $name: $test crashes"; tail -n 20 "$name.log"
        elif ! grep -qF "$says" "$name.log"; then echo "FAIL $name: $test fails, but does not say '$says'"; tail -n 20 "$name.log"
        elif [ -n "$most" ] && { [ -z "$nodes" ] || [ "$nodes" -gt "$most" ]; }; then echo "FAIL $name: shrunk to ${nodes:-no} nodes, not to $most"
        else echo "ok   $name: $test fails by a value${nodes:+, shrunk to $nodes nodes}"; outcome=0; fi
    fi
    (cd "$copy" && patch -s -R -p1 <"$1")
    return $outcome
}

sync_copy
[ -e "$copy/build/build.ninja" ] || meson setup "$copy/build" "$copy" --buildtype=plain -Dllvm=disabled >setup.log 2>&1 || { cat setup.log; exit 1; }
failed=0
for patch in "$source"/tests/faults/*.patch; do run_fault "$patch" || failed=1; done
exit $failed
