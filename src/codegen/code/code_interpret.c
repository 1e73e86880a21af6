/* Runs steps and their parts, and says where something went wrong. */
#include <inttypes.h>
#include <stdarg.h>
#include "checked.h"
#include "code_interpret_state.h"

/* ---- sentences ---- */

static const char *name_of_node(const gn_runner *r)
{
    gn_text t = { .arena = r->arena };
    if (!r->at) return "";
    gn_text_add(&t, ", ");
    gn_code_tell_node(&t, r->at);
    if ((r->at->kind == GN_CODE_SET || r->at->kind == GN_CODE_STORE) && r->at->val->id)
        gn_textf(&t, " %%%u", r->at->val->id);
    return gn_text_done(&t);
}

/* "code mma, step 0, part 3, thread 17, %5: ..": parts and threads where there are several. */
void gn_runner_fail(const gn_runner *r, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    const char *what = gn_arena_printf_v(r->arena, format, ap);
    va_end(ap);
    const char *step = "", *part = "", *thread = "";
    if (r->step < r->code->steps.n) {
        step = gn_arena_printf(r->arena, ", step %zu", r->step);
        const bool parts = r->part >= 0 && r->code->steps.at[r->step].parts.n;
        if (parts) part = gn_arena_printf(r->arena, ", part %" PRId64, r->part);
        if (r->nthreads > 1) thread = gn_arena_printf(r->arena, ", thread %u", r->thread);
    }
    gn_throw(GN_EINTERNAL, "code %s%s%s%s%s: %s", r->code->origin, step, part, thread, name_of_node(r), what);
}

static const char *name_of_element(const gn_runner *r, const gn_place *p, int64_t at)
{
    if (p->space != GN_SPACE_REG) return gn_arena_printf(r->arena, "element %" PRId64 " of %s", at, p->name);
    const char *number = p->n > 1 ? gn_arena_printf(r->arena, " %" PRId64 " of", at / p->lanes) : "";
    const char *lane = p->lanes > 1 ? gn_arena_printf(r->arena, "lane %" PRId64 " of ", at % p->lanes) : "";
    return gn_arena_printf(r->arena, "%sregister%s %s", lane, number, p->name);
}

void gn_runner_fail_poison(const gn_runner *r, const char *what, gn_lane x)
{
    const gn_place *p = r->code->places.at[x.poison - 1];
    gn_runner_fail(r, "%s would come from %s, which has no content", what, name_of_element(r, p, x.i));
}

/* ---- parts ---- */

uint64_t gn_runner_draw(gn_runner *r, uint64_t below)
{
    r->random = gn_hash_mix(r->random, below);
    return (r->random ^ r->random >> 32) % below;
}

static int64_t count_of(gn_runner *r, const gn_code_var *v)
{
    const int64_t n = gn_runner_dim(r, v->count);
    return n > 0 ? n : 0;
}

static int64_t count_parts(gn_runner *r, const gn_code_step *s)
{
    int64_t all = 1;
    bool overflows = false;
    for (size_t i = 0; i < s->parts.n; i++) {
        const int64_t n = count_of(r, &s->parts.at[i]);
        if (!n) return 0;
        overflows |= gn_mul_overflows(all, n, &all);
    }
    if (overflows) gn_runner_fail(r, "the number of parts overflows");
    return all;
}

static int64_t *draw_parts(gn_runner *r, int64_t n)
{
    int64_t *order = GN_NEW_ARRAY(r->arena, int64_t, n);
    for (int64_t i = 0; i < n; i++) {
        const int64_t j = (int64_t)gn_runner_draw(r, (uint64_t)i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    return order;
}

static void bind_all(gn_runner *r, const char *name, int64_t v)
{
    for (r->thread = 0; r->thread < r->nthreads; r->thread++) gn_runner_bind(r, name, v);
    r->thread = 0;
}

/* The last variable counts fastest. */
static void bind_parts(gn_runner *r, const gn_code_step *s, const int64_t *count)
{
    int64_t rest = r->part;
    for (size_t i = s->parts.n; i-- > 0;) {
        bind_all(r, s->parts.at[i].name, rest % count[i]);
        rest /= count[i];
    }
}

static void run_part(gn_runner *r, const gn_code_step *s, const int64_t *count)
{
    bind_parts(r, s, count);
    r->epoch++;
    for (uint32_t i = 0; i < r->nthreads; i++) r->flying[i].at.n = 0;
    for (size_t i = 0; i < r->code->nargs; i++)
        if (r->code->places.at[i]->space == GN_SPACE_SCRATCH) gn_runner_empty(r, r->code->places.at[i]);
    gn_runner_together(r, &s->body);
    r->at = NULL;
}

static void unbind_parts(gn_runner *r, const gn_code_step *s)
{
    for (size_t i = 0; i < s->parts.n; i++)
        for (r->thread = 0; r->thread < r->nthreads; r->thread++) gn_runner_unbind(r, s->parts.at[i].name);
    r->thread = 0;
}

static void run_step(gn_runner *r, const gn_code_step *s)
{
    const int64_t n = count_parts(r, s), *order = draw_parts(r, n);
    int64_t *count = GN_NEW_ARRAY(r->arena, int64_t, s->parts.n + 1);
    for (size_t i = 0; n && i < s->parts.n; i++) count[i] = count_of(r, &s->parts.at[i]);
    memset(r->made, 0, (size_t)r->nlets * r->nthreads * sizeof *r->made); /* another step, other lets */
    for (int64_t i = 0; i < n; i++) {
        r->part = order[i];
        run_part(r, s, count);
    }
    r->part = -1;
    unbind_parts(r, s);
}

/* ---- beginning ---- */

static void bind_threads(gn_runner *r)
{
    for (r->thread = 0; r->thread < r->nthreads; r->thread++) {
        int64_t rest = r->thread, n = 1;
        for (size_t i = r->code->threads.n; i-- > 0;) {
            gn_dim_is_const(r->code->threads.at[i].count, &n);
            gn_runner_bind(r, r->code->threads.at[i].name, rest % n);
            rest /= n;
        }
    }
    r->thread = 0;
}

static void measure_tile(void *user, const gn_code_node *n)
{
    size_t *most = user;
    if (n->kind != GN_CODE_TILE || n->tile->row->kind == GN_TILE_COPY) return;
    const gn_tile_op *const row = n->tile->row;
    const size_t size = (size_t)((row->m + row->n) * (row->k + 1) + 2 * row->m * row->n);
    if (size > *most) *most = size;
}

static void prepare(gn_runner *r)
{
    size_t tile = 0;
    for (size_t i = 0; i < r->code->steps.n; i++) {
        const gn_code_body *b = &r->code->steps.at[i].body;
        const uint32_t largest = gn_code_largest_id(b);
        if (largest >= r->nlets) r->nlets = largest + 1;
        gn_code_walk(b, measure_tile, &tile);
        gn_runner_prepare(r, b);
    }
    r->made = GN_NEW_ARRAY(r->arena, gn_made, (size_t)r->nlets * r->nthreads);
    r->merged = GN_NEW_ARRAY(r->arena, gn_lane, r->nthreads);
    r->drawn = GN_NEW_ARRAY(r->arena, uint32_t, r->nthreads);
    r->flying = GN_NEW_ARRAY(r->arena, gn_flying, r->nthreads);
    r->tile = GN_NEW_ARRAY(r->arena, gn_lane, tile);
}

void gn_code_interpret(const gn_code *c, void *const *buffers, const int64_t *sym, uint64_t order, gn_arena *scratch)
{
    gn_runner r = { .code = c, .arena = scratch, .random = order, .nthreads = gn_code_threads(c) };
    r.step = c->steps.n, r.part = -1;
    if (r.nthreads < 1 || r.nthreads > GN_MOST_THREADS)
        gn_runner_fail(&r, "a block of %u threads; 1 to %d are possible", r.nthreads, GN_MOST_THREADS);
    for (size_t i = 0; i < c->syms.n; i++) bind_all(&r, c->syms.at[i].name, sym[i]);
    bind_threads(&r);
    gn_runner_allocate(&r, buffers);
    prepare(&r);
    for (r.step = 0; r.step < c->steps.n; r.step++) run_step(&r, &c->steps.at[r.step]);
}
