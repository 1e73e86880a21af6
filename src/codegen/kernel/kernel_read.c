/* Logical kernels from text. */
#include <stdlib.h>
#include "ascii.h"
#include "kernel_text.h"
#include "roles.h"

typedef struct reading {         /* an `if` or an operation whose operands are being read */
    const gn_sx *x;
    const gn_op_info *op;        /* NULL: an if */
    const gn_kcond *cond;
    size_t ncond, skip, n, now;  /* operands stand behind `skip` items; the one being read */
    int expected, strong;        /* dtype of the place; of operands that are not weak */
    gn_dtype result;             /* of cast and bitcast */
    const gn_kexpr **a;
} reading;

typedef struct reader {
    gn_kernel *k;
    const char *file;
    uint32_t piece_end;          /* axes that pieces have */
    GN_VEC(reading) open;
    const gn_kfold *fold;        /* being read; NULL: none */
    const gn_kexpr *made[GN_FOLD_MOST]; /* values of the tuple that stand before */
    size_t nmade;
    bool merges;
} reader;

static const gn_sx *need_list(reader *r, const gn_sx *x, size_t at_least)
{
    if (x->kind != GN_SX_LIST || x->n < at_least)
        gn_sx_fail(r->file, x, "expected a list of at least %zu items", at_least);
    return x;
}

static const char *need_name(reader *r, const gn_sx *x)
{
    if (x->kind != GN_SX_ATOM || !gn_begins_name(x->text[0])) gn_sx_fail(r->file, x, "expected a name");
    if (!gn_is_name(x->text)) gn_sx_fail(r->file, x, "'%s' is no name: letters, digits and _", x->text);
    return x->text;
}

/* One index into a buffer of higher rank is the flat one, as gn_dim_print writes it. */
static const gn_dim *read_index_load(void *user, const gn_sx *x, size_t n, const gn_dim *const *index)
{
    const reader *r = user;
    const int32_t b = gn_kernel_find_buf(r->k, x->at[1]->text);
    if (b < 0) gn_sx_fail(r->file, x->at[1], "no buffer '%s'", x->at[1]->text);
    const size_t rank = r->k->bufs.at[b].rank;
    if (n != rank && n != 1) gn_sx_fail(r->file, x, "%s has %zu dims, %zu indices given", x->at[1]->text, rank, n);
    const gn_dim *flat = n == rank ? gn_kernel_flat(r->k, (uint32_t)b, index) : index[0];
    return gn_dim_load(r->k->dims, r->k->bufs.at[b].name, flat);
}

static const gn_dim *read_index_name(void *user, const gn_sx *x)
{
    const reader *r = user;
    if (gn_kernel_find_axis(r->k, x->text) < 0 && gn_kernel_find_sym(r->k, x->text) < 0)
        gn_sx_fail(r->file, x, "'%s' is neither an axis nor a symbol", x->text);
    return gn_dim_sym(r->k->dims, x->text);
}

static const gn_dim *read_index(reader *r, const gn_sx *x)
{
    const gn_dim_names names = { read_index_name, read_index_load, r };
    return gn_dim_read_named(r->k->dims, r->file, x, &names);
}

static void read_indices(reader *r, const gn_sx *x, size_t first, size_t want, const gn_dim **out)
{
    if (x->n - first != want) gn_sx_fail(r->file, x, "expected %zu indices, found %zu", want, x->n - first);
    for (size_t i = 0; i < want; i++) out[i] = read_index(r, x->at[first + i]);
}

static bool weak_text(reader *r, const gn_sx *x)
{
    double v;
    if (x->kind == GN_SX_LIST) return gn_sx_head(x, "index");
    return gn_sx_double(x, &v) || gn_kernel_find_axis(r->k, x->text) >= 0 || gn_kernel_find_sym(r->k, x->text) >= 0;
}

static const gn_kexpr *read_weak(reader *r, const gn_sx *x, int expected)
{
    int64_t i;
    double v;
    if (x->kind == GN_SX_LIST) {
        if (x->n != 2) gn_sx_fail(r->file, x, "index takes one index expression");
        return gn_kexpr_index(r->k, expected == GN_NO_DTYPE ? GN_I64 : (gn_dtype)expected, read_index(r, x->at[1]));
    }
    if (gn_sx_int(x, &i)) {
        if (expected != GN_NO_DTYPE && gn_is_float((gn_dtype)expected)) {
            gn_sx_double(x, &v);
            return gn_kexpr_const(r->k, (gn_dtype)expected, v);
        }
        return gn_kexpr_int(r->k, expected == GN_NO_DTYPE ? GN_I64 : (gn_dtype)expected, i);
    }
    if (gn_sx_double(x, &v)) {
        const gn_dtype t = expected == GN_NO_DTYPE ? GN_F32 : (gn_dtype)expected;
        if (t == GN_U64) return gn_kexpr_int(r->k, t, (int64_t)strtoull(x->text, NULL, 10));
        if (!gn_is_float(t)) gn_sx_fail(r->file, x, "%s where %s is expected", x->text, gn_dtype_name(t));
        return gn_kexpr_const(r->k, t, v);
    }
    return gn_kexpr_index(r->k, expected == GN_NO_DTYPE ? GN_I64 : (gn_dtype)expected, read_index(r, x));
}

static const gn_kcond *read_conditions(reader *r, const gn_sx *c, size_t *n)
{
    const bool several = gn_sx_is(need_list(r, c, 2)->at[0], "and");
    *n = several ? c->n - 1 : 1;
    gn_kcond *cond = GN_NEW_ARRAY(r->k->arena, gn_kcond, *n);
    for (size_t i = 0; i < *n; i++) {
        const gn_sx *one = several ? c->at[i + 1] : c;
        const bool lt = gn_sx_head(one, "lt");
        if ((!lt && !gn_sx_head(one, "eq")) || one->n != 3) gn_sx_fail(r->file, one, "expected (lt a b) or (eq a b)");
        cond[i] = (gn_kcond){ lt ? GN_K_LT : GN_K_EQ, read_index(r, one->at[1]), read_index(r, one->at[2]) };
    }
    return cond;
}

static void open_if(reader *r, const gn_sx *x, int expected)
{
    if (x->n != 4) gn_sx_fail(r->file, x, "if takes a condition and two values");
    reading o = { .x = x, .skip = 2, .n = 2, .expected = expected, .strong = expected };
    o.cond = read_conditions(r, x->at[1], &o.ncond);
    o.a = GN_NEW_ARRAY(r->k->arena, const gn_kexpr *, 2);
    gn_push(r->k->arena, &r->open, o);
}

static void open_op(reader *r, const gn_sx *x, const gn_op_info *op, int expected)
{
    const bool typed = gn_takes_dtype(op);
    reading o = { .x = x, .op = op, .skip = typed ? 2 : 1, .expected = expected, .result = GN_F32 };
    if (typed && (x->n < 2 || !gn_dtype_parse(x->at[1]->text, &o.result)))
        gn_sx_fail(r->file, x, "%s: expected a dtype", op->name);
    if (x->n < o.skip || (op->arity >= 0 && x->n - o.skip != (size_t)op->arity))
        gn_sx_fail(r->file, x, "%s takes %d operands, %zu given", op->name, op->arity,
                   x->n < o.skip ? 0 : x->n - o.skip);
    o.n = x->n - o.skip;
    o.a = GN_NEW_ARRAY(r->k->arena, const gn_kexpr *, o.n);
    o.strong = typed || op->traits & GN_BOOL_OUT ? GN_NO_DTYPE : expected;
    gn_push(r->k->arena, &r->open, o);
}

/* The next operand that says its dtype itself, or is told it outright; false: there is none. An operation reads its
 * last first. */
static bool next_strong(reader *r, reading *o)
{
    for (size_t k = 0; k < o->n; k++) {
        const size_t i = o->op ? o->n - 1 - k : k;
        const bool told = o->op && i < gn_first_value(o->op);
        if (o->a[i] || (!told && weak_text(r, o->x->at[o->skip + i]))) continue;
        o->now = i;
        return true;
    }
    return false;
}

/* Weak operands take the dtype of the first that is not. */
static const gn_kexpr *close_expr(reader *r, reading *o)
{
    const size_t first = o->op ? gn_first_value(o->op) : 0;
    int weak = o->strong;
    for (size_t i = o->n; i-- > first;)
        if (o->a[i]) weak = o->a[i]->dtype;
    for (size_t i = first; i < o->n; i++)
        if (!o->a[i]) o->a[i] = read_weak(r, o->x->at[o->skip + i], weak);
    if (!o->op) return gn_kexpr_if(r->k, o->ncond, o->cond, o->a[0], o->a[1]);
    for (size_t i = first + 1; i < o->n; i++)
        if (o->a[i]->dtype != o->a[first]->dtype)
            gn_sx_fail(r->file, o->x, "%s: operands of %s and %s", o->op->name, gn_dtype_name(o->a[first]->dtype),
                       gn_dtype_name(o->a[i]->dtype));
    if (!gn_takes_dtype(o->op))
        o->result = o->op->traits & GN_BOOL_OUT ? GN_BOOL : o->n ? (gn_dtype)o->a[first]->dtype : GN_F32;
    return gn_kexpr_op(r->k, o->op, o->result, o->a, o->n);
}

/* Number of a value of the fold's state; -1: it has none of that name. */
static int32_t find_value(const gn_kfold *f, const char *name)
{
    for (uint16_t i = 0; f && i < f->start->n; i++)
        if (strcmp(f->name[i], name) == 0) return i;
    return -1;
}

static const gn_kexpr *read_state(reader *r, int32_t value, bool other)
{
    return gn_kexpr_state(r->k, (gn_dtype)r->fold->start->a[value]->dtype, (uint16_t)value, other);
}

/* (new m), (other m); NULL: no such thing. */
static const gn_kexpr *read_named_state(reader *r, const gn_sx *x)
{
    const bool made = gn_sx_head(x, "new"), other = gn_sx_head(x, "other");
    if (!r->fold || !(made || other)) return NULL;
    const int32_t value = x->n == 2 ? find_value(r->fold, x->at[1]->text) : -1;
    if (value < 0) gn_sx_fail(r->file, x, "%s takes the name of a value of the state", x->at[0]->text);
    if (other && !r->merges) gn_sx_fail(r->file, x, "other stands in a merge");
    if (made && (size_t)value >= r->nmade) gn_sx_fail(r->file, x, "'%s' is made after this", x->at[1]->text);
    return made ? r->made[value] : read_state(r, value, true);
}

/* (m i), or of a fold (s.m i); NULL: no such definition. */
static const gn_kexpr *read_ref(reader *r, const gn_sx *x)
{
    const gn_dim *index[64];
    const char *const name = x->at[0]->text, *const dot = strchr(name, '.');
    const int32_t at = gn_kernel_find_def(
        r->k, dot ? gn_arena_printf(r->k->arena, "%.*s", (int)(dot - name), name) : name);
    if (at < 0) return NULL;
    const gn_kdef *d = &r->k->defs.at[at];
    const int32_t value = dot ? find_value(d->fold, dot + 1) : 0;
    if (value < 0) gn_sx_fail(r->file, x, "'%s' has no value '%s'", d->name, dot + 1);
    if (d->fold && !dot)
        gn_sx_fail(r->file, x, "'%s' is a fold: one of its values is taken, as in (%s.%s ..)", name, name,
                   d->fold->name[0]);
    read_indices(r, x, 1, d->nparam, index);
    return gn_kexpr_part(r->k, (uint32_t)at, (uint16_t)value, index);
}

/* The expression, or NULL: it was opened, its operands come next. */
static const gn_kexpr *begin_reading(reader *r, const gn_sx *x, int expected)
{
    const int32_t value = x->kind == GN_SX_ATOM ? find_value(r->fold, x->text) : -1;
    if (value >= 0) return read_state(r, value, false);
    if (weak_text(r, x)) return read_weak(r, x, expected);
    const gn_sx *head = need_list(r, x, 1)->at[0];
    const gn_dim *index[64];
    gn_dtype t;
    if (head->kind != GN_SX_ATOM) gn_sx_fail(r->file, head, "expected an operation");
    const gn_kexpr *state = read_named_state(r, x);
    if (state) return state;
    if (gn_dtype_parse(head->text, &t) && x->n == 2 && weak_text(r, x->at[1])) return read_weak(r, x->at[1], (int)t);
    if (gn_sx_is(head, "if")) return open_if(r, x, expected), NULL;
    if (gn_sx_is(head, "load")) {
        const int32_t b = x->n > 1 ? gn_kernel_find_buf(r->k, x->at[1]->text) : -1;
        if (b < 0) gn_sx_fail(r->file, x, "load: no such buffer");
        read_indices(r, x, 2, r->k->bufs.at[b].rank, index);
        return gn_kexpr_load(r->k, (uint32_t)b, index);
    }
    const gn_kexpr *ref = read_ref(r, x);
    if (ref) return ref;
    const gn_op_info *op = gn_op_find(head->text);
    if (!op || !(op->traits & GN_ELEMWISE))
        gn_sx_fail(r->file, head, "'%s' is neither a definition made above nor an elementwise operation", head->text);
    return open_op(r, x, op, expected), NULL;
}

static const gn_kexpr *read_expr(reader *r, const gn_sx *x, int expected)
{
    const gn_kexpr *value = begin_reading(r, x, expected);
    while (r->open.n) {
        reading *o = &r->open.at[r->open.n - 1];
        if (value) o->a[o->now] = value;
        if (next_strong(r, o)) {
            const bool told = o->op && o->now < gn_first_value(o->op);
            value = begin_reading(r, o->x->at[o->skip + o->now], told ? GN_BOOL : o->strong);
        } else {
            value = close_expr(r, o);
            r->open.n--;
        }
    }
    return value;
}

static uint16_t *read_axes(reader *r, const gn_sx *x, size_t *n)
{
    if (x->kind != GN_SX_LIST || x->n > 60) gn_sx_fail(r->file, x, "expected a list of axes");
    uint16_t *axis = GN_NEW_ARRAY(r->k->arena, uint16_t, x->n);
    for (size_t i = 0; i < x->n; i++) {
        const int32_t a = gn_kernel_find_axis(r->k, x->at[i]->text);
        if (a < 0) gn_sx_fail(r->file, x->at[i], "'%s' is no axis", x->at[i]->text);
        axis[i] = (uint16_t)a;
    }
    *n = x->n;
    return axis;
}

void gn_ksym_read_facts(gn_ksym *sym, const char *file, const gn_sx *x)
{
    for (size_t i = 1; i < x->n; i += 2) {
        int64_t v;
        if (i + 1 >= x->n || !gn_sx_int(x->at[i + 1], &v) || v < 0)
            gn_sx_fail(file, x->at[i], "expected a number that is not negative");
        if (gn_sx_is(x->at[i], ":mul") && v > 0) sym->mul = v;
        else if (gn_sx_is(x->at[i], ":min")) sym->min = v;
        else if (gn_sx_is(x->at[i], ":is")) sym->is = v;
        else gn_sx_fail(file, x->at[i], "expected :mul, :min or :is");
    }
}

static void read_syms(reader *r, const gn_sx *x)
{
    for (size_t i = 1; i < x->n; i++) {
        const gn_sx *s = x->at[i];
        const bool facts = s->kind == GN_SX_LIST;
        const uint32_t at = gn_kernel_sym(r->k, need_name(r, facts ? need_list(r, s, 1)->at[0] : s));
        if (facts) gn_ksym_read_facts(&r->k->syms.at[at], r->file, s);
    }
}

static void read_role(reader *r, gn_kaxis *axis, const gn_sx *x)
{
    for (uint8_t role = GN_ROLE_BATCH; role <= GN_ROLE_K; role++)
        if (gn_sx_is(x, gn_role_names[role])) axis->role = role;
    if (!axis->role) gn_sx_fail(r->file, x, "a role is batch, row, part, lane, m, n or k");
}

static void read_axis(reader *r, const gn_sx *x)
{
    const gn_dim *extent = read_index(r, need_list(r, x, 2)->at[1]);
    const uint32_t number = gn_kernel_axis(r->k, need_name(r, x->at[0]), extent);
    gn_kaxis *axis = &r->k->axes.at[number];
    size_t at = 2;
    if (at + 1 < x->n && gn_sx_is(x->at[at], ":role")) read_role(r, axis, x->at[at + 1]), at += 2;
    if (at + 1 < x->n && gn_sx_is(x->at[at], ":max") && gn_sx_int(x->at[at + 1], &axis->max) && axis->max > 0) at += 2;
    if (at < x->n) gn_sx_fail(r->file, x, "expected (NAME extent [:role ROLE] [:max INT])");
}

/* Pieces take the axes one after the other. */
static void read_piece(reader *r, const gn_sx *x)
{
    gn_kernel *k = r->k;
    gn_kernel_piece p = { 0, (uint32_t)k->items.n };
    if (!k->pieces.n && k->items.n) gn_sx_fail(r->file, x, "what stands before the first piece is in none");
    if (k->pieces.n) p.first_axis = r->piece_end;
    r->piece_end = p.first_axis;
    for (size_t i = 1; i < x->n; i++)
        if (gn_kernel_find_axis(k, x->at[i]->text) != (int32_t)r->piece_end++)
            gn_sx_fail(r->file, x->at[i], "'%s' is not the next axis that no piece has", x->at[i]->text);
    gn_push(k->arena, &k->pieces, p);
}

/* :in 0 dim, if it stands there. */
static const gn_dim *read_range(reader *r, const gn_sx *b, size_t n, size_t *at)
{
    int64_t least;
    if (*at == n || !gn_sx_is(b->at[*at], ":in")) return NULL;
    if (*at + 2 >= n || !gn_sx_int(b->at[*at + 1], &least) || least)
        gn_sx_fail(r->file, b->at[*at], "expected :in 0 extent");
    *at += 3;
    return read_index(r, b->at[*at - 1]);
}

static int32_t shared_buf(reader *r, const gn_sx *name, uint32_t but)
{
    const int32_t b = name->text ? gn_kernel_find_buf(r->k, name->text) : -1;
    if (b < 0 || (uint32_t)b == but) gn_sx_fail(r->file, name, ":shares is followed by a buffer before this one");
    return b;
}

static void read_bufs(reader *r, const gn_sx *x)
{
    for (size_t i = 1; i < x->n; i++) {
        const gn_sx *b = need_list(r, x->at[i], 2);
        gn_dtype t;
        if (!gn_dtype_parse(b->at[1]->text, &t)) gn_sx_fail(r->file, b->at[1], "'%s' is no dtype", b->at[1]->text);
        size_t end = 2, n = b->n;
        const bool shares = n > 4 && gn_sx_is(b->at[n - 2], ":shares");
        if (shares) n -= 2;
        while (end < n && !gn_sx_is(b->at[end], ":in") && !gn_sx_is(b->at[end], ":stride")) end++;
        const size_t rank = end - 2;
        if (rank > GN_MAX_RANK) gn_sx_fail(r->file, b, "more than %d dims", GN_MAX_RANK);
        const gn_dim *d[GN_MAX_RANK];
        for (size_t j = 0; j < rank; j++) d[j] = read_index(r, b->at[2 + j]);
        const uint32_t buf = gn_kernel_buf(r->k, need_name(r, b->at[0]), t, rank, d);
        r->k->bufs.at[buf].below = read_range(r, b, n, &end);
        if (shares) r->k->bufs.at[buf].shares = shared_buf(r, b->at[n + 1], buf);
        if (end == n) continue;
        if (!gn_sx_is(b->at[end], ":stride")) gn_sx_fail(r->file, b->at[end], "expected :stride");
        read_indices(r, b, end + 1, rank, d);
        r->k->bufs.at[buf].stride = gn_arena_copy(r->k->arena, d, rank * sizeof *d);
    }
}

static gn_red red_named(const gn_sx *x)
{
    for (int red = GN_RED_SUM; red <= GN_RED_FOLD; red++)
        if (gn_sx_head(x, gn_red_name((gn_red)red))) return (gn_red)red;
    return GN_RED_NONE;
}

/* (m f32 -inf) */
static const gn_kexpr *read_start(reader *r, const gn_sx *x, const char **name)
{
    gn_dtype t;
    *name = gn_arena_string(r->k->arena, need_name(r, need_list(r, x, 3)->at[0]));
    if (x->n != 3 || !gn_dtype_parse(x->at[1]->text, &t)) gn_sx_fail(r->file, x, "expected (NAME dtype number)");
    if (weak_text(r, x->at[0])) gn_sx_fail(r->file, x, "the name '%s' is taken", *name);
    const gn_kexpr *start = weak_text(r, x->at[2]) ? read_weak(r, x->at[2], (int)t) : NULL;
    if (!start || start->kind != GN_K_CONST) gn_sx_fail(r->file, x->at[2], "a state starts with a number");
    return start;
}

/* (step e ..), (merge e ..) */
static const gn_kexpr *read_tuple(reader *r, const gn_sx *x, const char *word)
{
    const gn_kexpr *start = r->fold->start;
    if (!gn_sx_head(x, word) || x->n != start->n + 1u)
        gn_sx_fail(r->file, x, "expected (%s ..) of %u values, one for each of the state", word, start->n);
    for (r->nmade = 0; r->nmade < start->n; r->nmade++) {
        const gn_kexpr *e = read_expr(r, x->at[r->nmade + 1], start->a[r->nmade]->dtype);
        if (e->dtype != start->a[r->nmade]->dtype)
            gn_sx_fail(r->file, x->at[r->nmade + 1], "'%s' is %s, this is %s", r->fold->name[r->nmade],
                       gn_dtype_name(start->a[r->nmade]->dtype), gn_dtype_name(e->dtype));
        r->made[r->nmade] = e;
    }
    return gn_kexpr_tuple(r->k, r->made, start->n);
}

/* Gives its step. */
static const gn_kexpr *read_fold(reader *r, const gn_sx *x, gn_kfold *f)
{
    if (x->n < 5 || x->n > GN_FOLD_MOST + 4)
        gn_sx_fail(r->file, x,
                   "expected (fold (axes) (NAME dtype number).. (step ..) (merge ..)), of at most %d values",
                   GN_FOLD_MOST);
    const size_t n = x->n - 4;
    const char **name = GN_NEW_ARRAY(r->k->arena, const char *, n);
    *f = (gn_kfold){ .name = name };
    for (size_t i = 0; i < n; i++) {
        r->made[i] = read_start(r, x->at[2 + i], &name[i]);
        for (size_t k = 0; k < i; k++)
            if (strcmp(name[k], name[i]) == 0) gn_sx_fail(r->file, x->at[2 + i], "the name '%s' is taken", name[i]);
    }
    f->start = gn_kexpr_tuple(r->k, r->made, n);
    r->fold = f;
    const gn_kexpr *step = read_tuple(r, x->at[x->n - 2], "step");
    r->merges = true;
    f->merge = read_tuple(r, x->at[x->n - 1], "merge");
    r->merges = false, r->fold = NULL;
    return step;
}

static void read_def(reader *r, const gn_sx *x)
{
    if (x->n != 4) gn_sx_fail(r->file, x, "expected (def NAME (axes) value)");
    size_t nparam, nraxis = 0;
    const uint16_t *param = read_axes(r, x->at[2], &nparam), *raxis = NULL;
    const gn_sx *rhs = x->at[3];
    /* (max (j) e) reduces: its first operand is a list of axes, which no expression is */
    gn_red red = red_named(rhs);
    if (red && red != GN_RED_FOLD && (rhs->n != 3 || rhs->at[1]->kind != GN_SX_LIST)) red = GN_RED_NONE;
    if (red) raxis = read_axes(r, need_list(r, rhs, 2)->at[1], &nraxis);
    if (red && nraxis == 0) gn_sx_fail(r->file, rhs, "a reduction over no axis");
    const char *name = need_name(r, x->at[1]);
    gn_kfold fold;
    gn_kdef d = { .nparam = (uint16_t)nparam, .nraxis = (uint16_t)nraxis, .param = param, .raxis = raxis, .red = red };
    if (red == GN_RED_FOLD) d.body = read_fold(r, rhs, &fold), d.fold = &fold;
    else d.body = read_expr(r, red ? rhs->at[2] : rhs, GN_NO_DTYPE);
    gn_kernel_add(r->k, name, d);
}

static void read_store(reader *r, const gn_sx *x)
{
    if (x->n != 5) gn_sx_fail(r->file, x, "expected (store set|add|max BUF (indices) value)");
    const gn_store_kind kind = gn_sx_is(x->at[1], "add")   ? GN_STORE_ADD
                               : gn_sx_is(x->at[1], "max") ? GN_STORE_MAX
                                                           : GN_STORE_SET;
    if (kind == GN_STORE_SET && !gn_sx_is(x->at[1], "set")) gn_sx_fail(r->file, x->at[1], "expected set, add or max");
    const int32_t b = gn_kernel_find_buf(r->k, x->at[2]->text);
    if (b < 0) gn_sx_fail(r->file, x->at[2], "no buffer '%s'", x->at[2]->text);
    const gn_dim *index[GN_MAX_RANK];
    read_indices(r, need_list(r, x->at[3], 0), 0, r->k->bufs.at[b].rank, index);
    const gn_kexpr *v = read_expr(r, x->at[4], r->k->bufs.at[b].dtype);
    if (v->dtype != r->k->bufs.at[b].dtype)
        gn_sx_fail(r->file, x, "store of %s into %s, which is %s", gn_dtype_name(v->dtype), x->at[2]->text,
                   gn_dtype_name(r->k->bufs.at[b].dtype));
    gn_kernel_store(r->k, kind, (uint32_t)b, index, v);
}

gn_kernel *gn_kernel_read(gn_arena *arena, const char *file, const gn_sx *x)
{
    if (!gn_sx_head(x, "kernel") || x->n < 2) gn_sx_fail(file, x, "expected (kernel NAME ...)");
    reader r = { .file = file };
    r.k = gn_kernel_new(arena, need_name(&r, x->at[1]));
    for (size_t i = 2; i < x->n; i++) {
        const gn_sx *part = need_list(&r, x->at[i], 1);
        if (gn_sx_head(part, "syms")) read_syms(&r, part);
        else if (gn_sx_head(part, "bufs")) read_bufs(&r, part);
        else if (gn_sx_head(part, "axes"))
            for (size_t a = 1; a < part->n; a++) read_axis(&r, part->at[a]);
        else if (gn_sx_head(part, "piece")) read_piece(&r, part);
        else if (gn_sx_head(part, "def")) read_def(&r, part);
        else if (gn_sx_head(part, "store")) read_store(&r, part);
        else gn_sx_fail(file, part, "expected syms, bufs, axes, piece, def or store");
    }
    if (r.k->pieces.n && r.piece_end != r.k->axes.n)
        gn_sx_fail(file, x, "the axis '%s' is in no piece", r.k->axes.at[r.piece_end].name);
    return r.k;
}
