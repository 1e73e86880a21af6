/* Programs as text, which is what the cache keeps: printing and reading are inverse. Grammar: docs/program-text.md. */
#include <inttypes.h>
#include <stdlib.h>
#include "ascii.h"
#include "program_text.h"

static const char *const kinds[] = {
    [GN_VALUE_INPUT] = "input", [GN_VALUE_VARIABLE] = "variable", [GN_VALUE_CONSTANT] = "constant",
    [GN_VALUE_TEMP] = "temp",   [GN_VALUE_OUTPUT] = "output",     [GN_VALUE_UPDATE] = "update"
};

/* ---- printing ---- */

static void print_string(gn_text *t, const char *s)
{
    gn_text_char(t, '"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\') gn_textf(t, "\\%c", *s);
        else if (*s == '\n') gn_text_add(t, "\\n");
        else if (*s == '\t') gn_text_add(t, "\\t");
        else if ((unsigned char)*s < 32) gn_textf(t, "\\x%02x", (unsigned char)*s);
        else gn_text_char(t, *s);
    }
    gn_text_char(t, '"');
}

static void print_hex(gn_text *t, const void *data, size_t n)
{
    static const char digit[] = "0123456789abcdef";
    const unsigned char *p = data;
    gn_text_char(t, '"');
    for (size_t i = 0; i < n; i++) gn_text_add_n(t, (char[]){ digit[p[i] >> 4], digit[p[i] & 15] }, 2);
    gn_text_char(t, '"');
}

void gn_pprint_dims(gn_text *t, const gn_dim *const *d, size_t n)
{
    gn_text_char(t, '(');
    for (size_t i = 0; i < n; i++) {
        if (i) gn_text_char(t, ' ');
        gn_dim_print(t, d[i]);
    }
    gn_text_char(t, ')');
}

static void print_value(gn_text *t, const gn_pvalue *v)
{
    gn_textf(t, "\n  (value %s %" PRIu32 " ", kinds[v->kind], v->index);
    print_string(t, v->name);
    gn_textf(t, " %s ", gn_dtype_name(v->dtype));
    gn_pprint_dims(t, v->shape, v->rank);
    gn_text_char(t, ' ');
    gn_dim_print(t, v->bytes);
    gn_textf(t, " %" PRId32 " %" PRId32 " %" PRId32, v->first, v->last, v->alias);
    if (v->kind == GN_VALUE_CONSTANT) {
        gn_text_char(t, ' ');
        print_hex(t, v->data, v->nbytes);
    }
    gn_text_char(t, ')');
}

void gn_program_print(gn_text *t, const gn_program *p)
{
    gn_text_add(t, "(program ");
    print_string(t, p->name);
    gn_textf(t, " %" PRIu32 " %" PRIu32, p->ninputs, p->noutputs);
    for (size_t i = 0; i < p->syms.n; i++)
        gn_textf(t, "\n  (sym %s %" PRId32 " %" PRId32 " %" PRId64 ")", p->syms.at[i].name, p->syms.at[i].input,
                 p->syms.at[i].axis, p->syms.at[i].is);
    for (size_t i = 0; i < p->variables.n; i++) {
        const gn_pvariable *v = &p->variables.at[i];
        gn_text_add(t, "\n  (variable ");
        print_string(t, v->name);
        gn_textf(t, " %s ", gn_dtype_name(v->dtype));
        gn_pprint_dims(t, v->shape, v->rank);
        gn_textf(t, " %d)", v->updated);
    }
    for (size_t i = 0; i < p->values.n; i++) print_value(t, &p->values.at[i]);
    for (size_t i = 0; i < p->kernels.n; i++) {
        const gn_pkernel *k = &p->kernels.at[i];
        gn_textf(t, "\n  (kernel %s %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " ", k->name, k->first_step,
                 k->nsteps, k->text_at, k->text_size);
        print_string(t, k->kernel);
        gn_text_char(t, ' ');
        print_string(t, k->schedule);
        if (k->plain) gn_text_char(t, ' '), print_string(t, k->plain);
        gn_text_char(t, ')');
    }
    gn_pprint_steps(t, p);
    for (size_t i = 0; i < p->checks.n; i++) {
        gn_text_add(t, "\n  (check ");
        gn_dim_print(t, p->checks.at[i].a);
        gn_text_char(t, ' ');
        gn_dim_print(t, p->checks.at[i].b);
        gn_textf(t, " %" PRIu32 " ", p->checks.at[i].constraint);
        print_string(t, p->checks.at[i].text);
        gn_text_char(t, ')');
    }
    for (size_t i = 0; i < p->indices.n; i++) {
        gn_textf(t, "\n  (index %" PRIu32 " ", p->indices.at[i].value);
        gn_dim_print(t, p->indices.at[i].bound);
        gn_text_char(t, ' ');
        gn_dim_print(t, p->indices.at[i].uses);
        gn_textf(t, " %" PRId32 " %" PRIu32 " ", p->indices.at[i].after, p->indices.at[i].user);
        print_string(t, p->indices.at[i].text);
        gn_text_char(t, ')');
    }
    gn_text_add(t, "\n  (source ");
    print_string(t, p->source);
    gn_text_add(t, "))\n");
}

/* ---- reading ---- */

int64_t gn_pread_int(gn_preader *r, const gn_sx *x, int64_t low, int64_t high)
{
    int64_t v;
    if (!gn_sx_int(x, &v) || v < low || v > high)
        gn_sx_fail(r->file, x, "expected a number from %" PRId64 " to %" PRId64, low, high);
    return v;
}

static const char *need_string(gn_preader *r, const gn_sx *x)
{
    if (x->kind != GN_SX_STRING) gn_sx_fail(r->file, x, "expected a string");
    return gn_arena_copy(r->p->arena, x->text, x->n + 1);
}

const char *gn_pread_name(gn_preader *r, const gn_sx *x)
{
    if (x->kind != GN_SX_ATOM) gn_sx_fail(r->file, x, "expected a name");
    return gn_symbol(r->p->arena, &r->p->dims->symbols, x->text);
}

static gn_dtype need_dtype(gn_preader *r, const gn_sx *x)
{
    gn_dtype t;
    if (x->kind != GN_SX_ATOM || !gn_dtype_parse(x->text, &t)) gn_sx_fail(r->file, x, "expected a dtype");
    return t;
}

const gn_dim *const *gn_pread_dims(gn_preader *r, const gn_sx *x)
{
    if (x->kind != GN_SX_LIST) gn_sx_fail(r->file, x, "expected a list of dims");
    const gn_dim **d = GN_NEW_ARRAY(r->p->arena, const gn_dim *, x->n);
    for (size_t i = 0; i < x->n; i++) d[i] = gn_dim_read(r->p->dims, r->file, x->at[i]);
    return d;
}

void gn_pread_length(gn_preader *r, const gn_sx *x, size_t n)
{
    if (x->n != n) gn_sx_fail(r->file, x, "expected %zu items, found %zu", n, x->n);
}

static const void *need_hex(gn_preader *r, const gn_sx *x, size_t *nbytes)
{
    const char *s = need_string(r, x);
    if (x->n % 2) gn_sx_fail(r->file, x, "an odd number of hex digits");
    unsigned char *out = gn_arena_alloc(r->p->arena, x->n / 2 + 1, 16);
    for (size_t i = 0; i < x->n; i++)
        if (gn_hex_digit(s[i]) < 0) gn_sx_fail(r->file, x, "not a hex digit");
    for (size_t i = 0; i < x->n / 2; i++)
        out[i] = (unsigned char)(gn_hex_digit(s[2 * i]) << 4 | gn_hex_digit(s[2 * i + 1]));
    *nbytes = x->n / 2;
    return out;
}

static void read_value(gn_preader *r, const gn_sx *x)
{
    gn_pvalue v = { .kind = UINT8_MAX };
    for (uint8_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        if (x->n > 1 && gn_sx_is(x->at[1], kinds[k])) v.kind = k;
    if (v.kind == UINT8_MAX) gn_sx_fail(r->file, x, "no such kind of value");
    gn_pread_length(r, x, v.kind == GN_VALUE_CONSTANT ? 11 : 10);
    v.index = (uint32_t)gn_pread_int(r, x->at[2], 0, UINT32_MAX);
    v.name = need_string(r, x->at[3]);
    v.dtype = need_dtype(r, x->at[4]);
    v.shape = gn_pread_dims(r, x->at[5]), v.rank = (uint8_t)x->at[5]->n;
    if (x->at[5]->n > GN_MAX_RANK) gn_sx_fail(r->file, x->at[5], "more than %d dims", GN_MAX_RANK);
    v.bytes = gn_dim_read(r->p->dims, r->file, x->at[6]);
    v.first = (int32_t)gn_pread_int(r, x->at[7], -1, INT32_MAX);
    v.last = (int32_t)gn_pread_int(r, x->at[8], -1, INT32_MAX);
    v.alias = (int32_t)gn_pread_int(r, x->at[9], -1, INT32_MAX);
    if (v.kind == GN_VALUE_CONSTANT) v.data = need_hex(r, x->at[10], &v.nbytes);
    gn_push(r->p->arena, &r->p->values, v);
}

static void read_item(gn_preader *r, const gn_sx *x)
{
    gn_program *p = r->p;
    if (gn_sx_head(x, "sym")) {
        gn_pread_length(r, x, 5);
        gn_push(p->arena, &p->syms,
                (gn_psym){ gn_pread_name(r, x->at[1]), (int32_t)gn_pread_int(r, x->at[2], GN_SYM_TURN, INT32_MAX),
                           (int32_t)gn_pread_int(r, x->at[3], -1, GN_MAX_RANK),
                           gn_pread_int(r, x->at[4], -1, INT64_MAX) });
    } else if (gn_sx_head(x, "variable")) {
        gn_pread_length(r, x, 5);
        gn_push(p->arena, &p->variables,
                (gn_pvariable){ need_string(r, x->at[1]), need_dtype(r, x->at[2]), (uint8_t)x->at[3]->n,
                                gn_pread_dims(r, x->at[3]), gn_pread_int(r, x->at[4], 0, 1) != 0 });
    } else if (gn_sx_head(x, "value")) {
        read_value(r, x);
    } else if (gn_sx_head(x, "kernel")) {
        gn_pread_length(r, x, x->n == 9 ? 9 : 8);
        gn_push(p->arena, &p->kernels,
                (gn_pkernel){ gn_pread_name(r, x->at[1]), need_string(r, x->at[6]), need_string(r, x->at[7]),
                              (uint32_t)gn_pread_int(r, x->at[2], 0, INT32_MAX),
                              (uint32_t)gn_pread_int(r, x->at[3], 0, INT32_MAX),
                              (uint32_t)gn_pread_int(r, x->at[4], 0, UINT32_MAX),
                              (uint32_t)gn_pread_int(r, x->at[5], 0, UINT32_MAX),
                              x->n == 9 ? need_string(r, x->at[8]) : NULL });
    } else if (gn_sx_head(x, "check")) {
        gn_pread_length(r, x, 5);
        gn_push(p->arena, &p->checks,
                (gn_pcheck){ gn_dim_read(p->dims, r->file, x->at[1]), gn_dim_read(p->dims, r->file, x->at[2]),
                             (uint32_t)gn_pread_int(r, x->at[3], 0, UINT32_MAX), need_string(r, x->at[4]) });
    } else if (gn_sx_head(x, "index")) {
        gn_pread_length(r, x, 7);
        gn_push(p->arena, &p->indices,
                (gn_pindex){ (uint32_t)gn_pread_int(r, x->at[1], 0, UINT32_MAX), gn_dim_read(p->dims, r->file, x->at[2]),
                             gn_dim_read(p->dims, r->file, x->at[3]), (int32_t)gn_pread_int(r, x->at[4], -1, INT32_MAX),
                             (uint32_t)gn_pread_int(r, x->at[5], 0, UINT32_MAX), need_string(r, x->at[6]) });
    } else if (gn_sx_head(x, "source")) {
        gn_pread_length(r, x, 2);
        p->source = need_string(r, x->at[1]);
    } else if (!gn_pread_step(r, x)) {
        gn_sx_fail(r->file, x, "no such part of a program");
    }
}

static bool refers_well(const gn_program *p, const gn_pstep *s)
{
    bool ok = s->kind != GN_STEP_KERNEL || s->kernel < p->kernels.n;
    for (uint32_t j = 0; j < s->narg; j++) ok &= s->arg[j] < (int64_t)p->values.n;
    for (uint32_t j = 0; j < s->nsym; j++) ok &= s->sym[j] < p->syms.n;
    for (uint32_t j = 0; s->kind == GN_STEP_PREPARE && j < s->of.prepare->n; j++)
        ok &= s->of.prepare->variable[j] < p->variables.n;
    return ok && s->status <= s->narg;
}

/* No value takes over, through others, its own memory. */
static bool aliases_end(const gn_program *p)
{
    uint32_t *seen = GN_NEW_ARRAY(p->arena, uint32_t, p->values.n); /* 1 + the value from which it was met */
    for (uint32_t i = 0; i < p->values.n; i++)
        for (int32_t v = (int32_t)i; v >= 0 && !seen[v]; v = p->values.at[v].alias) {
            seen[v] = i + 1;
            const int32_t next = p->values.at[v].alias;
            if (next >= 0 && seen[next] == i + 1) return false;
        }
    return true;
}

/* Numbers that refer to other parts must be in range: a program from a file is not trusted further than that. */
static void check_references(gn_preader *r, const gn_sx *x)
{
    const gn_program *p = r->p;
    const int64_t nv = (int64_t)p->values.n, ns = (int64_t)p->steps.n;
    bool ok = p->source && p->ninputs + (uint64_t)p->noutputs <= p->values.n;
    for (size_t i = 0; i < p->values.n; i++) {
        const gn_pvalue *v = &p->values.at[i];
        ok &= v->alias < nv && v->alias != (int32_t)i && v->first < ns && v->last < ns;
        ok &= (v->kind != GN_VALUE_VARIABLE && v->kind != GN_VALUE_UPDATE) || v->index < p->variables.n;
        ok &= v->kind != GN_VALUE_INPUT || v->index < p->ninputs;
        ok &= v->kind != GN_VALUE_OUTPUT || v->index < p->noutputs;
    }
    for (size_t i = 0; i < p->steps.n; i++) ok &= refers_well(p, &p->steps.at[i]);
    uint64_t end = 0;
    for (size_t i = 0; i < p->kernels.n; i++) {
        ok &= p->kernels.at[i].text_at >= end;
        end = (uint64_t)p->kernels.at[i].text_at + p->kernels.at[i].text_size;
    }
    ok &= p->source && end <= strlen(p->source);
    for (size_t i = 0; i < p->syms.n; i++) ok &= p->syms.at[i].input < (int64_t)p->ninputs;
    for (size_t i = 0; i < p->indices.n; i++) ok &= p->indices.at[i].value < p->values.n && p->indices.at[i].after < ns;
    ok = ok && aliases_end(p);
    if (!ok) gn_sx_fail(r->file, x, "a number in the program refers to something that is not there");
}

gn_program *gn_program_read(gn_arena *arena, const char *file, const char *text, size_t length)
{
    const gn_sx *all = gn_sx_read(arena, file, text, length);
    if (all->n != 1 || !gn_sx_head(all->at[0], "program") || all->at[0]->n < 4)
        gn_sx_fail(file, all, "expected one (program NAME ...)");
    const gn_sx *x = all->at[0];
    gn_preader r = { GN_NEW_OBJECT(arena, gn_program), file };
    r.p->arena = arena;
    r.p->dims = GN_NEW_OBJECT(arena, gn_dim_pool);
    r.p->dims->arena = arena;
    r.p->name = need_string(&r, x->at[1]);
    r.p->ninputs = (uint32_t)gn_pread_int(&r, x->at[2], 0, INT32_MAX);
    r.p->noutputs = (uint32_t)gn_pread_int(&r, x->at[3], 0, INT32_MAX);
    for (size_t i = 4; i < x->n; i++) {
        if (x->at[i]->kind != GN_SX_LIST) gn_sx_fail(file, x->at[i], "expected a list");
        read_item(&r, x->at[i]);
    }
    check_references(&r, x);
    if (!*r.p->source) gn_program_set_lives(r.p);
    if (r.p->is_tree) gn_program_verify(r.p, file);
    return r.p;
}
