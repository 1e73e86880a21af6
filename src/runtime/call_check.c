/* What a call is checked for, and the sentences when it does not fit. */
#include "func_state.h"
#include <stdio.h>
#include <string.h>
#include "error.h"
#include "view.h"

static const char *role_of(const gn_func *f, uint32_t slot)
{
    return slot < f->program->ninputs ? "input" : "output";
}

static void show_array(gn_text *t, const gn_array *a)
{
    const char *dtype = gn_dtype_name(a->dtype);
    if (dtype) gn_text_add(t, dtype);
    else gn_textf(t, "dtype %d", (int)a->dtype);
    gn_text_add(t, " (");
    for (int d = 0; d < a->rank && d < GN_MAX_RANK; d++) gn_textf(t, "%s%lld", d ? ", " : "", (long long)a->shape[d]);
    gn_text_add(t, ")");
}

static void show_value(gn_text *t, const gn_pvalue *v)
{
    gn_textf(t, "%s (", gn_dtype_name(v->dtype));
    for (int d = 0; d < v->rank; d++) {
        if (d) gn_text_add(t, ", ");
        gn_dim_show(t, v->shape[d]);
    }
    gn_text_add(t, ")");
}

typedef struct misfit { /* for the sentence, which needs memory of its own */
    const gn_func *f;
    const char *who;
    uint32_t slot;
    const gn_array *array;
    gn_status status;
} misfit;

void gn_check_tell_again(const gn_func *f, size_t check)
{
    const gn_loc again = f->check_again[check];
    if (*again.file) gn_error_add("built again at %s:%d", again.file, again.line);
}

static void tell_constraint(const gn_func *f, size_t check)
{
    gn_error_add("%s:%d: %s must agree", f->check_loc[check].file, f->check_loc[check].line,
                 f->program->checks.at[check].text);
    gn_check_tell_again(f, check);
}

/* The lines that gave axis d of an input the extent that it must have: "batch is 784" of an add leaves the number alone. */
static void tell_reasons(const misfit *m)
{
    const gn_program *p = m->f->program;
    const gn_pvalue *v = &p->values.at[m->slot];
    int64_t want;
    for (int d = 0; m->status == GN_ESHAPE && m->array->rank == v->rank && d < v->rank; d++) {
        if (gn_dim_is_const(v->shape[d], &want) && want == m->array->shape[d]) continue;
        for (size_t i = 0; i < p->checks.n; i++)
            if (p->checks.at[i].a == v->shape[d] && p->checks.at[i].b == v->shape[d])
                tell_constraint(m->f, i);
    }
}

static void tell_misfit(void *arg)
{
    const misfit *m = arg;
    gn_arena arena = { .allocator = m->f->allocator };
    gn_text found = { .arena = &arena }, wanted = { .arena = &arena };
    show_array(&found, m->array);
    show_value(&wanted, &m->f->program->values.at[m->slot]);
    const gn_slot_info *s = &m->f->slot[m->slot];
    gn_error(m->status, "%s: %s: %s '%s' is %s, expected %s", m->who, m->f->program->name, role_of(m->f, m->slot),
             s->name, gn_text_done(&found), gn_text_done(&wanted));
    if (*s->loc.file) gn_error_add("'%s' was made at %s:%d", s->name, s->loc.file, s->loc.line);
    tell_reasons(m);
    gn_arena_free(&arena);
}

static gn_status misfits(const gn_func *f, const char *who, uint32_t slot, const gn_array *a, gn_status status)
{
    misfit m = { f, who, slot, a, status };
    const gn_status s = gn_protect(tell_misfit, &m); /* out of memory for words: still an error */
    return s ? s : status;
}

static gn_status wrong_count(const gn_func *f, const char *who, const char *what, size_t found, uint32_t wanted)
{
    return gn_error(GN_EINVAL, "%s: %s: %zu %s, expected %u", who, f->program->name, found, what, (unsigned)wanted);
}

/* dtype and rank of each array; an output to be allocated has neither. */
static gn_status check_kinds(const gn_func *f, const char *who, gn_arrays in, gn_arrays out)
{
    const gn_program *p = f->program;
    if (in.n != p->ninputs) return wrong_count(f, who, "inputs", in.n, p->ninputs);
    if (out.n != p->noutputs) return wrong_count(f, who, "outputs", out.n, p->noutputs);
    if ((in.n && !in.at) || (out.n && !out.at))
        return gn_error(GN_EINVAL, "%s: %s: the list of arrays is NULL", who, p->name);
    for (uint32_t s = 0; s < f->nslots; s++) {
        const gn_array *a = s < p->ninputs ? &in.at[s] : &out.at[s - p->ninputs];
        const gn_pvalue *v = &p->values.at[s];
        if (a->fill && s < p->ninputs)
            return gn_error(GN_EINVAL, "%s: %s: input '%s' is GN_NEW, which is for outputs", who, p->name, f->slot[s].name);
        if (a->fill) continue;
        if (a->dtype != v->dtype) return misfits(f, who, s, a, GN_EDTYPE);
        if (a->rank != v->rank) return misfits(f, who, s, a, GN_ESHAPE);
    }
    return GN_OK;
}

/* The lines that made a dim one with others: "n = m" at a matmul leaves one name of the two. */
static void tell_constraints(const gn_func *f, const char *symbol)
{
    const gn_program *p = f->program;
    const gn_dim *least;
    for (size_t i = 0; i < p->checks.n; i++)
        if (!gn_constraint_is_bound(p->checks.at[i].a, p->checks.at[i].b, &least) &&
            (gn_dim_mentions(p->checks.at[i].a, symbol) || gn_dim_mentions(p->checks.at[i].b, symbol)))
            tell_constraint(f, i);
}

/* A named dim that stands as an extent of its own in `slot` but has another size there. */
static gn_status tell_two_sizes(const gn_func *f, const char *who, const gn_psym *sym, int64_t first, uint32_t slot,
                                int axis, int64_t second)
{
    const gn_slot_info *a = &f->slot[sym->input], *b = &f->slot[slot];
    gn_error(GN_ESHAPE,
             "%s: %s: named dim '%s' is bound to two sizes: %lld by axis %d of input '%s', %lld by axis %d of %s '%s'",
             who, f->program->name, sym->name, (long long)first, sym->axis, a->name, (long long)second, axis,
             role_of(f, slot), b->name);
    if (*a->loc.file) gn_error_add("'%s' was made at %s:%d", a->name, a->loc.file, a->loc.line);
    if (*b->loc.file) gn_error_add("'%s' was made at %s:%d", b->name, b->loc.file, b->loc.line);
    tell_constraints(f, sym->name);
    return GN_ESHAPE;
}

static const gn_psym *symbol_alone(const gn_program *p, const gn_dim *d, size_t *at)
{
    if (d->n != 1 || d->term[0].n != 1 || d->term[0].c != 1 || d->term[0].atom[0]->kind != GN_DIM_SYM) return NULL;
    for (*at = 0; *at < p->syms.n; ++*at)
        if (!strcmp(p->syms.at[*at].name, d->term[0].atom[0]->name)) return &p->syms.at[*at];
    return NULL;
}

/* Inputs whose extents are numbers or names alone, against the sizes; the rest is compared with the frame's. */
static gn_status check_input_sizes(const gn_func *f, const char *who, gn_arrays in, const int64_t *sym)
{
    const gn_program *p = f->program;
    for (uint32_t s = 0; s < p->ninputs; s++) {
        const gn_array *a = &in.at[s];
        for (int d = 0; d < a->rank; d++) {
            int64_t value;
            size_t k = 0;
            const gn_psym *name = symbol_alone(p, p->values.at[s].shape[d], &k);
            if (a->shape[d] < 0)
                return gn_error(GN_ESHAPE, "%s: %s: axis %d of input '%s' has the negative extent %lld", who, p->name,
                                d, f->slot[s].name, (long long)a->shape[d]);
            if (gn_dim_is_const(p->values.at[s].shape[d], &value) && value != a->shape[d])
                return misfits(f, who, s, a, GN_ESHAPE);
            if (name && name->input >= 0 && sym[k] != a->shape[d])
                return tell_two_sizes(f, who, name, sym[k], s, d, a->shape[d]);
        }
        if (gn_array_count(a) < 0)
            return gn_error(GN_ENOMEM, "%s: %s: input '%s': size overflows", who, p->name, f->slot[s].name);
    }
    return GN_OK;
}

gn_status gn_call_sizes(const gn_func *f, const char *who, gn_arrays in, gn_arrays out, int64_t *sym)
{
    const gn_program *p = f->program;
    gn_status s = check_kinds(f, who, in, out);
    if (s) return s;
    for (size_t i = 0; i < p->syms.n; i++) {
        const gn_psym *b = &p->syms.at[i];
        sym[i] = b->input < 0 ? b->is : in.at[b->input].shape[b->axis];
    }
    return check_input_sizes(f, who, in, sym);
}

static bool has_shape(const gn_array *a, const int64_t *shape)
{
    for (int d = 0; d < a->rank; d++)
        if (a->shape[d] != shape[d]) return false;
    return true;
}

static gn_status wrong_shape(const gn_frame *fr, const char *who, uint32_t slot, const gn_array *a)
{
    const gn_status s = misfits(fr->f, who, slot, a, GN_ESHAPE);
    char sizes[160];
    size_t n = 0;
    sizes[0] = '\0';
    for (int d = 0; d < a->rank && n < sizeof sizes - 24; d++)
        n += (size_t)snprintf(sizes + n, sizeof sizes - n, "%s%lld", d ? ", " : "", (long long)fr->shape[slot][d]);
    gn_error_add("for the sizes of this call that is (%s)", sizes);
    return s;
}

static gn_status tell_overlap(const gn_func *f, const char *who, uint32_t output, uint32_t other, gn_meeting meeting)
{
    const char *const verb = meeting == GN_MEET ? "overlaps" : "may overlap",
                      *const why = meeting == GN_MEET ? "" : ": their strides are too involved to tell";
    if (output == other)
        return gn_error(GN_EINVAL, "%s: %s: output '%s' %s itself in memory%s", who, f->program->name,
                        f->slot[output].name, verb, why);
    return gn_error(GN_EINVAL, "%s: %s: output '%s' %s %s '%s' in memory%s", who, f->program->name,
                    f->slot[output].name, verb, role_of(f, other), f->slot[other].name, why);
}

/* Arrays in and out, of which `a` is to be slot s; other slots from `first` up to `end`. */
static gn_status check_pairs(const gn_frame *fr, const char *who, uint32_t s, const gn_array *a, uint32_t first,
                             uint32_t end)
{
    const uint32_t ninputs = fr->f->program->ninputs;
    for (uint32_t other = first; other < end; other++) {
        if (other == s || (other < ninputs && s < ninputs)) continue;
        const gn_meeting m = gn_arrays_meet(a, &fr->now[other]);
        if (m != GN_APART) return tell_overlap(fr->f, who, s < ninputs ? other : s, s < ninputs ? s : other, m);
    }
    return GN_OK;
}

/* Where the elements lie: within the address space, and those of an output each in a place of its own. */
static gn_status check_places(const gn_frame *fr, const char *who, uint32_t s, const gn_array *a)
{
    const gn_func *f = fr->f;
    uintptr_t first, end;
    if (!a->data && fr->count[s])
        return gn_error(GN_EINVAL, "%s: %s: %s '%s' has data NULL", who, f->program->name, role_of(f, s), f->slot[s].name);
    if (!gn_array_range(a, &first, &end))
        return gn_error(GN_EINVAL, "%s: %s: the strides of %s '%s' lead out of the address space", who,
                        f->program->name, role_of(f, s), f->slot[s].name);
    const gn_meeting m = s < f->program->ninputs ? GN_APART : gn_array_meets_itself(a);
    return m == GN_APART ? GN_OK : tell_overlap(f, who, s, s, m);
}

gn_status gn_frame_check_move(const gn_frame *fr, const char *who, uint32_t slot, const gn_array *a)
{
    const gn_status s = check_places(fr, who, slot, a);
    return s ? s : check_pairs(fr, who, slot, a, 0, fr->f->nslots);
}

static gn_status check_overlap(const gn_frame *fr, const char *who)
{
    gn_status s = GN_OK;
    for (uint32_t o = fr->f->program->ninputs; !s && o < fr->f->nslots; o++) s = check_pairs(fr, who, o, &fr->now[o], 0, o);
    return s;
}

/* A row-major block in place of a view that generated code does not take: strided, or not aligned to its elements. */
gn_status gn_frame_stage(gn_frame *fr, uint32_t s)
{
    const gn_array *a = &fr->now[s];
    const size_t size = gn_dtype_size(a->dtype);
    fr->is_staged[s] = false;
    if (!fr->count[s] || (gn_array_is_row_major(a) && (uintptr_t)a->data % size == 0)) return GN_OK;
    if (!fr->staged[s]) fr->staged[s] = gn_block_new(fr->f->allocator, (size_t)fr->count[s] * size);
    if (!fr->staged[s]) return GN_ENOMEM;
    fr->is_staged[s] = fr->any_staged = true;
    return GN_OK;
}

static gn_status take_array(gn_frame *fr, const char *who, uint32_t s, const gn_array *a)
{
    const gn_func *f = fr->f;
    const gn_pvalue *v = &f->program->values.at[s];
    if (a->fill) {
        for (uint32_t o = f->program->ninputs; o < s; o++)
            if (fr->now[o].fill == a->fill)
                return gn_error(GN_EINVAL, "%s: %s: outputs '%s' and '%s' are GN_NEW of one array", who,
                                f->program->name, f->slot[o].name, f->slot[s].name);
        void *data = gn_block_new(f->allocator, (size_t)fr->count[s] * gn_dtype_size(v->dtype));
        if (!data) return GN_ENOMEM;
        fr->now[s] = gn_array_of(data, v->dtype, v->rank, fr->shape[s]);
        fr->now[s].fill = a->fill;
        fr->any_new = true;
        return GN_OK;
    }
    if (!has_shape(a, fr->shape[s])) return wrong_shape(fr, who, s, a);
    fr->now[s] = *a;
    return check_places(fr, who, s, a);
}

/* So that the next call looks at the pointers that are other ones alone. */
static void remember(gn_frame *fr)
{
    for (uint32_t s = 0; s < fr->f->nslots; s++) {
        fr->low[s] = (uintptr_t)fr->now[s].data;
        fr->high[s] = fr->low[s] + (uintptr_t)fr->form[s].bytes;
    }
    fr->checked = true;
}

gn_status gn_frame_fill(gn_frame *fr, const char *who, gn_arrays in, gn_arrays out)
{
    const gn_func *f = fr->f;
    const uint32_t ninputs = f->program->ninputs;
    gn_status bad = GN_OK;
    fr->any_staged = fr->any_new = fr->checked = false;
    for (uint32_t s = 0; s < f->nslots; s++) fr->now[s].fill = NULL;
    for (uint32_t s = 0; !bad && s < f->nslots; s++) {
        bad = take_array(fr, who, s, s < ninputs ? &in.at[s] : &out.at[s - ninputs]);
        if (!bad) bad = gn_frame_stage(fr, s);
        if (!bad) gn_frame_set(fr, s, fr->is_staged[s] ? fr->staged[s] : fr->now[s].data);
    }
    if (!bad) bad = check_overlap(fr, who);
    if (!bad && !fr->any_staged && !fr->any_new) remember(fr);
    for (uint32_t s = ninputs; bad && s < f->nslots; s++)
        if (fr->now[s].fill) gn_block_free(f->allocator, fr->now[s].data, 0), fr->now[s].fill = NULL;
    return bad;
}
