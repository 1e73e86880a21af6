/* docs/rules.md from the tables. */
#include "optimize.h"
#include <string.h>

static void passes_section(gn_text *t)
{
    gn_text_add(t, "## Passes\n\nIn this order:\n\n");
    for (size_t i = 0; gn_pass_name(i); i++)
        gn_textf(t, "%d. **%s**: %s.\n", (int)i + 1, gn_pass_name(i), gn_pass_reason(i));
}

static void rule_lines(gn_text *t, const gn_rule *r)
{
    gn_textf(t, "- `%s` [%s] ", r->name, gn_rule_class_names[r->class]);
    if (r->function) gn_textf(t, "%s: function `%s`", r->left, r->right);
    else gn_textf(t, "`%s` → `%s`", r->left, r->right);
    if (*r->condition) gn_textf(t, " if %s", r->condition);
    if (*r->why) gn_textf(t, "  \n  %s", r->why);
    gn_text_char(t, '\n');
}

void gn_rules_document(gn_text *t)
{
    gn_text_add(
        t,
        "# Rewrite rules\n\n"
        "Made from the tables in `src/optimizer/rules/` (`gn_rules_document`); a test compares.\n\n"
        "Classes say what a rule may do to numbers. **exact**: the same bits for every input (a zero's sign is a bit, "
        "which NaN is not).\n"
        "**accurate**: the same real function. With every operation of both forms rounded correctly, a result is "
        "within 2 ulp "
        "of the real value,\n"
        "or no further from it than twice what the replaced form is off, there or at inputs within a hundredth. It may "
        "remove an "
        "infinity or NaN\n"
        "that only an intermediate overflow or cancellation made (and is off by no more than its own roundings there), "
        "and never "
        "makes one;\n"
        "NaN operands stay NaN; a zero may change its sign. Both are on.\n"
        "**reassociate**, **finite** and **approximate** fire only on a graph that allows them (`gn_graph_relax`). Any "
        "rule or pass "
        "can be switched\n"
        "off by name.\n\n");
    gn_text_add(t, "A rule is an entry of a table, `RULE(name, CLASS, \"left\", \"right\", condition)`; `rule.h` "
                   "explains the patterns,\n"
                   "`functions.def` lists conditions and functions. The build checks it and names file, line and "
                   "column of a mistake. Its case is\n"
                   "`tests/optimizer/golden/NAME.txt`: what it makes of what, and near misses that it leaves alone; "
                   "the test compares the numbers of\n"
                   "both sides as the class demands: at every dtype for which the rule fires, for special values "
                   "crossed and numbers of the "
                   "whole range,\n"
                   "accurate rules with real values by MPFR.\n\n");
    passes_section(t);
    for (size_t k = 0; k < gn_nrule_sets; k++) {
        const gn_rule_set *s = gn_rule_sets[k];
        gn_textf(t, "\n## %s\n\n%s\n\n", s->name, s->why);
        for (uint32_t i = 0; i < s->nrules; i++) rule_lines(t, &s->rule[i]);
    }
}
