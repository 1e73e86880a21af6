/* rulec: compiles a table of rewrite rules, rules/NAME.def, to C. Runs during the build, so that a typo in a rule is an error of the
 * build with file, line and column.
 *
 *     rulec NAME rules/NAME.def rules_NAME.c
 *
 * The file is read as C sees it: comments, names, strings, and RULE(...) or REWRITE(...) entries (rule.h has their form). The comment
 * right above an entry becomes its explanation in docs/rules.md, the first one that of the table. Patterns with commutative ops are
 * written once per order of their operands, so that matching needs no search. */
#include "rule.h"
#include "sexpr.h"
#include "text.h"
#include "vec.h"
#include "dtype.h"
#include "context.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The runtime's, which this program comes before. */
gn_context *gn_context_default(void)
{
    return NULL;
}

const gn_allocator *gn_context_allocator(const gn_context *c)
{
    (void)c;
    return &gn_allocator_libc;
}

/* ---- what rules may name ---- */

typedef struct known {
    const char *name;
    int nargs;
} known;
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

/* ---- the reader of the file ---- */

typedef enum { T_END, T_NAME, T_STRING, T_PUNCT } token_kind;
typedef struct token {
    token_kind kind;
    int line, column;
    const char *text;
} token;

typedef struct reader {
    gn_arena *arena;
    const char *path, *at, *line_start;
    int line;
    const char *comment; /* the last one, if nothing but a newline followed it */
    const char *opening; /* the first one of the file */
    token now;
} reader;

_Noreturn static void fail(const reader *r, int line, int column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
_Noreturn static void fail(const reader *r, int line, int column, const char *format, ...)
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
        const bool blank = isspace((unsigned char)*from) || (*from == '*' && (t.n == 0 || gap) && from[1] == ' ');
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
        } else if (isspace((unsigned char)*r->at)) {
            r->at++;
        } else if (r->at[0] == '/' && r->at[1] == '*') {
            const int line = r->line, column = (int)(r->at - r->line_start) + 1;
            const char *from = r->at + 2, *to = strstr(from, "*/");
            if (!to) fail(r, line, column, "comment without end");
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
        if (*to != '"') fail(r, t->line, t->column, "string without end");
        t->kind = T_STRING, t->text = gn_arena_printf(r->arena, "%.*s", (int)(to - from - 1), from + 1), r->at = to + 1;
    } else if (isalpha((unsigned char)*from) || *from == '_') {
        while (isalnum((unsigned char)*r->at) || *r->at == '_') r->at++;
        t->kind = T_NAME, t->text = gn_arena_printf(r->arena, "%.*s", (int)(r->at - from), from);
    } else {
        const int n = from[0] == '&' && from[1] == '&' ? 2 : 1;
        t->kind = T_PUNCT, t->text = gn_arena_printf(r->arena, "%.*s", n, from), r->at += n;
    }
}

static token take(reader *r, token_kind kind, const char *what)
{
    const token t = r->now;
    if (t.kind != kind || (kind == T_PUNCT && strcmp(t.text, what))) fail(r, t.line, t.column, "expected %s, found '%s'", what, t.text);
    next(r);
    return t;
}

static bool is_punct(const reader *r, const char *text)
{
    return r->now.kind == T_PUNCT && !strcmp(r->now.text, text);
}

/* ---- names and patterns of one rule ---- */

typedef struct bound_name {
    const char *text;
    bool is_attr;
    uint32_t slot;
} bound_name;

typedef struct node node;
typedef struct attr {
    uint8_t index;
    int kind; /* 0 slot, 1 value, 2 call */
    uint32_t slot;
    gn_attr value;
    const known *function;
    const gn_pat_arg *args;
    uint32_t nargs;
} attr;
struct node {
    int kind;
    uint32_t slot, dtype;
    bool once;
    double number;
    const gn_op_info *op;
    GN_VEC(node *) in;
    GN_VEC(attr) attrs;
    bool flipped;
    int label; /* number in the C text */
};

typedef struct call {
    const known *what;
    GN_VEC(gn_pat_arg) arg;
} call;

typedef struct rule {
    const char *name, *class, *left, *right, *condition, *why;
    int line;
    GN_VEC(bound_name) names;
    uint32_t nexpr, nattr;
    node *pattern, *result;
    GN_VEC(call) calls;
    const known *function;
    GN_VEC(const gn_op_info *) ops; /* of a REWRITE */
    int npatterns, labels[16];      /* orders of operands; their numbers in the C text */
} rule;

typedef struct compiler {
    reader r;
    rule *rule;
    bool left;
    gn_text out;
    int labels;
    const char *measure; /* NULL until MEASURE was read */
    GN_VEC(rule *) rules;
} compiler;

#define FAIL_AT(c, sx, ...) fail(&(c)->r, (sx)->line, (sx)->column, __VA_ARGS__)

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
    if (!isalpha((unsigned char)*s)) return false;
    for (; *s; s++)
        if (!isalnum((unsigned char)*s) && *s != '_') return false;
    return true;
}

/* An argument of a condition or an attribute function: a bound name or an integer. */
static gn_pat_arg argument_of(compiler *c, int line, int column, const char *text)
{
    for (size_t i = 0; i < c->rule->names.n; i++)
        if (!strcmp(c->rule->names.at[i].text, text))
            return (gn_pat_arg){ c->rule->names.at[i].is_attr ? GN_ARG_ATTR : GN_ARG_EXPR, c->rule->names.at[i].slot };
    char *end;
    const long long v = strtoll(text, &end, 10);
    if (*end || end == text) fail(&c->r, line, column, "'%s' is not bound on the left side", text);
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
        if (dtype && (!is_name(dtype) || !c->left)) FAIL_AT(c, x, "'%s': a dtype is captured by a name on the left side", x->text);
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
    if (x->n != 1) fail(&c->r, text.line, text.column, "expected one pattern, found %d", (int)x->n);
    node *n = read_pattern(c, x->at[0]);
    if (left && n->kind != GN_PAT_OP) fail(&c->r, text.line, text.column, "a left side starts with an op");
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
        if (!k.what) fail(r, name.line, name.column, "no condition '%s' in functions.def", name.text);
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
            fail(r, name.line, name.column, "%s takes %d arguments, not %d", name.text, k.what->nargs, (int)k.arg.n);
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
        if (!known_word) fail(&c->r, text.line, column, "no op '%s'", word);
        s += n;
        s += strspn(s, " ");
    }
}

static void check_new_name(compiler *c, token name)
{
    for (size_t i = 0; i < c->rules.n; i++)
        if (!strcmp(c->rules.at[i]->name, name.text)) fail(&c->r, name.line, name.column, "a second rule '%s'", name.text);
}

/* MEASURE(cost): the weight that every firing lowers; MEASURE(none) for a table that only its fuel guards. */
static void read_measure(compiler *c)
{
    reader *r = &c->r;
    take(r, T_PUNCT, "(");
    const token name = take(r, T_NAME, "a measure");
    if (!find(measures, name.text)) fail(r, name.line, name.column, "no measure '%s' in functions.def", name.text);
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
    if (!c->measure) fail(r, head.line, head.column, "a table opens with MEASURE(...)");
    const bool is_rule = !strcmp(head.text, "RULE");
    if (!is_rule && strcmp(head.text, "REWRITE")) fail(r, head.line, head.column, "expected RULE or REWRITE, found '%s'", head.text);
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
    if (!rule_->class) fail(r, class.line, class.column, "no class '%s': EXACT, ACCURATE, REASSOCIATE, FINITE or APPROXIMATE", class.text);
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
        if (!rule_->function) fail(r, f.line, f.column, "no function '%s' in functions.def", f.text);
        rule_->right = f.text;
    }
    take(r, T_PUNCT, ")");
    gn_push(r->arena, &c->rules, rule_);
}

/* ---- orders of commutative operands ---- */

static bool same_pattern(const node *a, const node *b)
{
    if (a->kind != b->kind || a->once != b->once || a->op != b->op || a->in.n != b->in.n || a->attrs.n || b->attrs.n) return false;
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
    else gn_textf(t, "%a", v);
}

static void write_args(gn_text *t, const gn_pat_arg *arg, size_t n)
{
    static const char *const kinds[] = { "GN_ARG_EXPR", "GN_ARG_ATTR", "GN_ARG_INT" };
    gn_textf(t, ".n = %d", (int)n);
    if (!n) return;
    gn_text_add(t, ", .arg = (const gn_pat_arg[]){ ");
    for (size_t i = 0; i < n; i++) gn_textf(t, "%s{ %s, %lld }", i ? ", " : "", kinds[arg[i].kind], (long long)arg[i].value);
    gn_text_add(t, " }");
}

static void write_attr(gn_text *t, const attr *a)
{
    gn_textf(t, "{ .index = %d, ", a->index);
    if (a->kind == 0) {
        gn_textf(t, ".kind = GN_PAT_SLOT, .slot = %u }", a->slot);
    } else if (a->kind == 1 && a->value.kind == GN_ATTR_INTS) {
        gn_textf(t, ".kind = GN_PAT_VALUE, .value = { .kind = GN_ATTR_INTS, .n = %u, .ints = (const int64_t[]){ ", a->value.n);
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
        for (size_t i = 0; i < n->in.n; i++) gn_textf(t, "%s&p%d", i ? ", " : "", n->in.at[n->flipped ? n->in.n - 1 - i : i]->label);
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
    if (n > 4) fail(&c->r, r->line, 1, "%s: more than 4 commutative ops in one pattern", r->name);
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
                if (r->ops.at[o] == gn_ops[k]) gn_textf(&c->out, "    { &gn_op_%s, &rules[%d], NULL },\n", gn_ops[k]->name, (int)i), n++;
        }
    return n;
}

typedef struct job {
    const char *name, *in, *out_path;
    const char *text;
    gn_arena arena;
} job;

static void compile(void *arg)
{
    job *j = arg;
    compiler *c = GN_NEW_OBJECT(&j->arena, compiler);
    c->r = (reader){ .arena = &j->arena, .path = j->in, .at = j->text, .line_start = j->text, .line = 1 };
    c->out.arena = &j->arena;
    next(&c->r);
    while (c->r.now.kind != T_END) read_entry(c);
    if (!c->measure) fail(&c->r, 1, 1, "a table opens with MEASURE(...)");
    gn_textf(&c->out, "/* Made from rules/%s.def by rulec. */\n#include \"functions.h\"\n#include <math.h>\n\n", j->name);
    for (size_t i = 0; i < c->rules.n; i++)
        if (c->rules.at[i]->pattern) {
            gn_textf(&c->out, "/* %s */\n", c->rules.at[i]->name);
            write_patterns(c, c->rules.at[i], i);
        }
    gn_text_add(&c->out, "\nstatic const gn_rule rules[] = {\n");
    for (size_t i = 0; i < c->rules.n; i++) write_rule(c, c->rules.at[i], i);
    gn_text_add(&c->out, "};\n\nstatic const gn_rule_entry entries[] = {\n");
    const int n = write_entries(c);
    gn_textf(&c->out, "};\n\nconst gn_rule_set gn_rules_%s = {\n    .name = \"%s\", .rule = rules, .nrules = %d, .entry = entries, .nentries = %d,\n"
             "    .weight = %s%s,\n    .why = ", j->name, j->name, (int)c->rules.n, n,
             strcmp(c->measure, "none") ? "gn_weight_" : "NULL", strcmp(c->measure, "none") ? c->measure : "");
    write_string(&c->out, c->r.opening ? c->r.opening : "");
    gn_text_add(&c->out, "\n};\n");
    FILE *f = fopen(j->out_path, "w");
    if (!f || fputs(gn_text_done(&c->out), f) < 0 || fclose(f)) gn_throw(GN_EIO, "%s: cannot write", j->out_path);
}

static char *read_file(gn_arena *arena, const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f) return NULL;
    gn_text t = { .arena = arena };
    char part[4096];
    for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;) gn_text_add_n(&t, part, n);
    fclose(f);
    return (char *)gn_text_done(&t);
}

int main(int argc, char **argv)
{
    if (argc != 4) return fprintf(stderr, "usage: rulec NAME RULES.def OUT.c\n"), 2;
    job j = { .name = argv[1], .in = argv[2], .out_path = argv[3] };
    j.text = read_file(&j.arena, j.in);
    if (!j.text) return fprintf(stderr, "%s: cannot read\n", j.in), 1;
    const gn_status status = gn_protect(compile, &j);
    if (status) fprintf(stderr, "%s\n", gn_message());
    gn_arena_free(&j.arena);
    return status ? 1 : 0;
}
