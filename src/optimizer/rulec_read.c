/* The reader of rule tables: words of the file, patterns as s-expressions, names, entries. */
#include "rulec.h"
#include "ascii.h"
#include "dtype.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what rules may name ---- */

static const known conditions[] = {
#define CONDITION(name, nargs, gloss) { #name, nargs },
#include "functions.def"
    { NULL, 0 }
};
static const known attributes[] = {
#define ATTRIBUTE(name, nargs, gloss) { #name, nargs },
#include "functions.def"
    { NULL, 0 }
};
static const known functions[] = {
#define FUNCTION(name, gloss) { #name, 0 },
#include "functions.def"
    { NULL, 0 }
};
static const known measures[] = {
#define MEASURE(name, gloss) { #name, 0 },
#include "functions.def"
    { "none", 0 },
    { NULL, 0 }
};
static const char *const class_names[] = { "EXACT", "ACCURATE", "REASSOCIATE", "FINITE", "APPROXIMATE" };

static const known *find(const known *list, const char *name)
{
    for (; list->name; list++)
        if (!strcmp(list->name, name)) return list;
    return NULL;
}

/* ---- words of the file ---- */

void rulec_fail(const reader *r, int line, int column, const char *format, ...)
{
    char text[512];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    gn_throw(GN_ESYNTAX, "%s:%d:%d: error: %s", r->path, line, column, text);
}

/* The words of a comment in one line. */
static const char *comment_words(reader *r, const char *from, const char *to)
{
    gn_text t = { .arena = r->arena };
    for (bool gap = false; from < to; from++) {
        const bool blank = gn_is_space(*from) || (*from == '*' && (t.n == 0 || gap) && from[1] == ' ');
        if (blank) {
            gap = t.n > 0;
            continue;
        }
        if (gap) gn_text_char(&t, ' ');
        gap = false;
        gn_text_char(&t, *from);
    }
    return gn_text_done(&t);
}

static void skip_blanks(reader *r)
{
    int newlines = 0;
    for (;;) {
        if (*r->at == '\n') {
            r->at++, r->line++, r->line_start = r->at;
            if (++newlines > 1) r->comment = "";
        } else if (gn_is_space(*r->at)) {
            r->at++;
        } else if (r->at[0] == '/' && r->at[1] == '*') {
            const int line = r->line, column = (int)(r->at - r->line_start) + 1;
            const char *from = r->at + 2, *to = strstr(from, "*/");
            if (!to) rulec_fail(r, line, column, "comment without end");
            r->comment = comment_words(r, from, to);
            if (!r->opening) r->opening = r->comment;
            for (; r->at < to + 2; r->at++)
                if (*r->at == '\n') r->line++, r->line_start = r->at + 1;
            newlines = 0;
        } else {
            return;
        }
    }
}

static void next(reader *r)
{
    skip_blanks(r);
    token *t = &r->now;
    *t = (token){ .line = r->line, .column = (int)(r->at - r->line_start) + 1, .text = "" };
    const char *from = r->at;
    if (!*from) return;
    if (*from == '"') {
        const char *to = from + 1;
        while (*to && *to != '"' && *to != '\n') to++;
        if (*to != '"') rulec_fail(r, t->line, t->column, "string without end");
        t->kind = T_STRING, t->text = gn_arena_printf(r->arena, "%.*s", (int)(to - from - 1), from + 1), r->at = to + 1;
    } else if (gn_begins_name(*from)) {
        r->at += gn_name_length(from);
        t->kind = T_NAME, t->text = gn_arena_printf(r->arena, "%.*s", (int)(r->at - from), from);
    } else {
        const int n = from[0] == '&' && from[1] == '&' ? 2 : 1;
        t->kind = T_PUNCT, t->text = gn_arena_printf(r->arena, "%.*s", n, from), r->at += n;
    }
}

static token take(reader *r, token_kind kind, const char *what)
{
    const token t = r->now;
    if (t.kind != kind || (kind == T_PUNCT && strcmp(t.text, what)))
        rulec_fail(r, t.line, t.column, "expected %s, found '%s'", what, t.text);
    next(r);
    return t;
}

static bool is_punct(const reader *r, const char *text)
{
    return r->now.kind == T_PUNCT && !strcmp(r->now.text, text);
}

/* ---- names and patterns of one rule ---- */

#define FAIL_AT(c, sx, ...) rulec_fail(&(c)->r, (sx)->line, (sx)->column, __VA_ARGS__)

/* The place of a name; on the left side a new one is bound. */
static uint32_t slot_of(compiler *c, const gn_sx *at, const char *text, bool is_attr)
{
    rule *r = c->rule;
    for (size_t i = 0; i < r->names.n; i++) {
        if (strcmp(r->names.at[i].text, text)) continue;
        if (r->names.at[i].is_attr != is_attr) FAIL_AT(c, at, "'%s' is both an operand and an attribute", text);
        return r->names.at[i].slot;
    }
    if (!c->left) FAIL_AT(c, at, "'%s' is not bound on the left side", text);
    const uint32_t slot = is_attr ? r->nattr++ : r->nexpr++;
    if (slot >= GN_MATCH_SLOTS) FAIL_AT(c, at, "more than %d names", GN_MATCH_SLOTS);
    gn_push(c->r.arena, &r->names, (bound_name){ text, is_attr, slot });
    return slot;
}

static bool is_name(const char *s)
{
    return *s != '_' && gn_is_name(s);
}

/* An argument of a condition or an attribute function: a bound name or an integer. */
static gn_pat_arg argument_of(compiler *c, int line, int column, const char *text)
{
    for (size_t i = 0; i < c->rule->names.n; i++)
        if (!strcmp(c->rule->names.at[i].text, text))
            return (gn_pat_arg){ c->rule->names.at[i].is_attr ? GN_ARG_ATTR : GN_ARG_EXPR, c->rule->names.at[i].slot };
    char *end;
    const long long v = strtoll(text, &end, 10);
    if (*end || end == text) rulec_fail(&c->r, line, column, "'%s' is not bound on the left side", text);
    return (gn_pat_arg){ GN_ARG_INT, v };
}

static void read_attr_call(compiler *c, attr *a, const gn_sx *value)
{
    const gn_sx *head = value->n ? value->at[0] : NULL;
    a->kind = 2;
    a->function = head && head->kind == GN_SX_ATOM ? find(attributes, head->text) : NULL;
    if (!a->function) FAIL_AT(c, value, "no attribute function '%s' in functions.def", head ? head->text : "");
    if ((size_t)a->function->nargs != value->n - 1)
        FAIL_AT(c, value, "%s takes %d arguments, not %d", a->function->name, a->function->nargs, (int)value->n - 1);
    gn_pat_arg *args = GN_NEW_ARRAY(c->r.arena, gn_pat_arg, value->n);
    for (size_t i = 1; i < value->n; i++)
        args[i - 1] = argument_of(c, value->at[i]->line, value->at[i]->column, value->at[i]->text);
    a->args = args, a->nargs = (uint32_t)value->n - 1;
}

static void read_attr_value(compiler *c, attr *a, uint8_t kind, const gn_sx *value)
{
    int64_t i;
    gn_dtype dtype;
    a->value.kind = kind;
    if (value->kind == GN_SX_LIST && kind == GN_ATTR_INTS && (value->n == 0 || gn_sx_int(value->at[0], &i))) {
        int64_t *ints = GN_NEW_ARRAY(c->r.arena, int64_t, value->n);
        for (size_t k = 0; k < value->n; k++)
            if (!gn_sx_int(value->at[k], &ints[k])) FAIL_AT(c, value->at[k], "expected an integer");
        a->kind = 1, a->value.n = (uint32_t)value->n, a->value.ints = ints;
    } else if (value->kind == GN_SX_LIST) {
        if (c->left) FAIL_AT(c, value, "a left side cannot compute an attribute");
        read_attr_call(c, a, value);
    } else if (kind == GN_ATTR_INT && gn_sx_int(value, &i)) {
        a->kind = 1, a->value.i = i;
    } else if (kind == GN_ATTR_DTYPE && gn_dtype_parse(value->text, &dtype)) {
        a->kind = 1, a->value.i = dtype;
    } else if (is_name(value->text)) {
        a->kind = 0, a->slot = slot_of(c, value, value->text, true);
    } else {
        FAIL_AT(c, value, "'%s' is no value of this attribute", value->text);
    }
}

static void read_attr(compiler *c, node *n, const gn_sx *key, const gn_sx *value)
{
    for (uint8_t i = 0; i < n->op->nattr; i++) {
        if (strcmp(n->op->attrs[i].name, key->text + 1)) continue;
        attr a = { .index = i };
        for (size_t k = 0; k < n->attrs.n; k++)
            if (n->attrs.at[k].index == i) FAIL_AT(c, key, "%s given twice", key->text);
        read_attr_value(c, &a, n->op->attrs[i].kind, value);
        gn_push(c->r.arena, &n->attrs, a);
        return;
    }
    FAIL_AT(c, key, "%s has no attribute '%s'", n->op->name, key->text + 1);
}

static node *read_atom(compiler *c, const gn_sx *x)
{
    node *n = GN_NEW_OBJECT(c->r.arena, node);
    const char *text = x->text;
    if (*text == '!') n->once = true, text++;
    if (n->once && !c->left) FAIL_AT(c, x, "'!' belongs on the left side");
    if (gn_sx_is(x, "true") || gn_sx_is(x, "false")) {
        n->kind = GN_PAT_NUMBER, n->number = gn_sx_is(x, "true");
    } else if (gn_sx_double(x, &n->number)) {
        n->kind = GN_PAT_NUMBER;
    } else {
        n->kind = *text == '#' ? GN_PAT_CONST : GN_PAT_ANY;
        if (*text == '#') text++;
        char *word = gn_arena_string(c->r.arena, text), *dtype = strchr(word, '@');
        if (dtype) *dtype++ = 0;
        if (!is_name(word)) FAIL_AT(c, x, "'%s' is no name of an operand", x->text);
        if (dtype && (!is_name(dtype) || !c->left))
            FAIL_AT(c, x, "'%s': a dtype is captured by a name on the left side", x->text);
        n->slot = slot_of(c, x, word, false);
        if (dtype) n->dtype = 1 + slot_of(c, x, dtype, true);
    }
    return n;
}

static node *read_pattern(compiler *c, const gn_sx *x);

static void read_items(compiler *c, node *n, const gn_sx *x)
{
    for (size_t i = 1; i < x->n; i++) {
        const gn_sx *item = x->at[i];
        if (item->kind == GN_SX_ATOM && item->text[0] == ':') {
            if (i + 1 == x->n) FAIL_AT(c, item, "%s has no value", item->text);
            read_attr(c, n, item, x->at[++i]);
        } else if (gn_sx_is(item, "!") && i + 1 < x->n) {
            if (!c->left) FAIL_AT(c, item, "'!' belongs on the left side");
            node *in = read_pattern(c, x->at[++i]);
            in->once = true;
            gn_push(c->r.arena, &n->in, in);
        } else {
            gn_push(c->r.arena, &n->in, read_pattern(c, item));
        }
    }
}

static node *read_pattern(compiler *c, const gn_sx *x)
{
    if (x->kind == GN_SX_ATOM) return read_atom(c, x);
    if (x->kind == GN_SX_STRING || !x->n || x->at[0]->kind != GN_SX_ATOM) FAIL_AT(c, x, "expected (op ...)");
    node *n = GN_NEW_OBJECT(c->r.arena, node);
    n->kind = GN_PAT_OP;
    n->op = gn_op_find(x->at[0]->text);
    if (!n->op) FAIL_AT(c, x->at[0], "no op '%s'", x->at[0]->text);
    read_items(c, n, x);
    if (n->op->arity >= 0 && (size_t)n->op->arity != n->in.n)
        FAIL_AT(c, x, "%s takes %d operands, not %d", n->op->name, n->op->arity, (int)n->in.n);
    for (uint32_t i = 0; !c->left && i < n->op->nattr; i++) {
        bool given = false;
        for (size_t k = 0; k < n->attrs.n; k++) given |= n->attrs.at[k].index == i;
        if (!given) FAIL_AT(c, x, "attribute '%s' of %s is missing", n->op->attrs[i].name, n->op->name);
    }
    return n;
}

static node *read_side(compiler *c, token text, bool left)
{
    c->left = left;
    gn_text padded = { .arena = c->r.arena }; /* so that the reader's places are the file's */
    for (int i = 1; i < text.line; i++) gn_text_char(&padded, '\n');
    gn_textf(&padded, "%*s%s", text.column, "", text.text);
    const gn_sx *x = gn_sx_read(c->r.arena, c->r.path, padded.at, padded.n);
    if (x->n != 1) rulec_fail(&c->r, text.line, text.column, "expected one pattern, found %d", (int)x->n);
    node *n = read_pattern(c, x->at[0]);
    if (left && n->kind != GN_PAT_OP) rulec_fail(&c->r, text.line, text.column, "a left side starts with an op");
    return n;
}

/* ---- entries of the file ---- */

static void read_condition(compiler *c)
{
    reader *r = &c->r;
    gn_text text = { .arena = r->arena };
    for (;;) {
        const token name = take(r, T_NAME, "a condition");
        call k = { .what = find(conditions, name.text) };
        if (!k.what) rulec_fail(r, name.line, name.column, "no condition '%s' in functions.def", name.text);
        gn_text_add(&text, name.text);
        if (is_punct(r, "(")) {
            next(r);
            gn_text_char(&text, '(');
            while (!is_punct(r, ")")) {
                const token arg = r->now;
                gn_push(r->arena, &k.arg, argument_of(c, arg.line, arg.column, arg.text));
                gn_textf(&text, "%s%s", k.arg.n > 1 ? ", " : "", arg.text);
                next(r);
                if (!is_punct(r, ")")) take(r, T_PUNCT, ",");
            }
            next(r);
            gn_text_char(&text, ')');
        }
        if ((int)k.arg.n != k.what->nargs)
            rulec_fail(r, name.line, name.column, "%s takes %d arguments, not %d", name.text, k.what->nargs, (int)k.arg.n);
        gn_push(r->arena, &c->rule->calls, k);
        if (!is_punct(r, "&&")) break;
        next(r);
        gn_text_add(&text, " && ");
    }
    c->rule->condition = gn_text_done(&text);
}

static void read_ops(compiler *c, token text)
{
    static const struct {
        const char *word;
        uint32_t trait;
    } traits[] = { { "@elemwise", GN_ELEMWISE }, { "@composite", GN_COMPOSITE }, { "@commutes", GN_COMMUTES } };
    gn_arena *arena = c->r.arena;
    for (const char *s = text.text; *s;) {
        const size_t n = strcspn(s, " ");
        const char *word = gn_arena_printf(arena, "%.*s", (int)n, s);
        const int column = text.column + 1 + (int)(s - text.text);
        const gn_op_info *op = gn_op_find(word);
        bool known_word = op != NULL;
        if (op) gn_push(arena, &c->rule->ops, op);
        for (size_t i = 0; i < sizeof traits / sizeof *traits; i++) {
            if (strcmp(traits[i].word, word)) continue;
            known_word = true;
            for (size_t k = 0; k < gn_nops; k++)
                if (gn_ops[k]->traits & traits[i].trait) gn_push(arena, &c->rule->ops, gn_ops[k]);
        }
        if (!known_word) rulec_fail(&c->r, text.line, column, "no op '%s'", word);
        s += n;
        s += strspn(s, " ");
    }
}

static void check_new_name(compiler *c, token name)
{
    for (size_t i = 0; i < c->rules.n; i++)
        if (!strcmp(c->rules.at[i]->name, name.text))
            rulec_fail(&c->r, name.line, name.column, "a second rule '%s'", name.text);
}

/* MEASURE(cost): the weight that every firing lowers; MEASURE(none) for a table that only its fuel guards. */
static void read_measure(compiler *c)
{
    reader *r = &c->r;
    take(r, T_PUNCT, "(");
    const token name = take(r, T_NAME, "a measure");
    if (!find(measures, name.text)) rulec_fail(r, name.line, name.column, "no measure '%s' in functions.def", name.text);
    c->measure = name.text;
    take(r, T_PUNCT, ")");
}

static void read_entry(compiler *c)
{
    reader *r = &c->r;
    const char *why = r->comment && r->comment != r->opening ? r->comment : "";
    r->comment = "";
    const token head = take(r, T_NAME, "RULE or REWRITE");
    if (!strcmp(head.text, "MEASURE")) {
        read_measure(c);
        return;
    }
    if (!c->measure) rulec_fail(r, head.line, head.column, "a table opens with MEASURE(...)");
    const bool is_rule = !strcmp(head.text, "RULE");
    if (!is_rule && strcmp(head.text, "REWRITE"))
        rulec_fail(r, head.line, head.column, "expected RULE or REWRITE, found '%s'", head.text);
    rule *rule_ = c->rule = GN_NEW_OBJECT(r->arena, rule);
    rule_->line = head.line, rule_->why = why, rule_->condition = "";
    take(r, T_PUNCT, "(");
    const token name = take(r, T_NAME, "the rule's name");
    check_new_name(c, name);
    rule_->name = name.text;
    take(r, T_PUNCT, ",");
    const token class = take(r, T_NAME, "a class");
    for (size_t i = 0; i < sizeof class_names / sizeof *class_names; i++)
        if (!strcmp(class_names[i], class.text)) rule_->class = class_names[i];
    if (!rule_->class)
        rulec_fail(r, class.line, class.column, "no class '%s': EXACT, ACCURATE, REASSOCIATE, FINITE or APPROXIMATE",
                   class.text);
    take(r, T_PUNCT, ",");
    const token left = take(r, T_STRING, is_rule ? "the left side" : "the ops");
    rule_->left = left.text;
    take(r, T_PUNCT, ",");
    if (is_rule) {
        rule_->pattern = read_side(c, left, true);
        const token right = take(r, T_STRING, "the right side");
        rule_->right = right.text;
        rule_->result = read_side(c, right, false);
        if (is_punct(r, ",")) next(r), read_condition(c);
    } else {
        read_ops(c, left);
        const token f = take(r, T_NAME, "a function");
        rule_->function = find(functions, f.text);
        if (!rule_->function) rulec_fail(r, f.line, f.column, "no function '%s' in functions.def", f.text);
        rule_->right = f.text;
    }
    take(r, T_PUNCT, ")");
    gn_push(r->arena, &c->rules, rule_);
}

void rulec_read(compiler *c)
{
    next(&c->r);
    while (c->r.now.kind != T_END) read_entry(c);
    if (!c->measure) rulec_fail(&c->r, 1, 1, "a table opens with MEASURE(...)");
}
