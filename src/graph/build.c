/* What every public builder stands in: protection, places, operands, and messages that name the user's lines. */
#include "op.h"
#include "build.h"
#include "number.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Thrown without a message to leave a builder whose operand has failed: the graph knows the first error already. */
enum { PASS_ERROR = 1 };

typedef struct build_call {
    gn_graph *g;
    gn_expr *(*body)(gn_graph *, void *);
    void *arg;
    gn_expr *result;
} build_call;

static void run_body(void *arg)
{
    build_call *const c = arg;
    gn_graph *const g = c->g;
    const char *const file = g->here.file;
    if (file && (!g->file || strcmp(g->file, file) != 0)) g->file = gn_symbol(&g->arena, &g->symbols, file);
    if (file) g->here.file = g->file; /* the caller's need not live as long as the graph */
    c->result = c->body(g, c->arg);
}

typedef struct keep_call {
    gn_graph *g;
    const char *copy;
} keep_call;

static void copy_message(void *arg)
{
    keep_call *const k = arg;
    char message[16384];
    strcpy(message, gn_message()); /* the message may change while memory is looked for */
    k->copy = gn_arena_string(&k->g->arena, message);
}

void gn_graph_keep_error(gn_graph *g, gn_status status)
{
    keep_call k = { g, NULL };
    if (gn_protect(copy_message, &k)) k.copy = NULL;
    g->failed = status;
    g->failed_message = k.copy;
    if (g->status) return;
    g->status = status;
    g->message = k.copy;
}

/* What was thrown by something that knows no builder (a size that overflows) gets its name and line. */
static void locate(const gn_graph *g, gn_status status)
{
    char place[4096];
    if (!g->here.file) return;
    const int n = snprintf(place, sizeof place, "%s:%d: ", g->here.file, g->here.line);
    if (n >= (int)sizeof place || strncmp(gn_message(), place, (size_t)n) == 0) return;
    gn_error(status, "%s%s%s%s", place, g->builder ? g->builder->name : "", g->builder ? ": " : "", gn_message());
}

gn_expr *gn_build(gn_loc loc, gn_graph *g, gn_expr *(*body)(gn_graph *, void *), void *arg)
{
    build_call c = { g, body, arg, NULL };
    if (!g) {
        gn_error(GN_EINVAL, "%s:%d: no operand belongs to a graph: a NULL, a failed expression or only numbers",
                 loc.file ? loc.file : "?", loc.line);
        return gn_static_error();
    }
    const gn_loc outer = g->here;
    const gn_builder *const builder = g->builder;
    const gn_constraints pending = g->pending;
    g->here = loc;
    const gn_status s = gn_protect(run_body, &c);
    if (s) {
        if ((int)s != PASS_ERROR) {
            locate(g, s);
            gn_graph_keep_error(g, s);
        }
        else if (!g->failed) {
            gn_error(GN_EINVAL, "%s:%d: an operand is the result of a builder that failed", loc.file, loc.line);
            gn_graph_keep_error(g, GN_EINVAL);
        }
        g->pending = pending;
        c.result = g->error;
    }
    g->here = outer;
    g->builder = builder;
    return c.result;
}

/* Messages. */

static void describe_value(gn_text *t, const gn_expr *e)
{
    const gn_attr *const a = e->op->nattr ? &e->attr[0] : NULL;
    if (a && a->kind == GN_ATTR_NAME && e->op->traits & GN_LEAF) gn_text_add(t, a->name);
    else gn_textf(t, "%s", e->op->name);
}

void gn_expr_describe(gn_text *t, const gn_expr *e)
{
    describe_value(t, e);
    gn_text_char(t, ' ');
    gn_type_show(t, e->type);
}

static void describe_operands(gn_graph *g, gn_text *t, gn_expr *const *operand, size_t n)
{
    enum { MOST = 8 };
    const char *name[MOST], *type[MOST];
    int wide = 0, wider = 0;
    const size_t shown = n < MOST ? n : MOST;
    for (size_t i = 0; i < shown; i++) {
        gn_text a = { .arena = &g->arena }, b = { .arena = &g->arena };
        if (operand[i]) describe_value(&a, operand[i]), gn_type_show(&b, operand[i]->type);
        else gn_text_add(&a, "NULL");
        name[i] = gn_text_done(&a), type[i] = gn_text_done(&b);
        if ((int)a.n > wide) wide = (int)a.n;
        if ((int)b.n > wider) wider = (int)b.n;
    }
    for (size_t i = 0; i < shown; i++) {
        const gn_origin *const o = operand[i] ? gn_origin_of(operand[i]) : NULL;
        gn_textf(t, "\n    %-*s  ", wide, name[i]);
        if (o)
            gn_textf(t, "%-*s  made at %s:%d%s%s", wider, type[i], o->loc.file, o->loc.line, *o->scope ? " in " : "",
                     o->scope);
        else gn_text_add(t, type[i]);
    }
    if (n > shown) gn_textf(t, "\n    and %zu more", n - shown);
}

void gn_throw_at(gn_graph *g, gn_status status, const char *op, gn_expr *const *operand, size_t n, const char *format, ...)
{
    char sentence[4096];
    gn_text t = { .arena = &g->arena };
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    if (g->here.file) gn_textf(&t, "%s:%d: ", g->here.file, g->here.line);
    gn_textf(&t, "%s: %s", op, sentence);
    if (g->scopes.n) gn_textf(&t, " (in %s)", g->scopes.at[g->scopes.n - 1]);
    describe_operands(g, &t, operand, n);
    gn_throw(status, "%s", gn_text_done(&t));
}

/* Operands. */

static void check_expr(gn_graph *g, const char *op, size_t i, const gn_expr *e)
{
    if (!e) gn_throw_at(g, GN_EINVAL, op, NULL, 0, "operand %zu is NULL: a forgotten variable?", i + 1);
    if (gn_is_error(e)) gn_rethrow((gn_status)PASS_ERROR);
    if (gn_graph_in(e) != g)
        gn_throw_at(g, GN_EINVAL, op, (gn_expr *const[]){ (gn_expr *)(uintptr_t)e }, 1,
                    "operand %zu belongs to another graph", i + 1);
}

void gn_check_exprs(gn_graph *g, const char *op, size_t n, gn_expr *const *e)
{
    for (size_t i = 0; i < n; i++) check_expr(g, op, i, e[i]);
}

/* Numbers as elements. */

static bool fits_integer(gn_dtype dtype, const gn_operand *number, int64_t *out)
{
    const int bits = 8 * (int)gn_dtype_size(dtype);
    int64_t v = number->integer;
    if (number->kind == 3) return *out = v, dtype == GN_U64;
    if (number->kind == 1) {
        if (!(number->number >= -0x1p63 && number->number < 0x1p63) || number->number != floor(number->number))
            return false;
        v = (int64_t)number->number;
    }
    *out = v;
    if (dtype == GN_BOOL) return v == 0 || v == 1;
    if (gn_dtypes[dtype].kind == GN_KIND_UINT) return v >= 0 && (bits == 64 || v < INT64_C(1) << bits);
    return bits == 64 || (v >= -(INT64_C(1) << (bits - 1)) && v < INT64_C(1) << (bits - 1));
}

gn_expr *gn_number_node(gn_graph *g, const char *op, gn_dtype dtype, const gn_operand *number)
{
    char bytes[8] = { 0 };
    int64_t v = 0;
    const double d = number->kind == 2 ? (double)number->integer : number->number;
    const bool fits = gn_is_float(dtype) ? gn_float_store(dtype, d, bytes) : fits_integer(dtype, number, &v);
    if (!fits && number->kind == 3)
        gn_throw_at(g, GN_EDTYPE, op, NULL, 0, "the number %" PRIu64 " does not fit %s", (uint64_t)number->integer,
                    gn_dtypes[dtype].name);
    if (!fits && number->kind == 2)
        gn_throw_at(g, GN_EDTYPE, op, NULL, 0, "the number %" PRId64 " does not fit %s", number->integer,
                    gn_dtypes[dtype].name);
    if (!fits)
        gn_throw_at(g, GN_EDTYPE, op, NULL, 0, "the number %s does not fit %s", GN_NUMBER(number->number),
                    gn_dtypes[dtype].name);
    if (!gn_is_float(dtype)) memcpy(bytes, &v, gn_dtype_size(dtype)); /* little-endian */
    return gn_constant_node(g, gn_type_tensor(g, dtype, 0, NULL), bytes, gn_dtype_size(dtype));
}

int gn_axis(gn_graph *g, const char *op, gn_expr *x, int axis, int rank)
{
    if (axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
    gn_throw_at(g, GN_EAXIS, op, &x, x ? 1 : 0, "axis %d of a tensor of rank %d", axis, rank);
}
