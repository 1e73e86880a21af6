/* Default schedules: legal for every kernel that grouping makes, and what they lower to means the same. */
#include "lower_default.h"
#include "programs.h"
#include "../graph/samples.h"
#include "code_interpret.h"
#include "code_verify.h"
#include "default_schedule.h"
#include "emit.h"
#include "lower.h"
#include "tree.h"
#include "unit_cc.h"
#include <dlfcn.h>
#include <gnomon/ops.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const gn_target *const cpus[] = { &gn_target_avx512, &gn_target_avx2, &gn_target_generic };

/* A program's kernels, scheduled; compiled together when they are to run. */
typedef struct scheduled_program {
    program *p;
    const gn_target *target;
    const char *text;            /* of the last kernel, for messages */
    GN_VEC(gn_scheduled *) kernels;
    void *library;
} scheduled_program;

static scheduled_program *running;
static int nkernels, nplain;     /* scheduled; by way of the last resort */
static size_t nasked, nproved;   /* accesses */

/* ---- chains of additions ---- */

enum { UNKNOWN = 1 << 22, LONGEST = 4096 }; /* elements of an extent that is not known; additions */

static int64_t most_of(const gn_lower *g, const gn_dim *extent)
{
    gn_dim_fact fact[64];
    const gn_dim_facts facts = { g->kernel->syms.n, fact };
    int64_t least, most;
    assert_true(facts.n <= 64);
    for (size_t i = 0; i < facts.n; i++) fact[i] = g->facts.at[i], fact[i].max = UNKNOWN;
    gn_dim_range(extent, &facts, &least, &most);
    return least < most && most > UNKNOWN ? UNKNOWN : most;
}

/* One after the other, whatever lies between: loops and unrolled points that the sum is over. 0: where they end depends
 * on other axes. */
static int64_t chain_of(const gn_lower *g, const gn_ldef *d)
{
    int64_t n = 1;
    for (uint32_t l = 0; l < g->leaves.n; l++) {
        const uint8_t bind = g->leaves.at[l].bind;
        if (!gn_set_has(&d->reduced, l) || bind == GN_BIND_PRIVATE || bind == GN_BIND_LANE) continue;
        for (size_t a = 0; a < g->axes.n; a++)
            for (size_t i = 0; i < g->axes.at[a].leaf.n; i++) {
                if (g->axes.at[a].leaf.at[i] != l) continue;
                if (g->axes.at[a].dependent) return 0;
                const int64_t stride = g->axes.at[a].stride.at[i],
                              points = (most_of(g, g->axes.at[a].extent) + stride - 1) / stride;
                n *= g->leaves.at[l].extent && g->leaves.at[l].extent < points ? g->leaves.at[l].extent : points;
                a = g->axes.n - 1;
                break;
            }
    }
    return n;
}

/* Rows that are gone over for something else, too: those of unknown length are not cut. */
static bool is_uncut_row(const gn_lower *g, const gn_ldef *d)
{
    bool unknown = false, other = false;
    for (uint32_t l = 0; l < g->leaves.n; l++) {
        int64_t n;
        if (!gn_set_has(&d->reduced, l) || g->leaves.at[l].extent ||
            gn_dim_is_const(g->axes.at[g->leaves.at[l].axis].extent, &n))
            continue;
        unknown = true;
        for (size_t i = 0; i < g->items.n; i++) {
            const gn_ldef *o = g->items.at[i];
            other |= (o->is_store || o->red != GN_RED_SUM) && (gn_set_has(&o->params, l) || gn_set_has(&o->reduced, l));
        }
    }
    return unknown && other;
}

static void check_chains(const gn_scheduled *s, const char *text)
{
    for (size_t i = 0; i < s->lower->items.n; i++) {
        const gn_ldef *d = s->lower->items.at[i];
        if (d->is_store || d->red != GN_RED_SUM || !gn_is_float(d->dtype) || chain_of(s->lower, d) <= LONGEST ||
            is_uncut_row(s->lower, d))
            continue;
        fail_msg("%s adds up %d elements in one chain\n%s", d->name, (int)chain_of(s->lower, d), text);
    }
}

/* Sizes that a call refuses are no reproach to a kernel, whose text does not know of them. */
static void check_ranges(const gn_scheduled *s, const program *p, gn_arena *arena, const char *text)
{
    const gn_code_ranges r = gn_code_verify_ranges(s->code, arena);
    if (r.outside && !p->core->constraints.n) fail_msg("%s\n%s", r.outside, text);
    if (r.first && getenv("GNOMON_TEST_SHOW")) print_message("%s\n", r.first);
    nasked += r.asked, nproved += r.proved;
}

static void schedule_body(void *arg)
{
    scheduled_program *c = arg;
    gn_arena *arena = &c->p->arena;
    for (size_t i = 0; i < c->p->grouping->groups.n; i++) {
        gn_group *q = &c->p->grouping->groups.at[i];
        gn_schedule *s;
        gn_scheduled *x = gn_default_apply(arena, q->kernel, c->target, &s);
        gn_text t = { .arena = arena };
        gn_kernel_print(&t, q->kernel);
        gn_schedule_print(&t, q->kernel, s);
        c->text = gn_text_done(&t);
        gn_push(arena, &c->kernels, x);
        check_ranges(x, c->p, arena, c->text);
        nkernels++;
        if (strcmp(s->name, "default") == 0 && !c->p->grouping->small && c->target->lang == GN_LANG_C)
            check_chains(x, c->text);
        if (strcmp(s->name, "default") != 0) {
            nplain++;
            if (!c->p->from) fail_msg("no closed form fits: %s\n%s", gn_message(), c->text);
            if (getenv("GNOMON_TEST_GRAPHS")) printf("no closed form fits: %s\n%s\n", gn_message(), c->text);
        }
        if (!getenv("GNOMON_TEST_PRINT")) continue;
        gn_scheduled_print(&t, x);
        puts(gn_text_done(&t));
    }
}

static scheduled_program schedule(program *p, const gn_target *t)
{
    scheduled_program c = { .p = p, .target = t, .text = "" };
    program_group(p, t);
    if (p->refused) return c;
    if (gn_protect(schedule_body, &c)) fail_msg("%s\n%s", gn_message(), c.text);
    return c;
}

static void run_tree(const program *p, const gn_group *q, void *const *buffers, const int64_t *sym, gn_arena *scratch)
{
    gn_code_interpret(running->kernels.at[q - p->grouping->groups.at]->code, buffers, sym, 1, scratch);
}

static void emit_body(void *arg)
{
    void **a = arg;
    scheduled_program *c = a[0];
    for (size_t i = 0; i < c->kernels.n; i++) gn_emit_kernel(a[1], a[2], c->kernels.at[i]->code);
}

static void run_compiled(const program *p, const gn_group *q, void *const *buffers, const int64_t *sym, gn_arena *scratch)
{
    const gn_scheduled *x = running->kernels.at[q - p->grouping->groups.at];
    void **arg = GN_NEW_ARRAY(scratch, void *, x->code->nargs + 1);
    for (size_t b = 0; b < q->buf.n; b++) arg[b] = buffers[b];
    for (size_t b = q->buf.n; b < x->code->nargs; b++)
        arg[b] = gn_arena_alloc(scratch, (size_t)program_extent(p, gn_code_bytes(x->code, x->code->places.at[b])) + 64, 64);
    for (uint32_t s = 0; s < x->code->steps.n; s++) {
        void (*step)(void *const *, const int64_t *, int64_t) = NULL;
        *(void **)&step = unit_symbol(running->library, gn_arena_printf(scratch, "%s_%u", q->kernel->name, s));
        const int64_t parts = program_extent(p, gn_code_parts(x->code, s));
        for (int64_t k = parts; k-- > 0;) step(arg, sym, k);
    }
}

/* Runs what the schedules became against the reference; all extents of named dims must be set. Frees the program. */
static void check_scheduled(program *p, const gn_target *t)
{
    scheduled_program c = schedule(p, t);
    if (getenv("GNOMON_TEST_COMPILE") && gn_target_runs_here(t)) {
        gn_text body = { .arena = &p->arena };
        gn_words words = { .arena = &p->arena };
        if (gn_protect(emit_body, (void *[]){ &c, &body, &words })) fail_msg("%s\n%s", gn_message(), c.text);
        if (getenv("GNOMON_TEST_PRINT")) puts(gn_text_done(&body));
        c.library = unit_load_words(t, getenv("GNOMON_TEST_COMPILE"), &words, gn_text_done(&body));
        running = &c;
        program_check(p, run_compiled);
        dlclose(c.library);
    } else {
        running = &c;
        program_check(p, run_tree);
    }
    program_free(p);
}

static void value_and_gradient_of_a_total(void **state)
{
    (void)state;
    for (size_t t = 0; t < sizeof cpus / sizeof *cpus; t++) {
        program *p = program_new(test_seed());
        program_size(p, "n", 37);
        gn_expr *x = program_in(p, "x", GN_F32, "n"), *s = gn_tanh(gn_mul(x, x));
        program_out(p, gn_sum_all(s));
        program_out(p, gn_mul(gn_sub(1, gn_mul(s, s)), gn_mul(x, 2)));
        check_scheduled(p, cpus[t]);
    }
}

static program *sized(program *p, int64_t batch, int64_t r, int64_t c)
{
    program_size(p, "batch", batch);
    program_size(p, "r", r);
    program_size(p, "c", c);
    program_size(p, "n", 5);
    return p;
}

static void schedule_five(const gn_target *t)
{
    check_scheduled(program_mlp(7, 18, 70, 10), t);
    check_scheduled(sized(program_mlp(0, 17, 66, 36), 19, 0, 0), t);
    check_scheduled(sized(program_layer_norm(0, 130), 0, 9, 0), t);
    check_scheduled(program_layer_norm(20, 37), t);
    check_scheduled(sized(program_layer_norm(0, 0), 0, 20, 33), t);
    check_scheduled(sized(program_cross_entropy(0, 0), 0, 7, 129), t);
    check_scheduled(program_cross_entropy(64, 10), t);
    check_scheduled(sized(program_logistic(0, 50), 0, 40, 0), t);
    check_scheduled(sized(program_logistic(0, 0), 0, 33, 5), t);
    check_scheduled(program_tiny(7), t);
    check_scheduled(sized(program_tiny(0), 0, 0, 0), t);
}

static void the_five_programs_on_avx512(void **state)
{
    (void)state;
    schedule_five(&gn_target_avx512);
}
static void the_five_programs_on_avx2(void **state)
{
    (void)state;
    schedule_five(&gn_target_avx2);
}
static void the_five_programs_on_any_cpu(void **state)
{
    (void)state;
    schedule_five(&gn_target_generic);
}

/* ---- operands that are read transposed ---- */

static gn_expr *turned_in(program *p, const char *name, bool named, int64_t r, int64_t c)
{
    return gn_transpose(program_in(p, name, GN_F32, named ? "c, r" : gn_arena_printf(&p->arena, "%d, %d", (int)c, (int)r)));
}

static gn_expr *straight_in(program *p, const char *name, bool named, int64_t r, int64_t c)
{
    return program_in(p, name, GN_F32, named ? "r, c" : gn_arena_printf(&p->arena, "%d, %d", (int)r, (int)c));
}

static gn_expr *row_in(program *p, const char *name, bool named, int64_t c)
{
    return program_in(p, name, GN_F32, named ? "c" : gn_arena_printf(&p->arena, "%d", (int)c));
}

/* y = x^T + b. */
static program *turned_sum(bool named, int64_t r, int64_t c)
{
    program *p = sized(program_new(test_seed()), 0, r, c);
    program_out(p, gn_add(turned_in(p, "x", named, r, c), row_in(p, "b", named, c)));
    return p;
}

/* Several operands and outputs, one of them a function that both use. */
static program *turned_pair(bool named, int64_t r, int64_t c)
{
    program *p = sized(program_new(test_seed()), 0, r, c);
    gn_expr *x = turned_in(p, "x", named, r, c), *y = turned_in(p, "y", named, r, c), *z = straight_in(p, "z", named, r, c);
    gn_expr *e = gn_tanh(gn_mul(x, z));
    program_out(p, gn_add(gn_mul(e, y), row_in(p, "b", named, c)));
    program_out(p, gn_sub(e, gn_mul(z, 0.5)));
    return p;
}

static program *turned_batch(int64_t batch, int64_t r, int64_t c)
{
    program *p = sized(program_new(test_seed()), batch, r, c);
    gn_expr *x = program_in(p, "x", GN_F32, "batch, c, r"), *y = program_in(p, "y", GN_F32, "c, r");
    program_out(p, gn_mul(gn_permute(x, GN_AXES(0, 2, 1)), gn_transpose(y)));
    return p;
}

/* Batches of little work are loops within a part; y is the same for all of them. */
static program *turned_blocks(void)
{
    program *p = program_new(test_seed());
    gn_expr *x = program_in(p, "x", GN_F32, "5, 18, 3, 21"), *y = program_in(p, "y", GN_F32, "18, 21");
    program_out(p, gn_mul(gn_permute(x, GN_AXES(0, 2, 3, 1)), gn_transpose(y)));
    return p;
}

/* Elements that no instruction turns. */
static program *turned_of(gn_dtype dtype, int64_t r, int64_t c)
{
    program *p = sized(program_new(test_seed()), 0, r, c);
    p->index_most = 99;
    gn_expr *x = program_in(p, "x", dtype, "c, r"),
            *y = program_in(p, "y", dtype, gn_arena_printf(&p->arena, "%d, r", (int)c));
    program_out(p, gn_mul(gn_transpose(x), 3));
    program_out(p, gn_add(gn_transpose(y), gn_transpose(y)));
    return p;
}

/* What a border guards is no block to copy. */
static program *turned_border(int64_t r, int64_t c)
{
    program *p = sized(program_new(test_seed()), 0, r, c);
    gn_expr *x = gn_pad(gn_transpose(program_in(p, "x", GN_F32, "c, r")), 2.0, "1:1, 2:0");
    program_out(p, gn_mul(x, gn_transpose(program_in(p, "y", GN_F32, "c + 2, r + 2"))));
    return p;
}

static program *turned_double(int64_t r, int64_t c)
{
    program *p = sized(program_new(test_seed()), 0, r, c);
    gn_expr *x = gn_cast(gn_transpose(program_in(p, "x", GN_F32, "c, r")), GN_F64);
    program_out(p, gn_add(x, program_in(p, "y", GN_F64, "r, c")));
    return p;
}

static void operands_read_transposed_are_copied_in_blocks(void **state)
{
    (void)state;
    static const int64_t sizes[][2] = { { 37, 45 }, { 16, 16 }, { 64, 128 }, { 17, 530 }, { 300, 21 }, { 70, 64 } };
    for (size_t t = 0; t < sizeof cpus / sizeof *cpus; t++) {
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            check_scheduled(turned_sum(false, sizes[k][0], sizes[k][1]), cpus[t]);
            check_scheduled(turned_sum(true, sizes[k][0], sizes[k][1]), cpus[t]);
        }
        for (int64_t n = 0; n < 3; n++) check_scheduled(turned_sum(true, n, 2 - n), cpus[t]);
        check_scheduled(turned_pair(false, 33, 50), cpus[t]);
        check_scheduled(turned_pair(true, 66, 19), cpus[t]);
        check_scheduled(turned_batch(3, 18, 35), cpus[t]);
        check_scheduled(turned_blocks(), cpus[t]);
        check_scheduled(turned_of(GN_F64, 35, 20), cpus[t]);
        check_scheduled(turned_of(GN_I32, 19, 67), cpus[t]);
        check_scheduled(turned_of(GN_I64, 66, 18), cpus[t]);
        check_scheduled(turned_border(20, 35), cpus[t]);
        check_scheduled(turned_double(20, 35), cpus[t]);
    }
}

static const char *schedule_of(program *p, const gn_target *t)
{
    return schedule(p, t).text;
}

static void only_blocks_that_pay_are_copied(void **state)
{
    (void)state;
    program *blocks = turned_pair(true, 5, 5), *narrow = turned_sum(false, 4000, 10), *border = turned_border(5, 5);
    const char *text = schedule_of(blocks, &gn_target_avx512);
    assert_non_null(strstr(text, "(tensorize x_t tr16 iq1 jql)"));
    assert_non_null(strstr(text, "(tensorize y_t tr16 iq1 jql)"));
    assert_null(strstr(schedule_of(narrow, &gn_target_avx512), "tr16"));
    text = schedule_of(border, &gn_target_avx512);
    assert_non_null(strstr(text, "(tensorize y_t tr16"));
    assert_null(strstr(text, "(tensorize x_t tr16"));
    program_free(blocks), program_free(narrow), program_free(border);
}

static void random_graphs_have_legal_schedules(void **state)
{
    (void)state;
    const uint64_t first = test_seed() * 1000;
    const uint64_t n = getenv("GNOMON_TEST_GRAPHS") ? strtoull(getenv("GNOMON_TEST_GRAPHS"), NULL, 10) : 30;
    for (uint64_t i = 0; i < n; i++) {
        if (getenv("GNOMON_TEST_PRINT")) printf("; random graph %llu\n", (unsigned long long)(first + i));
        check_scheduled(program_random(first + i), cpus[i % 3]);
    }
    print_message("%d kernels, %d of them without a closed form; %zu of %zu accesses are proved to be inside\n", nkernels,
                  nplain, nproved, nasked);
    assert_int_equal(nplain, 0);
}

static const gn_target *const targets[] = { &gn_target_avx512, &gn_target_avx2, &gn_target_generic, &gn_target_c11,
                                            &gn_target_cuda };
enum { NTARGETS = sizeof targets / sizeof *targets };

static void schedule_sample(void *user, const gn_sample *s)
{
    (void)user;
    static const gn_array never_read[GN_SAMPLE_INPUTS];
    gn_expr *y = s->y;
    for (size_t t = 0; t < NTARGETS && y->type->kind != GN_TYPE_TUPLE; t++) {
        program *p = program_of(s->graph, (gn_exprs){ s->nin, (gn_expr **)s->in }, never_read, (gn_exprs){ 1, &y });
        schedule(p, targets[t]);
        program_free(p);
    }
}

static void every_op_has_a_closed_form(void **state)
{
    (void)state;
    nkernels = nplain = 0;
    gn_each_sample(schedule_sample, NULL);
    print_message("%d kernels, %d of them without a closed form\n", nkernels, nplain);
    assert_true(nkernels > 500 && nplain == 0);
}

static void random_graphs_have_closed_forms_on_every_target(void **state)
{
    (void)state;
    const char *n = getenv("GNOMON_TEST_GRAPHS");
    nkernels = nplain = 0;
    for (uint64_t seed = 1; seed <= (n ? strtoull(n, NULL, 10) : 200); seed++)
        for (size_t t = 0; t < NTARGETS; t++) {
            program *p = program_random(seed);
            schedule(p, targets[t]);
            program_free(p);
        }
    print_message("%d kernels, %d of them without a closed form\n", nkernels, nplain);
    assert_int_equal(nplain, 0);
}

static void a_kernel_of_60_axes_has_the_plain_schedule(void **state)
{
    (void)state;
    gn_arena a = { 0 };
    gn_kernel *k = gn_kernel_new(&a, "many");
    const gn_dim *n = gn_dim_const(k->dims, 5);
    const uint32_t x = gn_kernel_buf(k, "x", GN_F32, 1, &n);
    for (int i = 0; i < 60; i++) {
        const gn_dim *at = gn_dim_sym(k->dims, gn_arena_printf(&a, "i%d", i));
        gn_kernel_axis(k, gn_arena_printf(&a, "i%d", i), n);
        gn_kernel_store(k, GN_STORE_SET, gn_kernel_buf(k, gn_arena_printf(&a, "y%d", i), GN_F32, 1, &n), &at,
                        gn_kexpr_load(k, x, &at));
    }
    gn_schedule *s = NULL;
    assert_non_null(gn_default_apply(&a, k, &gn_target_avx512, &s));
    assert_string_equal("plain", s->name);
    assert_string_equal("kernel many: 60 axes are too many for a closed form", s->plain);
    gn_arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kernel_of_60_axes_has_the_plain_schedule),
        cmocka_unit_test(value_and_gradient_of_a_total),
        cmocka_unit_test(the_five_programs_on_avx512),
        cmocka_unit_test(the_five_programs_on_avx2),
        cmocka_unit_test(the_five_programs_on_any_cpu),
        cmocka_unit_test(operands_read_transposed_are_copied_in_blocks),
        cmocka_unit_test(only_blocks_that_pay_are_copied),
        cmocka_unit_test(random_graphs_have_legal_schedules),
        cmocka_unit_test(every_op_has_a_closed_form),
        cmocka_unit_test(random_graphs_have_closed_forms_on_every_target),
    };
    cmocka_set_test_filter(getenv("GNOMON_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
