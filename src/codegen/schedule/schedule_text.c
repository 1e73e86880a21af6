/* Schedules as text: reading and printing, which are inverse. What the directives mean is checked by the lowering; here
 * names must exist, each directive must have its form, and the order must hold every leaf once. */
#include <inttypes.h>
#include "ascii.h"
#include "schedule.h"

const char *const gn_bind_names[] = { "none", "part", "block", "thread", "lane", "unroll", "private", "tile" };
const char *const gn_level_names[] = { "reg", "stack", "scratch", "arena", "shared" };

typedef struct reader {
    gn_schedule *s;
    const gn_kernel *k;
    const char *file;
} reader;

static const char *text_of(reader *r, const gn_sx *x)
{
    if (x->kind != GN_SX_ATOM) gn_sx_fail(r->file, x, "expected a name");
    for (const char *c = x->text; *c; c++)
        if (!gn_in_name(*c)) gn_sx_fail(r->file, x, "'%s' is no name: letters, digits and _", x->text);
    return gn_arena_string(r->s->arena, x->text);
}

static uint32_t need_leaf(reader *r, const gn_sx *x)
{
    const int32_t l = x->kind == GN_SX_ATOM ? gn_schedule_find_leaf(r->s, x->text) : -1;
    if (l < 0) gn_sx_fail(r->file, x, "no leaf '%s'", x->text);
    return (uint32_t)l;
}

static uint32_t need_def(reader *r, const gn_sx *x)
{
    const int32_t d = x->kind == GN_SX_ATOM ? gn_kernel_find_def(r->k, x->text) : -1;
    if (d >= 0) return (uint32_t)d;
    for (size_t i = 0; i < r->s->rfactors.n; i++)
        if (gn_sx_is(x, r->s->rfactors.at[i].def_name)) return (uint32_t)(r->k->defs.n + i);
    gn_sx_fail(r->file, x, "no definition '%s'", x->text);
}

static int64_t need_int(reader *r, const gn_sx *x, int64_t least)
{
    int64_t v;
    if (!gn_sx_int(x, &v) || v < least) gn_sx_fail(r->file, x, "expected a number of at least %" PRId64, least);
    return v;
}

static uint32_t add_leaf(reader *r, const gn_sx *at, uint32_t axis, const char *name, int64_t extent, int64_t stride)
{
    const int32_t have = gn_schedule_find_leaf(r->s, name);
    if (have >= 0) {
        const gn_leaf *l = &r->s->leaves.at[have];
        if (l->axis == axis) gn_sx_fail(r->file, at, "the leaf '%s' stands twice in this split", name);
        if (l->extent != extent || l->stride != stride)
            gn_sx_fail(r->file, at, "the leaf '%s' is shared, but its extent or stride differs between the two splits",
                       name);
        return (uint32_t)have;
    }
    return gn_schedule_leaf(r->s, axis, name, extent, stride);
}

/* Of the kernel or a fuse, and not taken by one. */
static uint32_t need_axis(reader *r, const gn_sx *x)
{
    const int32_t axis = x->kind == GN_SX_ATOM ? gn_schedule_find_axis(r->k, r->s, x->text) : -1;
    if (axis < 0) gn_sx_fail(r->file, x, "'%s' is no axis of the kernel", x->text);
    const gn_fuse *f = gn_schedule_fuse_of(r->s, (uint32_t)axis);
    if (f) gn_sx_fail(r->file, x, "the axis '%s' is fused into '%s'", x->text, f->name);
    return (uint32_t)axis;
}

static void read_fuse(reader *r, const gn_sx *x)
{
    if (x->n < 5 || !gn_sx_is(x->at[x->n - 2], "->"))
        gn_sx_fail(r->file, x, "expected (fuse AXIS AXIS+ -> NAME)");
    gn_fuse f = { .name = text_of(r, x->at[x->n - 1]) };
    if (gn_kernel_has_name(r->k, f.name) || gn_schedule_find_axis(r->k, r->s, f.name) >= 0)
        gn_sx_fail(r->file, x->at[x->n - 1], "the name '%s' is taken", f.name);
    for (size_t i = 1; i + 2 < x->n; i++) {
        const uint32_t axis = need_axis(r, x->at[i]);
        bool twice = axis >= r->k->axes.n;
        for (size_t j = 0; j < f.axis.n; j++) twice |= f.axis.at[j] == axis;
        if (twice) gn_sx_fail(r->file, x->at[i], "the axis '%s' is fused twice", x->at[i]->text);
        gn_push(r->s->arena, &f.axis, axis);
    }
    gn_schedule_fuse(r->s, r->k, f);
}

static void read_split(reader *r, const gn_sx *x)
{
    if (x->n < 3) gn_sx_fail(r->file, x, "expected (split AXIS leaf+)");
    const uint32_t axis = need_axis(r, x->at[1]);
    if (gn_schedule_split(r->s, axis)->leaf.n)
        gn_sx_fail(r->file, x, "the axis '%s' is split twice", x->at[1]->text);
    int64_t stride = 1;
    uint32_t *leaf = GN_NEW_ARRAY(r->s->arena, uint32_t, x->n);
    for (size_t i = x->n; i-- > 2;) {
        const gn_sx *l = x->at[i];
        const bool sized = l->kind == GN_SX_LIST;
        if (sized && l->n != 2) gn_sx_fail(r->file, l, "expected a leaf or (leaf extent)");
        if (!sized && i != 2) gn_sx_fail(r->file, l, "only the outermost leaf may lack an extent");
        const int64_t extent = sized ? need_int(r, l->at[1], 1) : 0;
        leaf[i] = add_leaf(r, l, axis, text_of(r, sized ? l->at[0] : l), extent, stride);
        if (sized && __builtin_mul_overflow(stride, extent, &stride)) gn_sx_fail(r->file, l, "the extents overflow");
    }
    gn_split *s = gn_schedule_split(r->s, axis);
    for (size_t i = 2; i < x->n; i++) gn_push(r->s->arena, &s->leaf, leaf[i]);
}

static void read_rfactor(reader *r, const gn_sx *x)
{
    if (x->n < 4 || x->n > 5) gn_sx_fail(r->file, x, "expected (rfactor DEF leaf NEW [axis])");
    const gn_rfactor f = { .def = need_def(r, x->at[1]), .leaf = need_leaf(r, x->at[2]), .def_name = text_of(r, x->at[3]),
                           .axis_name = x->n == 5 ? text_of(r, x->at[4]) : NULL };
    if (gn_kernel_find_def(r->k, f.def_name) >= 0)
        gn_sx_fail(r->file, x->at[3], "the definition '%s' exists already", f.def_name);
    if (f.axis_name && gn_schedule_find_axis(r->k, r->s, f.axis_name) >= 0) need_axis(r, x->at[4]);
    gn_schedule_rfactor(r->s, r->k, f);
}

static void add_whole(reader *r, const gn_sx *x, uint32_t axis, const char *name)
{
    if (gn_schedule_fuse_of(r->s, axis) || gn_schedule_split(r->s, axis)->leaf.n) return;
    const uint32_t l = add_leaf(r, x, axis, name, 0, 1);
    gn_push(r->s->arena, &gn_schedule_split(r->s, axis)->leaf, l);
}

/* Axes without a split, and those that rfactors make (the kernel may have them already), are their own leaves. */
static void add_rfactor_leaves(reader *r, const gn_sx *x)
{
    for (size_t i = 0; i < r->s->rfactors.n; i++) {
        const char *name = r->s->rfactors.at[i].axis_name;
        if (!name || gn_schedule_find_axis(r->k, r->s, name) >= 0 || gn_schedule_find_leaf(r->s, name) >= 0) continue;
        add_whole(r, x, (uint32_t)(r->k->axes.n + r->s->fuses.n + i), name);
    }
}

static void read_order(reader *r, const gn_sx *x)
{
    if (r->s->order.n) gn_sx_fail(r->file, x, "a second order");
    for (size_t i = 1; i < x->n; i++) {
        const uint32_t l = need_leaf(r, x->at[i]);
        for (size_t j = 0; j < r->s->order.n; j++)
            if (r->s->order.at[j] == l)
                gn_sx_fail(r->file, x->at[i], "the leaf '%s' stands twice in the order", x->at[i]->text);
        gn_push(r->s->arena, &r->s->order, l);
    }
}

static void read_bind(reader *r, const gn_sx *x)
{
    uint8_t kind = 0;
    for (uint8_t b = 1; b < sizeof gn_bind_names / sizeof *gn_bind_names; b++)
        if (x->n > 1 && gn_sx_is(x->at[1], gn_bind_names[b])) kind = b;
    if (!kind) gn_sx_fail(r->file, x, "expected (bind part|block|thread|lane|unroll|private|tile leaf+)");
    for (size_t i = 2; i < x->n; i++) {
        gn_leaf *l = &r->s->leaves.at[need_leaf(r, x->at[i])];
        if (l->bind && l->bind != kind)
            gn_sx_fail(r->file, x->at[i], "the leaf '%s' is bound to %s already", l->name, gn_bind_names[l->bind]);
        l->bind = kind;
    }
}

static void read_stage(reader *r, const gn_sx *x)
{
    if (x->n < 3) gn_sx_fail(r->file, x, "expected (stage DEF level ...)");
    gn_stage s = { .def = need_def(r, x->at[1]), .level = UINT8_MAX, .at = GN_AT_NONE, .pad_leaf = -1, .depth = 1 };
    for (uint8_t l = 0; l < sizeof gn_level_names / sizeof *gn_level_names; l++)
        if (gn_sx_is(x->at[2], gn_level_names[l])) s.level = l;
    if (s.level == UINT8_MAX)
        gn_sx_fail(r->file, x->at[2], "'%s' is no level: reg, stack, scratch, arena or shared", x->at[2]->text);
    for (size_t i = 3; i < x->n; i++) {
        const gn_sx *o = x->at[i];
        if (gn_sx_head(o, "at") && o->n == 2)
            s.at = gn_sx_is(o->at[1], "root") ? GN_AT_ROOT : (int32_t)need_leaf(r, o->at[1]);
        else if (gn_sx_head(o, "layout"))
            for (size_t j = 1; j < o->n; j++) gn_push(r->s->arena, &s.layout, need_leaf(r, o->at[j]));
        else if (gn_sx_head(o, "copy"))
            for (size_t j = 1; j < o->n; j++) gn_push(r->s->arena, &s.copy, need_leaf(r, o->at[j]));
        else if (gn_sx_head(o, "pad") && o->n == 3)
            s.pad_leaf = (int32_t)need_leaf(r, o->at[1]), s.pad = need_int(r, o->at[2], 0);
        else if (gn_sx_head(o, "depth") && o->n == 2) s.depth = (uint16_t)need_int(r, o->at[1], 1);
        else gn_sx_fail(r->file, o, "stage: expected (at leaf), (layout leaf+), (copy leaf+), (pad leaf n) or (depth n)");
    }
    for (size_t i = 0; i < r->s->stages.n; i++)
        if (r->s->stages.at[i].def == s.def) gn_sx_fail(r->file, x, "'%s' is staged twice", x->at[1]->text);
    gn_push(r->s->arena, &r->s->stages, s);
}

static void read_rest(reader *r, const gn_sx *x)
{
    if (gn_sx_head(x, "order")) read_order(r, x);
    else if (gn_sx_head(x, "bind")) read_bind(r, x);
    else if (gn_sx_head(x, "stage")) read_stage(r, x);
    else if (gn_sx_head(x, "unroll") && x->n == 3)
        r->s->leaves.at[need_leaf(r, x->at[1])].unroll = (uint16_t)need_int(r, x->at[2], 1);
    else if (gn_sx_head(x, "peel"))
        for (size_t i = 1; i < x->n; i++) r->s->leaves.at[need_leaf(r, x->at[i])].peel = true;
    else if (gn_sx_head(x, "online") && x->n == 3)
        gn_push(r->s->arena, &r->s->onlines, (gn_online){ need_def(r, x->at[1]), need_leaf(r, x->at[2]) });
    else if (gn_sx_head(x, "tensorize") && x->n >= 3) {
        gn_tensorize t = { .def = need_def(r, x->at[1]), .row = text_of(r, x->at[2]) };
        for (size_t i = 3; i < x->n; i++) {
            if (x->at[i]->kind != GN_SX_LIST) gn_push(r->s->arena, &t.leaf, need_leaf(r, x->at[i]));
            else
                for (size_t j = 0; j < x->at[i]->n; j++) gn_push(r->s->arena, &t.leaf, need_leaf(r, x->at[i]->at[j]));
        }
        gn_push(r->s->arena, &r->s->tensorizes, t);
    } else gn_sx_fail(r->file, x, "no such directive, or not of its form");
}

gn_schedule *gn_schedule_read(gn_arena *arena, const gn_kernel *k, const char *file, const gn_sx *x)
{
    if (!gn_sx_head(x, "schedule") || x->n < 2) gn_sx_fail(file, x, "expected (schedule NAME directive*)");
    reader r = { gn_schedule_new(arena, NULL), k, file };
    r.s->name = text_of(&r, x->at[1]);
    for (size_t i = 2; i < x->n; i++)
        if (gn_sx_head(x->at[i], "fuse")) read_fuse(&r, x->at[i]);
    for (size_t i = 2; i < x->n; i++)
        if (gn_sx_head(x->at[i], "split")) read_split(&r, x->at[i]);
    for (uint32_t a = 0; a < k->axes.n; a++) add_whole(&r, x, a, k->axes.at[a].name);
    for (uint32_t f = 0; f < r.s->fuses.n; f++) add_whole(&r, x, (uint32_t)k->axes.n + f, r.s->fuses.at[f].name);
    for (size_t i = 2; i < x->n; i++)
        if (gn_sx_head(x->at[i], "rfactor")) read_rfactor(&r, x->at[i]);
    add_rfactor_leaves(&r, x);
    for (size_t i = 2; i < x->n; i++)
        if (!gn_sx_head(x->at[i], "fuse") && !gn_sx_head(x->at[i], "split") && !gn_sx_head(x->at[i], "rfactor"))
            read_rest(&r, x->at[i]);
    if (r.s->order.n != r.s->leaves.n) {
        for (size_t l = 0; l < r.s->leaves.n; l++) {
            bool found = false;
            for (size_t j = 0; j < r.s->order.n; j++) found |= r.s->order.at[j] == l;
            if (!found) gn_sx_fail(file, x, "the order lacks the leaf '%s'", r.s->leaves.at[l].name);
        }
    }
    return r.s;
}

/* ---- printing ---- */

static void print_leaves(gn_text *t, const gn_schedule *s, const uint32_t *leaf, size_t n)
{
    for (size_t i = 0; i < n; i++) gn_textf(t, " %s", s->leaves.at[leaf[i]].name);
}

static void print_fuses(gn_text *t, const gn_kernel *k, const gn_schedule *s)
{
    for (size_t f = 0; f < s->fuses.n; f++) {
        gn_text_add(t, " (fuse");
        for (size_t i = 0; i < s->fuses.at[f].axis.n; i++)
            gn_textf(t, " %s", k->axes.at[s->fuses.at[f].axis.at[i]].name);
        gn_textf(t, " -> %s)", s->fuses.at[f].name);
    }
}

static void print_splits(gn_text *t, const gn_kernel *k, const gn_schedule *s)
{
    for (size_t i = 0; i < s->splits.n; i++) {
        const gn_split *p = &s->splits.at[i];
        if (p->axis >= k->axes.n + s->fuses.n || !p->leaf.n) continue;
        const gn_leaf *first = &s->leaves.at[p->leaf.at[0]];
        const char *axis = p->axis < k->axes.n ? k->axes.at[p->axis].name : s->fuses.at[p->axis - k->axes.n].name;
        if (p->leaf.n == 1 && first->extent == 0 && strcmp(first->name, axis) == 0) continue;
        gn_textf(t, " (split %s", axis);
        for (size_t j = 0; j < p->leaf.n; j++) {
            const gn_leaf *l = &s->leaves.at[p->leaf.at[j]];
            if (l->extent) gn_textf(t, " (%s %" PRId64 ")", l->name, l->extent);
            else gn_textf(t, " %s", l->name);
        }
        gn_text_char(t, ')');
    }
}

static void print_leaf_marks(gn_text *t, const gn_schedule *s)
{
    for (size_t b = 1; b < sizeof gn_bind_names / sizeof *gn_bind_names; b++) {
        size_t n = 0;
        for (size_t i = 0; i < s->order.n; i++) {
            const gn_leaf *l = &s->leaves.at[s->order.at[i]];
            if (l->bind != b) continue;
            if (n++ == 0) gn_textf(t, " (bind %s", gn_bind_names[b]);
            gn_textf(t, " %s", l->name);
        }
        if (n) gn_text_char(t, ')');
    }
    for (size_t i = 0; i < s->order.n; i++) {
        const gn_leaf *l = &s->leaves.at[s->order.at[i]];
        if (l->unroll) gn_textf(t, " (unroll %s %d)", l->name, l->unroll);
    }
    size_t n = 0;
    for (size_t i = 0; i < s->order.n; i++) {
        const gn_leaf *l = &s->leaves.at[s->order.at[i]];
        if (!l->peel) continue;
        if (n++ == 0) gn_text_add(t, " (peel");
        gn_textf(t, " %s", l->name);
    }
    if (n) gn_text_char(t, ')');
}

static void print_stage(gn_text *t, const gn_kernel *k, const gn_schedule *s, const gn_stage *g)
{
    gn_textf(t, "\n  (stage %s %s", gn_schedule_def_name(k, s, g->def), gn_level_names[g->level]);
    if (g->at == GN_AT_ROOT) gn_text_add(t, " (at root)");
    else if (g->at >= 0) gn_textf(t, " (at %s)", s->leaves.at[g->at].name);
    if (g->layout.n) {
        gn_text_add(t, " (layout");
        print_leaves(t, s, g->layout.at, g->layout.n);
        gn_text_char(t, ')');
    }
    if (g->pad_leaf >= 0) gn_textf(t, " (pad %s %" PRId64 ")", s->leaves.at[g->pad_leaf].name, g->pad);
    if (g->copy.n) {
        gn_text_add(t, " (copy");
        print_leaves(t, s, g->copy.at, g->copy.n);
        gn_text_char(t, ')');
    }
    if (g->depth > 1) gn_textf(t, " (depth %d)", g->depth);
    gn_text_char(t, ')');
}

void gn_schedule_print(gn_text *t, const gn_kernel *k, const gn_schedule *s)
{
    gn_textf(t, "(schedule %s", s->name);
    print_fuses(t, k, s);
    print_splits(t, k, s);
    gn_text_add(t, "\n  (order");
    print_leaves(t, s, s->order.at, s->order.n);
    gn_text_add(t, ")");
    print_leaf_marks(t, s);
    for (size_t i = 0; i < s->stages.n; i++) print_stage(t, k, s, &s->stages.at[i]);
    for (size_t i = 0; i < s->rfactors.n; i++) {
        const gn_rfactor *f = &s->rfactors.at[i];
        gn_textf(t, " (rfactor %s %s %s%s%s)", gn_schedule_def_name(k, s, f->def), s->leaves.at[f->leaf].name, f->def_name,
                 f->axis_name ? " " : "", f->axis_name ? f->axis_name : "");
    }
    for (size_t i = 0; i < s->onlines.n; i++)
        gn_textf(t, " (online %s %s)", gn_schedule_def_name(k, s, s->onlines.at[i].def),
                 s->leaves.at[s->onlines.at[i].leaf].name);
    for (size_t i = 0; i < s->tensorizes.n; i++) {
        gn_textf(t, " (tensorize %s %s", gn_schedule_def_name(k, s, s->tensorizes.at[i].def), s->tensorizes.at[i].row);
        print_leaves(t, s, s->tensorizes.at[i].leaf.at, s->tensorizes.at[i].leaf.n);
        gn_text_char(t, ')');
    }
    gn_text_add(t, ")\n");
}
