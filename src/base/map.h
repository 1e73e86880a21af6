/* Hash maps in an arena: from a pointer or a 64-bit number to a pointer, and the interning table built on the same idea.
 *
 *     gn_map m = { 0 };
 *     *gn_map_put(arena, &m, (uint64_t)node->id) = value;
 *     gn_thing *t = gn_map_get(&m, (uint64_t)node->id);       NULL if absent */
#pragma once
#include <stdbool.h>
#include "arena.h"

typedef struct gn_map {
    uint64_t *key;
    void **value;
    uint8_t *taken;
    size_t n, capacity;
} gn_map;

void **gn_map_put(gn_arena *, gn_map *, uint64_t key); /* the place of the value, NULL in it when new */
void *gn_map_get(const gn_map *, uint64_t key);
#define GN_KEY(pointer) ((uint64_t)(uintptr_t)(pointer))

/* A set of objects that are equal by content: gn_intern returns the one that is already there, or stores `candidate`.
 * `equal` compares two objects of equal hash. */
typedef struct gn_intern_slot { /* hash and pointer side by side: a search touches one line of memory */
    uint64_t hash;
    void *object;
} gn_intern_slot;
typedef struct gn_intern_set {
    gn_intern_slot *slot;
    size_t n, capacity;
} gn_intern_set;

void *gn_intern_find(const gn_intern_set *, uint64_t hash, const void *probe, bool (*equal)(const void *, const void *));
void gn_intern_add(gn_arena *, gn_intern_set *, uint64_t hash, void *object); /* after a find that gave NULL */

/* Mixes `value` into `hash` (start with any constant); gn_hash_bytes does it for memory. */
static inline uint64_t gn_hash_mix(uint64_t hash, uint64_t value)
{
    hash ^= value + 0x9e3779b97f4a7c15u + (hash << 6) + (hash >> 2);
    hash *= 0xbf58476d1ce4e5b9u;
    return hash ^ (hash >> 29);
}
uint64_t gn_hash_bytes(uint64_t hash, const void *data, size_t size);

/* Strings by content: one pointer per text. */
typedef struct gn_symbols {
    gn_intern_set set;
} gn_symbols;
const char *gn_symbol(gn_arena *, gn_symbols *, const char *text);
const char *gn_symbol_n(gn_arena *, gn_symbols *, const char *text, size_t length);
