/* In place, judged by the code: one walk notes where it loads and stores elements of the kernel's buffers, then each
 * load looks for its store. */
#include "in_place.h"
#include "dim_parts.h"
#include "lower.h"

typedef struct block {           /* a region */
    const struct block *around;
    size_t at;                   /* the number of its node among the kids there */
    const gn_code_node *node;    /* NULL: of a step */
} block;

/* Points past the end of an axis load what stands at its end and store nothing: min(x, last) in a load's place belongs
 * to a store at x under the condition x < last + 1. */
enum { MOST_CLAMPS = 4 };
typedef struct clamps {
    size_t n;
    struct {
        const gn_dim *x, *last;
    } at[MOST_CLAMPS];
} clamps;

typedef struct spot {            /* a load or a store */
    const gn_access *place;
    uint32_t lanes;
    const block *in;
    size_t at;
    struct spot *next;           /* another store of this buffer whose place begins there */
} spot;

typedef struct finder {
    gn_arena *arena;
    const gn_lower *g;
    const gn_kernel *k;
    const gn_code *code;
    gn_visit atoms;
    GN_VEC(spot) loads;
    gn_map stores;               /* (buffer, first element) -> spot list */
    bool *lost;                  /* by buffer: it is read where nothing can be compared */
    /* registers numbered by a variable: the one node that sets them, NULL if there are several */
    gn_map set;
    gn_map names;                /* what named indices are */
} finder;

/* ---- what the code reads and writes ---- */

static void meet_atom(void *user, const gn_atom *a)
{
    finder *f = user;
    const int32_t b = a->kind == GN_DIM_LOAD ? gn_kernel_find_buf(f->k, a->name) : -1;
    if (b >= 0) f->lost[b] = true;
}

static void note_dim(void *user, const gn_dim *d)
{
    finder *f = user;
    if (gn_dim_has_load(d)) gn_dim_meet(&f->atoms, d, meet_atom, f);
}

static const gn_access *without_names(finder *f, const gn_access *a)
{
    if (!f->names.n || !a->base) return a;
    gn_access *const own = gn_arena_copy(f->arena, a, sizeof *a);
    own->base = gn_code_without_names(f->code, &f->names, a->base);
    return own;
}

static void note_load(finder *f, const gn_val *v, const block *in, size_t at)
{
    if (v->kind == GN_VAL_LOAD && v->u.load.place->space == GN_SPACE_BUFFER)
        gn_push(f->arena, &f->loads, (spot){ without_names(f, &v->u.load), v->lanes, in, at, NULL });
}

static uint64_t key_of(uint32_t buf, const gn_dim *base)
{
    return gn_hash_mix(buf, GN_KEY(base));
}

static void note_store(finder *f, const gn_code_node *t, const block *in, size_t at)
{
    if (t->access.place->space != GN_SPACE_BUFFER || t->access.mode == GN_ACCESS_EACH) return;
    const gn_access *const place = without_names(f, &t->access);
    void **list = gn_map_put(f->arena, &f->stores, key_of(place->place->id, place->base));
    spot *s = GN_NEW_OBJECT(f->arena, spot);
    *s = (spot){ place, t->val->lanes, in, at, *list };
    *list = s;
}

static void note_set(finder *f, const gn_code_node *t)
{
    const size_t before = f->set.n;
    void **at = gn_map_put(f->arena, &f->set, t->place->id);
    *at = f->set.n > before ? (void *)t : NULL;
}

/* What a register has that a let gave it at the same turn. */
static const gn_val *source_of(const finder *f, const gn_val *v)
{
    const gn_code_node *set =
        v && v->kind == GN_VAL_REG && !v->id && v->u.reg.at ? gn_map_get(&f->set, v->u.reg.place->id) : NULL;
    return set && set->at == v->u.reg.at ? set->val : v;
}

static void note_region(finder *, const gn_code_body *, const block *around, size_t at, const gn_code_node *);

static void note_node(finder *f, const gn_code_node *t, const block *in, size_t at)
{
    gn_code_dims(t, note_dim, f);
    if (t->kind == GN_CODE_NAME) gn_code_learn_name(f->code, &f->names, t);
    if (t->val) note_load(f, t->val, in, at);
    if (t->kind == GN_CODE_STORE) note_store(f, t, in, at);
    if (t->kind == GN_CODE_SET && t->at) note_set(f, t);
    if (t->kind == GN_CODE_ASYNC && t->source.place->space == GN_SPACE_BUFFER) f->lost[t->source.place->id] = true;
    for (int i = 0; t->kind == GN_CODE_TILE && i < t->tile->nmemory; i++)
        if (t->tile->memory[i].place->space == GN_SPACE_BUFFER) f->lost[t->tile->memory[i].place->id] = true;
    note_region(f, &t->body, in, at, t);
}

static void note_region(finder *f, const gn_code_body *r, const block *around, size_t at, const gn_code_node *node)
{
    if (!r->kids.n) return;
    block *inside = GN_NEW_OBJECT(f->arena, block);
    *inside = (block){ around, at, node };
    for (size_t i = 0; i < r->kids.n; i++) note_node(f, r->kids.at[i], inside, i);
}

/* ---- each load's store ---- */

static void is_counted(void *user, const char *symbol)
{
    void **const all = user;
    const finder *f = all[0];
    if (gn_map_get(&f->g->leaf_of, GN_KEY(symbol))) *(bool *)all[1] = true;
}

static bool counts(const finder *f, const gn_dim *d)
{
    bool found = false;
    gn_dim_symbols(d, is_counted, (void *[]){ (void *)(uintptr_t)f, &found });
    return found;
}

static const gn_dim *unclamped_atom(const finder *f, const gn_atom *a, clamps *out)
{
    if (a->kind == GN_DIM_SYM) return gn_dim_sym(f->g->dims, a->name);
    if (a->kind != GN_DIM_MIN || out->n == MOST_CLAMPS) return gn_dim_atom(f->g->dims, a->kind, a->name, a->a, a->b);
    const bool first = counts(f, a->a);
    out->at[out->n].x = first ? a->a : a->b, out->at[out->n].last = first ? a->b : a->a;
    return out->at[out->n++].x;
}

static const gn_dim *unclamped(const finder *f, const gn_dim *d, clamps *out)
{
    const gn_dim *sum = gn_lconst(f->g, 0);
    out->n = 0;
    for (uint32_t t = 0; t < d->n; t++) {
        const gn_dim *product = gn_lconst(f->g, d->term[t].c);
        for (uint32_t i = 0; i < d->term[t].n; i++)
            product = gn_dim_mul(f->g->dims, product, unclamped_atom(f, d->term[t].atom[i], out));
        sum = gn_ladd(f->g, sum, product);
    }
    return out->n ? sum : d;
}

/* What holds is just that the load's points are inside. */
static bool are_guards(const finder *f, gn_preds p, const clamps *c)
{
    for (uint32_t i = 0; i < p.n; i++)
        for (uint16_t k = 0; k < p.at[i].n; k++) {
            const gn_kcond *cond = &p.at[i].cond[k];
            bool known = false;
            for (size_t j = 0; j < c->n; j++)
                known |= cond->kind == GN_K_LT && !p.at[i].negate && cond->a == c->at[j].x &&
                         gn_lsub(f->g, cond->b, gn_lconst(f->g, 1)) == c->at[j].last;
            if (!known) return false;
        }
    return true;
}

static bool same_preds(gn_preds a, gn_preds b)
{
    return a.n == b.n && (a.n == 0 || a.at == b.at);
}

/* What the threads of a block that differ in nothing else do, they all do: one must not store before another has loaded. */
static bool is_of_one_thread(const finder *f, const gn_dim *at)
{
    for (size_t i = 0; i < f->code->threads.n; i++)
        if (!gn_dim_is(f->code->threads.at[i].count, 1) && !gn_dim_mentions(at, f->code->threads.at[i].name)) return false;
    return true;
}

/* The same elements, and none that only the load has. */
static bool is_same_place(const finder *f, const spot *load, const spot *store, const clamps *c)
{
    const gn_access *l = load->place, *s = store->place;
    if (!is_of_one_thread(f, s->base)) return false;
    return l->mode == s->mode && l->step == s->step && load->lanes == store->lanes &&
           (!s->mask || source_of(f, s->mask) == source_of(f, l->mask)) &&
           (same_preds(s->when, l->when) || are_guards(f, s->when, c));
}

/* Nothing is stored twice, so that a turn of an unrolled loop stores nothing that another loads. */
static bool lets_through(const finder *f, const gn_code_node *n, const clamps *c)
{
    return n && (n->unrolled || (n->kind == GN_CODE_IF && are_guards(f, n->when, c)));
}

/* In the load's block or one around it, perhaps guarded or for several points, and not before the load. */
static bool comes_later(const finder *f, const spot *load, const spot *store, const clamps *c)
{
    size_t at = store->at;
    for (const block *in = store->in; in; at = in->at, in = in->around) {
        const block *around = load->in;
        size_t from = load->at;
        while (around && around != in) from = around->at, around = around->around;
        if (around) return at >= from;
        if (!lets_through(f, in->node, c)) return false;
    }
    return false;
}

static bool is_written_later(const finder *f, const spot *load, uint32_t write)
{
    clamps c;
    if (load->place->mode == GN_ACCESS_EACH) return false;
    const gn_dim *const base = unclamped(f, load->place->base, &c);
    for (const spot *s = gn_map_get(&f->stores, key_of(write, base)); s; s = s->next)
        if (s->place->place->id == write && s->place->base == base && is_same_place(f, load, s, &c) &&
            comes_later(f, load, s, &c))
            return true;
    return false;
}

static bool are_alike(const gn_kbuf *a, const gn_kbuf *b)
{
    bool alike = a->dtype == b->dtype && a->rank == b->rank && !a->stride && !b->stride;
    for (size_t d = 0; alike && d < a->rank; d++) alike = a->shape[d] == b->shape[d];
    return alike;
}

static void try_pair(const finder *f, gn_arena *arena, gn_in_place *out, const uint32_t *first, uint32_t read,
                     uint32_t write)
{
    const gn_kernel *k = f->k;
    for (size_t s = 0; s < k->stores.n; s++)
        if (k->stores.at[s].buf == write && k->stores.at[s].kind != GN_STORE_SET) return;
    for (uint32_t i = first[read]; i < first[read + 1]; i++)
        if (!is_written_later(f, &f->loads.at[i], write)) return;
    gn_push(arena, &out->pairs, (gn_in_place_pair){ read, write });
}

/* Loads by buffer; first[b]: where those of b begin. */
static uint32_t *sort_loads(finder *f)
{
    const size_t nbufs = f->k->bufs.n;
    uint32_t *first = GN_NEW_ARRAY(f->arena, uint32_t, nbufs + 2), *at = GN_NEW_ARRAY(f->arena, uint32_t, nbufs + 1);
    spot *sorted = GN_NEW_ARRAY(f->arena, spot, f->loads.n + 1);
    for (size_t i = 0; i < f->loads.n; i++) first[f->loads.at[i].place->place->id + 1]++;
    for (size_t b = 0; b < nbufs; b++) first[b + 1] += first[b], at[b] = first[b];
    for (size_t i = 0; i < f->loads.n; i++) sorted[at[f->loads.at[i].place->place->id]++] = f->loads.at[i];
    f->loads.at = sorted;
    return first;
}

gn_in_place gn_in_place_find(gn_arena *arena, gn_arena *scratch, const gn_scheduled *s)
{
    const gn_kernel *k = s->kernel;
    finder f = { .arena = scratch,
                 .g = s->lower,
                 .k = k,
                 .code = s->code,
                 .atoms = { .arena = scratch, .operand = gn_atom_operand } };
    gn_in_place out = { 0 };
    f.lost = GN_NEW_ARRAY(scratch, bool, k->bufs.n + 1);
    for (size_t i = 0; i < s->code->steps.n; i++) note_region(&f, &s->code->steps.at[i].body, NULL, 0, NULL);
    const uint32_t *first = sort_loads(&f);
    for (uint32_t w = 0; w < k->bufs.n; w++) {
        if (k->bufs.at[w].access != GN_KBUF_WRITE) continue;
        for (uint32_t r = 0; r < k->bufs.n; r++)
            if (k->bufs.at[r].access == GN_KBUF_READ && !f.lost[r] && are_alike(&k->bufs.at[r], &k->bufs.at[w]))
                try_pair(&f, arena, &out, first, r, w);
    }
    return out;
}

bool gn_in_place_allows(const gn_in_place *p, uint32_t read, uint32_t write)
{
    for (size_t i = 0; i < p->pairs.n; i++)
        if (p->pairs.at[i].read == read && p->pairs.at[i].write == write) return true;
    return false;
}
