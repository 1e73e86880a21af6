/* Sets of leaves of a schedule, or of axes of a kernel. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GN_MAX_LEAVES = 256 };
typedef struct gn_leafset {
    uint64_t w[GN_MAX_LEAVES / 64];
} gn_leafset;

static inline bool gn_set_has(const gn_leafset *s, uint32_t l)
{
    return s->w[l / 64] >> (l % 64) & 1;
}
static inline void gn_set_put(gn_leafset *s, uint32_t l)
{
    s->w[l / 64] |= UINT64_C(1) << (l % 64);
}
static inline void gn_set_drop(gn_leafset *s, uint32_t l)
{
    s->w[l / 64] &= ~(UINT64_C(1) << (l % 64));
}
static inline gn_leafset gn_set_or(gn_leafset a, gn_leafset b)
{
    for (int i = 0; i < GN_MAX_LEAVES / 64; i++) a.w[i] |= b.w[i];
    return a;
}
static inline gn_leafset gn_set_minus(gn_leafset a, gn_leafset b)
{
    for (int i = 0; i < GN_MAX_LEAVES / 64; i++) a.w[i] &= ~b.w[i];
    return a;
}
/* Of a list: its leaves; the place of one, n where it is not in it. */
static inline gn_leafset gn_set_of(size_t n, const uint32_t *at)
{
    gn_leafset s = { { 0 } };
    for (size_t i = 0; i < n; i++) gn_set_put(&s, at[i]);
    return s;
}
static inline size_t gn_leaf_place(size_t n, const uint32_t *at, uint32_t leaf)
{
    size_t i = 0;
    while (i < n && at[i] != leaf) i++;
    return i;
}
static inline bool gn_set_empty(gn_leafset a)
{
    uint64_t any = 0;
    for (int i = 0; i < GN_MAX_LEAVES / 64; i++) any |= a.w[i];
    return any == 0;
}
