/* Walks code and prints it: functions, loops, declarations. C and CUDA differ in the head of a function,
 * in how parallel leaves get their values, and in where an array lives. */
#include <inttypes.h>
#include "emit_state.h"

static void node(gn_emitter *e, const gn_code_node *t);

static bool is_cuda(const gn_emitter *e)
{
    return e->code->target->lang == GN_LANG_CUDA;
}

static void line(gn_emitter *e, const char *text)
{
    gn_emit_indent(e);
    gn_textf(e->out, "%s\n", text);
}

/* A value that is computed for the next line alone, which puts it somewhere: one line instead of two. */
static bool is_put(const gn_emitter *e, const gn_code_node *let, const gn_code_node *next)
{
    const bool puts = next->kind == GN_CODE_SET || next->kind == GN_CODE_STORE;
    if (let->kind != GN_CODE_LET || !puts || next->val != let->val) return false;
    if (gn_code_gathers(let) && next->access.when.n) return false; /* all threads compute it, some store it */
    const bool lanewise = let->val->kind == GN_VAL_INDEX && let->val->lanes > 1;
    const bool byte =
        next->kind == GN_CODE_STORE && let->val->dtype == GN_BOOL; /* 0 or 1, whatever the expression is */
    return !lanewise && !byte && e->uses.let[let->val->id] == 1;
}

static void kids(gn_emitter *e, const gn_code_body *t)
{
    const uint32_t outer = e->nopaque;
    gn_emit_plan_registers(e, t);
    for (size_t i = 0; i < t->kids.n; i++) {
        const gn_code_node *k = t->kids.at[i], *next = i + 1 < t->kids.n ? t->kids.at[i + 1] : NULL;
        gn_emit_registers_before(e, k);
        if (next && is_put(e, k, next)) {
            gn_emit_registers_before(e, next);
            gn_emit_put(e, next, k->val, gn_emit_value);
            i++;
        } else
            node(e, k);
    }
    e->nopaque = outer;
}

/* ---- declarations: of registers in emit_declare.c ---- */

static void declare_dynamic(gn_emitter *e, const gn_place *p)
{
    const char *const type = gn_emit_memory_type(p->dtype);
    gn_textf(e->out, "%s *const %s = (%s *)(gn_dynamic + ", type, gn_emit_name(e, p->name), type);
    gn_emit_dim(e, gn_map_get(&e->shared, p->id), false);
    gn_text_add(e->out, ");\n");
}

static void declare(gn_emitter *e, const gn_place *p)
{
    int64_t n = 0;
    if (p->opaque) {
        *gn_map_put(e->arena, &e->numbers, p->id) = (void *)(uintptr_t)e->nopaque;
        e->nopaque += p->n;
    }
    if (p->space == GN_SPACE_REG) return; /* tokens, too: the hardware knows them by their order */
    gn_dim_is_const(p->size, &n);
    gn_emit_indent(e);
    if (p->space == GN_SPACE_SHARED && e->shared.n) {
        declare_dynamic(e, p);
        return;
    }
    if (p->space == GN_SPACE_SHARED) gn_text_add(e->out, "__shared__ __align__(16) ");
    else if (!is_cuda(e)) gn_text_add(e->out, "_Alignas(64) ");
    gn_textf(e->out, "%s %s[%" PRId64 "];\n", gn_emit_memory_type(p->dtype), gn_emit_name(e, p->name), n > 0 ? n : 1);
}

/* ---- loops ---- */

static void counted(gn_emitter *e, const char *var, const gn_dim *from, const gn_dim *to)
{
    const char *const name = gn_emit_name(e, var);
    gn_emit_indent(e);
    gn_textf(e->out, "for (int64_t %s = ", name);
    if (from) gn_emit_dim(e, from, false);
    else gn_text_char(e->out, '0');
    gn_textf(e->out, "; %s < ", name);
    gn_emit_dim(e, to, false);
    gn_textf(e->out, "; %s++) {\n", name);
}

static void dealt(gn_emitter *e, const gn_code_node *t)
{
    const char *const name = gn_emit_name(e, t->var);
    gn_emit_indent(e);
    gn_textf(e->out, "for (int %s = threadIdx.x", name);
    if (e->role_first) gn_textf(e->out, " - %u", e->role_first);
    gn_textf(e->out, "; %s < ", name);
    gn_emit_dim(e, t->to, false);
    gn_textf(e->out, "; %s += %u) {\n", name, e->role_threads ? e->role_threads : gn_code_threads(e->code));
}

static void unrolled(gn_emitter *e, const gn_code_node *t)
{
    const char *const name = gn_emit_name(e, t->var);
    int64_t turns = 0;
    gn_dim_is_const(t->to, &turns);
    gn_emit_indent(e);
    gn_textf(e->out, "GN_UNROLLED(%" PRId64 ")\n", turns);
    gn_emit_indent(e);
    gn_textf(e->out, "for (int64_t %s = 0; %s < %" PRId64 "; %s++) {\n", name, name, turns, name);
}

static void loop(gn_emitter *e, const gn_code_node *t)
{
    if (t->unroll) {
        gn_emit_indent(e);
        gn_textf(e->out, "GN_UNROLL(%d)\n", t->unroll);
    }
    if (t->dealt) dealt(e, t);
    else if (t->unrolled) unrolled(e, t);
    else counted(e, t->var, t->from, t->to);
    const uint32_t outer = e->body;
    e->body = ++e->nbodies;
    e->depth++;
    kids(e, &t->body);
    e->depth--;
    e->body = outer;
    line(e, "}");
}

static void branch(gn_emitter *e, const gn_code_node *t)
{
    gn_emit_indent(e);
    gn_text_add(e->out, "if (");
    gn_emit_preds(e, t->when);
    gn_text_add(e->out, t->body.kids.n == 1 ? ")\n" : ") {\n");
    e->depth++;
    kids(e, &t->body);
    e->depth--;
    if (t->body.kids.n != 1) line(e, "}");
}

/* ---- tile operations ---- */

static void tile_dim(gn_emitter *e, const gn_dim *d)
{
    gn_emit_dim(e, d, false);
}

static void tile_pointer(gn_emitter *e, const gn_tile_memory *m)
{
    gn_text_add(e->out, gn_emit_name(e, m->place->name));
    if (gn_dim_is(m->base, 0)) return;
    gn_text_add(e->out, " + ");
    tile_dim(e, m->base);
}

static const char *tile_word(gn_emitter *e, const gn_tile_args *a, const char *p)
{
    static const char dims[] = "mnk";
    const char *const dim = strchr(dims, *p);
    if (dim) return tile_dim(e, a->count[dim - dims]), p + 1;
    const int r = p[1] - '0';
    switch (*p) {
    case 'p': tile_pointer(e, &a->memory[r]); break;
    case 's': tile_dim(e, a->memory[r].stride); break;
    case 'c': gn_emit_register(e, a->acc, a->c[r], NULL); break;
    case 't': gn_textf(e->out, "%u", (unsigned)(uintptr_t)gn_map_get(&e->numbers, a->acc->id) + a->c[r]); break;
    case 'a': gn_emit_operand(e, a->a[r]); break;
    case 'b': gn_emit_operand(e, a->b[r]); break;
    default: break;
    }
    return p + 2;
}

static void tile(gn_emitter *e, const gn_tile_args *a)
{
    const char *const spelling = a->row->kind == GN_TILE_UNIT ? a->row->act[a->act] : a->row->spelling;
    gn_emit_indent(e);
    gn_words_read(&e->words, spelling);
    for (const char *p = spelling; *p;) {
        if (*p == '$')
            p = tile_word(e, a, p + 1);
        else
            gn_text_char(e->out, *p++);
    }
    gn_text_add(e->out, ";\n");
}

/* ---- copies that are under way ---- */

static void element(gn_emitter *e, const gn_access *a)
{
    gn_textf(e->out, "&%s[", gn_emit_name(e, a->place->name));
    gn_emit_dim(e, a->base, false);
    gn_text_char(e->out, ']');
}

static void async(gn_emitter *e, const gn_code_node *t)
{
    gn_emit_indent(e);
    gn_emit_word(e, "gn_async");
    gn_textf(e->out, "<%zu>(", t->number * gn_dtype_size(t->access.place->dtype));
    element(e, &t->access);
    gn_text_add(e->out, ", ");
    element(e, &t->source);
    gn_text_add(e->out, ", ");
    if (t->access.when.n) gn_emit_preds(e, t->access.when);
    else gn_text_add(e->out, "true");
    gn_text_add(e->out, ");\n");
}

/* The hardware counts groups: all but so many of the latest are done. */
static void await(gn_emitter *e, const gn_code_node *t)
{
    const uintptr_t age = (uintptr_t)gn_map_get(&e->awaits, GN_KEY(t));
    gn_emit_indent(e);
    gn_emit_word(e, "gn_async_wait");
    gn_textf(e->out, "(%u);\n", age ? (unsigned)age - 1 : 0);
}

/* ---- roles ---- */

static void meeting(gn_emitter *e, const gn_code_node *t)
{
    const uint32_t first = gn_code_barrier(e->code, t->place);
    gn_emit_indent(e);
    gn_emit_word(e, t->kind == GN_CODE_SYNC ? "gn_bar_sync" : "gn_bar_arrive");
    gn_textf(e->out, "(%u", first);
    if (t->at && !gn_dim_is(t->at, 0)) gn_text_add(e->out, " + "), gn_emit_dim(e, t->at, false);
    gn_textf(e->out, ", %u);\n", t->place->meets);
}

static void role(gn_emitter *e, const gn_code_node *t, bool last)
{
    gn_emit_indent(e);
    if (e->role_first) gn_text_add(e->out, "} else ");
    if (!last) gn_textf(e->out, "if (threadIdx.x < %u) ", e->role_first + e->role_threads);
    gn_textf(e->out, "{ /* %s */\n", t->var);
    e->depth++;
    kids(e, &t->body);
    e->depth--;
}

static void roles(gn_emitter *e, const gn_code_node *t)
{
    line(e, "__syncthreads();");
    for (size_t i = 0; i < t->body.kids.n; i++) {
        const gn_code_node *const r = t->body.kids.at[i];
        e->role_threads = r->number * GN_WARP;
        role(e, r, i + 1 == t->body.kids.n);
        e->role_first += e->role_threads;
    }
    e->role_first = e->role_threads = 0;
    line(e, "}");
    line(e, "__syncthreads();");
}

static void barrier(gn_emitter *e, const gn_code_node *t)
{
    if (t->scope == GN_SCOPE_BLOCK) {
        line(e, "__syncthreads();");
        return;
    }
    gn_emit_indent(e);
    gn_emit_word(e, "gn_barrier_%s", gn_scope_names[t->scope]);
    gn_text_add(e->out, "();\n");
}

static void index_name(gn_emitter *e, const gn_code_node *t)
{
    gn_emit_indent(e);
    gn_textf(e->out, "const int64_t %s = ", gn_emit_name(e, t->var));
    gn_emit_dim(e, t->to, false);
    gn_text_add(e->out, ";\n");
}

static void node(gn_emitter *e, const gn_code_node *t)
{
    switch ((gn_code_kind)t->kind) {
    case GN_CODE_LET: gn_emit_let(e, t->val); break;
    case GN_CODE_SET:
    case GN_CODE_STORE: gn_emit_put(e, t, t->val, gn_emit_operand); break;
    case GN_CODE_DECLARE: declare(e, t->place); break;
    case GN_CODE_FOR: loop(e, t); break;
    case GN_CODE_IF: branch(e, t); break;
    case GN_CODE_NAME: index_name(e, t); break;
    case GN_CODE_BARRIER: barrier(e, t); break;
    case GN_CODE_TILE: tile(e, t->tile); break;
    case GN_CODE_ASYNC: async(e, t); break;
    case GN_CODE_COMMIT:
        gn_emit_indent(e);
        gn_emit_word(e, "gn_async_commit");
        gn_text_add(e->out, "();\n");
        break;
    case GN_CODE_AWAIT: await(e, t); break;
    case GN_CODE_ROLES: roles(e, t); break;
    case GN_CODE_ROLE: break;
    case GN_CODE_ARRIVE:
    case GN_CODE_SYNC: meeting(e, t); break;
    }
}

/* ---- the head of a function: only what it uses is declared ---- */

static const char *qualifier(const gn_place *p)
{
    return p->space != GN_SPACE_BUFFER || p->access & GN_KBUF_WRITE ? "" : "const ";
}

static void arguments(gn_emitter *e)
{
    const gn_code *c = e->code;
    bool any = false;
    for (size_t i = 0; i < c->nargs; i++) {
        const gn_place *p = c->places.at[i];
        const char *n = gn_emit_name_of(e, p->name), *q = qualifier(p), *t = gn_emit_memory_type(p->dtype);
        if (!gn_emit_take_use(e, p->name)) continue;
        gn_textf(e->out, "    %s%s *const %s = (%s%s *)arg[%zu];\n", q, t, n, q, t, i);
        any = true;
    }
    if (!any) gn_text_add(e->out, "    (void)arg;\n"); /* an axis without points */
    any = false;
    for (size_t i = 0; i < c->syms.n; i++) {
        if (!gn_emit_take_use(e, c->syms.at[i].name)) continue;
        gn_textf(e->out, "    const int64_t %s = sym[%zu];\n", gn_emit_name_of(e, c->syms.at[i].name), i);
        any = true;
    }
    if (!any) gn_text_add(e->out, "    (void)sym;\n");
    if (!e->uses_part) gn_text_add(e->out, "    (void)part;\n");
    e->uses_part = false;
}

/* ---- values of parallel variables ---- */

/* variable = (source / what the later ones count) % its own count, where the body uses it; 0 where a count is 0, so
 * that nothing runs */
static void digit(gn_emitter *e, const char *type, const char *name, const char *source, const gn_dim *later,
                  const gn_dim *count, bool outermost)
{
    if (!gn_emit_take_use(e, name)) return;
    gn_emit_indent(e);
    gn_textf(e->out, "const %s %s = ", type, gn_emit_name_of(e, name));
    if (gn_dim_is(later, 0) || gn_dim_is(count, 0)) {
        gn_text_add(e->out, "0;\n");
        return;
    }
    const bool divided = !gn_dim_is(later, 1);
    e->uses_part |= !is_cuda(e);
    if (divided && !outermost) gn_text_char(e->out, '(');
    gn_text_add(e->out, source);
    if (divided) gn_text_add(e->out, " / "), gn_emit_dim(e, later, true);
    if (divided && !outermost) gn_text_char(e->out, ')');
    if (!outermost) gn_text_add(e->out, " % "), gn_emit_dim(e, count, true);
    gn_text_add(e->out, ";\n");
}

/* Each dim of the grid has its digits. */
static void part_variables(gn_emitter *e, const gn_code_step *step)
{
    static const char *const block[] = { "(int64_t)blockIdx.x", "(int64_t)blockIdx.y", "(int64_t)blockIdx.z" };
    const gn_dim *later[3], *const one = gn_dim_const(e->code->dims, 1);
    size_t first[3] = { 0 };
    for (int d = 0; d < 3; d++) later[d] = one;
    for (size_t i = step->parts.n; i-- > 0;) first[step->parts.at[i].dim] = i;
    for (size_t i = step->parts.n; i-- > 0;) {
        const gn_code_var *v = &step->parts.at[i];
        const char *const source = is_cuda(e) ? block[v->dim] : "part";
        digit(e, "int64_t", v->name, source, later[v->dim], v->count, i == first[v->dim]);
        later[v->dim] = gn_dim_mul(e->code->dims, later[v->dim], v->count);
    }
}

static void thread_variables(gn_emitter *e)
{
    const gn_dim *later = gn_dim_const(e->code->dims, 1), *all = gn_dim_const(e->code->dims, gn_code_threads(e->code));
    for (size_t i = e->code->threads.n; i-- > 0;) {
        const gn_code_var *v = &e->code->threads.at[i];
        const gn_dim *more = gn_dim_mul(e->code->dims, later, v->count);
        digit(e, "int", v->name, "(int)threadIdx.x", later, v->count, more == all);
        later = more;
    }
}

/* ---- units: set up and torn down in each function ---- */

typedef struct units_of {
    gn_arena *arena;
    GN_VEC(const gn_tile_unit *) at;
} units_of;

static void note_unit(void *user, const gn_code_node *n)
{
    units_of *const u = user;
    const gn_tile_unit *const unit = n->kind == GN_CODE_DECLARE && n->place->opaque ? n->place->opaque->unit : NULL;
    for (size_t i = 0; unit && i < u->at.n; i++)
        if (u->at.at[i] == unit) return;
    if (unit) gn_push(u->arena, &u->at, unit);
}

static void unit_line(gn_emitter *e, const char *text)
{
    if (!text) return;
    gn_words_read(&e->words, text);
    line(e, text);
}

/* The region, between what sets up the units of its opaque values and what tears them down. */
static void unit_kids(gn_emitter *e, const gn_code_body *b)
{
    units_of u = { .arena = e->arena };
    gn_code_walk(b, note_unit, &u);
    for (size_t i = 0; i < u.at.n; i++) unit_line(e, u.at.at[i]->begin);
    kids(e, b);
    for (size_t i = u.at.n; i-- > 0;) unit_line(e, u.at.at[i]->end);
}

/* ---- functions ---- */

/* Part loops as loops, where one function runs all parts. */
static void looped(gn_emitter *e, const gn_code_step *step)
{
    for (size_t i = 0; i < step->parts.n; i++, e->depth++)
        counted(e, step->parts.at[i].name, NULL, step->parts.at[i].count);
    unit_kids(e, &step->body);
    for (size_t i = 0; i < step->parts.n; i++) e->depth--, line(e, "}");
}

static const char *body_of(gn_emitter *e, const gn_code_step *step)
{
    gn_text body = { .arena = e->arena }, variables = body;
    gn_text *out = e->out;
    e->out = &body;
    e->depth = 1;
    e->uses = gn_code_find_uses(e->arena, &step->body);
    e->awaits = gn_code_find_awaits(e->arena, &step->body);
    e->parts = (gn_map){ 0 }, e->part_lines = (gn_text){ .arena = e->arena };
    if (e->one_function) looped(e, step);
    else unit_kids(e, &step->body);
    e->out = &variables;
    if (!e->one_function) part_variables(e, step);
    if (is_cuda(e)) thread_variables(e);
    e->out = out;
    gn_text_add_n(&e->part_lines, variables.at, variables.n);
    gn_text_add_n(&e->part_lines, body.at, body.n);
    return gn_text_done(&e->part_lines);
}

static void c_step(gn_emitter *e, const gn_code_step *step, uint32_t number)
{
    const char *body = body_of(e, step);
    gn_textf(e->out, "void %s_%u(void *const *arg, const int64_t *sym, int64_t part)\n{\n", e->function, number);
    arguments(e);
    gn_text_add(e->out, body);
    gn_text_add(e->out, "}\n");
}

static void cluster_size(gn_emitter *e, const gn_code_step *step)
{
    uint32_t size[3];
    if (gn_code_cluster_dims(step, size) > 1)
        gn_textf(e->out, "__cluster_dims__(%u, %u, %u) ", size[0], size[1], size[2]);
}

static void cuda_step(gn_emitter *e, const gn_code_step *step, uint32_t number)
{
    const gn_code *c = e->code;
    e->shared = (gn_map){ 0 };
    const bool dynamic = !gn_dim_is(gn_code_dynamic_shared(c, number, &e->shared, e->arena), 0);
    if (!dynamic) e->shared = (gn_map){ 0 };
    const char *body = body_of(e, step), *comma = "";
    gn_textf(e->out, "extern \"C\" __global__ void __launch_bounds__(%u, 1) ", gn_code_threads(c));
    cluster_size(e, step);
    gn_textf(e->out, "%s_%u(", e->function, number);
    for (size_t i = 0; i < c->nargs; i++, comma = ", ") {
        const gn_place *p = c->places.at[i];
        if (p->made) {
            gn_textf(e->out, "%sconst __grid_constant__ ", comma);
            gn_emit_word(e, "gn_%s", p->made->maker->name);
            gn_textf(e->out, " %s", gn_emit_name_of(e, p->name));
            continue;
        }
        gn_textf(e->out, "%s%s%s *%s", comma, qualifier(p), gn_emit_memory_type(p->dtype), gn_emit_name_of(e, p->name));
    }
    for (size_t i = 0; i < c->syms.n; i++, comma = ", ")
        gn_textf(e->out, "%sint64_t %s", comma, gn_emit_name_of(e, c->syms.at[i].name));
    gn_text_add(e->out, ")\n{\n");
    if (dynamic) gn_text_add(e->out, "    "), gn_emit_word(e, "gn_dynamic_shared"), gn_text_add(e->out, "(gn_dynamic);\n");
    gn_textf(e->out, "%s}\n", body);
}

/* A comment cannot end early. */
static void head(gn_emitter *e)
{
    const char *p = e->code->comment;
    if (!p) return;
    gn_text_add(e->out, "/* ");
    for (; *p; p++) {
        gn_text_char(e->out, *p == '*' && p[1] == '/' ? '+' : *p);
        if (*p == '\n' && p[1]) gn_text_add(e->out, p[1] == '\n' ? " *" : " * ");
    }
    if (e->out->at[e->out->n - 1] == '\n') e->out->at[--e->out->n] = '\0';
    gn_text_add(e->out, " */\n");
}

/* Functions before the text that calls them, and so their words. */
static void finish(gn_emitter *e, gn_text *out, gn_words *words, const gn_text *text)
{
    const gn_words later = e->words;
    e->words = (gn_words){ .arena = e->arena };
    e->out = out;
    gn_emit_math(e);
    gn_text_add_n(out, text->at, text->n);
    if (words) gn_words_need_all(words, &e->words), gn_words_need_all(words, &later);
}

void gn_emit_kernel(gn_text *whole, gn_words *words, gn_code *c)
{
    gn_text text = { .arena = whole->arena }, *out = &text;
    gn_emitter e;
    gn_emit_start(&e, c);
    e.out = out;
    head(&e);
    for (uint32_t i = 0; i < c->steps.n; i++) {
        if (i) gn_text_char(out, '\n');
        if (is_cuda(&e)) cuda_step(&e, &c->steps.at[i], i);
        else c_step(&e, &c->steps.at[i], i);
    }
    finish(&e, whole, words, out);
}

void gn_emit_function(gn_text *whole, gn_words *words, gn_code *c)
{
    gn_text text = { .arena = whole->arena }, *out = &text;
    gn_emitter e;
    gn_emit_start(&e, c);
    e.out = out, e.one_function = true;
    gn_text all = { .arena = e.arena };
    head(&e);
    for (size_t i = 0; i < c->steps.n; i++) {
        const char *body = body_of(&e, &c->steps.at[i]);
        if (c->steps.n == 1) gn_text_add(&all, body);
        else gn_textf(&all, "    {\n%s    }\n", body);
    }
    gn_textf(out, "void %s(void *const *arg, const int64_t *sym, int64_t part)\n{\n", e.function);
    arguments(&e);
    gn_textf(out, "%s}\n", gn_text_done(&all));
    finish(&e, whole, words, out);
}
