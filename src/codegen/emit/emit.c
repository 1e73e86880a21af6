/* Walks the code of a scheduled kernel and prints it: functions, loops, declarations. C and CUDA differ in the head of a function,
 * in how parallel leaves get their values, and in where an array lives. */
#include <inttypes.h>
#include "emit_state.h"

static void node(gn_emitter *e, const gn_tree *t);

static void line(gn_emitter *e, const char *text)
{
    gn_emit_indent(e);
    gn_textf(e->out, "%s\n", text);
}

/* A value that is computed for the next line alone, which puts it into a variable: one line instead of two. */
static bool is_assigned(const gn_emitter *e, const gn_tree *let, const gn_tree *next)
{
    if (let->kind != GN_NODE_LET || next->kind != GN_NODE_SET || !next->object || next->val != let->val) return false;
    const bool lanewise = let->val->kind == GN_VAL_INDEX && let->val->lanes > 1;
    return !lanewise && e->uses[let->val->id] == 1;
}

static void kids(gn_emitter *e, const gn_tree *t)
{
    for (size_t i = 0; i < t->kids.n; i++) {
        const gn_tree *k = t->kids.at[i], *next = i + 1 < t->kids.n ? t->kids.at[i + 1] : NULL;
        if (next && is_assigned(e, k, next)) {
            gn_emit_assign(e, next->object, next->number, k->val);
            i++;
        } else
            node(e, k);
    }
}

/* ---- declarations ---- */

static void variables(gn_emitter *e, const gn_object *o)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < o->nregs; i++) {
        if (!o->read[i]) continue;
        if (n % 8 == 0) {
            if (n) gn_text_add(e->out, ";\n");
            gn_emit_indent(e);
            gn_emit_type(e, o->dtype, (int)o->lanes);
        }
        gn_text_add(e->out, n % 8 ? ", " : " ");
        gn_emit_variable(e, o, i);
        n++;
    }
    if (n) gn_text_add(e->out, ";\n");
}

static void declare(gn_emitter *e, const gn_object *o)
{
    int64_t n = 0;
    if (o->level == GN_LEVEL_REG) variables(e, o);
    if (o->level != GN_LEVEL_STACK && o->level != GN_LEVEL_SHARED) return;
    gn_dim_is_const(o->size, &n);
    gn_emit_indent(e);
    if (o->level == GN_LEVEL_SHARED)
        gn_text_add(e->out, "__shared__ __align__(16) ");
    else if (!e->g->cuda)
        gn_text_add(e->out, "_Alignas(64) ");
    gn_textf(e->out, "%s %s[%" PRId64 "];\n", gn_emit_memory_type(o->dtype), gn_emit_name(e, o->name), n > 0 ? n : 1);
}

/* ---- loops ---- */

static void counted(gn_emitter *e, const char *type, const char *name, const gn_tree *t)
{
    gn_emit_indent(e);
    gn_textf(e->out, "for (%s %s = ", type, name);
    if (t->from)
        gn_emit_dim(e, t->from, false);
    else
        gn_text_char(e->out, '0');
    gn_textf(e->out, "; %s < ", name);
    gn_emit_dim(e, t->to, false);
    gn_textf(e->out, "; %s++) {\n", name);
}

static void loop(gn_emitter *e, const gn_tree *t)
{
    const bool parallel = t->bind == GN_BIND_BLOCK || t->bind == GN_BIND_THREAD || (t->bind == GN_BIND_PART && !e->one_function);
    if (t->flat.n) {
        gn_emit_indent(e);
        const char *const name = gn_emit_name(e, t->name);
        gn_textf(e->out, "for (int %s = threadIdx.x; %s < ", name, name);
        gn_emit_dim(e, t->to, false);
        gn_textf(e->out, "; %s += %u) {\n", name, gn_scheduled_threads(e->s));
    } else if (parallel) { /* its value stands at the top of the function */
        kids(e, t);
        return;
    } else {
        if (t->unroll) {
            gn_emit_indent(e);
            gn_textf(e->out, "GN_UNROLL(%d)\n", t->unroll);
        }
        counted(e, "int64_t", gn_emit_name(e, e->g->leaves.at[t->leaf].name), t);
    }
    const uint32_t outer = e->body;
    e->body = ++e->nbodies;
    e->depth++;
    kids(e, t);
    e->depth--;
    e->body = outer;
    line(e, "}");
}

static void branch(gn_emitter *e, const gn_tree *t)
{
    gn_emit_indent(e);
    gn_text_add(e->out, "if (");
    gn_emit_preds(e, t->when);
    gn_text_add(e->out, t->kids.n == 1 ? ")\n" : ") {\n");
    e->depth++;
    kids(e, t);
    e->depth--;
    if (t->kids.n != 1) line(e, "}");
}

/* ---- tile operations ---- */

static void tile_dim(gn_emitter *e, const gn_dim *d)
{
    gn_emit_dim(e, d, false);
}

static void tile_pointer(gn_emitter *e, const gn_access *a)
{
    gn_text_add(e->out, gn_emit_name(e, a->object ? a->object->name : e->g->kernel->bufs.at[a->buf].name));
    if (gn_dim_is(a->base, 0)) return;
    gn_text_add(e->out, " + ");
    tile_dim(e, a->base);
}

static const char *tile_word(gn_emitter *e, const gn_tile_args *a, const char *p)
{
    const bool copy = a->row->kind == GN_TILE_COPY;
    if (copy && strncmp(p, "ds", 2) == 0) return tile_dim(e, a->dst_stride), p + 2;
    if (copy && strncmp(p, "ss", 2) == 0) return tile_dim(e, a->src_stride), p + 2;
    if (copy && strncmp(p, "ni", 2) == 0) return tile_dim(e, a->ncols), p + 2;
    if (copy && strncmp(p, "nl", 2) == 0) return tile_dim(e, a->nrows), p + 2;
    if (copy && *p == 'd') return tile_pointer(e, &a->dst), p + 1;
    if (copy && *p == 's') return tile_pointer(e, &a->src), p + 1;
    const int r = p[1] - '0';
    if (*p == 'c') gn_emit_variable(e, a->object, a->c[r]);
    if (*p == 'a') gn_emit_operand(e, a->a[r]);
    if (*p == 'b') gn_emit_operand(e, a->b[r]);
    return p + 2;
}

static void tile(gn_emitter *e, const gn_tile_args *a)
{
    gn_emit_indent(e);
    gn_words_read(&e->words, a->row->spelling);
    for (const char *p = a->row->spelling; *p;) {
        if (*p == '$')
            p = tile_word(e, a, p + 1);
        else
            gn_text_char(e->out, *p++);
    }
    gn_text_add(e->out, ";\n");
}

static void node(gn_emitter *e, const gn_tree *t)
{
    switch ((gn_tree_kind)t->kind) {
    case GN_NODE_STEP:
    case GN_NODE_STMT: kids(e, t); break;
    case GN_NODE_FOR: loop(e, t); break;
    case GN_NODE_BUF: declare(e, t->object); break;
    case GN_NODE_BARRIER: line(e, "__syncthreads();"); break;
    case GN_NODE_LET: gn_emit_let(e, t->val); break;
    case GN_NODE_SET:
        gn_emit_indent(e);
        if (!t->object)
            gn_emit_set(e, &t->place, t->val);
        else {
            gn_emit_variable(e, t->object, t->number);
            gn_text_add(e->out, " = ");
            gn_emit_operand(e, t->val);
            gn_text_add(e->out, ";\n");
        }
        break;
    case GN_NODE_IF: branch(e, t); break;
    case GN_NODE_TILE: tile(e, t->tile); break;
    }
}

/* ---- the head of a function: only what it uses is declared ---- */

static const char *qualifier(const gn_kernel *k, size_t buf)
{
    return k->bufs.at[buf].access & GN_KBUF_WRITE ? "" : "const ";
}

static void arguments(gn_emitter *e)
{
    const gn_kernel *k = e->g->kernel;
    const size_t before = e->out->n;
    for (size_t i = 0; i < k->bufs.n; i++) {
        const char *n = gn_emit_name_of(e, k->bufs.at[i].name), *q = qualifier(k, i), *t = gn_emit_memory_type(k->bufs.at[i].dtype);
        if (gn_emit_take_use(e, k->bufs.at[i].name)) gn_textf(e->out, "    %s%s *const %s = (%s%s *)arg[%zu];\n", q, t, n, q, t, i);
    }
    for (size_t i = 0; i < e->s->sbufs.n; i++) {
        const gn_sbuf *b = &e->s->sbufs.at[i];
        const char *n = gn_emit_name_of(e, b->name), *t = gn_emit_memory_type(b->dtype);
        if (gn_emit_take_use(e, b->name)) gn_textf(e->out, "    %s *const %s = (%s *)arg[%zu];\n", t, n, t, k->bufs.n + i);
    }
    if (e->out->n == before) gn_text_add(e->out, "    (void)arg;\n"); /* an axis without points */
    bool any = false;
    for (size_t i = 0; i < k->syms.n; i++) {
        if (!gn_emit_take_use(e, k->syms.at[i].name)) continue;
        gn_textf(e->out, "    const int64_t %s = sym[%zu];\n", gn_emit_name_of(e, k->syms.at[i].name), i);
        any = true;
    }
    if (!any) gn_text_add(e->out, "    (void)sym;\n");
    if (!e->uses_part) gn_text_add(e->out, "    (void)part;\n");
    e->uses_part = false;
}

/* ---- values of parallel leaves ---- */

static const gn_tree *only_loop(const gn_tree *t)
{
    const gn_tree *found = NULL;
    for (size_t i = 0; i < t->kids.n; i++)
        if (t->kids.at[i]->kind == GN_NODE_FOR) found = t->kids.at[i];
    return found;
}

/* leaf = (source / what the later ones count) % its own count, where the body uses it; 0 where a count is 0, so that nothing runs */
static void digit(gn_emitter *e, const char *type, uint32_t leaf, const char *source, const gn_dim *later, const gn_dim *count, bool outermost)
{
    const char *const name = e->g->leaves.at[leaf].name;
    if (!gn_emit_take_use(e, name)) return;
    gn_emit_indent(e);
    gn_textf(e->out, "const %s %s = ", type, gn_emit_name_of(e, name));
    if (gn_dim_is(later, 0) || gn_dim_is(count, 0)) {
        gn_text_add(e->out, "0;\n");
        return;
    }
    const bool divided = !gn_dim_is(later, 1);
    e->uses_part |= !e->g->cuda;
    if (divided && !outermost) gn_text_char(e->out, '(');
    gn_text_add(e->out, source);
    if (divided) gn_text_add(e->out, " / "), gn_emit_dim(e, later, true);
    if (divided && !outermost) gn_text_char(e->out, ')');
    if (!outermost) gn_text_add(e->out, " % "), gn_emit_dim(e, count, true);
    gn_text_add(e->out, ";\n");
}

static void part_leaves(gn_emitter *e, const gn_tree *step)
{
    GN_VEC(const gn_tree *) chain = { 0 };
    for (const gn_tree *t = only_loop(step); t && (t->bind == GN_BIND_PART || t->bind == GN_BIND_BLOCK); t = only_loop(t))
        gn_push(e->g->arena, &chain, t);
    const gn_dim *later = gn_lconst(e->g, 1);
    for (size_t i = chain.n; i-- > 0;) {
        const gn_tree *t = chain.at[i];
        digit(e, "int64_t", t->leaf, e->g->cuda ? "(int64_t)blockIdx.x" : "part", later, t->to, i == 0);
        later = gn_dim_mul(e->g->dims, later, t->to);
    }
}

static void thread_leaves(gn_emitter *e)
{
    gn_lower *g = e->g;
    int64_t later = 1;
    const uint32_t all = gn_scheduled_threads(e->s);
    for (size_t i = g->order.n; i-- > 0;) {
        const uint32_t l = g->order.at[i];
        if (g->leaves.at[l].bind != GN_BIND_THREAD) continue;
        const int64_t n = gn_points(g, l);
        digit(e, "int", l, "(int)threadIdx.x", gn_lconst(g, later), gn_lconst(g, n), later * n == all);
        later *= n;
    }
}

/* ---- functions ---- */

static const char *body_of(gn_emitter *e, const gn_tree *step)
{
    gn_text body = { .arena = e->g->arena }, leaves = body;
    gn_text *out = e->out;
    e->out = &body;
    e->depth = 1;
    e->uses = gn_let_uses(e->g->arena, step);
    e->parts = (gn_map){ 0 }, e->part_lines = (gn_text){ .arena = e->g->arena };
    kids(e, step);
    e->out = &leaves;
    if (!e->one_function) part_leaves(e, step);
    if (e->g->cuda) thread_leaves(e);
    e->out = out;
    gn_text_add_n(&e->part_lines, leaves.at, leaves.n);
    gn_text_add_n(&e->part_lines, body.at, body.n);
    return gn_text_done(&e->part_lines);
}

static void c_step(gn_emitter *e, const gn_tree *step, uint32_t number)
{
    const char *body = body_of(e, step);
    gn_textf(e->out, "void %s_%u(void *const *arg, const int64_t *sym, int64_t part)\n{\n", e->function, number);
    arguments(e);
    gn_text_add(e->out, body);
    gn_text_add(e->out, "}\n");
}

static void cuda_step(gn_emitter *e, const gn_tree *step, uint32_t number)
{
    const gn_kernel *k = e->g->kernel;
    const char *body = body_of(e, step);
    gn_textf(e->out, "extern \"C\" __global__ void __launch_bounds__(%u, 1) %s_%u(", gn_scheduled_threads(e->s), e->function,
             number);
    const char *comma = "";
    for (size_t i = 0; i < k->bufs.n; i++, comma = ", ")
        gn_textf(e->out, "%s%s%s *%s", comma, qualifier(k, i), gn_emit_memory_type(k->bufs.at[i].dtype),
                 gn_emit_name_of(e, k->bufs.at[i].name));
    for (size_t i = 0; i < e->s->sbufs.n; i++, comma = ", ")
        gn_textf(e->out, "%s%s *%s", comma, gn_emit_memory_type(e->s->sbufs.at[i].dtype), gn_emit_name_of(e, e->s->sbufs.at[i].name));
    for (size_t i = 0; i < k->syms.n; i++, comma = ", ")
        gn_textf(e->out, "%sint64_t %s", comma, gn_emit_name_of(e, k->syms.at[i].name));
    gn_textf(e->out, ")\n{\n%s}\n", body);
}

/* A comment cannot end early. */
static void comment_text(gn_emitter *e, const char *text, const char *prefix)
{
    for (const char *p = text; *p; p++) {
        gn_text_char(e->out, *p == '*' && p[1] == '/' ? '+' : *p);
        if (*p == '\n' && p[1]) gn_text_add(e->out, prefix);
    }
}

static size_t count_lines(const char *text)
{
    size_t n = 0;
    for (; *text; text++) n += *text == '\n';
    return n;
}

static void head(gn_emitter *e)
{
    gn_text logic = { .arena = e->g->arena };
    gn_kernel_print(&logic, e->s->kernel);
    const char *text = gn_text_done(&logic), *comment = e->s->kernel->comment;
    const bool shown = count_lines(text) <= 24;
    if (!comment && !shown) return;
    gn_text_add(e->out, "/* ");
    if (comment) comment_text(e, comment, " * ");
    if (comment && shown) gn_text_add(e->out, comment[strlen(comment) - 1] == '\n' ? " *\n * " : "\n *\n * ");
    if (shown) comment_text(e, text, " * ");
    if (e->out->at[e->out->n - 1] == '\n') e->out->at[--e->out->n] = '\0';
    gn_text_add(e->out, " */\n");
}

/* Functions before the text that calls them, and so their words. */
static void finish(gn_emitter *e, gn_text *out, gn_words *words, const gn_text *text)
{
    const gn_words later = e->words;
    e->words = (gn_words){ .arena = e->g->arena };
    e->out = out;
    gn_emit_math(e);
    gn_text_add_n(out, text->at, text->n);
    if (words) gn_words_need_all(words, &e->words), gn_words_need_all(words, &later);
}

void gn_emit_kernel(gn_text *whole, gn_words *words, const gn_scheduled *s)
{
    gn_text text = { .arena = whole->arena }, *out = &text;
    gn_emitter e;
    gn_emit_start(&e, s);
    e.out = out;
    head(&e);
    uint32_t number = 0;
    for (size_t i = 0; i < s->code->kids.n; i++) {
        const gn_tree *step = s->code->kids.at[i];
        if (step->kind != GN_NODE_STEP) continue;
        if (number) gn_text_char(out, '\n');
        if (s->target->lang == GN_LANG_CUDA)
            cuda_step(&e, step, number++);
        else
            c_step(&e, step, number++);
    }
    finish(&e, whole, words, out);
}

void gn_emit_function(gn_text *whole, gn_words *words, const gn_scheduled *s)
{
    gn_text text = { .arena = whole->arena }, *out = &text;
    gn_emitter e;
    gn_emit_start(&e, s);
    e.out = out, e.one_function = true;
    gn_text all = { .arena = e.g->arena };
    head(&e);
    for (size_t i = 0; i < s->code->kids.n; i++) {
        const gn_tree *step = s->code->kids.at[i];
        if (step->kind != GN_NODE_STEP) continue;
        if (s->nsteps == 1)
            gn_text_add(&all, body_of(&e, step));
        else
            gn_textf(&all, "    {\n%s    }\n", body_of(&e, step));
    }
    gn_textf(out, "void %s(void *const *arg, const int64_t *sym, int64_t part)\n{\n", e.function);
    arguments(&e);
    gn_textf(out, "%s}\n", gn_text_done(&all));
    finish(&e, whole, words, out);
}
