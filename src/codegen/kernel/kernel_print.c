/* Logical kernels as text. */
#include <inttypes.h>
#include "kernel_text.h"
#include "roles.h"

typedef struct printing {        /* an expression whose operands are being printed */
    const gn_kexpr *e;
    int expected;
    size_t next;
} printing;

typedef struct printer {
    gn_text *t;
    const gn_kernel *k;
    const gn_kfold *fold;        /* whose tuple is being printed; NULL: none */
    const gn_kexpr *tuple;
    size_t made;                 /* its values that stand before, which have names */
    GN_VEC(printing) open;
} printer;

static bool is_weak(const gn_kexpr *e)
{
    return e->kind == GN_K_CONST || e->kind == GN_K_INDEX;
}

static void print_const(gn_text *t, const gn_kexpr *e)
{
    if (gn_is_float(e->dtype)) gn_text_double(t, e->u.f);
    else if (gn_dtypes[e->dtype].kind == GN_KIND_UINT) gn_textf(t, "%" PRIu64, (uint64_t)e->u.i);
    else gn_textf(t, "%" PRId64, e->u.i);
}

static void print_index(gn_text *t, const gn_dim *const *index, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        gn_text_char(t, ' ');
        gn_dim_print(t, index[i]);
    }
}

void gn_kcond_print(gn_text *t, const gn_kcond *c)
{
    gn_textf(t, "(%s ", c->kind == GN_K_LT ? "lt" : "eq");
    gn_dim_print(t, c->a);
    gn_text_char(t, ' ');
    gn_dim_print(t, c->b);
    gn_text_char(t, ')');
}

static void print_weak(gn_text *t, const gn_kexpr *e, int expected)
{
    const bool plain = expected == e->dtype;
    if (!plain) gn_textf(t, "(%s ", gn_dtype_name(e->dtype));
    if (e->kind == GN_K_CONST) {
        print_const(t, e);
    } else {
        gn_text_add(t, "(index ");
        gn_dim_print(t, e->u.index);
        gn_text_char(t, ')');
    }
    if (!plain) gn_text_char(t, ')');
}

static void print_place(gn_text *t, const char *word, const char *name, const gn_kexpr *e)
{
    gn_textf(t, "(%s%s", word, name);
    print_index(t, e->index, e->nindex);
    gn_text_char(t, ')');
}

static void print_if(gn_text *t, const gn_kexpr *e)
{
    gn_text_add(t, e->ncond == 1 ? "(if " : "(if (and");
    for (size_t i = 0; i < e->ncond; i++) {
        if (e->ncond > 1) gn_text_char(t, ' ');
        gn_kcond_print(t, &e->cond[i]);
    }
    if (e->ncond != 1) gn_text_char(t, ')');
}

/* What the operands of an operation are expected to be: strong ones, weak ones. */
static void inner_dtypes(const gn_kexpr *e, int expected, int *strong, int *weak)
{
    *strong = gn_takes_dtype(e->u.op) || e->u.op->traits & GN_BOOL_OUT ? GN_NO_DTYPE : expected;
    *weak = *strong;
    for (size_t i = gn_first_value(e->u.op); i < e->n; i++)
        if (!is_weak(e->a[i])) {
            *weak = e->a[i]->dtype;
            return;
        }
}

static int operand_dtype(const gn_kexpr *e, size_t i, int expected)
{
    int strong, weak;
    if (e->kind == GN_K_IF) return is_weak(e->a[i]) && !is_weak(e->a[!i]) ? e->a[!i]->dtype : expected;
    inner_dtypes(e, expected, &strong, &weak);
    return i < gn_first_value(e->u.op) ? GN_BOOL : is_weak(e->a[i]) ? weak : strong;
}

static void print_ref(printer *p, const gn_kexpr *e)
{
    const gn_kdef *d = &p->k->defs.at[e->u.ref];
    const char *name = d->fold ? gn_arena_printf(p->t->arena, "%s.%s", d->name, d->fold->name[e->part]) : d->name;
    print_place(p->t, "", name, e);
}

/* (new m): a value of the state that stands before. */
static bool print_made(printer *p, const gn_kexpr *e)
{
    size_t i = 0;
    while (i < p->made && p->tuple->a[i] != e) i++;
    if (i == p->made || (e->kind != GN_K_OP && e->kind != GN_K_IF)) return false;
    gn_textf(p->t, "(new %s)", p->fold->name[i]);
    return true;
}

/* Prints e, or opens it: its operands and its ')' come next. */
static void begin_expr(printer *p, const gn_kexpr *e, int expected)
{
    if (print_made(p, e)) return;
    switch (e->kind) {
    case GN_K_CONST:
    case GN_K_INDEX: print_weak(p->t, e, expected); return;
    case GN_K_LOAD: print_place(p->t, "load ", p->k->bufs.at[e->u.ref].name, e); return;
    case GN_K_REF: print_ref(p, e); return;
    case GN_K_STATE: gn_textf(p->t, e->u.i ? "(other %s)" : "%s", p->fold->name[e->part]); return;
    case GN_K_IF: print_if(p->t, e); break;
    default:
        gn_textf(p->t, "(%s", e->u.op->name);
        if (gn_takes_dtype(e->u.op)) gn_textf(p->t, " %s", gn_dtype_name(e->dtype));
    }
    gn_push(p->t->arena, &p->open, ((printing){ e, expected, 0 }));
}

static void print_expr(printer *p, const gn_kexpr *e, int expected)
{
    begin_expr(p, e, expected);
    while (p->open.n) {
        printing *top = &p->open.at[p->open.n - 1];
        if (top->next == top->e->n) {
            gn_text_char(p->t, ')');
            p->open.n--;
            continue;
        }
        const size_t i = top->next++;
        gn_text_char(p->t, ' ');
        begin_expr(p, top->e->a[i], operand_dtype(top->e, i, top->expected));
    }
}

static void print_axes(gn_text *t, const gn_kernel *k, const uint16_t *axis, size_t n)
{
    gn_text_char(t, '(');
    for (size_t i = 0; i < n; i++) gn_textf(t, "%s%s", i ? " " : "", k->axes.at[axis[i]].name);
    gn_text_char(t, ')');
}

void gn_ksym_print(gn_text *t, const gn_ksym *s)
{
    const bool facts = s->mul != 1 || s->min != 0 || s->is >= 0;
    gn_textf(t, facts ? " (%s" : " %s", s->name);
    if (s->mul != 1) gn_textf(t, " :mul %" PRId64, s->mul);
    if (s->min != 0) gn_textf(t, " :min %" PRId64, s->min);
    if (s->is >= 0) gn_textf(t, " :is %" PRId64, s->is);
    if (facts) gn_text_char(t, ')');
}

static void print_head(gn_text *t, const gn_kernel *k)
{
    gn_textf(t, "(kernel %s (syms", k->name);
    for (size_t i = 0; i < k->syms.n; i++) gn_ksym_print(t, &k->syms.at[i]);
    gn_text_add(t, ")\n  (bufs");
    for (size_t i = 0; i < k->bufs.n; i++) {
        const gn_kbuf *b = &k->bufs.at[i];
        gn_textf(t, " (%s %s", b->name, gn_dtype_name(b->dtype));
        print_index(t, b->shape, b->rank);
        if (b->below) gn_text_add(t, " :in 0"), print_index(t, &b->below, 1);
        if (b->stride) {
            gn_text_add(t, " :stride");
            print_index(t, b->stride, b->rank);
        }
        if (b->shares >= 0) gn_textf(t, " :shares %s", k->bufs.at[b->shares].name);
        gn_text_char(t, ')');
    }
    gn_text_add(t, ")\n  (axes");
    for (size_t i = 0; i < k->axes.n; i++) {
        gn_textf(t, " (%s ", k->axes.at[i].name);
        gn_dim_print(t, k->axes.at[i].extent);
        if (k->axes.at[i].role) gn_textf(t, " :role %s", gn_role_names[k->axes.at[i].role]);
        if (k->axes.at[i].max) gn_textf(t, " :max %" PRId64, k->axes.at[i].max);
        gn_text_char(t, ')');
    }
    gn_text_char(t, ')');
}

static void print_tuple(printer *p, const char *word, const gn_kexpr *tuple)
{
    gn_textf(p->t, "\n      (%s", word);
    p->tuple = tuple;
    for (p->made = 0; p->made < tuple->n; p->made++) {
        gn_text_char(p->t, ' ');
        print_expr(p, tuple->a[p->made], p->fold->start->a[p->made]->dtype);
    }
    gn_text_char(p->t, ')');
    p->made = 0;
}

static void print_fold(printer *p, const gn_kfold *f, const gn_kexpr *step)
{
    p->fold = f;
    for (uint16_t i = 0; i < f->start->n; i++) {
        gn_textf(p->t, " (%s %s ", f->name[i], gn_dtype_name(f->start->a[i]->dtype));
        print_const(p->t, f->start->a[i]);
        gn_text_char(p->t, ')');
    }
    print_tuple(p, "step", step);
    print_tuple(p, "merge", f->merge);
    p->fold = NULL;
}

static void print_def(printer *p, const gn_kdef *d)
{
    gn_textf(p->t, "(def %s ", d->name);
    print_axes(p->t, p->k, d->param, d->nparam);
    gn_text_char(p->t, ' ');
    if (d->red) {
        gn_textf(p->t, "(%s ", gn_red_name(d->red));
        print_axes(p->t, p->k, d->raxis, d->nraxis);
    }
    if (d->red && !d->fold) gn_text_char(p->t, ' ');
    if (d->fold) print_fold(p, d->fold, d->body);
    else print_expr(p, d->body, GN_NO_DTYPE);
    if (d->red) gn_text_char(p->t, ')');
}

static void print_piece(gn_text *t, const gn_kernel *k, uint32_t item)
{
    for (size_t i = 0; i < k->pieces.n; i++) {
        if (k->pieces.at[i].first_item != item) continue;
        gn_text_add(t, "\n  (piece");
        for (uint32_t a = k->pieces.at[i].first_axis; a < gn_kernel_piece_end(k, i).first_axis; a++)
            gn_textf(t, " %s", k->axes.at[a].name);
        gn_text_char(t, ')');
    }
}

void gn_kernel_print(gn_text *t, const gn_kernel *k)
{
    static const char *const kinds[] = { "set", "add", "max" };
    printer p = { .t = t, .k = k };
    print_head(t, k);
    for (uint32_t i = 0; i < k->items.n; i++) {
        print_piece(t, k, i);
        gn_text_add(t, "\n  ");
        if (k->items.at[i].is_store) {
            const gn_kstore *s = &k->stores.at[k->items.at[i].at];
            gn_textf(t, "(store %s %s (", kinds[s->kind], k->bufs.at[s->buf].name);
            for (size_t d = 0; d < k->bufs.at[s->buf].rank; d++) {
                if (d) gn_text_char(t, ' ');
                gn_dim_print(t, s->index[d]);
            }
            gn_text_add(t, ") ");
            print_expr(&p, s->value, k->bufs.at[s->buf].dtype);
        } else {
            print_def(&p, &k->defs.at[k->items.at[i].at]);
        }
        gn_text_char(t, ')');
    }
    gn_text_add(t, ")\n");
}
