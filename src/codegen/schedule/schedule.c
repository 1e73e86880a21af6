#include "schedule.h"
#include <string.h>

gn_schedule *gn_schedule_new(gn_arena *arena, const char *name)
{
    gn_schedule *s = GN_NEW_OBJECT(arena, gn_schedule);
    s->arena = arena;
    s->name = name;
    return s;
}

int32_t gn_schedule_find_leaf(const gn_schedule *s, const char *name)
{
    for (size_t i = 0; i < s->leaves.n; i++)
        if (strcmp(s->leaves.at[i].name, name) == 0) return (int32_t)i;
    return -1;
}

uint32_t gn_schedule_fuse(gn_schedule *s, const gn_kernel *k, gn_fuse f)
{
    GN_ASSERT(!s->rfactors.n);
    gn_push(s->arena, &s->fuses, f);
    return (uint32_t)(k->axes.n + s->fuses.n - 1);
}

int32_t gn_schedule_find_axis(const gn_kernel *k, const gn_schedule *s, const char *name)
{
    for (size_t f = 0; f < s->fuses.n; f++)
        if (strcmp(s->fuses.at[f].name, name) == 0) return (int32_t)(k->axes.n + f);
    return gn_kernel_find_axis(k, name);
}

const gn_fuse *gn_schedule_fuse_of(const gn_schedule *s, uint32_t axis)
{
    for (size_t f = 0; f < s->fuses.n; f++)
        for (size_t i = 0; i < s->fuses.at[f].axis.n; i++)
            if (s->fuses.at[f].axis.at[i] == axis) return &s->fuses.at[f];
    return NULL;
}

const char *gn_schedule_def_name(const gn_kernel *k, const gn_schedule *s, uint32_t def)
{
    return def < k->defs.n ? k->defs.at[def].name : s->rfactors.at[def - k->defs.n].def_name;
}

gn_split *gn_schedule_split(gn_schedule *s, uint32_t axis)
{
    for (size_t i = 0; i < s->splits.n; i++)
        if (s->splits.at[i].axis == axis) return &s->splits.at[i];
    gn_push(s->arena, &s->splits, (gn_split){ .axis = axis });
    return &s->splits.at[s->splits.n - 1];
}

uint32_t gn_schedule_leaf(gn_schedule *s, uint32_t axis, const char *name, int64_t extent, int64_t stride)
{
    gn_push(s->arena, &s->leaves, (gn_leaf){ .name = name, .axis = axis, .extent = extent, .stride = stride });
    return (uint32_t)s->leaves.n - 1;
}

uint32_t gn_schedule_whole(gn_schedule *s, uint32_t axis, const char *name)
{
    gn_split *split = gn_schedule_split(s, axis);
    if (!split->leaf.n) gn_push(s->arena, &split->leaf, gn_schedule_leaf(s, axis, name, 0, 1));
    return split->leaf.at[0];
}

gn_stage *gn_schedule_stage(gn_schedule *s, uint32_t def, gn_level level)
{
    gn_push(s->arena, &s->stages,
            (gn_stage){ .def = def, .level = (uint8_t)level, .at = GN_AT_NONE, .pad_leaf = -1, .depth = 1 });
    return &s->stages.at[s->stages.n - 1];
}

uint32_t gn_schedule_rfactor(gn_schedule *s, const gn_kernel *k, gn_rfactor f)
{
    gn_push(s->arena, &s->rfactors, f);
    return (uint32_t)(k->defs.n + s->rfactors.n - 1);
}
