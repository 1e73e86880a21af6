/* What is kept between the statements of a kernel (row sums, their functions) is read inside its bounds only, whatever
 * is padded, joined or cut from it. Both ways of running look: the interpreter checks every element of arrays of exact
 * size, whose new elements are NaN; compiled code stands among red zones where the tests are sanitized. */
#include <dlfcn.h>
#include <gnomon/ops.h>
#include <stdio.h>
#include <stdlib.h>
#include "code_interpret.h"
#include "default_schedule.h"
#include "emit.h"
#include "lower_default.h"
#include "programs.h"
#include "unit_cc.h"

static const gn_target *target;
static void *library;            /* NULL: interpreted */
static GN_VEC(gn_scheduled *) kernels;

static void run(const program *p, const gn_group *q, void *const *buffers, const int64_t *sym, gn_arena *scratch)
{
    const gn_scheduled *s = kernels.at[q - p->grouping->groups.at];
    if (!library) {
        gn_code_interpret(s->code, buffers, sym, 1, scratch);
        return;
    }
    void **arg = calloc(s->code->nargs + 1, sizeof *arg);
    for (size_t b = 0; b < q->buf.n; b++) arg[b] = buffers[b];
    for (size_t b = q->buf.n; b < s->code->nargs; b++)
        arg[b] = malloc((size_t)program_extent(p, gn_code_bytes(s->code, s->code->places.at[b])));
    for (uint32_t i = 0; i < s->code->steps.n; i++) {
        void (*step)(void *const *, const int64_t *, int64_t) = NULL;
        *(void **)&step = unit_symbol(library, gn_arena_printf(scratch, "%s_%u", q->kernel->name, i));
        for (int64_t part = program_extent(p, gn_code_parts(s->code, i)); part-- > 0;) step(arg, sym, part);
    }
    for (size_t b = q->buf.n; b < s->code->nargs; b++) free(arg[b]);
    free(arg);
}

static int64_t draw(uint64_t *seed, int64_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)(*seed >> 33) % below;
}

static gn_expr *moved(program *p, gn_expr *s, int64_t n, uint64_t *seed)
{
    gn_expr *parts[4] = { s, gn_mul(s, 2.0), gn_flip(s, GN_AXES(0)), s };
    switch (draw(seed, 6)) {
    case 0: return gn_pad(s, 0.0, "%d:%d", (int)draw(seed, 4), (int)draw(seed, 20));
    case 1: return gn_concat(((gn_exprs){ 2 + (size_t)draw(seed, 3), parts }), 0);
    case 2:
        return gn_concat(
            GN_EXPRS(gn_slice(s, "%d:", (int)draw(seed, n + 1)), s, gn_slice(s, ":%d", (int)draw(seed, n + 1))), 0);
    case 3: return gn_slice(gn_pad(s, -1.0, "3:2"), "%d:", (int)draw(seed, 4));
    case 4: return gn_add(gn_pad(s, 0.0, "1:0"), gn_pad(gn_mul(s, s), 0.5, "0:1"));
    default:
        return gn_where(gn_lt(gn_iota(p->graph, GN_I64, 0, "%d", (int)n + 2), 2), gn_pad(s, 0.0, "2:0"),
                        gn_pad(s, 1.0, "0:2"));
    }
}

static program *random_move(uint64_t seed)
{
    program *p = program_new(seed);
    p->optimize = true;
    const int64_t rows = draw(&seed, 20), columns = draw(&seed, 24), kind = draw(&seed, 4);
    const gn_dtype dtype = draw(&seed, 2) ? GN_F64 : GN_F32;
    gn_expr *x = program_in(p, "x", dtype, gn_arena_printf(&p->arena, "%d, %d", (int)rows, (int)columns)),
            *s = gn_sum(x, GN_AXES(1));
    int64_t n = rows;
    if (kind == 1) s = gn_sum(x, GN_AXES(0)), n = columns;
    if (kind == 2) s = gn_tanh(gn_mean(gn_mul(x, x), GN_AXES(1)));
    if (kind == 3) s = gn_sum(gn_sub(x, gn_reshape(gn_sum(x, GN_AXES(1)), "%d, 1", (int)rows)), GN_AXES(1));
    program_out(p, moved(p, s, n, &seed));
    if (draw(&seed, 3) == 0) program_out(p, moved(p, s, n, &seed));
    return p;
}

static void lower_all(void *arg)
{
    program *p = arg;
    kernels.n = kernels.capacity = 0;
    for (size_t i = 0; i < p->grouping->groups.n; i++) {
        const gn_group *q = &p->grouping->groups.at[i];
        gn_push(&p->arena, &kernels, gn_default_apply(&p->arena, q->kernel, target, NULL));
    }
}

static void emit_all(void *arg)
{
    void **a = arg;
    for (size_t i = 0; i < kernels.n; i++) gn_emit_kernel(a[0], a[1], kernels.at[i]->code);
}

static void check_program(program *p, uint64_t seed, bool compiled)
{
    if (gn_protect(lower_all, p)) fail_msg("seed %llu, %s: %s", (unsigned long long)seed, target->name, gn_message());
    if (compiled) {
        gn_text body = { .arena = &p->arena };
        gn_words words = { .arena = &p->arena };
        if (gn_protect(emit_all, (void *[]){ &body, &words }))
            fail_msg("seed %llu: %s", (unsigned long long)seed, gn_message());
        library = unit_load_words(target, unit_compilers()[0], &words, gn_text_done(&body));
    }
    program_check(p, run);
    if (library) dlclose(library);
    library = NULL;
    program_free(p);
}

static void check(uint64_t seed, bool compiled)
{
    program *p = random_move(seed);
    program_group(p, target);
    check_program(p, seed, compiled);
}

static int count(int usual)
{
    const char *n = getenv("GNOMON_TEST_GRAPHS");
    return n ? atoi(n) : usual;
}

static void interpreted_code_reads_what_is_kept_inside_its_bounds(void **state)
{
    (void)state;
    const gn_target *const targets[] = { &gn_target_c11, &gn_target_generic, &gn_target_avx2, &gn_target_avx512 };
    for (int seed = 1; seed <= count(400); seed++) {
        target = targets[seed % 4];
        check((uint64_t)seed, false);
    }
}

static void compiled_code_reads_what_is_kept_inside_its_bounds(void **state)
{
    (void)state;
    const gn_target *const targets[] = { &gn_target_c11, &gn_target_generic, &gn_target_avx2, &gn_target_avx512 };
    if (!unit_compilers()[0]) skip();
    for (int seed = 1; seed <= count(16); seed++) {
        target = targets[seed % 4];
        if (gn_target_runs_here(target)) check((uint64_t)seed, true);
    }
}

/* ---- branches that share what they compute ---- */

/* Vectors of 24 elements made from others, each used again and again, under conditions of all kinds: on positions,
 * remainders, values, what is loaded; shifted by a pad and a slice, joined from parts, taken by index. */
static program *random_branches(uint64_t seed)
{
    enum { N = 24, MADE = 14 };
    program *p = program_new(seed);
    p->optimize = true;
    p->index_most = N;
    gn_expr *made[MADE + 2], *at = program_in(p, "at", GN_I64, "24"),
                             *i = gn_iota(p->graph, draw(&seed, 2) ? GN_I64 : GN_I32, 0, "24");
    made[0] = program_in(p, "x", GN_F64, "24"), made[1] = program_in(p, "y", GN_F64, "24");
    for (int k = 2; k < MADE + 2; k++) {
        gn_expr *a = made[draw(&seed, k)], *b = made[draw(&seed, k)];
        const int n = (int)draw(&seed, 9), m = 1 + (int)draw(&seed, 6);
        gn_expr *conditions[] = { gn_lt(i, n),  gn_eq(gn_mod(i, m), n % m),
                                  gn_lt(a, b),  gn_lt(at, n),
                                  gn_eq(i, at), gn_ge(i, n),
                                  gn_eq(i, n),  gn_lt(gn_add(i, n), gn_mul(i, 2)) };
        gn_expr *c = conditions[draw(&seed, 8)];
        switch (draw(&seed, 8)) {
        case 0: made[k] = gn_add(a, gn_sin(b)); break;
        case 1: made[k] = gn_slice(gn_pad(a, 0.0, "%d:0", m), ":24"); break;
        case 2: made[k] = gn_slice(gn_pad(a, 1.0, "0:%d", m), "%d:", m); break;
        case 3: made[k] = gn_concat(GN_EXPRS(gn_slice(a, ":%d", n + 1), gn_slice(b, "%d:", n + 1)), 0); break;
        case 4: made[k] = gn_take(a, at, 0); break;
        default:
            made[k] = gn_where(c, gn_mul(a, 0.5),
                               draw(&seed, 3) ? gn_add(b, 1.0) : gn_pad(gn_slice(b, "%d:", m), 0.0, "%d:0", m));
            break;
        }
    }
    program_out(p, made[MADE + 1]);
    if (draw(&seed, 2)) program_out(p, gn_sum(made[MADE], GN_AXES(0)));
    return p;
}

static void branches_that_share_what_they_compute_have_their_values(void **state)
{
    (void)state;
    const gn_target *const targets[] = { &gn_target_c11, &gn_target_generic, &gn_target_avx2, &gn_target_avx512 };
    for (int seed = 1; seed <= count(300); seed++) {
        target = targets[seed % 4];
        program *p = random_branches((uint64_t)seed);
        program_group(p, target);
        if (p->refused) program_free(p);
        else check_program(p, (uint64_t)seed, false);
    }
}

/* ---- conditions over what is read ---- */

static void integers_of_64_bits_are_compared_as_they_stand(void **state)
{
    (void)state;
    enum { N = 40 };
    int64_t x[N], y[N];
    double z[N];
    const int64_t ends[] = { INT64_MIN, INT64_MIN + 1, -6, -5, -4, 0, 5, 6, INT64_MAX - 1, INT64_MAX };
    for (int i = 0; i < N; i++) x[i] = ends[i % 10], y[i] = ends[i / 4], z[i] = i + 0.5;
    const gn_array values[] = { gn_array_of(x, GN_I64, 1, (int64_t[]){ N }), gn_array_of(y, GN_I64, 1, (int64_t[]){ N }),
                                gn_array_of(z, GN_F64, 1, (int64_t[]){ N }) };
    const gn_target *const targets[] = { &gn_target_c11, &gn_target_generic, &gn_target_avx2, &gn_target_avx512 };
    for (int t = 0; t < 8; t++) {
        target = targets[t % 4];
        if (t >= 4 && (!unit_compilers()[0] || !gn_target_runs_here(target))) continue;
        gn_graph *g = gn_graph_new(NULL);
        gn_expr *a = gn_input(g, "x", GN_I64, "40"), *b = gn_input(g, "y", GN_I64, "40"),
                *v = gn_input(g, "z", GN_F64, "40"), *i = gn_iota(g, GN_I64, 0, "40");
        gn_expr *in[] = { a, b, v }, *out[] = {
            gn_where(gn_lt(a, 5), v, gn_neg(v)), gn_where(gn_gt(a, -5), gn_where(gn_lt(b, i), v, 1.0), 2.0),
            gn_where(gn_lt(i, INT64_MIN), v, gn_where(gn_gt(INT64_MAX, i), 5.0, v)),
            gn_where(gn_le(i, a), gn_where(gn_eq(b, gn_neg(i)), v, 3.0), gn_where(gn_ge(a, 6), 4.0, v))
        };
        program *p = program_of(g, (gn_exprs){ 3, in }, values, (gn_exprs){ sizeof out / sizeof *out, out });
        program_group(p, target);
        check_program(p, 0, t >= 4);
        gn_graph_free(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interpreted_code_reads_what_is_kept_inside_its_bounds),
        cmocka_unit_test(compiled_code_reads_what_is_kept_inside_its_bounds),
        cmocka_unit_test(branches_that_share_what_they_compute_have_their_values),
        cmocka_unit_test(integers_of_64_bits_are_compared_as_they_stand),
    };
    cmocka_set_test_filter(getenv("GNOMON_TEST_FILTER"));
    return cmocka_run_group_tests_name("codegen/kept", tests, NULL, NULL);
}
