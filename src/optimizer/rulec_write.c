/* The writer of rule tables: patterns once per order of commutative operands, rules, entries by op, as C initializers. */
#include "rulec.h"
#include <math.h>
#include <string.h>

/* ---- orders of commutative operands ---- */

static bool same_pattern(const node *a, const node *b)
{
    if (a->kind != b->kind || a->once != b->once || a->op != b->op || a->in.n != b->in.n || a->attrs.n || b->attrs.n)
        return false;
    if (a->kind == GN_PAT_NUMBER) return a->number == b->number;
    if (a->kind != GN_PAT_OP) return a->slot == b->slot;
    for (size_t i = 0; i < a->in.n; i++)
        if (!same_pattern(a->in.at[i], b->in.at[i])) return false;
    return true;
}

static bool is_number(const node *n)
{
    return n->kind == GN_PAT_NUMBER || n->kind == GN_PAT_CONST;
}

/* Numbers to the right, where canonical order has them, and the nodes whose operands may stand either way. */
static void find_flips(gn_arena *arena, node *n, node ***list, size_t *count)
{
    for (size_t i = 0; i < n->in.n; i++) find_flips(arena, n->in.at[i], list, count);
    if (n->kind != GN_PAT_OP || !(n->op->traits & GN_COMMUTES) || n->in.n != 2) return;
    node **in = n->in.at;
    if (is_number(in[0]) && !is_number(in[1])) {
        node *first = in[0];
        in[0] = in[1], in[1] = first;
    }
    if (!is_number(in[1]) && !same_pattern(in[0], in[1])) (*list)[(*count)++] = n;
}

/* ---- C text ---- */

static void write_number(gn_text *t, double v)
{
    if (isnan(v)) gn_text_add(t, "NAN");
    else if (isinf(v)) gn_text_add(t, v < 0 ? "-INFINITY" : "INFINITY");
    else gn_text_hex(t, v);
}

static void write_args(gn_text *t, const gn_pat_arg *arg, size_t n)
{
    static const char *const kinds[] = { "GN_ARG_EXPR", "GN_ARG_ATTR", "GN_ARG_INT" };
    gn_textf(t, ".n = %d", (int)n);
    if (!n) return;
    gn_text_add(t, ", .arg = (const gn_pat_arg[]){ ");
    for (size_t i = 0; i < n; i++)
        gn_textf(t, "%s{ %s, %lld }", i ? ", " : "", kinds[arg[i].kind], (long long)arg[i].value);
    gn_text_add(t, " }");
}

static void write_attr(gn_text *t, const attr *a)
{
    gn_textf(t, "{ .index = %d, ", a->index);
    if (a->kind == 0) {
        gn_textf(t, ".kind = GN_PAT_SLOT, .slot = %u }", a->slot);
    } else if (a->kind == 1 && a->value.kind == GN_ATTR_INTS) {
        gn_textf(t, ".kind = GN_PAT_VALUE, .value = { .kind = GN_ATTR_INTS, .n = %u, .ints = (const int64_t[]){ ",
                 a->value.n);
        for (uint32_t i = 0; i < a->value.n; i++) gn_textf(t, "%s%lld", i ? ", " : "", (long long)a->value.ints[i]);
        gn_textf(t, "%s } } }", a->value.n ? "" : "0");
    } else if (a->kind == 1) {
        gn_textf(t, ".kind = GN_PAT_VALUE, .value = { .kind = %d, .i = %lld } }", a->value.kind, (long long)a->value.i);
    } else {
        gn_textf(t, ".kind = GN_PAT_CALL, .call = &(const gn_pat_call){ .function = gn_attr_%s, ", a->function->name);
        write_args(t, a->args, a->nargs);
        gn_text_add(t, " } }");
    }
}

static void write_pattern(compiler *c, node *n)
{
    static const char *const kinds[] = { "GN_PAT_ANY", "GN_PAT_CONST", "GN_PAT_NUMBER", "GN_PAT_OP" };
    for (size_t i = 0; i < n->in.n; i++) write_pattern(c, n->in.at[i]);
    gn_text *t = &c->out;
    n->label = c->labels++;
    gn_textf(t, "static const gn_pat p%d = { .kind = %s", n->label, kinds[n->kind]);
    if (n->once) gn_text_add(t, ", .once = true");
    if (n->kind == GN_PAT_NUMBER) {
        gn_text_add(t, ", .number = ");
        write_number(t, n->number);
    } else if (n->kind != GN_PAT_OP) {
        gn_textf(t, ", .slot = %u, .dtype = %u", n->slot, n->dtype);
    } else {
        gn_textf(t, ", .op = &gn_op_%s, .nin = %d", n->op->name, (int)n->in.n);
    }
    if (n->in.n) {
        gn_text_add(t, ", .in = (const gn_pat *const[]){ ");
        for (size_t i = 0; i < n->in.n; i++)
            gn_textf(t, "%s&p%d", i ? ", " : "", n->in.at[n->flipped ? n->in.n - 1 - i : i]->label);
        gn_text_add(t, " }");
    }
    if (n->attrs.n) {
        gn_textf(t, ",\n    .nattr = %d, .attr = (const gn_pat_attr[]){ ", (int)n->attrs.n);
        for (size_t i = 0; i < n->attrs.n; i++) {
            if (i) gn_text_add(t, ", ");
            write_attr(t, &n->attrs.at[i]);
        }
        gn_text_add(t, " }");
    }
    gn_text_add(t, " };\n");
}

/* A pattern per order of operands; their labels go to r<index>_patterns. */
static void write_patterns(compiler *c, rule *r, size_t index)
{
    node *flip[8], **list = flip;
    size_t n = 0;
    find_flips(c->r.arena, r->pattern, &list, &n);
    if (n > 4) rulec_fail(&c->r, r->line, 1, "%s: more than 4 commutative ops in one pattern", r->name);
    r->npatterns = 1 << n;
    for (int order = 0; order < r->npatterns; order++) {
        for (size_t i = 0; i < n; i++) flip[i]->flipped = order >> i & 1;
        write_pattern(c, r->pattern);
        r->labels[order] = r->pattern->label;
    }
    write_pattern(c, r->result);
    gn_textf(&c->out, "static const gn_pat *const r%d_patterns[] = { ", (int)index);
    for (int order = 0; order < r->npatterns; order++) gn_textf(&c->out, "%s&p%d", order ? ", " : "", r->labels[order]);
    gn_text_add(&c->out, " };\n");
}

static void write_string(gn_text *t, const char *s)
{
    gn_text_char(t, '"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\') gn_text_char(t, '\\');
        gn_text_char(t, *s);
    }
    gn_text_char(t, '"');
}

static void write_rule(compiler *c, const rule *r, size_t index)
{
    gn_text *t = &c->out;
    gn_textf(t, "    { .name = \"%s\", .class = GN_%s, .line = %d,\n      .left = ", r->name, r->class, r->line);
    write_string(t, r->left);
    gn_text_add(t, ",\n      .right = ");
    write_string(t, r->right);
    gn_text_add(t, ",\n      .condition = ");
    write_string(t, r->condition);
    gn_text_add(t, ",\n      .why = ");
    write_string(t, r->why);
    if (r->function) gn_textf(t, ",\n      .function = gn_rewrite_%s", r->function->name);
    else gn_textf(t, ",\n      .patterns = r%d_patterns, .npatterns = %d, .noperands = %u, .result = &p%d", (int)index,
                  r->npatterns, r->nexpr, r->result->label);
    if (r->calls.n) {
        gn_textf(t, ",\n      .nconditions = %d, .conditions = (const gn_pat_call[]){ ", (int)r->calls.n);
        for (size_t i = 0; i < r->calls.n; i++) {
            gn_textf(t, "%s{ .condition = gn_if_%s, ", i ? ", " : "", r->calls.at[i].what->name);
            write_args(t, r->calls.at[i].arg.at, r->calls.at[i].arg.n);
            gn_text_add(t, " }");
        }
        gn_text_add(t, " }");
    }
    gn_text_add(t, " },\n");
}

static int write_entries(compiler *c)
{
    int n = 0;
    for (size_t k = 0; k < gn_nops; k++)
        for (size_t i = 0; i < c->rules.n; i++) {
            const rule *r = c->rules.at[i];
            for (int p = 0; r->pattern && r->pattern->op == gn_ops[k] && p < r->npatterns; p++, n++)
                gn_textf(&c->out, "    { &gn_op_%s, &rules[%d], &p%d },\n", gn_ops[k]->name, (int)i, r->labels[p]);
            for (size_t o = 0; o < r->ops.n; o++)
                if (r->ops.at[o] == gn_ops[k])
                    gn_textf(&c->out, "    { &gn_op_%s, &rules[%d], NULL },\n", gn_ops[k]->name, (int)i), n++;
        }
    return n;
}

void rulec_write(compiler *c, const char *name)
{
    gn_textf(&c->out, "/* Made from rules/%s.def by rulec. */\n#include \"functions.h\"\n#include <math.h>\n\n", name);
    for (size_t i = 0; i < c->rules.n; i++)
        if (c->rules.at[i]->pattern) {
            gn_textf(&c->out, "/* %s */\n", c->rules.at[i]->name);
            write_patterns(c, c->rules.at[i], i);
        }
    gn_text_add(&c->out, "\nstatic const gn_rule rules[] = {\n");
    for (size_t i = 0; i < c->rules.n; i++) write_rule(c, c->rules.at[i], i);
    gn_text_add(&c->out, "};\n\nstatic const gn_rule_entry entries[] = {\n");
    const int n = write_entries(c);
    gn_textf(&c->out,
             "};\n\nconst gn_rule_set gn_rules_%s = {\n    .name = \"%s\", .rule = rules, .nrules = %d, .entry = entries, "
             ".nentries = %d,\n"
             "    .weight = %s%s,\n    .why = ",
             name, name, (int)c->rules.n, n, strcmp(c->measure, "none") ? "gn_weight_" : "NULL",
             strcmp(c->measure, "none") ? c->measure : "");
    write_string(&c->out, c->r.opening ? c->r.opening : "");
    gn_text_add(&c->out, "\n};\n");
}
