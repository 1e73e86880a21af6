/* No line of docs/ops.md says other than the records. GNOMON_WRITE_DOCS=1 writes it anew, with ops that are not in it
 * yet. */
#include "op.h"
#include "testlib.h"
#include "text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *dtypes_of(const gn_op_info *op)
{
    static const struct {
        uint32_t set;
        const char *words;
    } known[] = { { 0, "" },
                  { GN_FLOATS, "floating" },
                  { GN_INTS, "integers" },
                  { GN_NUMBERS, "numbers" },
                  { GN_ANY_DTYPE, "any" },
                  { GN_BIT(GN_BOOL), "bool" },
                  { GN_BIT(GN_U32), "u32" } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].set == op->dtypes) return known[i].words;
    }
    return "some";
}

/* Vertical bars would end a table's cell. */
static void add_cell(gn_text *t, const char *words)
{
    for (; *words; words++) gn_textf(t, *words == '|' ? "\\%c" : "%c", *words);
}

static void add_derivative(gn_text *t, const gn_op_info *op)
{
    if (op->not_differentiable) {
        gn_textf(t, "none: ");
        add_cell(t, op->not_differentiable);
        return;
    }
    bool any = false;
    for (int i = 0; i < 4; i++) {
        if (op->deriv[i])
            gn_textf(t, "%s%c: `%s`", any ? ", " : "", op->arity == 1 ? 'x' : 'a' + i, op->deriv[i]), any = true;
    }
    if (any) return;
    if (op->vjp) gn_text_add(t, op->linear ? "linear, with its transpose" : "functions");
    else if (op->linear) gn_text_add(t, "linear");
    else gn_text_add(t, op->expand ? "through its body" : "");
}

static void add_row(gn_text *t, const gn_op_info *op)
{
    gn_textf(t, "| `%s` | ", op->name);
    for (int i = 0; i < op->arity; i++) gn_textf(t, "%s%c", i ? " " : "", op->arity == 1 ? 'x' : 'a' + i);
    if (op->arity < 0) gn_text_add(t, "a b ..");
    gn_text_add(t, " | ");
    for (uint32_t i = 0; i < op->nattr; i++) gn_textf(t, "%s`:%s`", i ? " " : "", op->attrs[i].name);
    gn_textf(t, " | %s | ", dtypes_of(op));
    add_cell(t, op->gloss);
    gn_text_add(t, " | ");
    add_derivative(t, op);
    gn_text_add(t, " |\n");
}

static void add_table(gn_text *t, const char *title, const char *words, bool (*belongs)(const gn_op_info *))
{
    gn_textf(
        t,
        "\n## %s\n%s\n\n| op | operands | attributes | dtypes | computes | derivative |\n|---|---|---|---|---|---|\n",
        title, words);
    for (size_t i = 0; i < gn_nops; i++) {
        if (belongs(gn_ops[i])) add_row(t, gn_ops[i]);
    }
}

static bool is_composite(const gn_op_info *op) { return op->traits & GN_COMPOSITE; }
static bool is_inner(const gn_op_info *op) { return op->traits & GN_KERNEL_ONLY; }
static bool is_primitive(const gn_op_info *op) { return !is_composite(op) && !is_inner(op); }

static const char *document(gn_arena *arena)
{
    gn_text t = { .arena = arena };
    gn_text_add(
        &t,
        "# Ops\n\nEvery op of the graph, from its record (`src/graph/op.h`). A test writes this page and holds it to "
        "the records: `GNOMON_WRITE_DOCS=1 build/tests/test_ops_doc`.\n"
        "Builders are in `include/gnomon/ops.h`; some make several nodes. Derivatives are given as text over the "
        "operands, the result `y` and the\n"
        "gradient `g`; both modes use the same text. How to add one: `adding-an-op.md`.\n");
    add_table(&t, "Primitives", "What the evaluator, the optimizer and code generation know.", is_primitive);
    add_table(&t, "Within kernels", "Used by bodies of math functions and by composites; without a builder.", is_inner);
    add_table(&t, "Composites", "Have a body of other ops, which takes their place after differentiation.", is_composite);
    return gn_text_done(&t);
}

static void ops_md_says_nothing_but_what_the_records_say(void **state)
{
    (void)state;
    gn_arena arena = { 0 };
    const char *const path = TEST_DIR "/../docs/ops.md", *text = document(&arena);
    if (getenv("GNOMON_WRITE_DOCS")) {
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fputs(text, f);
        assert_int_equal(fclose(f), 0);
    }
    FILE *f = fopen(path, "r");
    if (!f) fail_msg("cannot open %s", path);
    char *have = calloc(1, 1 << 20);
    have[fread(have, 1, (1 << 20) - 1, f)] = '\0';
    fclose(f);
    for (char *line = strtok(have, "\n"); line; line = strtok(NULL, "\n")) {
        const char *at = strstr(text, line);
        if (!at || at[strlen(line)] != '\n')
            fail_msg("docs/ops.md says what no record says; GNOMON_WRITE_DOCS=1 writes it anew: %s", line);
    }
    free(have);
    gn_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(ops_md_says_nothing_but_what_the_records_say) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
