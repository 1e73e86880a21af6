/* Random schedules for small kernels, with every directive. Many are illegal: what is legal must be right. Three of
 * four keep the simple rules of each directive (what it may be said of), so that most of those are legal; the others
 * keep none. */
#pragma once
#include "code_interpret.h"
#include "folds.h"
#include "judge.h"

static const char *const templates[] = {
    /* %s: the kernel's name */
    "(kernel %s (syms M N K) (bufs (A f32 M N) (S f32 N) (T f32 N M) (Y f32 M N)) (axes (i M) (j N))"
    " (def t (i j) (mul (load T j i) (load S j))) (store set Y (i j) (sub (load A i j) (t i j))))",
    "(kernel %s (syms M N K) (bufs (X f32 M N) (Y f32 M N) (Z f32 M)) (axes (i M) (j N))"
    " (def m (i) (max (j) (load X i j))) (def e (i j) (exp (sub (load X i j) (m i)))) (def s (i) (sum (j) (e i j)))"
    " (store set Y (i j) (div (e i j) (s i))) (store set Z (i) (s i)))",
    "(kernel %s (syms M N K) (bufs (A f32 M K) (B f32 K N) (C f32 M N) (D f32 N)) (axes (i M) (j N) (k K))"
    " (def b (k j) (load B k j)) (def acc (i j) (sum (k) (mul (load A i k) (b k j)))) (def h (i j) (add (acc i j) 1))"
    " (def db (j) (sum (i) (h i j))) (store set C (i j) (h i j)) (store set D (j) (db j)))",
    "(kernel %s (syms M N K) (bufs (A f32 M M) (Y f32 M) (Z f32 M)) (axes (i M) (j (add i 1)))"
    " (def s (i) (sum (j) (load A i j))) (def m (i) (max (j) (load A i j))) (store set Y (i) (s i)) (store set Z (i) "
    "(m i)))",
    "(kernel %s (syms M N K) (bufs (T i32 M :in 0 9) (W f32 M) (X f32 M N) (Y f32 9 N) (H f32 M)) (axes (e M) (d N) (q 3))"
    " (store add Y ((load T e) d) (load X e d)) (def h (e) (sum (q) (if (lt (add e q) M) (load W (add e q)) 0)))"
    " (store set H (e) (h e)))",
    "(kernel %s (syms M N K) (bufs (X f64 M N) (P bool N) (V i64 M)) (axes (i M) (j N))"
    " (def any (j) (any (i) (lt (load X i j) (f64 -0.5)))) (def c (i) (sum (j) (cast i64 (mul 10 (load X i j)))))"
    " (store set P (j) (any j)) (store set V (i) (add (c i) i)))",
    "(kernel %s (syms M N K) (bufs (A f32 M K) (B f32 N K) (c f32 N) (C f32 M N) (D f32 N) (E f32 M)) (axes (i M) (j "
    "N) (k K))"
    " (def b (j k) (load B j k)) (def a (i k) (mul 2 (load A i k))) (def s (i j) (sum (k) (mul (a i k) (b j k))))"
    " (def h (i j) (add (s i j) (load c j))) (def d (j) (sum (i) (h i j))) (def r (i) (max (j) (h i j)))"
    " (store set C (i j) (h i j)) (store set D (j) (d j)) (store set E (i) (r i)))",
    "(kernel %s (syms M N K) (bufs (X f32 M N) (V f32 N K) (Y f32 M K) (L f32 M)) (axes (i M) (j N) (e K))"
    " (def m (i) (max (j) (load X i j))) (def f (i j) (exp (sub (load X i j) (m i)))) (def l (i) (sum (j) (f i j)))"
    " (def o (i e) (sum (j) (mul (f i j) (load V j e)))) (store set Y (i e) (div (o i e) (l i))) (store set L (i) (l "
    "i)))",
    "(kernel %s (syms M N K) (bufs (X f32 M N) (Y f32 M N) (Z f32 M)) (axes (i M) (j N) (t (add i 1)))"
    " (def d (i j) (mul 3 (load X i j))) (def s (i) (sum (t) (if (lt t N) (load X i t) 0)))"
    " (store set Y (i j) (add (d i j) (if (lt (add j 1) N) (d i (add j 1)) 0))) (store set Z (i) (s i)))",
    "(kernel %s (syms M N K) (bufs (T i32 M :in 0 9) (X f32 M N) (Y f32 9 N) (S f32 N M)) (axes (e M) (d N))"
    " (def t (e d) (load S d e)) (store add Y ((load T e) d) (mul (t e d) (load X e d))))",
    "(kernel %s (syms M N K) (bufs (A f32 M N K) (B f32 K) (Y f32 M N K) (Z f32 N M)) (axes (i M) (j N) (k K))"
    " (def a (i j k) (mul (load A i j k) (load B k))) (def s (i j) (sum (k) (a i j k)))"
    " (store set Y (i j k) (sub (a i j k) (s i j))) (store set Z (j i) (s i j)))",
    "(kernel %s (syms M N K) (bufs (X f32 M N K) (W f32 M 3) (Y f32 N K) (Z f32)) (axes (y N) (x K) (c M) (q 3))"
    " (def s (y x) (sum (c q) (mul (load W c q) (if (and (lt 0 (add x q)) (lt (add x q) (add K 1)))"
    " (load X c y (add x q -1)) 0))))"
    " (def m () (max (y x) (s y x))) (store set Y (y x) (s y x)) (store set Z () (m)))",
    "(kernel %s (syms M N K) (bufs (X f32 M N) (W f32 3 3) (Y f32 M N)) (axes (y M) (x N) (p 3) (q 3))"
    " (def s (y x) (sum (p q) (mul (load W p q) (if (and (lt 0 (add y p)) (lt (add y p) (add M 1)) (lt 0 (add x q))"
    " (lt (add x q) (add N 1))) (load X (add y p -1) (add x q -1)) 0)))) (store set Y (y x) (s y x)))",
    "(kernel %s (syms M N K) (bufs (A f32 M N) (Y f32 M) (Z f32 M N)) (axes (i M) (j N))"
    " (def s (i) (sum (j) (if (lt j (add i 1)) (load A i j) -0x1p-3))) (store set Y (i) (s i))"
    " (store set Z (i j) (if (lt i 2) 1 (if (lt (mul 2 j) (add (mul 3 i) -4)) (if (eq i j) 7 (load A i j))"
    " (if (lt (add K 1) j) (load A i (sub j (add K 1))) 5)))))",
    FOLD_ARGMAX("%s"),
    FOLD_VARIANCE("%s"),
    FOLD_LOGSUMEXP("%s"),
    FOLD_EXTREMES("%s"),
    FOLD_SPLIT_SUM("%s"),
    FOLD_RUNNING_SUM("%s"),
    FOLD_RUNNING_PLACE("%s"),
};
enum { NTEMPLATES = sizeof templates / sizeof *templates, MOST_LEAVES = 24 };

typedef struct leaf_note {
    char name[24];
    size_t axis;                 /* SIZE_MAX: of a partial's own */
    bool outer, tile, bound;     /* outer: outermost of its axis */
} leaf_note;

typedef struct leaf_list {
    int n;
    leaf_note at[MOST_LEAVES];
} leaf_list;

typedef struct sketch {
    gn_arena *a;
    uint64_t *seed;
    const gn_kernel *k;
    bool cuda, careful, lane, plain; /* plain: none of at, layout, inner rfactor and online came up */
    /* axes: something is reduced along them; a store goes to equal places along them; a prefix runs along them;
     * definitions, of their outermost leaf */
    uint64_t reduced, scattered, running, factored;
    size_t into[64];             /* of each axis, the one that its leaves are of */
    leaf_list leaves, loops, tiles;
    gn_text splits, binds, rest;
} sketch;

static inline int pick(uint64_t *seed, int n)
{
    return (int)(test_random(seed) % (uint64_t)n);
}

static inline bool chance(sketch *s, int percent)
{
    return pick(s->seed, 100) < percent;
}

static inline bool has_bit(uint64_t bits, size_t i)
{
    return i < 64 && bits >> i & 1;
}

static inline void shuffle(leaf_list *l, uint64_t *seed)
{
    for (int i = l->n - 1; i > 0; i--) {
        const int j = pick(seed, i + 1);
        const leaf_note t = l->at[i];
        l->at[i] = l->at[j], l->at[j] = t;
    }
}

static inline void add_leaf(sketch *s, leaf_note leaf)
{
    leaf_list *l = leaf.tile ? &s->tiles : &s->loops;
    s->leaves.at[s->leaves.n++] = l->at[l->n++] = leaf;
}

/* Of the leaves, those of these axes. */
static inline leaf_list leaves_of(const sketch *s, const leaf_list *all, size_t n, const uint16_t *axis)
{
    leaf_list found = { 0 };
    for (int i = 0; i < all->n; i++)
        for (size_t a = 0; a < n; a++)
            if (all->at[i].axis == s->into[axis[a]]) {
                found.at[found.n++] = all->at[i];
                break;
            }
    return found;
}

/* Of a leaf along which a prefix runs, behind one that is `deepest`. */
static inline int running_kind(const sketch *s, int kind, bool last, int *deepest)
{
    if (kind == 1 && (s->cuda ? *deepest > 1 : !last || s->lane)) kind = 2;
    if (kind != 1 && kind != 3 && *deepest) kind = 2;
    const int depth = kind == 1 ? s->cuda ? 1 : 3 : kind == 2 || kind == 3 ? 2 : 0;
    *deepest = depth > *deepest ? depth : *deepest;
    return kind;
}

static inline void random_axis(sketch *s, size_t axis, const char *name)
{
    static const int widths[] = { 4, 8, 16 };
    const int parts = pick(s->seed, 4);
    int deepest = 0; /* of a prefix's leaves: loops, threads, points, lanes */
    leaf_note leaf = { .axis = axis, .outer = true };
    snprintf(leaf.name, sizeof leaf.name, parts ? "%s0" : "%s", name);
    add_leaf(s, leaf);
    if (!parts) return;
    gn_textf(&s->splits, " (split %s %s", name, leaf.name);
    for (int p = 1; p <= parts; p++) {
        int kind = p == parts || chance(s, 50) ? pick(s->seed, 6) : 0;
        if (s->careful && has_bit(s->running, axis)) kind = running_kind(s, kind, p == parts, &deepest);
        if (s->careful && kind == 1 && (has_bit(s->scattered, axis) || (s->cuda ? has_bit(s->reduced & ~s->running, axis) : s->lane)))
            kind = 2;
        const bool lane = kind == 1 && !s->cuda, thread = kind == 1 && s->cuda;
        leaf = (leaf_note){ .axis = axis, .tile = lane || kind == 2 || kind == 3, .bound = kind >= 1 && kind <= 3 };
        if (leaf.tile && kind == 2 && s->careful && has_bit(s->scattered, axis)) kind = 3;
        snprintf(leaf.name, sizeof leaf.name, "%s%d", name, p);
        gn_textf(&s->splits, " (%s %d)", leaf.name,
                 lane                      ? widths[pick(s->seed, 3)]
                 : thread && chance(s, 20) ? 16
                                           : 1 + pick(s->seed, 5));
        if (leaf.bound)
            gn_textf(&s->binds, " (bind %s %s)",
                     lane        ? "lane"
                     : thread    ? "thread"
                     : kind == 2 ? "private"
                                 : "unroll",
                     leaf.name);
        add_leaf(s, leaf);
        s->lane |= lane;
    }
    gn_text_char(&s->splits, ')');
}

static inline const char *random_level(sketch *s, bool reduction)
{
    static const char *const levels[] = { "arena", "arena", "scratch", "stack", "reg", "shared" };
    const int kind = pick(s->seed, s->cuda ? 6 : 5);
    if (s->careful && ((reduction && kind == 5) || (s->cuda && kind == 2) || chance(s, 70))) return "arena";
    return levels[kind];
}

/* A loop of that name that nothing is bound to, nor will be, nor is peeled. */
static inline bool keep_serial(sketch *s, const char *name)
{
    for (int i = 0; name && i < s->loops.n; i++)
        if (strcmp(s->loops.at[i].name, name) == 0 && !s->loops.at[i].bound) return s->loops.at[i].bound = true;
    return false;
}

static inline void random_stage(sketch *s, const gn_kdef *d)
{
    const bool reduction = d->red != GN_RED_NONE;
    const bool copies = s->cuda && !reduction && d->body->kind == GN_K_LOAD; /* which may be under way */
    const char *level = copies && chance(s, 25) ? "shared" : random_level(s, reduction), *at = NULL;
    const leaf_list loops = s->careful ? leaves_of(s, &s->loops, d->nparam, d->param) : s->loops;
    gn_textf(&s->rest, " (stage %s %s", d->name, level);
    if (!reduction && (chance(s, 50) || (s->careful && strcmp(level, "shared") == 0))) {
        const bool root = strcmp(level, "arena") == 0 && chance(s, 50);
        at = root ? "root" : loops.at[pick(s->seed, loops.n)].name;
        gn_textf(&s->rest, " (at %s)", at);
        s->plain = false;
    }
    if (chance(s, 20)) {
        leaf_list order = s->careful ? leaves_of(s, &s->leaves, d->nparam, d->param) : s->leaves;
        shuffle(&order, s->seed);
        gn_text_add(&s->rest, " (layout");
        for (int i = 0; i < order.n; i++)
            if (s->careful || chance(s, 50)) gn_textf(&s->rest, " %s", order.at[i].name);
        gn_text_char(&s->rest, ')');
        s->plain = false;
    }
    if (strcmp(level, "shared") == 0 && chance(s, 70) && (!s->careful || (copies && keep_serial(s, at))))
        gn_textf(&s->rest, " (depth %d)", 2 + pick(s->seed, 2));
    if (strcmp(level, "shared") == 0 && !s->careful && chance(s, 30))
        gn_textf(&s->rest, " (swizzle %s %d)", s->leaves.at[pick(s->seed, s->leaves.n)].name, 1 << pick(s->seed, 3));
    gn_text_char(&s->rest, ')');
}

static inline void random_rfactor(sketch *s, size_t def)
{
    const gn_kdef *d = &s->k->defs.at[def];
    leaf_list all = leaves_of(s, &s->leaves, d->nraxis, d->raxis), some = { 0 };
    for (int i = 0; i < all.n; i++)
        if (!s->careful || all.at[i].outer || (all.at[i].bound && !gn_is_prefix(d))) some.at[some.n++] = all.at[i];
    const leaf_note leaf = some.at[pick(s->seed, some.n)];
    const bool own = chance(s, s->careful && gn_is_prefix(d) ? 100 : 50);
    s->plain &= leaf.outer;
    if (leaf.outer) s->factored |= UINT64_C(1) << def;
    gn_textf(&s->rest, " (rfactor %s %s %s_p%s)", d->name, leaf.name, d->name,
             own ? gn_arena_printf(s->a, " q%s", d->name) : "");
    if (own) {
        leaf_note q = { .axis = SIZE_MAX };
        snprintf(q.name, sizeof q.name, "q%s", d->name);
        s->loops.at[s->loops.n++] = q;
    }
    if (s->careful || chance(s, 80)) gn_textf(&s->rest, " (stage %s_p %s)", d->name, random_level(s, true));
}

static inline void random_online(sketch *s, const gn_kdef *d)
{
    const leaf_list some = leaves_of(s, &s->leaves, d->nraxis, d->raxis);
    if (s->careful && some.n > 1) return;
    gn_textf(&s->rest, " (online %s %s)", d->name, some.at[pick(s->seed, some.n)].name);
    s->plain = false;
}

static inline void random_definition(sketch *s, size_t def)
{
    const gn_kdef *d = &s->k->defs.at[def];
    const bool whole = !(s->careful && gn_is_prefix(d));
    if (d->red != GN_RED_NONE && chance(s, 30)) random_rfactor(s, def);
    if (chance(s, s->careful && d->red != GN_RED_NONE ? 90 : 50)) random_stage(s, d);
    if (d->red == GN_RED_MAX && chance(s, 40) && whole) random_online(s, d);
}

/* Whether nothing but partial results is reduced along the axis. */
static inline bool is_parallel(const sketch *s, const leaf_note *leaf)
{
    if (leaf->axis == SIZE_MAX || leaf->bound || !leaf->outer) return false;
    for (size_t d = 0; d < s->k->defs.n; d++)
        for (size_t r = 0; r < s->k->defs.at[d].nraxis; r++)
            if (s->into[s->k->defs.at[d].raxis[r]] == leaf->axis && !has_bit(s->factored, d)) return false;
    return !has_bit(s->scattered, leaf->axis);
}

/* Leaves of axes along which a prefix runs stand in the order of their points. */
static inline void sort_running(const sketch *s, leaf_list *l)
{
    for (int i = 0; i < l->n; i++)
        for (int k = i + 1; k < l->n; k++) {
            const leaf_note a = l->at[i], b = l->at[k];
            if (a.axis == b.axis && has_bit(s->running, a.axis) && strcmp(a.name, b.name) > 0) l->at[i] = b, l->at[k] = a;
        }
}

/* The order, and what is bound to parts or blocks: the first loop. */
static inline void random_order(sketch *s)
{
    shuffle(&s->loops, s->seed);
    if (s->careful) sort_running(s, &s->loops);
    shuffle(&s->tiles, s->seed);
    if (s->careful) sort_running(s, &s->tiles);
    bool parallel = chance(s, 40);
    if (parallel && s->careful) {
        int i = 0;
        while (i < s->loops.n && !is_parallel(s, &s->loops.at[i])) i++;
        parallel = i < s->loops.n;
        const leaf_note first = s->loops.at[parallel ? i : 0];
        for (; parallel && i > 0; i--) s->loops.at[i] = s->loops.at[i - 1];
        s->loops.at[0] = first;
    }
    if (parallel && !s->loops.at[0].bound && s->loops.at[0].axis != SIZE_MAX) {
        static const char *const dims[] = { "block", "block :y", "block :z" };
        const char *const kind = s->cuda ? dims[test_random(s->seed) % 3] : "part";
        const bool cluster = s->cuda && s->loops.n > 1 && !s->loops.at[1].bound && !s->loops.at[1].outer && chance(s, 30);
        gn_textf(&s->binds, " (bind %s %s)", kind, s->loops.at[0].name);
        if (cluster) gn_textf(&s->binds, " (bind block :cluster %s)", s->loops.at[1].name);
        s->loops.at[1].bound |= cluster;
        s->loops.at[0].bound = true;
    }
    for (int i = 0; i < s->loops.n; i++)
        if (chance(s, 20) && !(s->careful && s->loops.at[i].bound)) gn_textf(&s->binds, " (peel %s)", s->loops.at[i].name);
}

static inline void note_axis(void *user, const char *name)
{
    sketch *s = user;
    const int32_t axis = gn_kernel_find_axis(s->k, name);
    if (axis >= 0) s->scattered |= UINT64_C(1) << axis;
}

static inline void note_kernel(sketch *s)
{
    for (size_t d = 0; d < s->k->defs.n; d++)
        for (size_t r = 0; r < s->k->defs.at[d].nraxis; r++) {
            s->reduced |= UINT64_C(1) << s->k->defs.at[d].raxis[r];
            if (gn_is_prefix(&s->k->defs.at[d])) s->running |= UINT64_C(1) << s->k->defs.at[d].raxis[r];
        }
    for (size_t i = 0; i < s->k->stores.n; i++)
        for (size_t d = 0; d < s->k->bufs.at[s->k->stores.at[i].buf].rank; d++)
            if (gn_dim_has_load(s->k->stores.at[i].index[d])) gn_dim_symbols(s->k->stores.at[i].index[d], note_axis, s);
}

static inline uint64_t axes_in(size_t n, const uint16_t *axis)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < n; i++) bits |= UINT64_C(1) << axis[i];
    return bits;
}

static inline bool all_or_none(uint64_t axes, uint64_t some)
{
    return !(axes & some) || (axes & some) == some;
}

/* Reductions and stores are over all of these axes or none, and no extent is over one of them. */
static inline bool may_be_fused(const sketch *s, uint64_t some)
{
    bool all = !(some & (s->running | s->scattered));
    for (size_t d = 0; d < s->k->defs.n; d++) {
        const gn_kdef *q = &s->k->defs.at[d];
        const uint64_t kept = axes_in(q->nparam, q->param), reduced = axes_in(q->nraxis, q->raxis);
        all &= q->red == GN_RED_NONE || (all_or_none(kept, some) && all_or_none(reduced, some));
    }
    for (size_t i = 0; i < s->k->stores.n; i++) {
        const gn_kstore *q = &s->k->stores.at[i];
        uint64_t axes = gn_kexpr_axes(s->k, q->value, s->a);
        for (size_t d = 0; d < s->k->bufs.at[q->buf].rank; d++) axes |= gn_dim_axes(s->k, q->index[d]);
        all &= all_or_none(axes, some);
    }
    for (size_t a = 0; a < s->k->axes.n; a++) {
        const uint64_t in = gn_dim_axes(s->k, s->k->axes.at[a].extent);
        all &= !(in & some) && !(has_bit(some, a) && in);
    }
    return all;
}

/* Two axes or three as one, in any order. */
static inline void random_fuse(sketch *s, size_t number)
{
    const size_t n = s->k->axes.n;
    const int count = n > 2 && chance(s, 25) ? 3 : 2;
    uint64_t some = 0;
    size_t axis[3];
    for (int i = 0; i < count; i++) {
        do axis[i] = (size_t)pick(s->seed, (int)n);
        while (has_bit(some, axis[i]));
        some |= UINT64_C(1) << axis[i];
        if (s->into[axis[i]] != axis[i]) return;
    }
    if (s->careful && !may_be_fused(s, some)) return;
    gn_text_add(&s->splits, " (fuse");
    for (int i = 0; i < count; i++) {
        gn_textf(&s->splits, " %s", s->k->axes.at[axis[i]].name);
        s->into[axis[i]] = n + number;
        if (some & s->reduced) s->reduced |= UINT64_C(1) << (n + number);
        if (some & s->scattered) s->scattered |= UINT64_C(1) << (n + number);
    }
    gn_textf(&s->splits, " -> f%zu)", number);
}

static inline void random_axes(sketch *s)
{
    const size_t n = s->k->axes.n;
    for (size_t a = 0; a < n; a++) s->into[a] = a;
    for (size_t f = 0; f < 2 && n > 1; f++) random_fuse(s, f);
    for (size_t a = 0; a < n; a++)
        if (s->into[a] == a) random_axis(s, a, s->k->axes.at[a].name);
    for (size_t f = 0; f < 2; f++)
        for (size_t a = 0; a < n; a++)
            if (s->into[a] == n + f) {
                random_axis(s, n + f, gn_arena_printf(s->a, "f%zu", f));
                break;
            }
}

/* The kernel, of that name, and a schedule. */
static inline const char *random_schedule(gn_arena *a, const char *template, const char *name, uint64_t *seed,
                                          bool cuda, bool *plain)
{
    const char *kernel = gn_arena_printf(a, template, name);
    sketch s = { .a = a,
                 .seed = seed,
                 .k = gn_kernel_read(a, "case", gn_sx_read(a, "case", kernel, strlen(kernel))->at[0]),
                 .cuda = cuda,
                 .plain = true };
    s.splits.arena = s.binds.arena = s.rest.arena = a;
    s.careful = chance(&s, 75);
    note_kernel(&s);
    random_axes(&s);
    for (size_t d = 0; d < s.k->defs.n; d++) random_definition(&s, d);
    random_order(&s);
    gn_text out = { .arena = a };
    gn_textf(&out, "%s\n(schedule s%s (order", kernel, gn_text_done(&s.splits));
    for (int i = 0; i < s.loops.n; i++) gn_textf(&out, " %s", s.loops.at[i].name);
    for (int i = 0; i < s.tiles.n; i++) gn_textf(&out, " %s", s.tiles.at[i].name);
    gn_textf(&out, ")%s%s)", gn_text_done(&s.binds), gn_text_done(&s.rest));
    if (plain) *plain = s.plain;
    return gn_text_done(&out);
}
