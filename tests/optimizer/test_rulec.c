/* The compiler of rules: what is wrong in a table is an error of the build with file, line and column. Runs the program
 * that the build ran. */
#include "testlib.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char rulec[] = "src/optimizer/rulec"; /* from the top of the build folder, where tests run */

/* What the program says of a table; *status is its exit status. */
static const char *said(const char *table, int *status)
{
    static char text[4096];
    char folder[] = "/tmp/rulec-XXXXXX", path[64], command[256];
    if (!mkdtemp(folder)) fail_msg("no folder in /tmp");
    snprintf(path, sizeof path, "%s/t.def", folder);
    FILE *f = fopen(path, "w");
    fputs(table, f);
    fclose(f);
    snprintf(command, sizeof command, "%s t %s %s/t.c 2>&1", rulec, path, folder);
    f = popen(command, "r");
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    *status = pclose(f);
    snprintf(command, sizeof command, "%s/t.c", folder);
    remove(command), remove(path), rmdir(folder);
    const char *name = strstr(text, "/t.def");
    return name ? name + 1 : text;
}

static void assert_said(const char *table, const char *words)
{
    int status;
    const char *text = said(table, &status);
    if (!status) fail_msg("accepted: %s", table);
    if (!strstr(text, words)) fail_msg("said '%s', not '%s'", text, words);
}

#define TABLE "/* t */\nMEASURE(cost)\n"

static void a_sound_table_is_compiled(void **state)
{
    (void)state;
    int status;
    const char *text = said(TABLE "/* why */\nRULE(a, EXACT, \"(add !x (mul #c y@t :q))\" , \"x\")\n", &status);
    assert_string_equal(text, "t.def:4:37: error: :q has no value\n");
    text = said(
        TABLE
        "RULE(a, EXACT, \"(neg !(cast x@t :dtype u))\", \"(neg (cast x :dtype u))\", holds_all(t, u) && is_float)\n"
        "REWRITE(b, ACCURATE, \"neg @elemwise\", fold)\n",
        &status);
    assert_string_equal(text, "");
    assert_int_equal(status, 0);
}

static void names_that_do_not_exist_are_errors_at_their_place(void **state)
{
    (void)state;
    assert_said(TABLE "RULE(a, EXACT, \"(ad x y)\", \"x\")\n", "t.def:3:18: error: no op 'ad'");
    assert_said(TABLE "RULE(a, EXACT,\n    \"(neg x)\",\n    \"(neg (nge x))\")\n", "t.def:5:12: error: no op 'nge'");
    assert_said(TABLE "RULE(a, EXACT, \"(sum x :axis k)\", \"x\")\n", "t.def:3:24: error: sum has no attribute 'axis'");
    assert_said(TABLE "RULE(a, EXACT, \"(neg x)\", \"y\")\n", "t.def:3:28: error: 'y' is not bound on the left side");
    assert_said(TABLE "RULE(a, EXACT, \"(neg x)\", \"x\", is_flaot)\n",
                "t.def:3:32: error: no condition 'is_flaot' in functions.def");
    assert_said(TABLE "RULE(a, EXACT, \"(neg x)\", \"x\", of_int(z))\n",
                "t.def:3:39: error: 'z' is not bound on the left side");
    assert_said(TABLE "RULE(a, EXCAT, \"(neg x)\", \"x\")\n", "t.def:3:9: error: no class 'EXCAT'");
    assert_said(TABLE "REWRITE(a, EXACT, \"neg ngg\", fold)\n", "t.def:3:24: error: no op 'ngg'");
    assert_said(TABLE "REWRITE(a, EXACT, \"neg\", flod)\n", "t.def:3:26: error: no function 'flod' in functions.def");
    assert_said(TABLE "RULE(a, EXACT, \"(sum x :axes k)\", \"(sum x :axes (kompose k k))\")\n",
                "error: no attribute function 'kompose'");
    assert_said("MEASURE(price)\n", "t.def:1:9: error: no measure 'price'");
}

static void counts_that_do_not_fit_are_errors(void **state)
{
    (void)state;
    assert_said(TABLE "RULE(a, EXACT, \"(add x)\", \"x\")\n", "t.def:3:17: error: add takes 2 operands, not 1");
    assert_said(TABLE "RULE(a, EXACT, \"(sum x :axes k)\", \"(sum x)\")\n",
                "t.def:3:36: error: attribute 'axes' of sum is missing");
    assert_said(TABLE "RULE(a, EXACT, \"(neg x)\", \"x\", of_int)\n", "t.def:3:32: error: of_int takes 1 arguments, not 0");
    assert_said(TABLE "RULE(a, EXACT, \"(sum x :axes k)\", \"(sum x :axes (axes_compose k))\")\n",
                "error: axes_compose takes 2 arguments, not 1");
    assert_said(TABLE "RULE(a, EXACT, \"(neg x) (neg y)\", \"x\")\n", "t.def:3:16: error: expected one pattern, found 2");
    assert_said(TABLE "RULE(a, EXACT, \"(add (add (add a b) (add c d)) (add e (add f h)))\", \"a\")\n",
                "error: a: more than 4 commutative ops in one pattern");
    assert_said(TABLE "RULE(a, EXACT, \"x\", \"x\")\n", "t.def:3:16: error: a left side starts with an op");
}

static void malformed_text_is_an_error(void **state)
{
    (void)state;
    assert_said(TABLE "RULE(a, EXACT, \"(neg x)\", \"x\"\n", "t.def:4:1: error: expected )");
    assert_said(TABLE "RULE(a, EXACT, \"(neg x\", \"x\")\n", "t.def:3:17: ");
    assert_said(TABLE "RULE(a, EXACT, \"(neg x)\", \"x)\n", "t.def:3:27: error: string without end");
    assert_said(TABLE "/* no end\n", "t.def:3:1: error: comment without end");
    assert_said(TABLE "RULES(a)\n", "t.def:3:1: error: expected RULE or REWRITE, found 'RULES'");
    assert_said("RULE(a, EXACT, \"(neg x)\", \"x\")\n", "t.def:1:1: error: a table opens with MEASURE(...)");
    assert_said(TABLE "RULE(a, EXACT, \"(neg x)\", \"x\")\nRULE(a, EXACT, \"(abs x)\", \"x\")\n",
                "t.def:4:6: error: a second rule 'a'");
    assert_said(TABLE "RULE(a, EXACT, \"(neg x)\", \"(neg !x)\")\n", "t.def:3:33: error: '!' belongs on the left side");
    assert_said(TABLE "RULE(a, EXACT, \"(cast x :dtype x)\", \"x\")\n", "error: 'x' is both an operand and an attribute");
    assert_said(TABLE "RULE(a, EXACT, \"(sum x :axes (axes_compose a a))\", \"x\")\n",
                "error: a left side cannot compute an attribute");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_table_is_compiled),
        cmocka_unit_test(names_that_do_not_exist_are_errors_at_their_place),
        cmocka_unit_test(counts_that_do_not_fit_are_errors),
        cmocka_unit_test(malformed_text_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
