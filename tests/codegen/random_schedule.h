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
