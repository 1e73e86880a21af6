/* Reading code: operands, conditions, accesses and values. */
#include <inttypes.h>
#include <stdlib.h>
#include "ascii.h"
#include "code_reader.h"
#include "code_words.h"
#include "number.h"

/* ---- numbers and types ---- */

gn_dtype gn_read_dtype(gn_code_reader *r, const gn_sx *x)
{
    gn_dtype t;
    if (x->kind != GN_SX_ATOM || !gn_dtype_parse(x->text, &t)) gn_sx_fail(r->file, x, "'%s' is no dtype", x->text);
    return t;
}

/* "x16" or "16" behind the name of the elements. */
static uint16_t read_lanes(gn_code_reader *r, const gn_sx *x, const char *digits)
{
    char *end = NULL;
    const long n = gn_is_digit(*digits) ? strtol(digits, &end, 10) : 0;
    if (n < 2 || *end || *digits == '0' || n > UINT16_MAX)
        gn_sx_fail(r->file, x, "'%s' is no type: f32, f32x16, bool, b16 are some", x->text);
    return (uint16_t)n;
}

gn_dtype gn_read_type(gn_code_reader *r, const gn_sx *x, uint16_t *lanes)
{
    gn_dtype t = GN_BOOL;
    *lanes = 1;
    if (x->kind == GN_SX_ATOM && gn_dtype_parse(x->text, &t)) return t;
    const char *const by = x->kind == GN_SX_ATOM ? strrchr(x->text, 'x') : NULL;
    const char *const name = by ? gn_arena_printf(r->code->arena, "%.*s", (int)(by - x->text), x->text) : NULL;
    if (by && gn_dtype_parse(name, &t) && t != GN_BOOL) *lanes = read_lanes(r, x, by + 1);
    else *lanes = read_lanes(r, x, x->text[0] == 'b' ? x->text + 1 : "");
    return by ? t : GN_BOOL;
}

int64_t gn_read_int(gn_code_reader *r, const gn_sx *x, int64_t least, int64_t most)
{
    int64_t v;
    if (!gn_sx_int(x, &v) || v < least || v > most)
        gn_sx_fail(r->file, x, "a number from %" PRId64 " to %" PRId64 " was expected, not '%s'", least, most, x->text);
    return v;
}

static double read_float(gn_code_reader *r, const gn_sx *x, gn_dtype t)
{
    double v = 0;
    float single = 0;
    const char *end = x->text;
    const bool read = t == GN_F64 ? gn_number_read(x->text, &end, &v) : gn_number_read_f32(x->text, &end, &single);
    if (!read || *end) gn_sx_fail(r->file, x, "'%s' is no %s", x->text, gn_dtype_name(t));
    return t == GN_F64 ? v : (double)single;
}

static int64_t read_u64(gn_code_reader *r, const gn_sx *x)
{
    uint64_t v = 0;
    for (const char *c = x->text; *c; c++)
        if (!gn_is_digit(*c) || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(*c - '0'), &v))
            gn_sx_fail(r->file, x, "a number from 0 to %" PRIu64 " was expected, not '%s'", UINT64_MAX, x->text);
    return (int64_t)v;
}

static const gn_val *read_constant(gn_code_reader *r, const gn_sx *x, gn_dtype t)
{
    const int bits = 8 * gn_dtypes[t].size;
    gn_val v = { .kind = GN_VAL_CONST, .dtype = (uint8_t)t, .lanes = 1 };
    if (x->kind != GN_SX_ATOM) gn_sx_fail(r->file, x, "a number was expected");
    if (gn_is_float(t)) v.u.f = read_float(r, x, t);
    else if (t == GN_U64) v.u.i = read_u64(r, x);
    else if (t == GN_BOOL) v.u.i = gn_read_int(r, x, 0, 1);
    else if (gn_dtypes[t].kind == GN_KIND_UINT) v.u.i = gn_read_int(r, x, 0, (int64_t)(UINT64_MAX >> (64 - bits)));
    else v.u.i = gn_read_int(r, x, INT64_MIN >> (64 - bits), INT64_MAX >> (64 - bits));
    return gn_code_operand(r->code, v);
}

static const gn_val *in_lanes(gn_code_reader *r, const gn_val *v, uint16_t lanes)
{
    if (lanes == 1) return v;
    return gn_code_operand(r->code,
                           (gn_val){ .kind = GN_VAL_SPLAT, .dtype = v->dtype, .lanes = lanes, .n = 1, .a = { v } });
}

/* A number, or one with its type: (f32x16 0.5). */
static const gn_val *read_number(gn_code_reader *r, const gn_sx *x, int expected, uint16_t lanes)
{
    if (x->kind == GN_SX_LIST) {
        const gn_dtype t = gn_read_type(r, x->at[0], &lanes);
        return in_lanes(r, read_constant(r, x->at[1], t), lanes);
    }
    if (expected == GN_NO_DTYPE || lanes == 0)
        gn_sx_fail(r->file, x, "nothing here says the type of %s: (f32 %s), (f32x16 %s) or another", x->text, x->text,
                   x->text);
    return in_lanes(r, read_constant(r, x, (gn_dtype)expected), lanes);
}

/* ---- operands ---- */

uint32_t gn_read_id(gn_code_reader *r, const gn_sx *x)
{
    uint32_t id = 0;
    bool fits = x->kind == GN_SX_ATOM && x->text[0] == '%' && x->text[1] != '0';
    for (const char *c = x->text + fits; fits && *c; c++)
        fits = gn_is_digit(*c) && !__builtin_mul_overflow(id, 10, &id) &&
               !__builtin_add_overflow(id, (uint32_t)(*c - '0'), &id);
    if (!fits || id == 0) gn_sx_fail(r->file, x, "'%s' is no value: %%1, %%2, ..", x->text);
    return id;
}

static const gn_val *read_let_name(gn_code_reader *r, const gn_sx *x)
{
    const gn_let *const l = gn_map_get(&r->lets, gn_read_id(r, x));
    if (!l || l->step != r->step) gn_sx_fail(r->file, x, "%s is not made before", x->text);
    if (!l->open) gn_sx_fail(r->file, x, "%s is out of scope: its region has ended", x->text);
    return l->val;
}

/* One digit: "2", "i", "2*i+1"; over variables of unrolled loops. */
static const gn_dim *read_register_digit(gn_code_reader *r, const gn_sx *x, const gn_place *p, int i, const char **at)
{
    const char *const end = **at == '[' ? strchr(*at, ']') : NULL;
    if (!end) gn_sx_fail(r->file, x, "%s has %d dims: $%s[0].. names one of its registers", p->name, p->rank, p->name);
    const char *const text = gn_symbol_n(r->code->arena, &r->code->dims->symbols, *at + 1, (size_t)(end - *at - 1));
    const gn_dim *const digit = gn_dim_read_extent(r->code->dims, text);
    int64_t c;
    if (gn_dim_is_const(digit, &c) && (c < 0 || c >= p->extent[i]))
        gn_sx_fail(r->file, x, "'%s': dim %d has %u registers", x->text, i, p->extent[i]);
    *at = end + 1;
    return digit;
}

const gn_place *gn_read_register(gn_code_reader *r, const gn_sx *x, uint32_t *number, const gn_dim **at)
{
    if (x->kind != GN_SX_ATOM || x->text[0] != '$')
        gn_sx_fail(r->file, x, "a register was expected: $name or $name[0]..");
    const size_t n = gn_name_length(x->text + 1);
    gn_sx name = *x;
    name.text = gn_symbol_n(r->code->arena, &r->code->dims->symbols, x->text + 1, n);
    const gn_place *const p = gn_find_name(r, &name, GN_NAME_PLACE)->place;
    if (p->space != GN_SPACE_REG) gn_sx_fail(r->file, x, "'%s' is no register", p->name);
    const char *rest = x->text + 1 + n;
    const gn_dim *all = gn_dim_const(r->code->dims, 0);
    for (uint16_t i = 0; i < p->rank; i++)
        all = gn_dim_add(r->code->dims, gn_dim_scale(r->code->dims, all, p->extent[i]),
                         read_register_digit(r, x, p, i, &rest));
    if (*rest) gn_sx_fail(r->file, x, "'%s' is no register of %s", x->text, p->name);
    int64_t c = 0;
    *at = gn_dim_is_const(all, &c) ? NULL : all;
    *number = (uint32_t)c;
    return p;
}

static const gn_val *read_register_value(gn_code_reader *r, const gn_sx *x)
{
    uint32_t number;
    const gn_dim *at;
    const gn_place *const p = gn_read_register(r, x, &number, &at);
    return gn_code_register(r->code, p, number, at);
}

static bool is_number_text(const gn_sx *x)
{
    if (x->kind == GN_SX_LIST) return x->n == 2 && x->at[0]->kind == GN_SX_ATOM && !gn_sx_head(x, "splat");
    return x->kind == GN_SX_ATOM && x->text[0] != '%' && x->text[0] != '$';
}

/* All but splats. */
static const gn_val *read_plain(gn_code_reader *r, const gn_sx *x, int expected, uint16_t lanes)
{
    if (is_number_text(x)) return read_number(r, x, expected, lanes);
    if (x->kind == GN_SX_ATOM) return x->text[0] == '%' ? read_let_name(r, x) : read_register_value(r, x);
    gn_sx_fail(r->file, x, "an operand was expected: %%1, $register, a number, (f32 1.0) or (splat ..)");
}

static const gn_val *read_splat(gn_code_reader *r, const gn_sx *x, uint16_t lanes)
{
    if (x->n == 3) lanes = (uint16_t)gn_read_int(r, x->at[1], 2, UINT16_MAX);
    if (x->n < 2 || x->n > 3) gn_sx_fail(r->file, x, "(splat operand) or (splat LANES operand) was expected");
    if (lanes == 0) gn_sx_fail(r->file, x, "nothing here says how many lanes: (splat LANES operand)");
    return in_lanes(r, read_plain(r, x->at[x->n - 1], GN_NO_DTYPE, 1), lanes);
}

static const gn_val *read_operand(gn_code_reader *r, const gn_sx *x, int expected, uint16_t lanes)
{
    return gn_sx_head(x, "splat") ? read_splat(r, x, lanes) : read_plain(r, x, expected, lanes);
}

const gn_val *gn_read_operand(gn_items *s, int expected, uint16_t lanes)
{
    return read_operand(s->r, gn_next_item(s, "an operand"), expected, lanes);
}

/* ---- conditions and accesses ---- */

static gn_kcond read_test(gn_code_reader *r, const gn_sx *x)
{
    const bool lt = gn_sx_head(x, "lt");
    if ((!lt && !gn_sx_head(x, "eq")) || x->n != 3) gn_sx_fail(r->file, x, "(lt a b) or (eq a b) was expected");
    return (gn_kcond){ lt ? GN_K_LT : GN_K_EQ, gn_read_index(r, x->at[1]), gn_read_index(r, x->at[2]) };
}

static gn_pred read_pred(gn_code_reader *r, const gn_sx *x, bool negate)
{
    const bool several = gn_sx_head(x, "and");
    const size_t n = several ? x->n - 1 : 1;
    if (n == 0 || n > UINT16_MAX) gn_sx_fail(r->file, x, "(and test ..) with %zu tests", n);
    gn_kcond *const cond = GN_NEW_ARRAY(r->code->arena, gn_kcond, n);
    for (size_t i = 0; i < n; i++) cond[i] = read_test(r, several ? x->at[i + 1] : x);
    return (gn_pred){ negate, (uint16_t)n, cond };
}

gn_preds gn_read_preds(gn_items *s)
{
    GN_VEC(gn_pred) all = { 0 };
    for (;;) {
        const bool negate = gn_next_is(s, ":unless");
        if (!negate && !gn_next_is(s, ":when")) return (gn_preds){ (uint32_t)all.n, all.at };
        const gn_pred p = read_pred(s->r, gn_next_item(s, "a test"), negate);
        gn_push(s->r->code->arena, &all, p);
    }
}

static void need_vector(const gn_items *s, const gn_sx *x, gn_access_mode mode, uint16_t lanes)
{
    if (mode == GN_ACCESS_ONE && lanes > 1)
        gn_sx_fail(s->r->file, x, "one element has one lane, %d were expected: :row, :step or :each", lanes);
}

gn_access gn_read_element(gn_items *s)
{
    gn_access a = { 0 };
    const gn_sx *const name = gn_next_item(s, "a place");
    a.place = gn_find_name(s->r, name, GN_NAME_PLACE)->place;
    if (a.place->space == GN_SPACE_REG)
        gn_sx_fail(s->r->file, name, "'%s' is a register, memory was expected", name->text);
    a.base = gn_read_index(s->r, gn_next_item(s, "an index"));
    return a;
}

/* lanes: of a load, 0 of a store. */
gn_access gn_read_access(gn_items *s, uint16_t lanes)
{
    gn_access a = { 0 };
    const gn_sx *const name = gn_next_item(s, "a place");
    a.place = gn_find_name(s->r, name, GN_NAME_PLACE)->place;
    if (a.place->space == GN_SPACE_REG) gn_sx_fail(s->r->file, name, "'%s' is a register: $%s", name->text, name->text);
    a.mode = gn_next_is(s, ":row")    ? GN_ACCESS_ROW
             : gn_next_is(s, ":step") ? GN_ACCESS_STEP
             : gn_next_is(s, ":each") ? GN_ACCESS_EACH
                                      : GN_ACCESS_ONE;
    need_vector(s, name, (gn_access_mode)a.mode, lanes);
    if (a.mode == GN_ACCESS_EACH) a.each = gn_read_operand(s, GN_I64, lanes);
    else a.base = gn_read_index(s->r, gn_next_item(s, "an index"));
    if (a.mode == GN_ACCESS_STEP) a.step = gn_read_index(s->r, gn_next_item(s, "the elements between lanes"));
    if (gn_next_is(s, ":mask")) a.mask = gn_read_operand(s, GN_BOOL, lanes);
    a.when = gn_read_preds(s);
    return a;
}

/* ---- values ---- */

static gn_red read_red(gn_items *s)
{
    const gn_sx *const x = gn_next_item(s, "a reduction");
    for (int red = GN_RED_SUM; red <= GN_RED_ALL; red++)
        if (gn_sx_is(x, gn_red_name((gn_red)red))) return (gn_red)red;
    gn_sx_fail(s->r->file, x, "'%s' is no reduction: sum prod max min any all", x->text);
}

uint8_t gn_read_scope(gn_items *s)
{
    for (uint8_t scope = 0; scope < GN_NSCOPES; scope++)
        if (gn_next_is(s, gn_arena_printf(s->r->code->arena, ":%s", gn_scope_names[scope]))) return scope;
    return GN_SCOPE_BLOCK;
}

/* Those that are no numbers first: they say what the numbers are. */
static void read_operands(gn_items *s, gn_val *v)
{
    const gn_val_kind kind = (gn_val_kind)v->kind;
    const gn_op_info *const op = kind == GN_VAL_OP ? v->u.op : NULL;
    const size_t first = s->at;
    if (s->x->n - first > GN_VAL_MOST) gn_sx_fail(s->r->file, s->x, "more than %d operands", GN_VAL_MOST);
    v->n = (uint16_t)(s->x->n - first);
    s->at = s->x->n;
    int dtype = GN_NO_DTYPE;
    for (uint16_t i = v->n; i-- > 0;) {
        if (is_number_text(s->x->at[first + i])) continue;
        v->a[i] = read_operand(s->r, s->x->at[first + i], GN_NO_DTYPE, gn_operand_lanes(v, i));
        if (!gn_is_condition(kind, op, i)) dtype = v->a[i]->dtype;
    }
    for (uint16_t i = 0; i < v->n; i++)
        if (!v->a[i])
            v->a[i] = read_operand(s->r, s->x->at[first + i], gn_number_dtype(kind, op, (gn_dtype)v->dtype, dtype, i),
                                   gn_operand_lanes(v, i));
}

static void need_operands(gn_items *s, const gn_val *v, size_t n)
{
    if (v->n != n)
        gn_sx_fail(s->r->file, s->x, "%s takes %zu operand%s, %d given", s->x->at[0]->text, n, n == 1 ? "" : "s", v->n);
}

/* The lane is in scope in its index alone. */
static void read_index_value(gn_items *s, gn_val *v)
{
    const gn_sx *const at = gn_next_item(s, "an index");
    const size_t names = s->r->open_names.n;
    const bool lane = gn_next_is(s, ":lane");
    if (lane != (v->lanes > 1))
        gn_sx_fail(s->r->file, s->x, lane ? "a scalar has no lane" : "a vector's index says its lane: :lane NAME");
    if (lane) {
        const gn_sx *const name = gn_next_item(s, "a name");
        gn_open_name(s->r, name, GN_NAME_VAR);
        v->u.index.lane = gn_read_name(s->r, name);
    }
    v->u.index.at = gn_read_index(s->r, at);
    v->when = gn_read_preds(s);
    gn_close_names(s->r, names, s->r->open_lets.n);
}

static void read_op(gn_items *s, gn_val *v)
{
    v->u.op = gn_op_find(s->x->at[0]->text);
    if (!v->u.op || !(v->u.op->traits & GN_ELEMWISE) || v->u.op->arity < 1)
        gn_sx_fail(s->r->file, s->x->at[0], "'%s' is no operation", s->x->at[0]->text);
    read_operands(s, v);
    need_operands(s, v, (size_t)v->u.op->arity);
}

static gn_val_kind value_kind(const gn_sx *head)
{
    for (int kind = GN_VAL_COPY; kind <= GN_VAL_THREADS; kind++)
        if (gn_val_words[kind] && gn_sx_is(head, gn_val_words[kind])) return (gn_val_kind)kind;
    return GN_VAL_OP;
}

static void read_lane(gn_items *s, gn_val *v)
{
    const gn_sx *const x = gn_next_item(s, "a lane");
    const gn_dim *const at = gn_read_index(s->r, x);
    if (gn_dim_is_const(at, NULL)) v->u.lane.i = gn_read_int(s->r, x, 0, UINT16_MAX);
    else v->u.lane.at = at;
}

static void read_parts(gn_items *s, gn_val *v)
{
    switch ((gn_val_kind)v->kind) {
    case GN_VAL_INDEX: read_index_value(s, v); break;
    case GN_VAL_IOTA:
        v->u.iota.base = gn_read_index(s->r, gn_next_item(s, "an index"));
        v->u.iota.step = gn_read_index(s->r, gn_next_item(s, "a step"));
        break;
    case GN_VAL_COND:
        v->when = gn_read_preds(s);
        if (v->when.n == 0) gn_sx_fail(s->r->file, s->x, "(test :when (lt a b)) was expected");
        break;
    case GN_VAL_FIRST:
    case GN_VAL_BIT: v->u.index.at = gn_read_index(s->r, gn_next_item(s, "an index")); break;
    case GN_VAL_LOAD: v->u.load = gn_read_access(s, v->lanes); break;
    case GN_VAL_LANE: read_lane(s, v); break;
    case GN_VAL_UP: v->red = (uint8_t)gn_read_int(s->r, gn_next_item(s, "a number of lanes"), 1, UINT8_MAX); break;
    case GN_VAL_LANES: v->red = (uint8_t)read_red(s); break;
    case GN_VAL_THREADS: v->red = (uint8_t)read_red(s), v->scope = gn_read_scope(s); break;
    default: break;
    }
}

gn_val *gn_read_value(gn_code_reader *r, const gn_sx *x, gn_dtype t, uint16_t lanes)
{
    gn_items s = gn_items_of(r, x, "a value");
    const gn_sx *const head = gn_next_item(&s, "a value");
    gn_val *const v =
        gn_code_operand(r->code, (gn_val){ .kind = (uint8_t)value_kind(head), .dtype = (uint8_t)t, .lanes = lanes });
    if (v->kind == GN_VAL_OP) {
        if (head->kind != GN_SX_ATOM) gn_sx_fail(r->file, head, "an operation was expected");
        read_op(&s, v);
        return v;
    }
    read_parts(&s, v);
    if (gn_operand_count(v)) {
        read_operands(&s, v);
        need_operands(&s, v, gn_operand_count(v));
    }
    gn_end_items(&s);
    return v;
}
