/* Launches: the grid, the cluster and the shared memory of a step. */
#include "code_launch.h"
#include <inttypes.h>
#include <string.h>

const gn_dim *gn_code_grid(const gn_code *c, size_t step, int dim)
{
    const gn_code_step *const s = &c->steps.at[step];
    const gn_dim *blocks = gn_dim_const(c->dims, 1);
    for (size_t i = 0; i < s->parts.n; i++)
        if (s->parts.at[i].dim == dim) blocks = gn_dim_mul(c->dims, blocks, s->parts.at[i].count);
    return blocks;
}

/* ---- shared memory ---- */

typedef struct layout {
    const gn_code *code;
    gn_arena *arena;
    gn_map *offset;
    const gn_dim *bytes;
    bool dynamic; /* a size is known at the launch alone */
} layout;

/* A place of several regions is one. */
static void lay(void *user, const gn_code_node *n)
{
    layout *const l = user;
    const gn_place *const p = n->place;
    if (n->kind != GN_CODE_DECLARE || p->space != GN_SPACE_SHARED || gn_map_get(l->offset, p->id)) return;
    gn_dim_pool *const dims = l->code->dims;
    const gn_dim *const units = gn_dim_cdiv(dims, gn_code_bytes(l->code, p), gn_dim_const(dims, GN_SHARED_ALIGN));
    *gn_map_put(l->arena, l->offset, p->id) = (void *)l->bytes;
    l->dynamic |= !gn_dim_is_const(p->size, NULL);
    l->bytes = gn_dim_add(dims, l->bytes, gn_dim_scale(dims, units, GN_SHARED_ALIGN));
}

const gn_dim *gn_code_dynamic_shared(const gn_code *c, size_t step, gn_map *offset, gn_arena *arena)
{
    int64_t bytes;
    const gn_dim *const none = gn_dim_const(c->dims, 0);
    layout l = { .code = c, .arena = arena, .offset = offset, .bytes = none };
    gn_code_walk(&c->steps.at[step].body, lay, &l);
    return l.dynamic || (gn_dim_is_const(l.bytes, &bytes) && bytes > GN_STATIC_SHARED) ? l.bytes : none;
}

/* ---- a launch ---- */

typedef struct values {
    const gn_code *code;
    const int64_t *sym;
} values;

static bool value_of(void *user, const char *name, int64_t *out)
{
    const values *const v = user;
    for (size_t i = 0; i < v->code->syms.n; i++)
        if (strcmp(v->code->syms.at[i].name, name) == 0) return *out = v->sym[i], true;
    return false;
}

int64_t gn_code_size(const gn_code *c, size_t step, const gn_dim *d, const int64_t *sym, const char *what)
{
    int64_t n;
    if (!gn_dim_eval(d, value_of, NULL, &(values){ c, sym }, &n))
        gn_throw(GN_EINVAL, "code %s, step %zu: %s overflows", c->name, step, what);
    return n < 0 ? 0 : n;
}

gn_launch gn_code_launch(const gn_code *c, size_t step, const int64_t *sym)
{
    static const int64_t most[] = { INT32_MAX, 65535, 65535 }; /* of every device */
    gn_launch l = { .threads = gn_code_threads(c) };
    gn_map offset = { 0 };
    gn_code_cluster_dims(&c->steps.at[step], l.cluster);
    for (int d = 0; d < 3; d++) {
        l.grid[d] = gn_code_size(c, step, gn_code_grid(c, step, d), sym, "the number of blocks");
        if (l.grid[d] > most[d])
            gn_throw(GN_EINVAL, "code %s, step %zu: %" PRId64 " blocks along %c, at most %" PRId64 " are possible", c->name,
                     step, l.grid[d], "xyz"[d], most[d]);
    }
    l.shared = gn_code_size(c, step, gn_code_dynamic_shared(c, step, &offset, c->arena), sym, "the shared memory");
    if (l.shared > c->target->shared_bytes)
        gn_throw(GN_EINVAL, "code %s, step %zu: %" PRId64 " bytes of shared memory, at most %" PRId64 " are possible",
                 c->name, step, l.shared, c->target->shared_bytes);
    return l;
}
