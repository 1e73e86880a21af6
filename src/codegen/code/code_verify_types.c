/* The verifier: types of values, their operands and accesses. */
#include <inttypes.h>
#include "code_verifier.h"
#include "code_words.h"

const char *gn_code_type_text(const gn_verifier *v, gn_dtype t, int lanes)
{
    gn_text text = { .arena = v->scratch };
    gn_spell_tag(&text, t, lanes);
    return gn_text_done(&text);
}

static bool has_lanes(const gn_target *target, gn_dtype t, int lanes)
{
    const bool count = lanes == 2 || lanes == 4 || lanes == 8 || lanes == 16;
    return count && target->vector_bytes > 4 && (t == GN_BOOL || gn_dtype_size(t) >= 4);
}

void gn_code_check_type(gn_verifier *v, const char *what, gn_dtype t, int lanes)
{
    if ((int)t >= GN_NDTYPES) gn_code_wrong(v, "%s has no dtype", what);
    if (!gn_dtype_computes(t)) gn_code_wrong(v, "%s: " GN_NOT_COMPUTED, what, gn_dtype_name(t));
    if (lanes != 1 && !has_lanes(v->code->target, t, lanes))
        gn_code_wrong(v, "%s: the target %s has no %s", what, v->code->target->name, gn_code_type_text(v, t, lanes));
}

/* ---- operands ---- */

/* A sum of multiples of variables of unrolled loops: the largest that it becomes, up to a number that is too large
 * anyway. */
static int64_t most_of(gn_verifier *v, const char *what, const gn_dim *at)
{
    enum { TOO_LARGE = 1 << 30 };
    int64_t most = 0, turns = 0;
    gn_code_check_index(v, at);
    for (uint32_t i = 0; i < at->n; i++) {
        const gn_term *const t = &at->term[i];
        const bool linear = t->c > 0 && t->c < TOO_LARGE && (t->n == 0 || (t->n == 1 && t->atom[0]->kind == GN_DIM_SYM));
        if (!linear) gn_code_wrong(v, "%s: the index is no sum of multiples of variables", what);
        const gn_code_name *const var = t->n ? gn_code_name_of(v, t->atom[0]->name) : NULL;
        if (var && !var->unrolled) gn_code_wrong(v, "%s: '%s' is no variable of an unrolled loop", what, t->atom[0]->name);
        if (var) gn_dim_is_const(var->count, &turns);
        most += t->c * (var ? turns - 1 : 1);
    }
    return most;
}

static void check_no_opaque(gn_verifier *v, const gn_place *p)
{
    if (p->opaque) gn_code_wrong(v, "'%s' is opaque: tile %s alone may touch it", p->name, p->opaque->name);
    if (p->meets) gn_code_wrong(v, "'%s' is a barrier: sync and arrive alone may touch it", p->name);
    if (p->token) gn_code_wrong(v, "'%s' is a token: commit and await alone may touch it", p->name);
}

void gn_code_check_register(gn_verifier *v, const gn_place *p, uint32_t number, const gn_dim *at)
{
    gn_code_check_place(v, p);
    if (p->space != GN_SPACE_REG) gn_code_wrong(v, "'%s' is no register", p->name);
    check_no_opaque(v, p);
    const int64_t most = at ? most_of(v, p->name, at) : number;
    if (most >= p->n) gn_code_wrong(v, "register %" PRId64 " of %s, which has %u", most, p->name, p->n);
}

static void check_let_operand(gn_verifier *v, const gn_val *a)
{
    const gn_code_let *const l = gn_map_get(&v->lets, a->id);
    if (!l || !l->val || l->step != v->step) gn_code_wrong(v, "%%%u is not made before", a->id);
    if (!l->open) gn_code_wrong(v, "%%%u is out of scope", a->id);
    if (l->val->dtype != a->dtype || l->val->lanes != a->lanes) gn_code_wrong(v, "%%%u has two types", a->id);
}

/* All but splats. */
static void check_plain(gn_verifier *v, const gn_val *a, const char *what)
{
    if (a->id) check_let_operand(v, a);
    else if (a->kind == GN_VAL_REG) {
        gn_code_check_register(v, a->u.reg.place, a->u.reg.number, a->u.reg.at);
        const gn_place *const p = a->u.reg.place;
        if (p->dtype != a->dtype || p->lanes != a->lanes) gn_code_wrong(v, "%s: $%s has two types", what, p->name);
    } else if (a->kind != GN_VAL_CONST) gn_code_wrong(v, "%s is no operand", what);
    else if (a->lanes != 1) gn_code_wrong(v, "%s is a number of several lanes", what);
}

void gn_code_check_operand(gn_verifier *v, const gn_val *a, const char *what, gn_dtype t, int lanes)
{
    if (!a) gn_code_wrong(v, "%s is missing", what);
    const gn_val *const one = a->kind == GN_VAL_SPLAT && !a->id ? a->a[0] : a;
    if (one && !one->id && one->kind == GN_VAL_REG) check_no_opaque(v, one->u.reg.place);
    if (a->dtype != t || a->lanes != lanes)
        gn_code_wrong(v, "%s is %s, %s was expected", what, gn_code_type_text(v, (gn_dtype)a->dtype, a->lanes),
                      gn_code_type_text(v, t, lanes));
    gn_code_check_type(v, what, t, lanes);
    if (!one || (one != a && (one->lanes != 1 || a->lanes == 1 || one->dtype != a->dtype)))
        gn_code_wrong(v, "%s: a splat is of one scalar of its dtype", what);
    check_plain(v, one, what);
}

static void check_same(gn_verifier *v, const gn_val *val, size_t from, gn_dtype t, int lanes)
{
    for (size_t i = from; i < val->n; i++) {
        const char *const what = gn_arena_printf(v->scratch, "operand %zu", i + 1);
        gn_code_check_operand(v, val->a[i], what, t, lanes);
    }
}

/* ---- accesses ---- */

void gn_code_check_memory(gn_verifier *v, const gn_place *p, gn_dtype t, bool written)
{
    const char *const name = p ? p->name : "";
    gn_code_check_place(v, p);
    if (p->space == GN_SPACE_REG) gn_code_wrong(v, "'%s' is a register, not memory", name);
    if (p->made) gn_code_wrong(v, "'%s' is a value that the host makes, not memory", name);
    if (p->space == GN_SPACE_BUFFER && !(p->access & (written ? GN_KBUF_WRITE : GN_KBUF_READ)))
        gn_code_wrong(v, written ? "'%s' is only read" : "'%s' is only written", name);
    if (p->dtype != t) gn_code_wrong(v, "'%s' is %s, %s was expected", name, gn_dtype_name(p->dtype), gn_dtype_name(t));
}

static void check_access(gn_verifier *v, const gn_access *a, gn_dtype t, int lanes, bool written)
{
    gn_code_check_memory(v, a->place, t, written);
    if (a->mode > GN_ACCESS_EACH || (a->mode == GN_ACCESS_ONE) != (lanes == 1))
        gn_code_wrong(v, "%d lanes of '%s': one element has one, :row, :step and :each have more", lanes,
                      a->place->name);
    if (a->mode == GN_ACCESS_EACH) gn_code_check_operand(v, a->each, "the index", GN_I64, lanes);
    else gn_code_check_index(v, a->base);
    if (a->mode == GN_ACCESS_STEP) gn_code_check_index(v, a->step);
    if (a->mask && lanes == 1) gn_code_wrong(v, "a mask of one lane");
    if (a->mask) gn_code_check_operand(v, a->mask, "the mask", GN_BOOL, lanes);
    gn_code_check_preds(v, a->when);
}

void gn_code_check_store(gn_verifier *v, const gn_access *a, const gn_val *val)
{
    if (!val) gn_code_wrong(v, "the value is missing");
    check_access(v, a, (gn_dtype)val->dtype, val->lanes, true);
    gn_code_check_operand(v, val, "the value", (gn_dtype)val->dtype, val->lanes);
}

/* ---- operations ---- */

/* Where an operation counts, a bool is 0 or 1. */
static bool takes(const gn_op_info *op, gn_dtype t)
{
    const bool counts = op == &gn_op_add || op == &gn_op_sub || op == &gn_op_mul;
    return op->dtypes & GN_BIT(t) || (t == GN_BOOL && counts);
}

static void need_dtype(gn_verifier *v, const gn_op_info *op, gn_dtype t)
{
    if (!takes(op, t)) gn_code_wrong(v, "%s takes no %s", op->name, gn_dtype_name(t));
}

static void check_conversion(gn_verifier *v, const gn_val *val)
{
    const gn_op_info *const op = val->u.op;
    const gn_dtype from = val->a[0] ? (gn_dtype)val->a[0]->dtype : GN_F32, to = (gn_dtype)val->dtype;
    check_same(v, val, 0, from, val->lanes);
    need_dtype(v, op, from);
    need_dtype(v, op, to);
    if (op == &gn_op_bitcast && gn_dtype_size(from) != gn_dtype_size(to))
        gn_code_wrong(v, "bitcast of %s to %s, which have other sizes", gn_dtype_name(from), gn_dtype_name(to));
}

static void check_elemwise(gn_verifier *v, const gn_val *val)
{
    const gn_op_info *const op = val->u.op;
    const bool compares = op->traits & GN_BOOL_OUT;
    const gn_dtype t = compares && val->a[0] ? (gn_dtype)val->a[0]->dtype : (gn_dtype)val->dtype;
    if (compares && val->dtype != GN_BOOL) gn_code_wrong(v, "%s gives a bool", op->name);
    check_same(v, val, 0, t, val->lanes);
    need_dtype(v, op, t);
}

/* The target has an instruction, or the record a body. */
static void need_spelling(gn_verifier *v, const gn_val *val)
{
    const gn_op_info *const op = val->u.op;
    const gn_dtype t = gn_val_op_dtype(val);
    const bool body = (t == GN_F32 && op->body_f32) || (t == GN_F64 && op->body_f64);
    if (!body && !v->code->target->spell(op, t, val->lanes > 1))
        gn_code_wrong(v, "the target %s has no %s of %s", v->code->target->name, op->name, gn_dtype_name(t));
}

static void check_op(gn_verifier *v, const gn_val *val)
{
    const gn_op_info *const op = val->u.op;
    if (!op || !(op->traits & GN_ELEMWISE) || op->arity < 1) gn_code_wrong(v, "no operation on elements");
    if (val->n != op->arity) gn_code_wrong(v, "%s takes %d operands, not %d", op->name, op->arity, val->n);
    if (op == &gn_op_select) {
        gn_code_check_operand(v, val->a[0], "the condition", GN_BOOL, val->lanes);
        check_same(v, val, 1, (gn_dtype)val->dtype, val->lanes);
    } else if (op == &gn_op_cast || op == &gn_op_bitcast) check_conversion(v, val);
    else check_elemwise(v, val);
    need_spelling(v, val);
}

/* ---- values ---- */

static void need_bool(gn_verifier *v, const gn_val *val, bool vector)
{
    if (val->dtype != GN_BOOL || (val->lanes > 1) != vector)
        gn_code_wrong(v, vector ? "a mask is a vector of bool" : "a test is a bool");
}

static void check_index_value(gn_verifier *v, const gn_val *val)
{
    const size_t opened = v->opened.n;
    if (val->lanes > 1) gn_code_open(v, val->u.index.lane, GN_CODE_VAR);
    gn_code_check_index(v, val->u.index.at);
    gn_code_check_preds(v, val->when);
    gn_code_close(v, opened, v->made.n);
}

static void check_reduced(gn_verifier *v, const gn_val *val)
{
    const bool logic = val->red == GN_RED_ANY || val->red == GN_RED_ALL;
    if (val->red < GN_RED_SUM || val->red > GN_RED_ALL) gn_code_wrong(v, "no reduction");
    if (logic != (val->dtype == GN_BOOL)) gn_code_wrong(v, "any and all reduce bool, the others numbers");
}

static const gn_val *first_operand(gn_verifier *v, const gn_val *val)
{
    if (!val->a[0]) gn_code_wrong(v, "operand 1 is missing");
    return val->a[0];
}

static void check_one_lane(gn_verifier *v, const gn_val *val, int lanes)
{
    const int64_t most = val->u.lane.at ? most_of(v, "lane", val->u.lane.at) : val->u.lane.i;
    if (most < 0 || most >= lanes) gn_code_wrong(v, "lane %" PRId64 " of %d", most, lanes);
}

static void check_lane(gn_verifier *v, const gn_val *val)
{
    const int lanes = first_operand(v, val)->lanes;
    if (val->lanes != 1 || lanes == 1) gn_code_wrong(v, "it makes a scalar of a vector");
    check_same(v, val, 0, (gn_dtype)val->dtype, lanes);
    if (val->kind == GN_VAL_LANES) check_reduced(v, val);
    else check_one_lane(v, val, lanes);
}

static void check_pick(gn_verifier *v, const gn_val *val)
{
    gn_code_check_operand(v, val->a[0], "the condition", GN_BOOL, 1);
    check_same(v, val, 1, (gn_dtype)val->dtype, val->lanes);
}

static void check_threads(gn_verifier *v, const gn_val *val)
{
    if (val->scope != GN_SCOPE_WARP && val->scope != GN_SCOPE_BLOCK)
        gn_code_wrong(v, "a reduction over threads is of a warp or of the block");
    gn_code_check_reached(v, "a reduction over threads", (gn_scope)val->scope);
    check_same(v, val, 0, (gn_dtype)val->dtype, val->lanes);
    check_reduced(v, val);
}

void gn_code_check_value(gn_verifier *v, const gn_val *val)
{
    gn_code_check_type(v, "it", (gn_dtype)val->dtype, val->lanes);
    if (val->n != gn_operand_count(val) || val->n > GN_VAL_MOST) gn_code_wrong(v, "%d operands", val->n);
    switch ((gn_val_kind)val->kind) {
    case GN_VAL_COPY: check_same(v, val, 0, (gn_dtype)val->dtype, val->lanes); break;
    case GN_VAL_INDEX: check_index_value(v, val); break;
    case GN_VAL_IOTA:
        if (val->lanes == 1 || val->dtype == GN_BOOL) gn_code_wrong(v, "iota is a vector of numbers");
        gn_code_check_index(v, val->u.iota.base);
        gn_code_check_index(v, val->u.iota.step);
        break;
    case GN_VAL_COND:
        need_bool(v, val, false);
        if (val->when.n == 0) gn_code_wrong(v, "no condition");
        gn_code_check_preds(v, val->when);
        break;
    case GN_VAL_FIRST:
    case GN_VAL_BIT:
        need_bool(v, val, true);
        gn_code_check_index(v, val->u.index.at);
        break;
    case GN_VAL_LOAD: check_access(v, &val->u.load, (gn_dtype)val->dtype, val->lanes, false); break;
    case GN_VAL_OP: check_op(v, val); break;
    case GN_VAL_PICK: check_pick(v, val); break;
    case GN_VAL_PACK:
        if (val->lanes == 1) gn_code_wrong(v, "pack makes a vector");
        check_same(v, val, 0, (gn_dtype)val->dtype, 1);
        break;
    case GN_VAL_LOW:
    case GN_VAL_HIGH: check_same(v, val, 0, (gn_dtype)val->dtype, 2 * val->lanes); break;
    case GN_VAL_UP:
        if (val->red >= val->lanes || (val->red & (val->red - 1)))
            gn_code_wrong(v, "moves %d lanes up by %d, which is no smaller power of 2", val->lanes, val->red);
        check_same(v, val, 0, (gn_dtype)val->dtype, val->lanes);
        break;
    case GN_VAL_LANE:
    case GN_VAL_LANES: check_lane(v, val); break;
    case GN_VAL_THREADS: check_threads(v, val); break;
    default: gn_code_wrong(v, "an operand, which no let is"); /* constants, registers, parameters and splats */
    }
}
