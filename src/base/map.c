/* Open addressing with linear probing; tables are powers of two, at most half full. */
#include "map.h"
#include <string.h>

static size_t place_of(uint64_t hash, size_t capacity)
{
    return (size_t)((hash * 0x9e3779b97f4a7c15u) >> 32) & (capacity - 1);
}

static size_t map_slot(const gn_map *m, uint64_t key)
{
    size_t i = place_of(key, m->capacity);
    while (m->taken[i] && m->key[i] != key) i = (i + 1) & (m->capacity - 1);
    return i;
}

static void map_grow(gn_arena *arena, gn_map *m)
{
    gn_map bigger = { .n = m->n, .capacity = m->capacity ? 2 * m->capacity : 16 };
    bigger.key = GN_NEW_ARRAY(arena, uint64_t, bigger.capacity);
    bigger.value = GN_NEW_ARRAY(arena, void *, bigger.capacity);
    bigger.taken = GN_NEW_ARRAY(arena, uint8_t, bigger.capacity);
    for (size_t i = 0; i < m->capacity; i++)
        if (m->taken[i]) {
            const size_t k = map_slot(&bigger, m->key[i]);
            bigger.taken[k] = 1, bigger.key[k] = m->key[i], bigger.value[k] = m->value[i];
        }
    *m = bigger;
}

void **gn_map_put(gn_arena *arena, gn_map *m, uint64_t key)
{
    if (2 * (m->n + 1) > m->capacity) map_grow(arena, m);
    const size_t i = map_slot(m, key);
    if (!m->taken[i]) m->taken[i] = 1, m->key[i] = key, m->n++;
    return &m->value[i];
}

void *gn_map_get(const gn_map *m, uint64_t key)
{
    if (!m->n) return NULL;
    const size_t i = map_slot(m, key);
    return m->taken[i] ? m->value[i] : NULL;
}

void *gn_intern_find(const gn_intern_set *s, uint64_t hash, const void *probe, bool (*equal)(const void *, const void *))
{
    if (!s->n) return NULL;
    for (size_t i = place_of(hash, s->capacity); s->slot[i].object; i = (i + 1) & (s->capacity - 1))
        if (s->slot[i].hash == hash && equal(s->slot[i].object, probe)) return s->slot[i].object;
    return NULL;
}

static void intern_place(gn_intern_set *s, uint64_t hash, void *object)
{
    size_t i = place_of(hash, s->capacity);
    while (s->slot[i].object) i = (i + 1) & (s->capacity - 1);
    s->slot[i] = (gn_intern_slot){ hash, object };
}

void gn_intern_add(gn_arena *arena, gn_intern_set *s, uint64_t hash, void *object)
{
    if (2 * (s->n + 1) > s->capacity) {
        gn_intern_set bigger = { .n = s->n, .capacity = s->capacity ? 2 * s->capacity : 16 };
        bigger.slot = GN_NEW_ARRAY(arena, gn_intern_slot, bigger.capacity);
        for (size_t i = 0; i < s->capacity; i++)
            if (s->slot[i].object) intern_place(&bigger, s->slot[i].hash, s->slot[i].object);
        *s = bigger;
    }
    intern_place(s, hash, object);
    s->n++;
}

uint64_t gn_hash_bytes(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *p = data;
    uint64_t word;
    for (; size >= 8; size -= 8, p += 8) {
        memcpy(&word, p, 8);
        hash = gn_hash_mix(hash, word);
    }
    word = size;
    for (size_t i = 0; i < size; i++) word = word << 8 | p[i];
    return gn_hash_mix(hash, word);
}

typedef struct slice {
    const char *text;
    size_t n;
} slice;

static bool symbol_equal(const void *stored, const void *probe)
{
    const slice *const s = probe;
    return strncmp(stored, s->text, s->n) == 0 && ((const char *)stored)[s->n] == '\0';
}

const char *gn_symbol_n(gn_arena *arena, gn_symbols *symbols, const char *text, size_t length)
{
    const uint64_t hash = gn_hash_bytes(length, text, length);
    const slice probe = { text, length };
    char *known = gn_intern_find(&symbols->set, hash, &probe, symbol_equal);
    if (known) return known;
    known = gn_arena_alloc(arena, length + 1, 1);
    memcpy(known, text, length);
    known[length] = '\0';
    gn_intern_add(arena, &symbols->set, hash, known);
    return known;
}

const char *gn_symbol(gn_arena *arena, gn_symbols *symbols, const char *text)
{
    return gn_symbol_n(arena, symbols, text, strlen(text));
}
