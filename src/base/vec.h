/* Growing arrays in an arena.
 *
 *     GN_VEC(int) v = { 0 };
 *     gn_push(arena, &v, 7);
 *     for (size_t i = 0; i < v.n; i++) use(v.at[i]);
 *
 * Growing leaves the old copy to the arena. The value must not itself look at the vector: n counts it already. */
#pragma once
#include "arena.h"

#define GN_VEC(type) struct { type *at; size_t n, capacity; }

#define gn_push(arena, v, ...) \
    ((v)->n == (v)->capacity ? gn_vec_grow(arena, (void **)&(v)->at, &(v)->capacity, sizeof *(v)->at) : (void)0, \
     (v)->at[(v)->n] = __VA_ARGS__, (v)->n++)
#define gn_pop(v) ((v)->at[--(v)->n])

void gn_vec_grow(gn_arena *, void **at, size_t *capacity, size_t size);
