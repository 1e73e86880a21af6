/* The verifier: heads, names and their scopes, nodes, and what all threads of a block must reach. */
#include <inttypes.h>
#include "ascii.h"
#include "code_verifier.h"
#include "dim_parts.h"

enum { MOST_THREADS = 1024, MOST_REGISTERS = 512, STACK_BYTES = 1 << 20 };

/* ---- sentences ---- */

void gn_code_tell_node(gn_text *t, const gn_code_node *n)
{
    switch ((gn_code_kind)n->kind) {
    case GN_CODE_LET: gn_textf(t, "%%%u", n->val ? n->val->id : 0); break;
    case GN_CODE_SET: gn_textf(t, "set $%s", n->place ? n->place->name : ""); break;
    case GN_CODE_STORE: gn_textf(t, "store %s", n->access.place ? n->access.place->name : ""); break;
    case GN_CODE_DECLARE: gn_textf(t, "place %s", n->place ? n->place->name : ""); break;
    case GN_CODE_FOR: gn_textf(t, "loop %s", n->var ? n->var : ""); break;
    case GN_CODE_IF: gn_text_add(t, "if"); break;
    case GN_CODE_NAME: gn_textf(t, "name %s", n->var ? n->var : ""); break;
    case GN_CODE_BARRIER: gn_text_add(t, "barrier"); break;
    case GN_CODE_TILE: gn_textf(t, "tile %s", n->tile && n->tile->row ? n->tile->row->name : ""); break;
    case GN_CODE_ASYNC: gn_textf(t, "async %s", n->access.place ? n->access.place->name : ""); break;
    case GN_CODE_COMMIT: gn_textf(t, "commit %s", n->place ? n->place->name : ""); break;
    case GN_CODE_AWAIT: gn_textf(t, "await $%s", n->place ? n->place->name : ""); break;
    }
}

void gn_code_wrong(const gn_verifier *v, const char *format, ...)
{
    gn_text where = { .arena = v->scratch }, why = where;
    va_list args;
    if (v->step < v->code->steps.n) gn_textf(&where, ": step %zu", v->step);
    if (v->node) gn_text_add(&where, ": "), gn_code_tell_node(&where, v->node);
    va_start(args, format);
    gn_vtextf(&why, format, args);
    va_end(args);
    gn_throw(GN_EINVAL, "code %s%s: %s", v->code->name ? v->code->name : "", gn_text_done(&where), gn_text_done(&why));
}

/* ---- names ---- */

static const char *interned(const gn_verifier *v, const char *name)
{
    return gn_symbol(v->code->arena, &v->code->dims->symbols, name);
}

gn_code_name *gn_code_name_of(gn_verifier *v, const char *name)
{
    if (!name || !gn_is_name(name)) gn_code_wrong(v, "'%s' is no name", name ? name : "");
    void **const at = gn_map_put(v->scratch, &v->names, GN_KEY(interned(v, name)));
    if (!*at) *at = GN_NEW_OBJECT(v->scratch, gn_code_name);
    return *at;
}

void gn_code_open(gn_verifier *v, const char *name, gn_code_name_kind kind)
{
    gn_code_name *const n = gn_code_name_of(v, name);
    if (n->open || (n->place && kind != GN_CODE_PLACE)) gn_code_wrong(v, "the name '%s' is taken", name);
    n->kind = (uint8_t)kind;
    n->open = true;
    n->varies = kind == GN_CODE_THREAD;
    gn_push(v->scratch, &v->opened, n);
}

void gn_code_close(gn_verifier *v, size_t opened, size_t made)
{
    while (v->opened.n > opened) gn_pop(&v->opened)->open = false;
    while (v->made.n > made) gn_pop(&v->made)->open = false;
}

void gn_code_check_place(gn_verifier *v, const gn_place *p)
{
    if (!p || p->id >= v->code->places.n || v->code->places.at[p->id] != p) gn_code_wrong(v, "a place of another code");
    if (!gn_code_name_of(v, p->name)->open) gn_code_wrong(v, "the place '%s' is not in scope", p->name);
}

/* ---- index expressions ---- */

typedef struct mentions { /* of a dim, each once */
    gn_arena *arena;
    GN_VEC(const char *) names, buffers;
} mentions;

static void add_name(void *user, const char *name)
{
    mentions *const m = user;
    gn_push(m->arena, &m->names, name);
}

static void add_buffer(void *user, const char *name)
{
    mentions *const m = user;
    gn_push(m->arena, &m->buffers, name);
}

static const mentions *mentions_of(gn_verifier *v, const gn_dim *d)
{
    void **const at = gn_map_put(v->scratch, &v->mentions, GN_KEY(d));
    if (*at) return *at;
    mentions *const m = *at = GN_NEW_OBJECT(v->scratch, mentions);
    m->arena = v->scratch;
    gn_dim_symbols(d, add_name, m);
    gn_dim_loads(d, add_buffer, m);
    return m;
}

static void check_index_buffer(gn_verifier *v, const char *buffer)
{
    const gn_place *const p = gn_code_name_of(v, buffer)->place;
    if (!p || !gn_is_argument(p)) gn_code_wrong(v, "an index loads '%s', which is no argument", buffer);
    if (p->space == GN_SPACE_BUFFER && !(p->access & GN_KBUF_READ))
        gn_code_wrong(v, "an index loads '%s', which is only written", buffer);
    if (gn_is_float(p->dtype)) gn_code_wrong(v, "an index loads '%s', which is %s", buffer, gn_dtype_name(p->dtype));
}

bool gn_code_check_index(gn_verifier *v, const gn_dim *d)
{
    if (!d) gn_code_wrong(v, "an index is missing");
    const mentions *const m = mentions_of(v, d);
    bool varies = m->buffers.n > 0;
    for (size_t i = 0; i < m->buffers.n; i++) check_index_buffer(v, m->buffers.at[i]);
    for (size_t i = 0; i < m->names.n; i++) {
        const gn_code_name *const n = gn_code_name_of(v, m->names.at[i]);
        if (!n->open || n->kind == GN_CODE_PLACE)
            gn_code_wrong(v, "no symbol or variable '%s' is in scope", m->names.at[i]);
        varies |= n->varies;
    }
    return varies;
}

bool gn_code_check_preds(gn_verifier *v, gn_preds w)
{
    bool varies = false;
    for (uint32_t i = 0; i < w.n; i++) {
        if (w.at[i].n == 0) gn_code_wrong(v, "a condition without a test");
        for (uint16_t k = 0; k < w.at[i].n; k++) {
            varies |= gn_code_check_index(v, w.at[i].cond[k].a);
            varies |= gn_code_check_index(v, w.at[i].cond[k].b);
        }
    }
    return varies;
}

static bool is_over_symbols(gn_verifier *v, const gn_dim *d)
{
    const mentions *const m = d ? mentions_of(v, d) : NULL;
    bool is = m && m->buffers.n == 0;
    for (size_t i = 0; is && i < m->names.n; i++) {
        const gn_code_name *const n = gn_code_name_of(v, m->names.at[i]);
        is = n->open && n->kind == GN_CODE_SYM;
    }
    return is;
}

/* ---- what all threads of a block reach together ---- */

static bool has_threads(const gn_verifier *v)
{
    return v->code->target->lang == GN_LANG_CUDA;
}

void gn_code_check_reached(gn_verifier *v, const char *what)
{
    gn_text region = { .arena = v->scratch };
    if (!has_threads(v)) gn_code_wrong(v, "%s: the target %s has no blocks of threads", what, v->code->target->name);
    if (!v->apart) return;
    gn_code_tell_node(&region, v->apart);
    gn_code_wrong(v, "%s that not all threads reach together: it is in '%s'", what, gn_text_done(&region));
}

/* ---- tiles ---- */

static bool is_row_of(const gn_target *t, const gn_tile_op *row)
{
    for (const gn_tile_op *r = t->tile; r->name; r++)
        if (r == row) return true;
    return false;
}

/* Each leaf that threads or registers count in the row is counted by what has as many values, and by nothing else. */
static void check_leaf(gn_verifier *v, const gn_place *p, const gn_fragment *f, int i)
{
    const gn_tile_leaf *const l = &f->row->leaf[i];
    const gn_code_name *const n = f->thread[i] ? gn_code_name_of(v, f->thread[i]) : NULL;
    if (n && (!n->open || n->kind != GN_CODE_THREAD))
        gn_code_wrong(v, "the leaf '%s' is no thread variable", f->thread[i]);
    if ((l->bind == 't') != (n != NULL))
        gn_code_wrong(v, n ? "threads do not count along the leaf '%s' of the row"
                           : "no thread variable counts along the leaf '%s' of the row",
                      l->name);
    if (n && !gn_dim_is(n->count, l->extent))
        gn_code_wrong(v, "'%s' counts to another number than the leaf '%s' of the row, %d", f->thread[i], l->name,
                      l->extent);
    if (l->bind == 'u' && (f->dim[i] < 0 || f->dim[i] >= p->rank || p->extent[f->dim[i]] != (uint32_t)l->extent))
        gn_code_wrong(v, "no dim of %d registers counts along the leaf '%s' of the row", l->extent, l->name);
    if (l->bind == 'k' && f->dim[i] >= 0)
        gn_code_wrong(v, "registers do not count along the leaf '%s' of the row", l->name);
    for (int k = 0; k < i; k++)
        if ((n && f->thread[k] == f->thread[i]) || (f->dim[i] >= 0 && f->dim[k] == f->dim[i]))
            gn_code_wrong(v, "the leaves '%s' and '%s' of the row are counted by one thing", f->row->leaf[k].name,
                          l->name);
}

static void check_fragment(gn_verifier *v, const gn_place *p)
{
    const gn_fragment *const f = p->fragment;
    if (!is_row_of(v->code->target, f->row) || f->row->kind != GN_TILE_MMA)
        gn_code_wrong(v, "the target %s has no such fragment", v->code->target->name);
    if (p->dtype != f->row->c.dtype || p->lanes != 1)
        gn_code_wrong(v, "%s is %s, %s was expected", p->name, gn_code_type_text(v, p->dtype, p->lanes),
                      gn_dtype_name(f->row->c.dtype));
    for (int i = 0; i < f->row->nleaf; i++) check_leaf(v, p, f, i);
}

static void check_product(gn_verifier *v, const gn_tile_args *a)
{
    const gn_tile_op *const row = a->row;
    uint32_t c[GN_TILE_MAX_REGS] = { a->c[0] };
    gn_code_check_reached(v, "a tile product");
    gn_code_check_register(v, a->acc, a->c[0], NULL);
    if (!a->acc->fragment || a->acc->fragment->row != row)
        gn_code_wrong(v, "'%s' is no fragment of %s", a->acc->name, row->name);
    gn_fragment_registers(a->acc, c);
    for (int i = 0; i < row->c.nregs; i++)
        if (c[i] != a->c[i] || c[i] >= a->acc->n)
            gn_code_wrong(v, "register %u of %s is not the first of a fragment", c[0], a->acc->name);
    for (int i = 0; i < row->a.nregs; i++) gn_code_check_operand(v, a->a[i], "a factor", row->a.dtype, 1);
    for (int i = 0; i < row->b.nregs; i++) gn_code_check_operand(v, a->b[i], "a factor", row->b.dtype, 1);
}

static void check_unit(gn_verifier *v, const gn_tile_args *a)
{
    if (!a->row->act[a->act]) gn_code_wrong(v, "it has no %s", gn_tile_acts[a->act]);
    gn_code_check_place(v, a->acc);
    if (a->acc->opaque != a->row) gn_code_wrong(v, "'%s' is no opaque:%s", a->acc->name, a->row->name);
    if (a->c[0] >= a->acc->n) gn_code_wrong(v, "register %u of %s, which has %u", a->c[0], a->acc->name, a->acc->n);
}

/* What memory starts at: buffers are the caller's. */
static int64_t alignment_of(const gn_place *p)
{
    return p->space == GN_SPACE_BUFFER ? (int64_t)gn_dtype_size(p->dtype) : 64;
}

static void check_alignment(gn_verifier *v, const gn_tile_memory *m)
{
    const int64_t size = (int64_t)gn_dtype_size(m->layout->dtype);
    const int64_t align = m->layout->align > size ? m->layout->align : size;
    const gn_dim_facts facts = gn_code_facts(v->code);
    if (alignment_of(m->place) % align)
        gn_code_wrong(v, "'%s' lies at multiples of %" PRId64 " bytes, %" PRId64 " were expected", m->place->name,
                      alignment_of(m->place), align);
    const gn_dim *const index[] = { m->base, m->stride };
    for (size_t i = 0; i < sizeof index / sizeof *index; i++)
        if (!gn_dim_divisible(index[i], align / size, &facts))
            gn_code_wrong(v, "the %s of '%s' is not known to be a multiple of %" PRId64 " bytes",
                          i ? "stride" : "start", m->place->name, align);
}

static void check_tile(gn_verifier *v, const gn_tile_args *a)
{
    if (!a || !is_row_of(v->code->target, a->row))
        gn_code_wrong(v, "the target %s has no such tile operation", v->code->target->name);
    if (a->row->kind == GN_TILE_MMA) check_product(v, a);
    if (a->row->kind == GN_TILE_UNIT) check_unit(v, a);
    for (int i = 0; i < a->nmemory; i++) {
        const gn_tile_memory *const m = &a->memory[i];
        gn_code_check_memory(v, m->place, m->layout->dtype, m->written);
        gn_code_check_index(v, m->base);
        gn_code_check_index(v, m->stride);
        check_alignment(v, m);
    }
    for (int i = 0; i < a->ncount; i++) gn_code_check_index(v, a->count[i]);
}

/* ---- copies that are under way ---- */

static void check_async(gn_verifier *v, const gn_code_node *n)
{
    const gn_access *const to = &n->access, *const from = &n->source;
    if (!has_threads(v)) gn_code_wrong(v, "the target %s has no copies under way", v->code->target->name);
    gn_code_check_place(v, to->place);
    gn_code_check_memory(v, to->place, to->place->dtype, true);
    gn_code_check_memory(v, from->place, to->place->dtype, false);
    if (to->place->space != GN_SPACE_SHARED) gn_code_wrong(v, "'%s' is not shared memory", to->place->name);
    if (from->place->space > GN_SPACE_ARENA) gn_code_wrong(v, "'%s' is no memory of the call's", from->place->name);
    if (gn_dtype_size(to->place->dtype) < 4)
        gn_code_wrong(v, "%s: elements of 4 or 8 bytes alone are copied", gn_dtype_name(to->place->dtype));
    gn_code_check_index(v, to->base);
    gn_code_check_index(v, from->base);
    gn_code_check_preds(v, to->when);
}

static void check_token(gn_verifier *v, const gn_code_node *n)
{
    gn_code_check_place(v, n->place);
    if (!n->place->token) gn_code_wrong(v, "'%s' is no token", n->place->name);
    if (n->number >= n->place->n)
        gn_code_wrong(v, "token %u of %s, which has %u", n->number, n->place->name, n->place->n);
}

/* ---- nodes ---- */

static void check_body(gn_verifier *v, const gn_code_body *b);

static void check_let(gn_verifier *v, const gn_val *val)
{
    if (!val || val->id == 0) gn_code_wrong(v, "a let without a number");
    void **const at = gn_map_put(v->scratch, &v->lets, val->id);
    if (!*at) *at = GN_NEW_OBJECT(v->scratch, gn_code_let);
    gn_code_let *const l = *at;
    if (l->val && l->step == v->step) gn_code_wrong(v, "it is made twice in this step");
    gn_code_check_value(v, val);
    *l = (gn_code_let){ val, v->step, true };
    gn_push(v->scratch, &v->made, l);
}

/* Opaque values live where they are declared. */
static void check_room(gn_verifier *v, const gn_place *p)
{
    const gn_tile_unit *const unit = p->opaque->unit;
    uint32_t n = p->n;
    for (size_t i = 0; i < v->opened.n; i++) {
        const gn_place *const q = v->opened.at[i]->place;
        if (q && q->opaque && q->opaque->unit == unit) n += q->n;
    }
    if (n > unit->most)
        gn_code_wrong(v, "%u values at once, %s has room for %u", n, unit->name, unit->most);
}

static void check_declare(gn_verifier *v, const gn_place *p)
{
    if (!p || p->id >= v->code->places.n || v->code->places.at[p->id] != p) gn_code_wrong(v, "a place of another code");
    if (gn_is_argument(p)) gn_code_wrong(v, "an argument is declared");
    if (p->space == GN_SPACE_SHARED) gn_code_check_reached(v, "shared memory");
    if (p->opaque) check_room(v, p);
    if (p->fragment) check_fragment(v, p);
    gn_code_open(v, p->name, GN_CODE_PLACE);
}

static void check_unrolled(gn_verifier *v, const gn_code_node *n)
{
    enum { MOST = 1024 };
    int64_t turns = 0;
    if (n->from || n->dealt || n->unroll || n->carry.n)
        gn_code_wrong(v, "an unrolled loop runs from 0, is not dealt out and carries nothing");
    if (!gn_dim_is_const(n->to, &turns) || turns < 0 || turns > MOST)
        gn_code_wrong(v, "an unrolled loop has a constant number of turns, %d at most", MOST);
}

static void check_for(gn_verifier *v, const gn_code_node *n)
{
    const gn_code_node *const apart = v->apart;
    const bool from = n->from && gn_code_check_index(v, n->from), varies = gn_code_check_index(v, n->to) || from;
    if (n->dealt) gn_code_check_reached(v, "a loop dealt out to threads");
    gn_code_open(v, n->var, GN_CODE_VAR);
    gn_code_name_of(v, n->var)->varies = n->dealt;
    gn_code_name_of(v, n->var)->unrolled = n->unrolled;
    gn_code_name_of(v, n->var)->count = n->to;
    if (n->unrolled) check_unrolled(v, n);
    if (!apart && (n->dealt || varies)) v->apart = n;
    check_body(v, &n->body);
    v->apart = apart;
}

static void check_if(gn_verifier *v, const gn_code_node *n)
{
    const gn_code_node *const apart = v->apart;
    if (n->when.n == 0) gn_code_wrong(v, "no condition");
    if (gn_code_check_preds(v, n->when) && !apart) v->apart = n;
    check_body(v, &n->body);
    v->apart = apart;
}

static void check_name(gn_verifier *v, const gn_code_node *n)
{
    const bool varies = gn_code_check_index(v, n->to);
    gn_code_open(v, n->var, GN_CODE_VAR);
    gn_code_name_of(v, n->var)->varies = varies;
    gn_code_name_of(v, n->var)->unrolled = false;
}

static void check_node(gn_verifier *v, const gn_code_node *n)
{
    switch ((gn_code_kind)n->kind) {
    case GN_CODE_LET: check_let(v, n->val); break;
    case GN_CODE_SET:
        gn_code_check_register(v, n->place, n->number, n->at);
        gn_code_check_operand(v, n->val, "the value", n->place->dtype, n->place->lanes);
        break;
    case GN_CODE_STORE: gn_code_check_store(v, &n->access, n->val); break;
    case GN_CODE_DECLARE: check_declare(v, n->place); break;
    case GN_CODE_FOR: check_for(v, n); break;
    case GN_CODE_IF: check_if(v, n); break;
    case GN_CODE_NAME: check_name(v, n); break;
    case GN_CODE_BARRIER: gn_code_check_reached(v, "a barrier"); break;
    case GN_CODE_TILE: check_tile(v, n->tile); break;
    case GN_CODE_ASYNC: check_async(v, n); break;
    case GN_CODE_COMMIT:
    case GN_CODE_AWAIT: check_token(v, n); break;
    }
}

static void check_body(gn_verifier *v, const gn_code_body *b)
{
    const gn_code_node *const outer = v->node;
    for (size_t i = 0; i < b->kids.n; i++) {
        const gn_code_node *const n = v->node = b->kids.at[i];
        const bool region = n->kind == GN_CODE_FOR || n->kind == GN_CODE_IF;
        const size_t opened = v->opened.n, made = v->made.n;
        gn_work_done.visits++;
        check_node(v, n);
        if (region) gn_code_close(v, opened, made);
        else if (n->body.kids.n) gn_code_wrong(v, "a region where there is none");
    }
    v->node = outer;
}

/* ---- heads ---- */

static void check_sym(gn_verifier *v, const gn_ksym *s)
{
    gn_code_open(v, s->name, GN_CODE_SYM);
    if (s->mul < 1 || s->min < 0 || s->is < -1) gn_code_wrong(v, "the facts of the symbol '%s' are none", s->name);
}

static void check_register_place(gn_verifier *v, const gn_place *p)
{
    uint64_t n = 1;
    for (uint16_t i = 0; i < p->rank && n <= MOST_REGISTERS; i++) n *= p->extent[i];
    if (n == 0 || n > MOST_REGISTERS || p->n != n)
        gn_code_wrong(v, "%s: a place has 1 to %d registers", p->name, MOST_REGISTERS);
    if (p->opaque && !is_row_of(v->code->target, p->opaque))
        gn_code_wrong(v, "%s: the target %s has no opaque:%s", p->name, v->code->target->name, p->opaque->name);
    gn_code_check_type(v, p->name, p->dtype, p->opaque ? 1 : p->lanes);
}

/* *bytes counts what is on the stack or shared; all of it fits. */
static void check_memory(gn_verifier *v, const gn_place *p, int64_t *bytes)
{
    int64_t n, own;
    const int64_t most = p->space == GN_SPACE_STACK ? STACK_BYTES : v->code->target->shared_bytes;
    gn_code_check_type(v, p->name, p->dtype, 1);
    if (!p->size || !gn_dim_is_const(p->size, &n) || n < 1)
        gn_code_wrong(v, "%s: its size is no constant of at least 1", p->name);
    if (__builtin_mul_overflow(n, (int64_t)gn_dtype_size(p->dtype), &own) || own > most || (*bytes += own) > most)
        gn_code_wrong(v, "%s: more than %" PRId64 " bytes together", p->name, most);
}

static void check_argument(gn_verifier *v, const gn_place *p)
{
    gn_code_check_type(v, p->name, p->dtype, 1);
    if (!is_over_symbols(v, p->size)) gn_code_wrong(v, "%s: its size is not over symbols alone", p->name);
    if (p->below && (!gn_is_int(p->dtype) || p->space != GN_SPACE_BUFFER || p->access & GN_KBUF_WRITE))
        gn_code_wrong(v, "%s: :in is of whole numbers that are read alone", p->name);
    if (p->below && !is_over_symbols(v, p->below)) gn_code_wrong(v, "%s: its :in is not over symbols alone", p->name);
    if (p->space == GN_SPACE_SCRATCH && has_threads(v))
        gn_code_wrong(v, "%s: the target %s has no memory of workers", p->name, v->code->target->name);
    gn_code_open(v, p->name, GN_CODE_PLACE);
}

static void check_places(gn_verifier *v)
{
    const gn_code *const c = v->code;
    int64_t stack = 0, shared = 0;
    for (size_t i = 0; i < c->places.n; i++) {
        const gn_place *const p = c->places.at[i];
        gn_code_name *const n = gn_code_name_of(v, p->name);
        if (n->open || n->place) gn_code_wrong(v, "the name '%s' is taken", p->name);
        if (p->id != i || gn_is_argument(p) != (i < c->nargs))
            gn_code_wrong(v, "%s: arguments come first, in their order", p->name);
        n->place = p;
        if (gn_is_argument(p)) check_argument(v, p);
        else if (p->space == GN_SPACE_REG) check_register_place(v, p);
        else check_memory(v, p, p->space == GN_SPACE_STACK ? &stack : &shared);
    }
}

static void check_threads(gn_verifier *v)
{
    const gn_code *const c = v->code;
    int64_t all = 1, n;
    if (c->threads.n && !has_threads(v)) gn_code_wrong(v, "the target %s has no blocks of threads", c->target->name);
    for (size_t i = 0; i < c->threads.n; i++) {
        const gn_code_var *const t = &c->threads.at[i];
        gn_code_open(v, t->name, GN_CODE_THREAD);
        gn_code_name_of(v, t->name)->count = t->count;
        if (!t->count || !gn_dim_is_const(t->count, &n) || n < 1)
            gn_code_wrong(v, "the number of threads '%s' is no constant of at least 1", t->name);
        if (n > MOST_THREADS || (all *= n) > MOST_THREADS)
            gn_code_wrong(v, "a block has at most %d threads", MOST_THREADS);
    }
}

static void check_step(gn_verifier *v, const gn_code_step *s)
{
    for (size_t i = 0; i < s->parts.n; i++)
        if (!is_over_symbols(v, s->parts.at[i].count))
            gn_code_wrong(v, "the count of the parts '%s' is not over symbols alone", s->parts.at[i].name);
    for (size_t i = 0; i < s->parts.n; i++) gn_code_open(v, s->parts.at[i].name, GN_CODE_VAR);
    check_body(v, &s->body);
    gn_code_close(v, 0, 0);
}

static void check_code(void *arg)
{
    gn_verifier *const v = arg;
    const gn_code *const c = v->code;
    v->step = c->steps.n;
    if (!c->name || !gn_is_name(c->name)) gn_code_wrong(v, "its name is none");
    for (size_t i = 0; i < c->syms.n; i++) check_sym(v, &c->syms.at[i]);
    check_places(v);
    check_threads(v);
    if (c->steps.n == 0) gn_code_wrong(v, "it has no step");
    v->opened.n = 0; /* to the end of the code */
    for (v->step = 0; v->step < c->steps.n; v->step++) check_step(v, &c->steps.at[v->step]);
    gn_code_check_flow(v);
    gn_code_check_copies(v);
}

void gn_code_verify(const gn_code *c)
{
    gn_arena scratch = { .allocator = c->arena->allocator };
    gn_verifier v = { .code = c, .scratch = &scratch };
    gn_dim_with_scratch(&scratch, check_code, &v);
}
