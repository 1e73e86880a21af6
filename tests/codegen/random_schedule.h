/* Random schedules for small kernels. Many are illegal: what is legal must be right. */
#pragma once
#include "judge.h"

typedef struct template_kernel {
    const char *text;            /* %s: its name */
    const char *axes;            /* space-separated */
    const char *defs;            /* that may be staged */
    const char *sums;            /* reductions, separated by spaces: mostly kept in the arena, since registers fit few orders */
    const char *reduction;       /* that may be rfactored, along .. */
    const char *along;
} template_kernel;

static const template_kernel templates[] = {
    { "(kernel %s (syms M N K) (bufs (A f32 M N) (S f32 N) (T f32 N M) (Y f32 M N)) (axes (i M) (j N))"
      " (def t (i j) (mul (load T j i) (load S j))) (store set Y (i j) (sub (load A i j) (t i j))))", "i j", "t", "", NULL, NULL },
    { "(kernel %s (syms M N K) (bufs (X f32 M N) (Y f32 M N) (Z f32 M)) (axes (i M) (j N))"
      " (def m (i) (max (j) (load X i j))) (def e (i j) (exp (sub (load X i j) (m i)))) (def s (i) (sum (j) (e i j)))"
      " (store set Y (i j) (div (e i j) (s i))) (store set Z (i) (s i)))", "i j", "e", "m s", "s", "j" },
    { "(kernel %s (syms M N K) (bufs (A f32 M K) (B f32 K N) (C f32 M N) (D f32 N)) (axes (i M) (j N) (k K))"
      " (def b (k j) (load B k j)) (def acc (i j) (sum (k) (mul (load A i k) (b k j)))) (def h (i j) (add (acc i j) 1))"
      " (def db (j) (sum (i) (h i j))) (store set C (i j) (h i j)) (store set D (j) (db j)))", "i j k", "b h", "acc db", "acc", "k" },
    { "(kernel %s (syms M N K) (bufs (A f32 M M) (Y f32 M) (Z f32 M)) (axes (i M) (j (add i 1)))"
      " (def s (i) (sum (j) (load A i j))) (def m (i) (max (j) (load A i j))) (store set Y (i) (s i)) (store set Z (i) (m i)))", "i j", "", "s m", "s", "j" },
    { "(kernel %s (syms M N K) (bufs (T i32 M) (W f32 M) (X f32 M N) (Y f32 9 N) (H f32 M)) (axes (e M) (d N) (q 3))"
      " (store add Y ((load T e) d) (load X e d)) (def h (e) (sum (q) (if (lt (add e q) M) (load W (add e q)) 0)))"
      " (store set H (e) (h e)))", "e d q", "", "h", "h", "q" },
    { "(kernel %s (syms M N K) (bufs (X f64 M N) (P bool N) (V i64 M)) (axes (i M) (j N))"
      " (def any (j) (any (i) (lt (load X i j) (f64 -0.5)))) (def c (i) (sum (j) (cast i64 (mul 10 (load X i j)))))"
      " (store set P (j) (any j)) (store set V (i) (add (c i) i)))", "i j", "", "any c", "c", "j" },
};
enum { NTEMPLATES = sizeof templates / sizeof *templates };

typedef struct leaf_list {
    int n;
    char name[24][8];
} leaf_list;

/* Kernels for schedules that also use `at`, `layout`, inner rfactor and online. */
static const struct wild_kernel {
    const char *text, *axes, *defs, *copies, *sums; /* defs, copies among them: one letter each; sums: definition and axis, in turn */
} wild_kernels[] = {
    { "(kernel %s (syms M N K) (bufs (A f32 M K) (B f32 N K) (c f32 N) (C f32 M N) (D f32 N) (E f32 M)) (axes (i M) (j N) (k K))"
      " (def b (j k) (load B j k)) (def a (i k) (mul 2 (load A i k))) (def s (i j) (sum (k) (mul (a i k) (b j k))))"
      " (def h (i j) (add (s i j) (load c j))) (def d (j) (sum (i) (h i j))) (def r (i) (max (j) (h i j)))"
      " (store set C (i j) (h i j)) (store set D (j) (d j)) (store set E (i) (r i)))", "ijk", "abhsdr", "abh", "skdirj" },
    { "(kernel %s (syms M N K) (bufs (X f32 M N) (V f32 N K) (Y f32 M K) (L f32 M)) (axes (i M) (j N) (e K))"
      " (def m (i) (max (j) (load X i j))) (def f (i j) (exp (sub (load X i j) (m i)))) (def l (i) (sum (j) (f i j)))"
      " (def o (i e) (sum (j) (mul (f i j) (load V j e)))) (store set Y (i e) (div (o i e) (l i))) (store set L (i) (l i)))", "ije", "mflo", "f", "mjljoj" },
    { "(kernel %s (syms M N K) (bufs (X f32 M N) (Y f32 M N) (Z f32 M)) (axes (i M) (j N) (t (add i 1)))"
      " (def d (i j) (mul 3 (load X i j))) (def s (i) (sum (t) (if (lt t N) (load X i t) 0)))"
      " (store set Y (i j) (add (d i j) (if (lt (add j 1) N) (d i (add j 1)) 0))) (store set Z (i) (s i)))", "ijt", "ds", "d", "st" },
    { "(kernel %s (syms M N K) (bufs (T i32 M) (X f32 M N) (Y f32 9 N) (S f32 N M)) (axes (e M) (d N))"
      " (def t (e d) (load S d e)) (store add Y ((load T e) d) (mul (t e d) (load X e d))))", "ed", "t", "t", "" },
};
enum { NWILD = sizeof wild_kernels / sizeof *wild_kernels };

static inline int pick(uint64_t *seed, int n)
{
    return (int)(test_random(seed) % (uint64_t)n);
}

static inline void shuffle(leaf_list *l, uint64_t *seed)
{
    for (int i = l->n - 1; i > 0; i--) {
        const int j = pick(seed, i + 1);
        char t[8];
        memcpy(t, l->name[i], 8), memcpy(l->name[i], l->name[j], 8), memcpy(l->name[j], t, 8);
    }
}

static inline void add_leaf(leaf_list *l, const char *axis, int number)
{
    snprintf(l->name[l->n++], 8, "%c%d", axis[0], number);
}

/* Splits every axis, binds some leaves, orders all, stages and rfactors some definition. */
static inline const char *random_schedule(gn_arena *a, const template_kernel *k, uint64_t *seed, bool cuda)
{
    gn_text splits = { .arena = a }, binds = { .arena = a }, out = { .arena = a };
    leaf_list loops = { 0 }, tiles = { 0 };
    bool lane = false, parallel = false;
    char grid = 0;
    for (const char *axis = k->axes; *axis; axis += axis[1] ? 2 : 1) {
        const int parts = pick(seed, 3);
        if (parts == 0) {
            snprintf(loops.name[loops.n++], 8, "%c", axis[0]);
            continue;
        }
        gn_textf(&splits, " (split %c %c0", axis[0], axis[0]);
        add_leaf(&loops, axis, 0);
        for (int p = 1; p <= parts; p++) {
            const int kind = p == parts ? pick(seed, 4) : 0;
            const bool vector = kind == 1 && !lane && !cuda, thread = cuda && kind == 1;
            gn_textf(&splits, " (%c%d %d)", axis[0], p, vector ? 4 : 1 + pick(seed, 4));
            if (thread) gn_textf(&binds, " (bind thread %c%d)", axis[0], p);
            if (kind == 0 || thread) add_leaf(&loops, axis, p);
            else {
                add_leaf(&tiles, axis, p);
                gn_textf(&binds, " (bind %s %c%d)", vector ? "lane" : kind == 2 ? "private" : "unroll", axis[0], p);
                lane |= vector;
            }
        }
        gn_text_char(&splits, ')');
        if (!parallel && cuda && pick(seed, 2)) { /* blocks come first in the order */
            gn_textf(&binds, " (bind block %c0)", axis[0]);
            for (int i = 0; i < loops.n; i++)
                if (loops.name[i][0] == axis[0] && loops.name[i][1] == '0') memmove(loops.name[i], loops.name[--loops.n], 8);
            grid = axis[0];
            parallel = true;
            continue;
        }
        if (!parallel && pick(seed, 5) == 0 && !cuda) gn_textf(&binds, " (bind part %c0)", axis[0]), parallel = true;
        else if (pick(seed, 3) == 0) gn_textf(&binds, " (peel %c0)", axis[0]);
    }
    const bool split = k->along && strstr(gn_text_done(&splits), gn_arena_printf(a, "(split %s ", k->along));
    const bool rfactor = pick(seed, 3) == 0 && split, own_axis = pick(seed, 2);
    if (rfactor && own_axis) snprintf(loops.name[loops.n++], 8, "p");
    shuffle(&loops, seed);
    shuffle(&tiles, seed);
    gn_textf(&out, "(schedule s%s (order", gn_text_done(&splits));
    if (grid) gn_textf(&out, " %c0", grid);
    for (int i = 0; i < loops.n; i++) gn_textf(&out, " %s", loops.name[i]);
    for (int i = 0; i < tiles.n; i++) gn_textf(&out, " %s", tiles.name[i]);
    gn_textf(&out, ")%s", gn_text_done(&binds));
    static const char *const levels[] = { "scratch", "arena", "arena", "stack", "reg" };
    for (const char *d = k->defs; *d; d += d[1] ? 2 : 1)
        if (pick(seed, 2)) {
            const int level = pick(seed, 5);
            gn_textf(&out, " (stage %c %s%s)", *d, levels[level], level == 1 ? " (at root)" : "");
        }
    char sums[40];
    snprintf(sums, sizeof sums, "%s", k->sums);
    for (char *d = strtok(sums, " "); d; d = strtok(NULL, " "))
        if (pick(seed, 4)) gn_textf(&out, " (stage %s arena)", d);
    if (rfactor) gn_textf(&out, " (rfactor %s %s0 part_%s%s) (stage part_%s arena)", k->reduction, k->along, k->reduction, own_axis ? " p" : "", k->reduction);
    gn_text_char(&out, ')');
    return gn_text_done(&out);
}

typedef struct wild {
    gn_arena *a;
    uint64_t *seed;
    const struct wild_kernel *k;
    bool cuda, plain;            /* plain: none of at, layout, inner rfactor and online came up */
    leaf_list loops, tiles, of[3]; /* of: leaves by axis */
    gn_text splits, binds, rest;
} wild;

static inline bool chance(wild *w, int percent)
{
    return pick(w->seed, 100) < percent;
}

static inline const char *any_leaf(wild *w, const leaf_list *l)
{
    return l->name[pick(w->seed, l->n)];
}

static inline void put_leaf(leaf_list *l, const char *name)
{
    snprintf(l->name[l->n++], 8, "%s", name);
}

static inline void wild_axis(wild *w, int axis)
{
    static const int widths[] = { 4, 8, 16 }, extents[] = { 1, 2, 3, 4, 5 };
    const int parts = pick(w->seed, 4);
    char name[8];
    snprintf(name, sizeof name, parts ? "%c0" : "%c", w->k->axes[axis]);
    put_leaf(&w->loops, name), put_leaf(&w->of[axis], name);
    if (!parts) return;
    gn_textf(&w->splits, " (split %c %s", w->k->axes[axis], name);
    for (int p = 1; p <= parts; p++) {
        const int kind = p == parts || chance(w, 50) ? pick(w->seed, 6) : 0;
        const bool lane = kind == 1 && !w->cuda, thread = kind == 1 && w->cuda, tile = lane || kind == 2 || kind == 3;
        snprintf(name, sizeof name, "%c%d", w->k->axes[axis], p);
        gn_textf(&w->splits, " (%s %d)", name, lane ? widths[pick(w->seed, 3)] : thread && chance(w, 20) ? 16 : extents[pick(w->seed, 5)]);
        put_leaf(tile ? &w->tiles : &w->loops, name), put_leaf(&w->of[axis], name);
        if (tile || thread) gn_textf(&w->binds, " (bind %s %s)", lane ? "lane" : thread ? "thread" : kind == 2 ? "private" : "unroll", name);
    }
    gn_text_char(&w->splits, ')');
}

static inline void wild_stage(wild *w, char def)
{
    static const char *const levels[] = { "arena", "arena", "scratch", "stack", "reg", "shared" };
    const char *level = levels[pick(w->seed, w->cuda ? 6 : 5)];
    gn_textf(&w->rest, " (stage %c %s", def, level);
    if (strchr(w->k->copies, def) && chance(w, 50)) {
        const bool root = strcmp(level, "arena") == 0 && chance(w, 50);
        gn_textf(&w->rest, " (at %s)", root ? "root" : any_leaf(w, &w->loops));
        w->plain = false;
    }
    if (chance(w, 20)) {
        gn_text_add(&w->rest, " (layout");
        for (int axis = 0; w->k->axes[axis]; axis++)
            for (int i = 0; i < w->of[axis].n; i++)
                if (chance(w, 50)) gn_textf(&w->rest, " %s", w->of[axis].name[i]);
        gn_text_char(&w->rest, ')');
        w->plain = false;
    }
    gn_text_char(&w->rest, ')');
}

static inline void wild_rfactor(wild *w, char def, char along)
{
    static const char *const levels[] = { "arena", "arena", "scratch", "stack", "reg" };
    const leaf_list *l = &w->of[strchr(w->k->axes, along) - w->k->axes];
    const int leaf = pick(w->seed, l->n);
    const bool own = chance(w, 50);
    w->plain &= leaf == 0;
    gn_textf(&w->rest, " (rfactor %c %s %c_p%s)", def, l->name[leaf], def, own ? gn_arena_printf(w->a, " q%c", def) : "");
    if (own) put_leaf(&w->loops, gn_arena_printf(w->a, "q%c", def));
    if (chance(w, 80)) gn_textf(&w->rest, " (stage %c_p %s)", def, levels[pick(w->seed, 5)]);
}

/* A kernel and a schedule that may use all directives. */
static inline const char *wild_schedule(gn_arena *a, uint64_t seed, bool cuda, bool *plain)
{
    for (int i = 0; i < 4; i++) test_random(&seed); /* small seeds are alike at first */
    wild w = { .a = a, .seed = &seed, .k = &wild_kernels[pick(&seed, NWILD)], .cuda = cuda, .plain = true };
    w.splits.arena = w.binds.arena = w.rest.arena = a;
    for (int axis = 0; w.k->axes[axis]; axis++) wild_axis(&w, axis);
    for (const char *s = w.k->sums; *s; s += 2)
        if (chance(&w, 30)) wild_rfactor(&w, s[0], s[1]);
    for (const char *d = w.k->defs; *d; d++)
        if (chance(&w, 50)) wild_stage(&w, *d);
    if (chance(&w, 30) && strchr(w.k->defs, 'm')) {
        gn_textf(&w.rest, " (online m %s)", any_leaf(&w, &w.of[1]));
        w.plain = false;
    }
    shuffle(&w.loops, &seed);
    shuffle(&w.tiles, &seed);
    const bool bound = strstr(gn_text_done(&w.binds), gn_arena_printf(a, " %s)", w.loops.name[0]));
    if (chance(&w, 30) && !bound && w.loops.name[0][0] != 'q') gn_textf(&w.binds, " (bind %s %s)", cuda ? "block" : "part", w.loops.name[0]);
    for (int i = 0; i < w.loops.n; i++)
        if (chance(&w, 20)) gn_textf(&w.binds, " (peel %s)", w.loops.name[i]);
    gn_text out = { .arena = a };
    gn_textf(&out, w.k->text, "wild");
    gn_textf(&out, "\n(schedule s%s (order", gn_text_done(&w.splits));
    for (int i = 0; i < w.loops.n; i++) gn_textf(&out, " %s", w.loops.name[i]);
    for (int i = 0; i < w.tiles.n; i++) gn_textf(&out, " %s", w.tiles.name[i]);
    gn_textf(&out, ")%s%s)", gn_text_done(&w.binds), gn_text_done(&w.rest));
    *plain = w.plain;
    return gn_text_done(&out);
}
