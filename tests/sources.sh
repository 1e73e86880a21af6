#!/bin/sh
# What the sources must not say: a table of patterns, why each is refused, and the files that may have it.
#
#   tests/sources.sh [ROOT]    prints FILE:LINE: text: why; fails if there is any
#
# Every row comes with a line that it must refuse; a row that lets its own line pass fails the check.
root=${1:-$(dirname "$0")/..}
cd "$root" || exit 2
planted=$(mktemp -d) || exit 2
trap 'rm -rf "$planted"' EXIT
mkdir -p "$planted/src"
found=0

sources() { find "$1/src" "$1/tools" "$1/include" -type f \( -name '*.[ch]' -o -name '*.cpp' \) 2>/dev/null | sed 's|^\./||' | LC_ALL=C sort; }

# reports of a tree minus those in files that may have it
report() # tree, command that prints FILE:LINE:text of the files on its command line, allowed files (extended regular expression)
{
    sources "$1" | LC_ALL=C xargs sh -c "$2" sh /dev/null | LC_ALL=C grep -vE "^(${3:-none}):"
}

row() # why, planted line, allowed files, command
{
    printf '%s\n' "$2" >"$planted/src/planted.c"
    [ -n "$(report "$planted" "$4" "$3")" ] || { echo "sources: the row \"$1\" lets its own example pass: $2"; found=1; }
    bad=$(report . "$4" "$3")
    [ -z "$bad" ] || { printf '%s\n' "$bad" | sed "s|\$|   <- $1|"; found=1; }
}

refuse() # pattern, why, planted line, allowed files
{
    pattern=$1
    export pattern
    row "$2" "$3" "$4" 'LC_ALL=C grep -nE -- "$pattern" "$@"'
}

word='(^|[^A-Za-z0-9_])'

# ---- what the program's locale or floating-point mode would change ----
refuse "${word}(is(alpha|digit|alnum|space|upper|lower|xdigit|print|punct|cntrl|graph|blank)|to(upper|lower)) *\\(|<ctype\\.h>" \
    "answers by the locale: base/ascii.h" 'if (isalpha((unsigned char)*s)) return;'
refuse "${word}(strto(d|f|ld)(_l)?|atof|sto(d|f|ld)) *\\(" "reads by locale and rounding mode: base/number.h" 'x = strtod(text, &end);'
refuse "scanf *\\(.*%[*0-9]*[lL]?[aAeEfFgG]" "reads by locale and rounding mode: base/number.h" 'sscanf(text, "%lf", &x);'
refuse "\"[^\"]*%[-+#0-9.*']*[lL]?[aAeEfFgG]" "prints by locale and rounding mode: base/number.h" 'printf("%.3g\n", x);'
refuse "${word}(set|new|use|dup|free)locale *\\(" "the locale is the program's" 'setlocale(LC_ALL, "C");'
refuse "${word}str(coll|xfrm|casecmp|ncasecmp) *\\(" "compares by the locale" 'if (strcasecmp(a, b)) return;'

# ---- shape ----
long=$(printf '%133s' x)
row "a line of more than 132 columns; 120 is the aim" "$long" 'include/gnomon/.*|bench/rows\.c|src/emit\.h' \
    'LC_ALL=C awk '\''length($0) > 132 { print FILENAME ":" FNR ":" substr($0, 1, 60) ".." }'\'' "$@"'
refuse "str(cmp|ncmp|chr|str)\\(.*op->name" "an op is compared by its record, not by its name" 'if (strcmp(ops[i].name, e->op->name) == 0) return;'
refuse 'gn_op_find\("' "an op of ours is its record: &gn_op_cast" 'const gn_op_info *op = gn_op_find("cast");'

# Operands are shared: a walk over them without a memo takes exponential time. base/visit.h walks them. The functions of recursion.txt are bounded
# otherwise, or are still to be changed.
recursion=$(dirname "$0")/recursion.awk
[ -f "$recursion" ] || recursion=tests/recursion.awk
export recursion
allowed=$(sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' tests/recursion.txt | sed 's/\./\\./g; s/:/:[0-9]+:/; s/$/$/' | tr '\n' '|' | sed 's/|$//')
export allowed
row "walks over operands by calling itself: base/visit.h" 'static int depth(const node *n)
{
    return 1 + depth(n->a[0]);
}' '' 'awk -f "$recursion" "$@" | grep -vE "^($allowed)"'

[ $found = 0 ] && echo "sources: all rows hold"
exit $found
