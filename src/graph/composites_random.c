/* Random numbers as pure functions of a key and a counter.
 *
 * Philox4x32-10 (J. Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011, section 3.3) turns a key of
 * two words and a counter of four into four random words. The key comes from seed, scope and name; the counter of an
 * element is (its place along the last axis, the number of its row, the two words of `step`). */
#include "composites.h"
#include "number.h"
#include "ops/request.h"
#include <math.h>
#include <string.h>

enum { ROUNDS = 10, WORDS = 4 };

/* ---- philox ---- */

static const gn_type *infer_philox(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    (void)attr;
    const gn_type *word = gn_infer_same_shape(g, "philox", in, n, GN_U32), *four[WORDS] = { word, word, word, word };
    return gn_type_tuple(g, WORDS, four);
}

static const gn_region *expand_philox(gn_graph *g, const gn_type *const *in, size_t n, const gn_attr *attr)
{
    (void)attr;
    gn_expr **p = gn_body_params(g, n, in), *k0 = p[0], *k1 = p[1], *c[WORDS] = { p[2], p[3], p[4], p[5] };
    gn_expr *const m0 = gn_make_like(g, k0, 0xD2511F53u), *const m1 = gn_make_like(g, k0, 0xCD9E8D57u);
    gn_expr *const w0 = gn_make_like(g, k0, 0x9E3779B9u), *const w1 = gn_make_like(g, k0, 0xBB67AE85u);
    for (int round = 0; round < ROUNDS; round++) {
        if (round > 0) k0 = gn_plus(g, k0, w0), k1 = gn_plus(g, k1, w1);
        gn_expr *const low0 = gn_times(g, c[0], m0), *const low1 = gn_times(g, c[2], m1);
        gn_expr *const high0 = gn_make2(g, &gn_op_mulhi, c[0], m0), *const high1 = gn_make2(g, &gn_op_mulhi, c[2], m1);
        c[0] = gn_make2(g, &gn_op_bit_xor, gn_make2(g, &gn_op_bit_xor, high1, c[1]), k0), c[1] = low1;
        c[2] = gn_make2(g, &gn_op_bit_xor, gn_make2(g, &gn_op_bit_xor, high0, c[3]), k1), c[3] = low0;
    }
    return gn_body_tuple(g, n, in, c, WORDS);
}

/* ---- words to numbers ---- */

/* Operands of the three: key0, key1, step0, step1, all u32 scalars. Four random words for each element of the shape, as
 * (rows, columns). */
static gn_expr *words_of(gn_graph *g, gn_expr *const *p, const gn_attr *shape, const gn_dim **flat)
{
    gn_dim_pool *d = &g->dims;
    flat[0] = flat[1] = gn_dim_const(d, 1);
    for (uint32_t i = 0; i < shape->n; i++) {
        if (i + 1 < shape->n) flat[0] = gn_dim_mul(d, flat[0], shape->dims[i]);
        else flat[1] = shape->dims[i];
    }
    gn_expr *in[6] = { p[0], p[1], NULL, NULL, p[2], p[3] };
    for (int i = 0; i < 6; i++) in[i] = in[i] ? gn_make_splat(g, in[i], 2, flat) : gn_make_iota(g, GN_U32, 2, flat, i == 2);
    return gn_node(g, &gn_op_philox, in, 6, NULL);
}

static int significant_bits(gn_dtype t)
{
    return t == GN_F16 ? 11 : t == GN_BF16 ? 8 : t == GN_F32 ? 24 : 53;
}

static gn_expr *upper_bits(gn_graph *g, gn_expr *word, int n)
{
    return gn_make2(g, &gn_op_shr, word, gn_make_like(g, word, 32 - n));
}

/* A multiple of 2^-bits in [0, 1): exact, from one word or, for f64, from 27 and 26 bits of two. */
static gn_expr *unit(gn_graph *g, gn_expr *words, int first, gn_dtype t)
{
    const int bits = significant_bits(t);
    if (t != GN_F64)
        return gn_scaled(g, gn_make_cast(g, upper_bits(g, gn_make_proj(g, words, first), bits), t), ldexp(1, -bits));
    gn_expr *const high = gn_make_cast(g, upper_bits(g, gn_make_proj(g, words, first), 27), t);
    gn_expr *const low = gn_make_cast(g, upper_bits(g, gn_make_proj(g, words, first + 1), 26), t);
    return gn_scaled(g, gn_plus(g, gn_scaled(g, high, 0x1p26), low), 0x1p-53);
}

static const gn_region *expand_uniform(gn_graph *g, const gn_type *const *in, size_t n, const gn_attr *attr)
{
    const gn_dim *flat[2];
    gn_expr *const words = words_of(g, gn_body_params(g, n, in), &attr[1], flat);
    return gn_body(g, n, in, gn_make_reshape(g, unit(g, words, 0, (gn_dtype)attr[0].i), attr[1].n, attr[1].dims));
}

/* sqrt(-2 log u) cos(2 pi v) with u in (0, 1] and v in [0, 1); half floats are computed as f32. */
static const gn_region *expand_normal(gn_graph *g, const gn_type *const *in, size_t n, const gn_attr *attr)
{
    const gn_dtype dtype = (gn_dtype)attr[0].i, t = dtype == GN_F64 ? GN_F64 : GN_F32;
    const gn_dim *flat[2];
    gn_expr *const words = words_of(g, gn_body_params(g, n, in), &attr[1], flat);
    gn_expr *const below = unit(g, words, 0, t), *const u = gn_plus(
                                                     g, below, gn_make_like(g, below, ldexp(1, -significant_bits(t))));
    gn_expr *const radius = gn_make1(g, &gn_op_sqrt, gn_scaled(g, gn_make1(g, &gn_op_log, u), -2));
    gn_expr *const wave = gn_make1(g, &gn_op_cos, gn_scaled(g, unit(g, words, 2, t), 6.283185307179586));
    gn_expr *const z = gn_make_cast(g, gn_times(g, radius, wave), dtype);
    return gn_body(g, n, in, gn_make_reshape(g, z, attr[1].n, attr[1].dims));
}

/* A word below p 2^32; p = 1 holds for every word. */
static const gn_region *expand_bernoulli(gn_graph *g, const gn_type *const *in, size_t n, const gn_attr *attr)
{
    const gn_dim *flat[2];
    gn_expr *const word = gn_make_proj(g, words_of(g, gn_body_params(g, n, in), &attr[1], flat), 0);
    const double border = rint(attr[0].f * 0x1p32);
    gn_expr *const hit =
        border >= 0x1p32 ? gn_make2(g, &gn_op_eq, word, word) : gn_make2(g, &gn_op_lt, word, gn_make_like(g, word, border));
    return gn_body(g, n, in, gn_make_reshape(g, hit, attr[1].n, attr[1].dims));
}

static void check_scalars(gn_graph *g, const char *op, gn_expr *const *in, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (gn_rank_in(in[i]) != 0) gn_throw_at(g, GN_ESHAPE, op, in, n, "key and step are scalars");
    }
}

static const gn_type *infer_floats(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    check_scalars(g, "random", in, n);
    return gn_type_tensor(g, (gn_dtype)attr[0].i, attr[1].n, attr[1].dims);
}

static const gn_type *infer_bools(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    check_scalars(g, "bernoulli", in, n);
    return gn_type_tensor(g, GN_BOOL, attr[1].n, attr[1].dims);
}

/* ---- records ---- */

#define NO_DERIVATIVE "keys and counters are integers"
static const gn_attr_spec float_attr[] = { { "dtype", GN_ATTR_DTYPE, .dtypes = GN_FLOATS }, { "shape", GN_ATTR_DIMS } },
                          bool_attr[] = { { "p", GN_ATTR_FLOAT }, { "shape", GN_ATTR_DIMS } };
const gn_op_info gn_op_philox = { .name = "philox", .arity = 6, .traits = GN_COMPOSITE, .dtypes = GN_BIT(GN_U32),
    .infer = infer_philox, .expand = expand_philox, .not_differentiable = NO_DERIVATIVE,
    .gloss = "four random words of the key (a, b) and the counter (c, d, ..)" };
const gn_op_info gn_op_uniform = { .name = "uniform", .arity = 4, .traits = GN_COMPOSITE, .dtypes = GN_BIT(GN_U32),
    .attrs = float_attr, .nattr = 2, .infer = infer_floats, .expand = expand_uniform,
    .not_differentiable = NO_DERIVATIVE, .gloss = "uniform in [0, 1) by the key (a, b) and the step (c, d)" };
const gn_op_info gn_op_normal = { .name = "normal", .arity = 4, .traits = GN_COMPOSITE, .dtypes = GN_BIT(GN_U32),
    .attrs = float_attr, .nattr = 2, .infer = infer_floats, .expand = expand_normal,
    .not_differentiable = NO_DERIVATIVE, .gloss = "standard normal by the key (a, b) and the step (c, d)" };
const gn_op_info gn_op_bernoulli = { .name = "bernoulli", .arity = 4, .traits = GN_COMPOSITE, .dtypes = GN_BIT(GN_U32),
    .attrs = bool_attr, .nattr = 2, .infer = infer_bools, .expand = expand_bernoulli,
    .not_differentiable = NO_DERIVATIVE, .gloss = "true with probability p by the key (a, b) and the step (c, d)" };

/* ---- builders: text is the name, `shape_text` the shape ---- */

static uint64_t key_of(gn_graph *g, const gn_request *r, const char *name)
{
    uint64_t hash = gn_hash_mix(0x676e6f6d6f6e, g->seed);
    if (!name || !*name) gn_request_fail(g, r, GN_EINVAL, "an empty name");
    for (size_t i = 0; i < g->scopes.n; i++) {
        hash = gn_hash_bytes(hash, g->scopes.at[i], strlen(g->scopes.at[i]));
        hash = gn_hash_bytes(hash, "/", 1);
    }
    return gn_hash_bytes(hash, name, strlen(name));
}

/* key0, key1, step0, step1; the step is operand `at` of the request. */
static void key_and_step(gn_graph *g, const gn_request *r, size_t at, const char *name, gn_expr **out)
{
    const uint64_t key = key_of(g, r, name);
    gn_expr *step = r->x[at];
    if (!step && r->in[at].kind == 1) gn_request_fail(g, r, GN_EDTYPE, "step is a fraction, not an integer");
    if (!step) step = gn_make_scalar_int(g, GN_I64, r->in[at].integer);
    if (!gn_is_int(gn_dtype_in(step)))
        gn_request_fail(g, r, GN_EDTYPE, "step is %s, not an integer", gn_dtype_name(gn_dtype_in(step)));
    if (gn_rank_in(step) != 0) gn_request_fail(g, r, GN_ESHAPE, "step has rank %zu, expected a scalar", gn_rank_in(step));
    step = gn_make_cast(g, step, GN_I64);
    gn_expr *const mask = gn_make_scalar_int(g, GN_I64, 0xffffffff), *const half = gn_make_scalar_int(g, GN_I64, 32);
    gn_expr *const low = gn_make2(g, &gn_op_bit_and, step, mask), *const high =
                                                                      gn_make2(g, &gn_op_bit_and,
                                                                               gn_make2(g, &gn_op_shr, step, half), mask);
    out[0] = gn_make_scalar_int(g, GN_U32, (int64_t)(key & 0xffffffff)),
    out[1] = gn_make_scalar_int(g, GN_U32, (int64_t)(key >> 32));
    out[2] = gn_make_cast(g, low, GN_U32), out[3] = gn_make_cast(g, high, GN_U32);
}

static gn_attr shape_attr(gn_graph *g, const gn_request *r)
{
    const gn_dim **shape = GN_NEW_ARRAY(&g->arena, const gn_dim *, GN_MAX_RANK);
    return (gn_attr){ .kind = GN_ATTR_DIMS, .n = (uint32_t)gn_request_shape(g, r, shape), .dims = shape };
}

static gn_expr *make_floats(gn_graph *g, const gn_request *r)
{
    gn_expr *in[4];
    if ((unsigned)r->dtype >= GN_NDTYPES || !gn_is_float(r->dtype))
        gn_request_fail(g, r, GN_EDTYPE, "the dtype is not floating");
    key_and_step(g, r, 0, r->label, in);
    const gn_attr attr[2] = { { .kind = GN_ATTR_DTYPE, .i = r->dtype }, shape_attr(g, r) };
    return gn_node(g, r->op, in, 4, attr);
}

static void check_probability(gn_graph *g, const gn_request *r)
{
    if (!(r->number >= 0 && r->number <= 1)) gn_request_fail(g, r, GN_EINVAL, "a probability of %s", GN_NUMBER(r->number));
}

static gn_expr *make_bernoulli(gn_graph *g, const gn_request *r)
{
    gn_expr *in[4];
    check_probability(g, r);
    key_and_step(g, r, 0, r->label, in);
    const gn_attr attr[2] = { { .kind = GN_ATTR_FLOAT, .f = r->number }, shape_attr(g, r) };
    return gn_node(g, &gn_op_bernoulli, in, 4, attr);
}

/* Two masks of one name and step are equal. The same expression built again is not meant. */
static void check_drop(gn_graph *g, const gn_request *r, gn_expr *const *key_and_step)
{
    uint64_t hash = key_and_step[0]->id;
    for (int i = 1; i < 4; i++) hash = gn_hash_mix(hash, key_and_step[i]->id);
    gn_expr **const first = (gn_expr **)gn_map_put(&g->arena, &g->drops, hash);
    if (!*first) *first = r->x[0];
    if (*first == r->x[0]) return;
    gn_text t = { .arena = &g->arena };
    gn_expr_describe(&t, *first);
    gn_request_fail(g, r, GN_EINVAL,
                    "the name \"%s\" was used with this step before, for %s: both masks would be equal; gn_scope_push "
                    "tells layers apart, and a mask "
                    "that is meant to be shared is made by gn_bernoulli",
                    r->label, gn_text_done(&t));
}

static gn_expr *make_dropout(gn_graph *g, const gn_request *r)
{
    gn_expr *in[4], *const x = gn_make_cast(g, r->x[0], gn_float_of(gn_dtype_in(r->x[0])));
    check_probability(g, r);
    key_and_step(g, r, 1, r->label, in);
    check_drop(g, r, in);
    if (r->in[1].kind != 0)
        gn_lint(g, GN_LINT_LITERAL_STEP,
                "the step is a number: every call drops the same elements; an input or a variable that counts changes "
                "them");
    const double keep = 1 - r->number;
    const gn_attr attr[2] = { { .kind = GN_ATTR_FLOAT, .f = keep },
                              { .kind = GN_ATTR_DIMS, .n = (uint32_t)gn_rank_in(x), .dims = x->type->dim } };
    gn_expr *const kept = gn_node(g, &gn_op_bernoulli, in, 4, attr);
    return gn_make3(g, &gn_op_select, kept, gn_scaled(g, x, keep > 0 ? 1 / keep : 0), gn_make_like(g, x, 0));
}

/* What the three drawn by a shape's text have in common. */
static gn_expr *draw(gn_loc loc, gn_request r, const char *name, gn_operand step, const char *shape, va_list *args)
{
    r.name = r.op->name, r.label = name, r.text = shape, r.args = args;
    r.n = 1, r.in[0] = step;
    return gn_request_make(loc, &r);
}

static gn_expr *uniform(gn_loc loc, gn_graph *g, const char *name, gn_operand step, gn_dtype dtype, const char *shape,
                        va_list *args)
{
    return draw(loc, (gn_request){ .make = make_floats, .graph = g, .op = &gn_op_uniform, .dtype = dtype }, name, step,
                shape, args);
}

gn_expr *gn_uniform_text(gn_loc loc, gn_graph *g, const char *name, gn_operand step, gn_dtype dtype, const char *shape)
{
    return uniform(loc, g, name, step, dtype, shape, NULL);
}

gn_expr *gn_uniform_at(gn_loc loc, gn_graph *g, const char *name, gn_operand step, gn_dtype dtype, const char *shape, ...)
{
    va_list args;
    va_start(args, shape);
    gn_expr *const y = uniform(loc, g, name, step, dtype, shape, &args);
    va_end(args);
    return y;
}

static gn_expr *normal(gn_loc loc, gn_graph *g, const char *name, gn_operand step, gn_dtype dtype, const char *shape,
                       va_list *args)
{
    return draw(loc, (gn_request){ .make = make_floats, .graph = g, .op = &gn_op_normal, .dtype = dtype }, name, step,
                shape, args);
}

gn_expr *gn_normal_text(gn_loc loc, gn_graph *g, const char *name, gn_operand step, gn_dtype dtype, const char *shape)
{
    return normal(loc, g, name, step, dtype, shape, NULL);
}

gn_expr *gn_normal_at(gn_loc loc, gn_graph *g, const char *name, gn_operand step, gn_dtype dtype, const char *shape, ...)
{
    va_list args;
    va_start(args, shape);
    gn_expr *const y = normal(loc, g, name, step, dtype, shape, &args);
    va_end(args);
    return y;
}

static gn_expr *bernoulli(gn_loc loc, gn_graph *g, const char *name, gn_operand step, double p, const char *shape,
                          va_list *args)
{
    return draw(loc, (gn_request){ .make = make_bernoulli, .graph = g, .op = &gn_op_bernoulli, .number = p }, name,
                step, shape, args);
}

gn_expr *gn_bernoulli_text(gn_loc loc, gn_graph *g, const char *name, gn_operand step, double p, const char *shape)
{
    return bernoulli(loc, g, name, step, p, shape, NULL);
}

gn_expr *gn_bernoulli_at(gn_loc loc, gn_graph *g, const char *name, gn_operand step, double p, const char *shape, ...)
{
    va_list args;
    va_start(args, shape);
    gn_expr *const y = bernoulli(loc, g, name, step, p, shape, &args);
    va_end(args);
    return y;
}

gn_expr *gn_dropout_at(gn_loc loc, gn_expr *x, double p, const char *name, gn_operand step)
{
    return gn_request_make(loc, &(gn_request){ .name = "dropout",
                                               .make = make_dropout,
                                               .number = p,
                                               .label = name,
                                               .n = 2,
                                               .in = { gn_operand_expr(x), step } });
}
