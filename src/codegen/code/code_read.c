/* Reading code: names and their scopes, nodes, steps and heads. */
#include "ascii.h"
#include "code_reader.h"
#include "code_text.h"
#include "code_words.h"

enum { DEEPEST = 500, MOST_DIMS = 8, MOST_REGISTERS = 65536 };

/* ---- items ---- */

bool gn_items_left(const gn_items *s)
{
    return s->at < s->x->n;
}

const gn_sx *gn_next_item(gn_items *s, const char *what)
{
    if (!gn_items_left(s)) gn_sx_fail(s->r->file, s->x, "%s is missing", what);
    return s->x->at[s->at++];
}

bool gn_next_is(gn_items *s, const char *word)
{
    const bool is = gn_items_left(s) && gn_sx_is(s->x->at[s->at], word);
    s->at += is;
    return is;
}

void gn_end_items(const gn_items *s)
{
    if (gn_items_left(s)) gn_sx_fail(s->r->file, s->x->at[s->at], "nothing more was expected here");
}

gn_items gn_items_of(gn_code_reader *r, const gn_sx *x, const char *form)
{
    if (x->kind != GN_SX_LIST) gn_sx_fail(r->file, x, "%s was expected", form);
    return (gn_items){ r, x, 0 };
}

/* ---- names ---- */

const char *gn_read_name(gn_code_reader *r, const gn_sx *x)
{
    if (x->kind != GN_SX_ATOM || !gn_is_name(x->text))
        gn_sx_fail(r->file, x, "'%s' is no name: letters, digits and _", x->text);
    return gn_symbol(r->code->arena, &r->code->dims->symbols, x->text);
}

static gn_name *name_of(gn_code_reader *r, const gn_sx *x)
{
    void **const at = gn_map_put(r->code->arena, &r->names, GN_KEY(gn_read_name(r, x)));
    if (!*at) *at = GN_NEW_OBJECT(r->code->arena, gn_name);
    return *at;
}

gn_name *gn_find_name(gn_code_reader *r, const gn_sx *x, gn_name_kind kind)
{
    static const char *const words[] = { "symbol", "place", "variable" };
    gn_name *const n = x->kind == GN_SX_ATOM && gn_is_name(x->text) ? name_of(r, x) : NULL;
    if (!n || !n->open || n->kind != kind) gn_sx_fail(r->file, x, "no %s '%s' here", words[kind], x->text);
    return n;
}

/* A name is of one thing in the code, but loops that are not in each other may share their variable's. */
gn_name *gn_open_name(gn_code_reader *r, const gn_sx *x, gn_name_kind kind)
{
    gn_name *const n = name_of(r, x);
    if (n->open || (n->place && kind != GN_NAME_PLACE)) gn_sx_fail(r->file, x, "the name '%s' is taken", x->text);
    n->kind = (uint8_t)kind;
    n->open = true;
    gn_push(r->code->arena, &r->open_names, n);
    return n;
}

void gn_close_names(gn_code_reader *r, size_t names, size_t lets)
{
    while (r->open_names.n > names) gn_pop(&r->open_names)->open = false;
    while (r->open_lets.n > lets) gn_pop(&r->open_lets)->open = false;
}

/* ---- indices: what gn_dim_read takes, over names in scope ---- */

static const gn_dim *name_in_index(void *reader, const gn_sx *x)
{
    gn_code_reader *const r = reader;
    const gn_name *const n = name_of(r, x);
    if (!n->open || n->kind == GN_NAME_PLACE) gn_sx_fail(r->file, x, "no symbol or variable '%s' here", x->text);
    return gn_dim_sym(r->code->dims, x->text);
}

static const gn_dim *load_in_index(void *reader, const gn_sx *x, size_t n, const gn_dim *const *index)
{
    gn_code_reader *const r = reader;
    gn_find_name(r, x->at[1], GN_NAME_PLACE);
    if (n != 1) gn_sx_fail(r->file, x, "(load BUFFER index) was expected");
    return gn_dim_load(r->code->dims, x->at[1]->text, index[0]);
}

const gn_dim *gn_read_index(gn_code_reader *r, const gn_sx *x)
{
    const gn_dim_names names = { name_in_index, load_in_index, r };
    return gn_dim_read_named(r->code->dims, r->file, x, &names);
}

/* ---- declarations ---- */

static bool same_fragment(const gn_fragment *a, const gn_fragment *b) /* names are interned */
{
    return a == b || (a && b && memcmp(a, b, sizeof *a) == 0);
}

static bool same_place(const gn_place *a, const gn_place *b)
{
    bool same = a->dtype == b->dtype && a->space == b->space && a->size == b->size && a->lanes == b->lanes &&
                a->rank == b->rank && a->opaque == b->opaque && a->token == b->token;
    for (uint16_t i = 0; same && i < a->rank; i++) same = a->extent[i] == b->extent[i];
    return same && same_fragment(a->fragment, b->fragment);
}

/* What is declared in several regions is one place. */
static const gn_place *add_place(gn_code_reader *r, const gn_sx *name, gn_place p)
{
    gn_name *const n = gn_open_name(r, name, GN_NAME_PLACE);
    p.name = name->text;
    if (!n->place) n->place = gn_code_place(r->code, p);
    else if (!same_place(n->place, &p))
        gn_sx_fail(r->file, name, "'%s' is declared before, as something else", name->text);
    return n->place;
}

/* opaque:ROW */
static const gn_tile_op *read_opaque(gn_code_reader *r, const gn_sx *x)
{
    static const char word[] = "opaque:";
    if (x->kind != GN_SX_ATOM || strncmp(x->text, word, sizeof word - 1)) return NULL;
    const gn_tile_op *const row = gn_tile_find(r->code->target, x->text + sizeof word - 1);
    if (!row || row->kind != GN_TILE_UNIT)
        gn_sx_fail(r->file, x, "the target %s has no '%s'", r->code->target->name, x->text);
    return row;
}

/* ROW (leaf ..): a thread variable, a dim of the array, or _ */
static const gn_fragment *read_fragment(gn_items *s)
{
    gn_code_reader *const r = s->r;
    const gn_sx *const x = gn_next_item(s, "a row"), *const leaves = gn_next_item(s, "a list of leaves");
    gn_fragment *const f = GN_NEW_OBJECT(r->code->arena, gn_fragment);
    f->row = x->kind == GN_SX_ATOM && *x->text ? gn_tile_find(r->code->target, x->text) : NULL;
    if (!f->row || f->row->kind != GN_TILE_MMA)
        gn_sx_fail(r->file, x, "the target %s has no tile product '%s'", r->code->target->name, x->text);
    gn_items l = gn_items_of(r, leaves, "(leaf ..)");
    if (leaves->n != (size_t)f->row->nleaf)
        gn_sx_fail(r->file, leaves, "%s has %d leaves, %zu given", f->row->name, f->row->nleaf, leaves->n);
    for (int i = 0; i < f->row->nleaf; i++) {
        int64_t dim;
        const gn_sx *const leaf = gn_next_item(&l, "a leaf");
        const bool counts = leaf->kind == GN_SX_ATOM && gn_sx_int(leaf, &dim);
        f->dim[i] = counts ? (int8_t)gn_read_int(r, leaf, 0, MOST_DIMS - 1) : -1;
        if (counts || gn_sx_is(leaf, "_")) continue;
        gn_find_name(r, leaf, GN_NAME_VAR);
        f->thread[i] = gn_read_name(r, leaf);
    }
    return f;
}

static const gn_place *read_reg(gn_items *s)
{
    const gn_sx *const name = gn_next_item(s, "a name");
    gn_place p = { .space = GN_SPACE_REG };
    const gn_sx *const type = gn_next_item(s, "a type");
    p.opaque = read_opaque(s->r, type);
    p.token = gn_sx_is(type, "token");
    if (p.token) p.dtype = GN_I64, p.lanes = 1;
    else if (!p.opaque) p.dtype = gn_read_type(s->r, type, &p.lanes);
    uint32_t *const extent = GN_NEW_ARRAY(s->r->code->arena, uint32_t, MOST_DIMS);
    p.extent = extent;
    uint32_t n = 1;
    while (gn_items_left(s) && !gn_sx_is(s->x->at[s->at], ":fragment")) {
        const gn_sx *const x = gn_next_item(s, "an extent");
        if (p.rank == MOST_DIMS) gn_sx_fail(s->r->file, s->x, "more than %d dims", MOST_DIMS);
        extent[p.rank++] = (uint32_t)gn_read_int(s->r, x, 1, MOST_REGISTERS / n);
        n *= extent[p.rank - 1];
    }
    if (gn_next_is(s, ":fragment")) p.fragment = read_fragment(s);
    gn_end_items(s);
    return add_place(s->r, name, p);
}

static const gn_place *read_memory(gn_items *s, gn_space space)
{
    const gn_sx *const name = gn_next_item(s, "a name");
    gn_place p = { .space = (uint8_t)space };
    p.dtype = gn_read_dtype(s->r, gn_next_item(s, "a dtype"));
    p.size = gn_dim_const(s->r->code->dims, gn_read_int(s->r, gn_next_item(s, "a size"), 1, INT32_MAX));
    gn_end_items(s);
    return add_place(s->r, name, p);
}

/* ---- nodes ---- */

static void read_body(gn_items *s, gn_code_body *b);

static void read_let(gn_items *s, gn_code_node *n)
{
    uint16_t lanes;
    gn_code_reader *const r = s->r;
    const gn_sx *const name = gn_next_item(s, "a name");
    const uint32_t id = gn_read_id(r, name);
    const gn_dtype t = gn_read_type(r, gn_next_item(s, "a type"), &lanes);
    gn_val *const v = gn_read_value(r, gn_next_item(s, "a value"), t, lanes);
    gn_end_items(s);
    v->id = id;
    n->val = v;
    void **const at = gn_map_put(r->code->arena, &r->lets, id);
    if (!*at) *at = GN_NEW_OBJECT(r->code->arena, gn_let);
    gn_let *const l = *at;
    if (l->step == r->step) gn_sx_fail(r->file, name, "%s is made twice in this step", name->text);
    *l = (gn_let){ v, r->step, true };
    gn_push(r->code->arena, &r->open_lets, l);
}

static void read_set(gn_items *s, gn_code_node *n)
{
    n->place = gn_read_register(s->r, gn_next_item(s, "a register"), &n->number, &n->at);
    n->val = gn_read_operand(s, n->place->dtype, n->place->lanes);
    gn_end_items(s);
}

static void read_store(gn_items *s, gn_code_node *n)
{
    n->access = gn_read_access(s, 0);
    n->val = gn_read_operand(s, n->access.place->dtype, gn_store_lanes(&n->access));
    gn_end_items(s);
}

static void read_carry(gn_items *s, gn_code_node *n)
{
    const gn_sx *const x = gn_next_item(s, "a list of registers");
    gn_items names = gn_items_of(s->r, x, "(NAME ..)");
    while (gn_items_left(&names)) {
        const gn_place *const p = gn_find_name(s->r, gn_next_item(&names, "a name"), GN_NAME_PLACE)->place;
        if (p->space != GN_SPACE_REG) gn_sx_fail(s->r->file, x, "'%s' is no register", p->name);
        gn_push(s->r->code->arena, &n->carry, p);
    }
}

static void read_for(gn_items *s, gn_code_node *n)
{
    const gn_sx *const var = gn_next_item(s, "a variable");
    if (gn_next_is(s, ":from")) n->from = gn_read_index(s->r, gn_next_item(s, "an index"));
    n->to = gn_read_index(s->r, gn_next_item(s, "an index"));
    if (gn_next_is(s, ":unroll")) n->unroll = (uint16_t)gn_read_int(s->r, gn_next_item(s, "a number"), 1, UINT16_MAX);
    n->dealt = gn_next_is(s, ":dealt");
    n->unrolled = gn_next_is(s, ":unrolled");
    if (gn_next_is(s, ":carry")) read_carry(s, n);
    gn_open_name(s->r, var, GN_NAME_VAR);
    n->var = gn_read_name(s->r, var);
    read_body(s, &n->body);
}

static void read_if(gn_items *s, gn_code_node *n)
{
    n->when = gn_read_preds(s);
    if (n->when.n == 0) gn_sx_fail(s->r->file, s->x, "(if :when (lt a b) node ..) was expected");
    read_body(s, &n->body);
}

static void read_index_name(gn_items *s, gn_code_node *n)
{
    const gn_sx *const name = gn_next_item(s, "a name");
    n->to = gn_read_index(s->r, gn_next_item(s, "an index"));
    gn_end_items(s);
    gn_open_name(s->r, name, GN_NAME_VAR);
    n->var = gn_read_name(s->r, name);
}

/* ---- tiles ---- */

static void read_memory_operand(gn_items *s, gn_tile_memory *m)
{
    const gn_access a = gn_read_element(s);
    m->place = a.place, m->base = a.base;
    m->stride = gn_read_index(s->r, gn_next_item(s, "a stride"));
}

static void read_tile_memory(gn_items *s, gn_tile_args *a)
{
    static const char *const counts[] = { "how much of m is there", "how much of n is there",
                                          "how much of k is there" };
    for (int i = 0; i < a->nmemory; i++) read_memory_operand(s, &a->memory[i]);
    for (int i = 0; i < a->ncount; i++) a->count[i] = gn_read_index(s->r, gn_next_item(s, counts[i]));
}

static void read_accumulator(gn_items *s, gn_tile_args *a)
{
    const gn_sx *const x = gn_next_item(s, "a register");
    const gn_dim *at;
    a->acc = gn_read_register(s->r, x, &a->c[0], &at);
    if (at) gn_sx_fail(s->r->file, x, "the registers of a product are named by constants");
}

static gn_tile_act read_act(gn_items *s)
{
    const gn_sx *const x = gn_next_item(s, "zero, load, multiply or store");
    for (int act = 0; act < GN_TILE_NACTS; act++)
        if (gn_sx_is(x, gn_tile_acts[act])) return (gn_tile_act)act;
    gn_sx_fail(s->r->file, x, "zero, load, multiply or store was expected, not '%s'", x->text);
}

static void read_product(gn_items *s, gn_tile_args *a)
{
    const gn_sx *const x = s->x;
    read_accumulator(s, a);
    if (!a->acc->fragment || a->acc->fragment->row != a->row)
        gn_sx_fail(s->r->file, x, "'%s' is no fragment of %s", a->acc->name, a->row->name);
    gn_fragment_registers(a->acc, a->c);
    for (int i = 0; i < a->row->a.nregs; i++) a->a[i] = gn_read_operand(s, a->row->a.dtype, 1);
    for (int i = 0; i < a->row->b.nregs; i++) a->b[i] = gn_read_operand(s, a->row->b.dtype, 1);
}

static void read_tile(gn_items *s, gn_code_node *n)
{
    const gn_code *const c = s->r->code;
    const gn_sx *const x = gn_next_item(s, "a row");
    const gn_tile_op *const row = x->kind == GN_SX_ATOM && *x->text ? gn_tile_find(c->target, x->text) : NULL;
    if (!row) gn_sx_fail(s->r->file, x, "the target %s has no tile operation '%s'", c->target->name, x->text);
    n->tile = gn_code_tile(c, row, row->kind == GN_TILE_UNIT ? read_act(s) : 0);
    if (row->kind == GN_TILE_MMA) read_product(s, n->tile);
    if (row->kind == GN_TILE_UNIT) read_accumulator(s, n->tile);
    read_tile_memory(s, n->tile);
    gn_end_items(s);
}

/* ---- copies that are under way ---- */

static void read_async(gn_items *s, gn_code_node *n)
{
    n->access = gn_read_element(s);
    n->source = gn_read_element(s);
    n->access.when = gn_read_preds(s);
    gn_end_items(s);
}

static void read_commit(gn_items *s, gn_code_node *n)
{
    const gn_sx *const x = gn_next_item(s, "tokens");
    n->place = gn_find_name(s->r, x, GN_NAME_PLACE)->place;
    gn_end_items(s);
}

static void read_await(gn_items *s, gn_code_node *n)
{
    const gn_dim *at;
    const gn_sx *const x = gn_next_item(s, "a token");
    n->place = gn_read_register(s->r, x, &n->number, &at);
    if (at) gn_sx_fail(s->r->file, x, "a token is named by constants");
    gn_end_items(s);
}

/* ---- regions ---- */

static gn_code_kind node_kind(gn_code_reader *r, const gn_sx *x)
{
    static const struct {
        const char *word;
        gn_code_kind kind;
    } words[] = { { "let", GN_CODE_LET },     { "set", GN_CODE_SET },       { "store", GN_CODE_STORE },
                  { "reg", GN_CODE_DECLARE }, { "stack", GN_CODE_DECLARE }, { "shared", GN_CODE_DECLARE },
                  { "for", GN_CODE_FOR },     { "if", GN_CODE_IF },         { "name", GN_CODE_NAME },
                  { "barrier", GN_CODE_BARRIER }, { "tile", GN_CODE_TILE }, { "async", GN_CODE_ASYNC },
                  { "commit", GN_CODE_COMMIT },   { "await", GN_CODE_AWAIT } };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (gn_sx_is(x, words[i].word)) return words[i].kind;
    gn_sx_fail(r->file, x, "'%s' is no node: let, set, store, reg, stack, shared, for, if, name, barrier, tile, async, "
                           "commit and await are", x->text);
}

static void read_declare(gn_items *s, gn_code_node *n, const gn_sx *word)
{
    if (gn_sx_is(word, "reg")) n->place = read_reg(s);
    else n->place = read_memory(s, gn_sx_is(word, "stack") ? GN_SPACE_STACK : GN_SPACE_SHARED);
}

static gn_code_node *read_node(gn_code_reader *r, const gn_sx *x)
{
    gn_items s = gn_items_of(r, x, "a node");
    const gn_sx *const word = gn_next_item(&s, "a node");
    gn_code_node *const n = gn_code_make(r->code, node_kind(r, word));
    switch ((gn_code_kind)n->kind) {
    case GN_CODE_LET: read_let(&s, n); break;
    case GN_CODE_SET: read_set(&s, n); break;
    case GN_CODE_STORE: read_store(&s, n); break;
    case GN_CODE_DECLARE: read_declare(&s, n, word); break;
    case GN_CODE_FOR: read_for(&s, n); break;
    case GN_CODE_IF: read_if(&s, n); break;
    case GN_CODE_NAME: read_index_name(&s, n); break;
    case GN_CODE_BARRIER: gn_end_items(&s); break;
    case GN_CODE_TILE: read_tile(&s, n); break;
    case GN_CODE_ASYNC: read_async(&s, n); break;
    case GN_CODE_COMMIT: read_commit(&s, n); break;
    case GN_CODE_AWAIT: read_await(&s, n); break;
    }
    return n;
}

static bool opens_region(const gn_code_node *n)
{
    return n->kind == GN_CODE_FOR || n->kind == GN_CODE_IF;
}

/* The rest of the items. */
static void read_body(gn_items *s, gn_code_body *b)
{
    gn_code_reader *const r = s->r;
    if (++r->depth > DEEPEST) gn_sx_fail(r->file, s->x, "regions are nested deeper than %d", DEEPEST);
    while (gn_items_left(s)) {
        const size_t names = r->open_names.n, lets = r->open_lets.n;
        gn_code_node *const n = read_node(r, gn_next_item(s, "a node"));
        if (opens_region(n)) gn_close_names(r, names, lets);
        gn_push(r->code->arena, &b->kids, n);
    }
    r->depth--;
}

/* ---- the head ---- */

static void read_sym(gn_code_reader *r, const gn_sx *x)
{
    gn_items s = { r, x, 0 };
    gn_ksym sym = { .mul = 1, .is = -1 };
    const gn_sx *const name = x->kind == GN_SX_LIST ? gn_next_item(&s, "a name") : x;
    gn_open_name(r, name, GN_NAME_SYM);
    sym.name = gn_read_name(r, name);
    if (x != name) gn_ksym_read_facts(&sym, r->file, x);
    gn_push(r->code->arena, &r->code->syms, sym);
}

static void read_arg(gn_code_reader *r, const gn_sx *x)
{
    static const struct {
        const char *word;
        gn_space space;
        uint8_t access;
    } words[] = { { "read", GN_SPACE_BUFFER, GN_KBUF_READ },
                  { "write", GN_SPACE_BUFFER, GN_KBUF_WRITE },
                  { "update", GN_SPACE_BUFFER, GN_KBUF_READ | GN_KBUF_WRITE },
                  { "arena", GN_SPACE_ARENA, 0 },
                  { "scratch", GN_SPACE_SCRATCH, 0 } };
    gn_items s = gn_items_of(r, x, "(NAME read f32 size)");
    const gn_sx *const name = gn_next_item(&s, "a name"), *const word =
                                                              gn_next_item(&s, "read, write, update, arena or scratch");
    size_t i = 0;
    while (i < sizeof words / sizeof *words && !gn_sx_is(word, words[i].word)) i++;
    if (i == sizeof words / sizeof *words)
        gn_sx_fail(r->file, word, "'%s': read, write, update, arena or scratch was expected", word->text);
    gn_place p = { .space = (uint8_t)words[i].space, .access = words[i].access };
    p.dtype = gn_read_dtype(r, gn_next_item(&s, "a dtype"));
    p.size = gn_read_index(r, gn_next_item(&s, "a size"));
    if (gn_next_is(&s, ":in")) {
        gn_read_int(r, gn_next_item(&s, "0"), 0, 0);
        p.below = gn_read_index(r, gn_next_item(&s, "an extent"));
    }
    gn_end_items(&s);
    add_place(r, name, p);
}

static gn_code_var read_var(gn_code_reader *r, const gn_sx *x)
{
    gn_items s = gn_items_of(r, x, "(NAME count)");
    const gn_sx *const name = gn_next_item(&s, "a name"), *const count = gn_next_item(&s, "a count");
    gn_end_items(&s);
    const gn_code_var v = { gn_read_name(r, name), gn_read_index(r, count) };
    gn_open_name(r, name, GN_NAME_VAR);
    return v;
}

static void read_threads(gn_code_reader *r, const gn_sx *x)
{
    if (x->n < 2) gn_sx_fail(r->file, x, "(threads (NAME INT) ..) was expected");
    for (size_t i = 1; i < x->n; i++) {
        const gn_code_var v = read_var(r, x->at[i]);
        if (!gn_dim_is_const(v.count, NULL))
            gn_sx_fail(r->file, x->at[i], "the number of threads '%s' is no constant", v.name);
        gn_push(r->code->arena, &r->code->threads, v);
    }
}

static void read_step(gn_code_reader *r, const gn_sx *x)
{
    gn_items s = gn_items_of(r, x, "(step ((part count) ..) node ..)");
    if (!gn_next_is(&s, "step")) gn_sx_fail(r->file, x, "(step ((part count) ..) node ..) was expected");
    const gn_sx *const parts = gn_next_item(&s, "a list of parts");
    const size_t names = r->open_names.n, lets = r->open_lets.n;
    gn_code_step step = { 0 };
    gn_items p = gn_items_of(r, parts, "((part count) ..)");
    r->step++;
    while (gn_items_left(&p)) {
        const gn_code_var v = read_var(r, gn_next_item(&p, "a part"));
        gn_push(r->code->arena, &step.parts, v);
    }
    read_body(&s, &step.body);
    gn_close_names(r, names, lets);
    gn_push(r->code->arena, &r->code->steps, step);
}

static const gn_sx *next_list(gn_items *s, const char *word, const char *form)
{
    const gn_sx *const x = gn_next_item(s, form);
    if (!gn_sx_head(x, word)) gn_sx_fail(s->r->file, x, "%s was expected", form);
    return x;
}

gn_code *gn_code_read(gn_arena *arena, const char *file, const gn_sx *x)
{
    gn_dim_pool *const dims = GN_NEW_OBJECT(arena, gn_dim_pool);
    *dims = (gn_dim_pool){ .arena = arena };
    gn_code_reader r = { .code = gn_code_new(arena, dims, NULL, ""), .file = file };
    gn_items s = gn_items_of(&r, x, "(code NAME TARGET ..)");
    if (!gn_next_is(&s, "code")) gn_sx_fail(file, x, "(code NAME TARGET ..) was expected");
    r.code->name = r.code->origin = gn_read_name(&r, gn_next_item(&s, "a name"));
    const gn_sx *const target = gn_next_item(&s, "a target");
    r.code->target = target->kind == GN_SX_ATOM ? gn_target_find(target->text) : NULL;
    if (!r.code->target) gn_sx_fail(file, target, "'%s' is no target", target->text);
    const gn_sx *const syms = next_list(&s, "syms", "(syms ..)");
    for (size_t i = 1; i < syms->n; i++) read_sym(&r, syms->at[i]);
    const gn_sx *const args = next_list(&s, "args", "(args ..)");
    for (size_t i = 1; i < args->n; i++) read_arg(&r, args->at[i]);
    if (gn_items_left(&s) && gn_sx_head(s.x->at[s.at], "threads")) read_threads(&r, gn_next_item(&s, "threads"));
    do read_step(&r, gn_next_item(&s, "a step"));
    while (gn_items_left(&s));
    gn_code_find_facts(r.code);
    return r.code;
}
