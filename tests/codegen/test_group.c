/* Grouping: what it makes of programs, and that its kernels, run in order, mean what the graph means. */
#include "programs.h"
#include <gnomon/grad.h>
#include <gnomon/ops.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "visit.h"

static void run_and_check(program *p)
{
    program_group(p, &gn_target_avx512);
    program_check(p, program_interpret);
}

static void a_total_of_maps_is_one_kernel(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    program_size(p, "n", 37);
    gn_expr *x = program_in(p, "x", GN_F32, "n");
    program_out(p, gn_sum_all(gn_tanh(gn_mul(x, x))));
    run_and_check(p);
    assert_int_equal(p->grouping->groups.n, 1);
    program_free(p);
}

static void value_and_gradient_of_a_total(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    program_size(p, "n", 37);
    gn_expr *x = program_in(p, "x", GN_F32, "n"), *t = gn_tanh(gn_mul(x, x));
    program_out(p, gn_sum_all(t));
    program_out(p, gn_mul(gn_sub(1, gn_mul(t, t)), gn_mul(x, 2)));
    run_and_check(p);
    assert_int_equal(p->grouping->groups.n, 1);
    program_free(p);
}

static void outputs_from_memory_alone_are_maps(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    program_size(p, "n", 5);
    gn_expr *x = program_in(p, "x", GN_F32, "n, 3"), *y = program_in(p, "y", GN_F32, "3");
    program_out(p, gn_add(gn_exp(x), y));
    program_out(p, x);
    program_out(p, gn_mul(x, 2.0));
    run_and_check(p);
    program_free(p);
}

/* ---- moves ---- */

static void moves_are_indices(void **state)
{
    (void)state;
    const int64_t sizes[] = { 1, 2, 5 };
    for (size_t k = 0; k < 3; k++) {
        program *p = program_new(test_seed() + k);
        program_size(p, "n", sizes[k]);
        gn_expr *x = program_in(p, "x", GN_F32, "n, 6"), *y = program_in(p, "y", GN_F32, "3, n");
        program_out(p, gn_mul(gn_reshape(x, "n, 2, 3"), 2.0));
        program_out(p, gn_exp(gn_reshape(x, "3, 2*n")));
        program_out(p, gn_reshape(gn_transpose(x), "6*n"));
        program_out(p, gn_slice(x, ":, 1:6:2"));
        program_out(p, gn_slice(x, ":, 4::-1"));
        program_out(p, gn_pad(x, 7.0, "1:2, :3"));
        program_out(p, gn_flip(gn_add(x, 1.0), GN_AXES(0, 1)));
        program_out(p, gn_concat(GN_EXPRS(x, gn_mul(x, x), gn_slice(x, ":, 1:2")), 1));
        program_out(p, gn_concat(GN_EXPRS(y, gn_flip(y, GN_AXES(1))), 0));
        program_out(p, gn_add(gn_permute(gn_reshape(x, "n, 2, 3"), GN_AXES(2, 1, 0)), gn_reshape(y, "3, 1, n")));
        run_and_check(p);
        program_free(p);
    }
}

static void moves_of_sums_come_in_later_kernels(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    program_size(p, "n", 6);
    gn_expr *x = program_in(p, "x", GN_F32, "n, 4"), *s = gn_sum(x, GN_AXES(1));
    gn_expr *e = gn_exp(s);
    program_out(p, gn_sub(e, gn_flip(e, GN_AXES(0))));
    program_out(p, gn_sum_all(gn_mul(gn_pad(s, 0.0, "1:0"), gn_pad(s, 0.0, "0:1"))));
    run_and_check(p);
    program_free(p);
}

/* ---- indices ---- */

static void rows_are_taken_and_added_by_index(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    program_size(p, "n", 7);
    p->index_most = 5;
    gn_expr *x = program_in(p, "x", GN_F32, "5, 3"), *t = program_in(p, "t", GN_I32, "n"),
            *u = program_in(p, "u", GN_F32, "n, 3");
    gn_expr *rows = gn_take(x, t, 0);
    program_out(p, gn_tanh(rows));
    program_out(p, gn_sum(gn_mul(rows, u), GN_AXES(1)));
    program_out(p, gn_scatter_add(gn_mul(x, 2.0), t, gn_mul(u, u), 0));
    program_out(p, gn_take(gn_exp(x), gn_slice(t, "0:2"), 0));
    program_out(p, gn_take(gn_transpose(x), gn_reshape(t, "n, 1"), 1));
    run_and_check(p);
    assert_int_equal(p->grouping->checks.n, 1); /* a slice of the input is not checked whole */
    assert_true(gn_dim_is(p->grouping->checks.at[0].bound, 5));
    assert_non_null(strstr(program_text(p), "(t i32 n :in 0 5)"));
    program_free(p);
}

static void computed_indices_are_held_within_the_axis(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    p->index_most = 9;
    gn_expr *x = program_in(p, "x", GN_F32, "4, 3"), *t = program_in(p, "t", GN_I32, "5");
    program_out(p, gn_take(x, gn_sub(t, 2), 0));
    program_out(p, gn_scatter_add(x, gn_mul(t, 3), gn_take(x, gn_mul(t, 0), 0), 0));
    run_and_check(p);
    assert_int_equal(p->grouping->checks.n, 0);
    assert_null(strstr(program_text(p), ":in"));
    program_free(p);
}

static void one_hot_is_a_condition(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    program_size(p, "n", 4);
    gn_expr *x = program_in(p, "x", GN_F32, "n, 3"), *t = program_in(p, "t", GN_I32, "n");
    gn_expr *j = gn_iota(p->graph, GN_I32, 1, "n, 3"), *label = gn_reshape(t, "n, 1");
    program_out(p, gn_sum(gn_select(gn_eq(j, label), x, 0.0), GN_AXES(1)));
    program_out(p, gn_select(gn_lt(label, j), x, -1.0));
    run_and_check(p);
    assert_int_equal(p->grouping->groups.n, 1);
    assert_non_null(strstr(program_text(p), "(if (eq j (load t i))"));
    program_free(p);
}

static void a_reshape_of_a_reshape_gives_back_the_axes(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    program_size(p, "n", 4), program_size(p, "m", 5);
    gn_expr *x = program_in(p, "x", GN_F32, "n, m"), *flat = gn_tanh(gn_reshape(x, "n*m"));
    program_out(p, gn_sum(gn_mul(gn_reshape(flat, "n, m"), x), GN_AXES(1)));
    run_and_check(p);
    assert_null(strstr(program_text(p), "(div "));
    assert_null(strstr(program_text(p), "(mod "));
    program_free(p);
}

/* ---- dtypes, ranks, extents ---- */

static void integers_bools_and_doubles(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    program_size(p, "n", 5);
    gn_expr *a = program_in(p, "a", GN_I64, "n"), *b = program_in(p, "b", GN_I32, "n"),
            *c = program_in(p, "c", GN_BOOL, "n");
    gn_expr *d = program_in(p, "d", GN_F64, "n"), *u = program_in(p, "u", GN_U32, "n");
    program_out(p, gn_add(a, b));
    program_out(p, gn_sum_all(gn_mul(d, d)));
    program_out(p, gn_all(gn_logical_or(c, gn_lt(d, 0.5)), GN_AXES(0)));
    program_out(p, gn_select(c, gn_cast(d, GN_I32), b));
    program_out(p, gn_bit_xor(u, gn_shl(u, 3)));
    program_out(p, gn_max(b, GN_AXES(0)));
    program_out(p, gn_mul(gn_cast(gn_dim(d, 0), GN_F64), d));
    run_and_check(p);
    program_free(p);
}

static void extents_of_zero_and_one(void **state)
{
    (void)state;
    for (int64_t n = 0; n < 2; n++) {
        program *p = program_new(test_seed());
        program_size(p, "n", n);
        gn_expr *x = program_in(p, "x", GN_F32, "n, 3"), *z = program_in(p, "z", GN_F32, "0, 4");
        program_out(p, gn_sum(x, GN_AXES(0)));
        program_out(p, gn_max(x, GN_AXES(1)));
        program_out(p, gn_sum_all(z));
        program_out(p, gn_concat(GN_EXPRS(z, gn_mul(z, 2.0)), 0));
        program_out(p, gn_pad(z, 1.5, "1:0, :"));
        run_and_check(p);
        program_free(p);
    }
}

/* ---- outputs and updates ---- */

static void an_output_may_be_an_input_and_twice_the_same(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    gn_expr *x = program_in(p, "x", GN_F32, "3"), *y = gn_tanh(x);
    program_in(p, "unused", GN_F32, "2");
    program_out(p, x);
    program_out(p, y);
    program_out(p, y);
    program_out(p, gn_number(p->graph, GN_F32, 4.0));
    run_and_check(p);
    program_free(p);
}

static int32_t in_place(const program *p, const char *name)
{
    for (size_t i = 0; i < p->grouping->values.n; i++)
        if (strcmp(p->grouping->values.at[i].name, name) == 0) return p->grouping->values.at[i].in_place;
    fail_msg("no value %s", name);
    return -1;
}

static void an_update_is_in_place_where_nobody_reads_later(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    gn_expr *w = program_variable(p, "w", GN_F32, 2, (int64_t[]){ 70, 80 }), *g = program_in(p, "g", GN_F32, "70, 80");
    program_update(p, w, gn_sub(w, gn_mul(g, 0.1)));
    program_out(p, gn_sum_all(gn_mul(w, w)));
    run_and_check(p);
    assert_true(in_place(p, "w_new") >= 0 || p->grouping->groups.n == 1);
    program_free(p);
}

static void variables_that_exchange_values_are_not_both_in_place(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    gn_expr *a = program_variable(p, "a", GN_F32, 1, (int64_t[]){2000}),
            *b = program_variable(p, "b", GN_F32, 1, (int64_t[]){2000});
    program_update(p, a, b);
    program_update(p, b, a);
    run_and_check(p);
    assert_true(in_place(p, "a_new") < 0 || in_place(p, "b_new") < 0);
    program_free(p);
}

static void updates_that_read_each_other_take_effect_together(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    gn_expr *a = program_variable(p, "a", GN_F32, 1, (int64_t[]){2000}),
            *b = program_variable(p, "b", GN_F32, 1, (int64_t[]){2000});
    program_update(p, a, gn_add(a, gn_flip(b, GN_AXES(0))));
    program_update(p, b, gn_sub(b, gn_exp(gn_flip(a, GN_AXES(0)))));
    program_out(p, gn_mul(a, b));
    run_and_check(p);
    program_free(p);
}

/* ---- the five programs ---- */

static void check_count(program *p, size_t kernels)
{
    program_group(p, &gn_target_avx512);
    if (p->grouping->groups.n != kernels)
        fail_msg("%zu kernels, expected %zu\n%s", p->grouping->groups.n, kernels, program_text(p));
    program_check(p, program_interpret);
    program_free(p);
}

static void a_training_step_is_five_kernels(void **state)
{
    (void)state;
    check_count(program_mlp(6, 34, 70, 10), 5);
    program *p = program_mlp(0, 34, 70, 10);
    program_size(p, "batch", 5);
    check_count(p, 5);
}

static void layer_norm_with_gradients_is_one_kernel(void **state)
{
    (void)state;
    check_count(program_layer_norm(40, 37), 1);
    program *p = program_layer_norm(0, 30);
    program_size(p, "r", 7);
    check_count(p, 1);
}

static void cross_entropy_with_gradient_is_one_kernel(void **state)
{
    (void)state;
    program *p = program_cross_entropy(0, 0);
    program_size(p, "r", 7);
    program_size(p, "c", 11);
    check_count(p, 1);
}

static void logistic_regression_with_gradient_is_one_kernel(void **state)
{
    (void)state;
    program *p = program_logistic(0, 13);
    program_size(p, "r", 21);
    check_count(p, 1);
}

static void a_tiny_network_is_one_function(void **state)
{
    (void)state;
    check_count(program_tiny(16), 1);
    check_count(program_tiny(3), 1);
}

/* ---- what must not arrive here ---- */

static void group_it(void *arg)
{
    program_group_or_throw(arg, &gn_target_avx512);
}

static void a_graph_that_no_pass_has_seen_is_refused(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        program *p = program_new(1);
        gn_expr *const x = program_in(p, "x", GN_F32, "4, 4");
        program_out(p, i ? gn_matmul(x, x) : gn_softmax(x, 1));
        assert_int_equal(gn_protect(group_it, p), GN_EINTERNAL);
        assert_message_contains(i ? "grouping: contract is no operation of the core graph"
                                  : "grouping: the composite softmax was not decomposed");
        program_free(p);
    }
}

/* ---- random graphs ---- */

static void random_graphs_keep_their_values(void **state)
{
    (void)state;
    const uint64_t first = test_seed() * 1000;
    const uint64_t n = getenv("GNOMON_TEST_GRAPHS") ? strtoull(getenv("GNOMON_TEST_GRAPHS"), NULL, 10) : 150;
    for (uint64_t i = 0; i < n; i++) {
        program *p = program_random(first + i);
        if (getenv("GNOMON_TEST_PRINT")) printf("; random graph %llu\n", (unsigned long long)(first + i));
        program_group(p, &gn_target_avx512);
        program_check(p, program_interpret);
        program_free(p);
    }
}

/* ---- concatenations ---- */

/* Kernels that write parts of a concat, and how many places they write; no kernel chooses by position. */
static size_t slices_of(program *p)
{
    size_t slices = 0;
    for (size_t i = 0; i < p->grouping->groups.n; i++) {
        const gn_kernel *k = p->grouping->groups.at[i].kernel;
        gn_visit v = { .arena = &p->arena, .operand = gn_kexpr_operand };
        for (size_t s = 0; s < k->stores.n; s++) {
            gn_visit_add(&v, k->stores.at[s].value);
            slices += p->grouping->values.at[p->grouping->groups.at[i].buf.at[k->stores.at[s].buf]].kind == GN_VALUE_SLICE;
        }
        for (size_t d = 0; d < k->defs.n; d++) gn_visit_add(&v, k->defs.at[d].body);
        for (const gn_kexpr *e; (e = gn_visit_next(&v));)
            if (e->kind == GN_K_IF) fail_msg("a choice by position\n%s", program_text(p));
    }
    return slices;
}

static void parts_are_written_where_they_lie(void **state)
{
    (void)state;
    for (int axis = 0; axis < 3; axis++) {
        program *p = program_new(test_seed());
        program_size(p, "n", 9);
        gn_expr *x = program_in(p, "x", GN_F32, "n, 6, 5"), *part[40];
        for (int k = 0; k < 40; k++)
            part[k] = k % 4 == 0   ? x
                      : k % 4 == 1 ? gn_exp(x)
                      : k % 4 == 2 ? gn_slice(part[k - 1], axis ? ":, 2:, 1:" : "0:0")
                                   : gn_neg(part[k - 2]);
        for (int k = 0; k < 40; k++)
            if (k % 4 == 2 && axis) part[k] = gn_mul(x, k);
        program_out(p, gn_concat(((gn_exprs){ 40, part }), axis));
        run_and_check(p);
        assert_int_equal(slices_of(p), axis ? 40 : 30); /* empty ones are not written */
        program_free(p);
    }
}

/* What a sum computes goes straight into the stack: nothing is stored twice. */
static void a_stack_of_sums_is_written_by_the_sums(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    program_size(p, "n", 90);
    gn_expr *part[9];
    for (int k = 0; k < 9; k++) {
        char name[8];
        snprintf(name, sizeof name, "x%d", k);
        part[k] = gn_sum(program_in(p, name, GN_F32, "n, 50"), GN_AXES(1));
    }
    program_out(p, gn_stack(((gn_exprs){ 9, part }), 1));
    run_and_check(p);
    assert_int_equal(slices_of(p), 9);
    for (size_t i = 0; i < p->grouping->values.n; i++) assert_int_not_equal(p->grouping->values.at[i].kind, GN_VALUE_TEMP);
    program_free(p);
}

/* A concat that is a part of two others has no place of its own; one that is read is a value like any other. */
static void concats_of_concats_have_one_place(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    program_size(p, "n", 90);
    gn_expr *x = program_in(p, "x", GN_F32, "n, 3"), *y = gn_exp(x);
    gn_expr *inner = gn_concat(GN_EXPRS(x, y, gn_neg(x), gn_sin(x), gn_cos(x)), 1);
    gn_expr *outer = gn_concat(GN_EXPRS(inner, inner, gn_mul(inner, 2.0)), 0);
    program_out(p, gn_concat(GN_EXPRS(outer, gn_flip(inner, GN_AXES(0)), outer), 0));
    run_and_check(p);
    assert_true(slices_of(p) >= 20);
    program_free(p);
}

/* One stored operand of a product in place of a copy for each row: it does not vary along them. */
static void nothing_is_stored_along_axes_that_it_lacks(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    p->optimize = true;
    program_size(p, "n", 33);
    gn_expr *part[6];
    for (int k = 0; k < 6; k++) {
        char name[8];
        snprintf(name, sizeof name, "x%d", k);
        part[k] = gn_tanh(program_in(p, name, GN_F32, "40, 30"));
    }
    gn_expr *stack = gn_stack(((gn_exprs){ 6, part }), 0), *w = program_in(p, "w", GN_F32, "n, 30");
    program_out(p, gn_einsum("sij,nj->sni", stack, w));
    run_and_check(p);
    for (size_t i = 0; i < p->grouping->values.n; i++) {
        const gn_gvalue *v = &p->grouping->values.at[i];
        int64_t count = 1;
        for (uint32_t d = 0; v->kind == GN_VALUE_TEMP && d < v->expr->type->n; d++) count *= program_extent(p, v->shape[d]);
        assert_in_range(count, 0, 6 * 40 * 30);
    }
    program_free(p);
}

static void gradients_of_slices_are_joined(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    p->optimize = true;
    program_size(p, "n", 40);
    gn_expr *x = program_in(p, "x", GN_F32, "n, 24"), *loss = NULL;
    for (int k = 0; k < 8; k++) {
        gn_expr *piece = gn_sum_all(gn_mul(gn_sin(gn_slice(x, ":, %d:%d", 3 * k, 3 * k + 3)), k + 1));
        loss = loss ? gn_add(loss, piece) : piece;
    }
    program_out(p, gn_grad(loss, x));
    run_and_check(p);
    assert_int_equal(slices_of(p), 8);
    program_free(p);
}

/* Each step of an unrolled loop reads its own rows: at the start of its buffer, so that one kernel's text serves all. */
static void steps_of_a_loop_have_one_text(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    program_size(p, "n", 5);
    gn_expr *x = program_in(p, "x", GN_F32, "6, n, 40"), *w = program_in(p, "w", GN_F32, "40, 40"),
            *h = program_in(p, "h", GN_F32, "n, 40");
    for (int t = 0; t < 6; t++) h = gn_tanh(gn_add(gn_matmul(h, w), gn_slice(x, "%d", t)));
    program_out(p, h);
    p->optimize = true;
    run_and_check(p);
    assert_int_equal(p->grouping->groups.n, 6);
    for (size_t i = 0; i < 6; i++) {
        const gn_kernel *k = p->grouping->groups.at[i].kernel;
        for (size_t b = 0; b < k->bufs.n; b++)
            if (strcmp(k->bufs.at[b].name, "x") == 0) assert_true(gn_dim_is(k->bufs.at[b].shape[0], 1));
    }
    program_free(p);
}

/* ---- order and size ---- */

static void weights_of_a_training_step_are_updated_in_place(void **state)
{
    (void)state;
    program *p = program_mlp(60, 78, 100, 10);
    program_group(p, &gn_target_avx512);
    for (size_t i = 0; i < p->grouping->values.n; i++)
        if (p->grouping->values.at[i].kind == GN_VALUE_UPDATE && p->grouping->values.at[i].in_place < 0 &&
            strcmp(p->grouping->values.at[i].name, "b2_new") != 0) /* its kernel reads b2 for the logits, too */
            fail_msg("%s has memory of its own\n%s", p->grouping->values.at[i].name, program_text(p));
    program_check(p, program_interpret);
    program_free(p);
}

/* A map over consecutive elements has one axis, whatever the rank; what stands alone keeps its own. */
static void an_update_of_any_rank_is_one_axis(void **state)
{
    (void)state;
    static const int64_t shape[] = { 500, 3, 10 };
    program *p = program_new(test_seed());
    program_size(p, "n", 7);
    gn_expr *w = program_variable(p, "w", GN_F32, 3, shape), *g = program_in(p, "g", GN_F32, "500, 3, 10");
    gn_expr *x = program_in(p, "x", GN_F32, "n, 3, 10"), *b = program_in(p, "b", GN_F32, "10");
    program_update(p, w, gn_sub(w, gn_mul(g, 0.1)));
    program_out(p, gn_add(x, b));
    run_and_check(p);
    assert_non_null(strstr(program_text(p), "(axes (i 15000 :role row))"));
    assert_non_null(strstr(program_text(p), "(axes (i (mul 3 n) :role row) (k 10))"));
    for (size_t i = 0; i < p->grouping->values.n; i++)
        if (p->grouping->values.at[i].kind == GN_VALUE_UPDATE) assert_true(p->grouping->values.at[i].in_place >= 0);
    program_free(p);
}

/* Deep graphs are cut, not descended into. */
static void a_long_chain_is_cut_into_kernels(void **state)
{
    (void)state;
    enum { LINKS = 3000 };
    program *p = program_new(test_seed());
    program_size(p, "n", 3);
    gn_expr *x = program_in(p, "x", GN_F32, "n"), *y = x;
    for (int i = 0; i < LINKS; i++) y = gn_mul(gn_add(y, x), 0.5 + 0.0001 * i);
    program_out(p, y);
    run_and_check(p);
    assert_in_range(p->grouping->groups.n, LINKS / 100, LINKS / 10);
    program_free(p);
}

static void a_sum_of_many_inputs_is_cut_into_kernels(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    gn_expr *sum = NULL;
    for (int i = 0; i < 50; i++) {
        char name[8];
        snprintf(name, sizeof name, "x%d", i);
        gn_expr *x = program_in(p, name, GN_F32, "70, 30");
        sum = sum ? gn_add(gn_mul(sum, 0.5), gn_tanh(x)) : x;
    }
    program_out(p, sum);
    run_and_check(p);
    assert_in_range(p->grouping->groups.n, 3, 6);
    program_free(p);
}

/* Work for each node must not grow with the graph: two deep networks, one four times as deep as the other. */
static double grouping_ms(int layers, size_t *kernels)
{
    program *p = program_new(test_seed());
    p->optimize = true;
    gn_expr *h = program_in(p, "x", GN_F32, "60, 64");
    gn_expr *w[200], *slope[200];
    for (int i = 0; i < layers; i++) {
        char name[8];
        snprintf(name, sizeof name, "w%d", i);
        w[i] = program_variable(p, name, GN_F32, 2, (int64_t[]){ 64, 64 });
        h = gn_tanh(gn_matmul(h, w[i]));
    }
    gn_grads(gn_sum_all(gn_mul(h, h)), (size_t)layers, w, slope);
    for (int i = 0; i < layers; i++) program_update(p, w[i], gn_sub(w[i], gn_mul(slope[i], 0.1)));
    const double start = (double)clock();
    program_group(p, &gn_target_avx512);
    const double ms = ((double)clock() - start) / CLOCKS_PER_SEC * 1e3;
    *kernels = p->grouping->groups.n;
    program_free(p);
    return ms;
}

static void deep_networks_have_three_kernels_a_layer(void **state)
{
    (void)state;
    size_t few, many;
    const double a = grouping_ms(40, &few), b = grouping_ms(160, &many);
    print_message("%zu kernels %.1f ms, %zu kernels %.1f ms\n", few, a, many, b);
    assert_int_equal(few, 3 * 40 - 1);
    assert_int_equal(many, 3 * 160 - 1);
}

/* ---- comments ---- */

/* y = einsum(letters, a, b): what stands above its kernel. */
static void expect_comment(const char *letters, const char *a, const char *b, const char *words)
{
    program *p = program_new(test_seed());
    p->optimize = true;
    gn_expr *x = program_in(p, "x", GN_F32, a), *y = program_in(p, "y", GN_F32, b);
    program_out(p, gn_einsum(letters, x, y));
    program_group(p, &gn_target_avx512);
    assert_string_equal(p->grouping->groups.at[0].kernel->comment, words);
    program_free(p);
}

static void comments_say_which_operand_is_transposed(void **state)
{
    (void)state;
    expect_comment("ik,kj->ij", "40, 50", "50, 60", "out = x @ y");
    expect_comment("ki,kj->ij", "50, 40", "50, 60", "out = x^T @ y");
    expect_comment("ik,jk->ij", "40, 50", "60, 50", "out = x @ y^T");
    expect_comment("ki,jk->ij", "50, 40", "60, 50", "out = x^T @ y^T");
    expect_comment("ik,kj->ji", "40, 50", "50, 60", "out = y^T @ x^T");
    expect_comment("ki,kj->ji", "50, 40", "50, 60", "out = y^T @ x");
    expect_comment("ik,kj->ij", "n, m", "m, 7", "out = x @ y");
    expect_comment("ik,k->i", "n, m", "m", "out = x @ y");
    expect_comment("ki,k->i", "m, n", "m", "out = y @ x");
    expect_comment("bik,bkj->bij", "8, 40, 50", "8, 50, 60", "out = einsum(\"ijk,ikl->ijl\", x, y)");
    expect_comment("ikl,klj->ij", "40, 5, 6", "5, 6, 70", "out = einsum(\"ijk,jkl->il\", x, y)");
    expect_comment("k,k->", "50", "50", "out = sum(x * y)");
}

static void comments_say_along_which_axis_a_sum_goes(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    p->optimize = true;
    gn_expr *x = program_in(p, "x", GN_F32, "64, 50, 1"), *t = program_in(p, "t", GN_I32, "64");
    gn_expr *z = program_in(p, "z", GN_F32, "64, 50");
    program_out(p, gn_sum(x, GN_AXES(0)));
    program_out(p, gn_max(gn_sum(gn_exp(x), GN_AXES(1)), GN_AXES(0, 1)));
    program_out(p, gn_cross_entropy(z, t));
    program_group(p, &gn_target_avx512);
    gn_text all = { .arena = &p->arena };
    for (size_t i = 0; i < p->grouping->groups.n; i++) gn_textf(&all, "%s\n", p->grouping->groups.at[i].kernel->comment);
    const char *words = gn_text_done(&all);
    assert_non_null(strstr(words, "out0 = sum(x, axis 0)\n"));
    assert_non_null(strstr(words, "out1 = max(sum(exp(x), axis 1))\n"));
    assert_null(strstr(words, "check_index"));
    program_free(p);
}

static void comments_put_operands_into_brackets(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    p->optimize = true;
    gn_expr *x = program_in(p, "x", GN_F32, "64, 50"), *g = program_in(p, "g", GN_F32, "64, 70");
    const int64_t shape[2] = { 50, 70 };
    gn_expr *w = program_variable(p, "w", GN_F32, 2, shape);
    program_update(p, w, gn_sub(w, gn_mul(gn_matmul(gn_transpose(gn_mul(x, 2.0)), g), 0.25)));
    program_group(p, &gn_target_avx512);
    assert_string_equal(p->grouping->groups.at[0].kernel->comment, "w_new = w - (x * 2)^T @ g * 0.25");
    program_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_total_of_maps_is_one_kernel),
        cmocka_unit_test(value_and_gradient_of_a_total),
        cmocka_unit_test(outputs_from_memory_alone_are_maps),
        cmocka_unit_test(moves_are_indices),
        cmocka_unit_test(moves_of_sums_come_in_later_kernels),
        cmocka_unit_test(rows_are_taken_and_added_by_index),
        cmocka_unit_test(computed_indices_are_held_within_the_axis),
        cmocka_unit_test(one_hot_is_a_condition),
        cmocka_unit_test(a_reshape_of_a_reshape_gives_back_the_axes),
        cmocka_unit_test(integers_bools_and_doubles),
        cmocka_unit_test(extents_of_zero_and_one),
        cmocka_unit_test(an_output_may_be_an_input_and_twice_the_same),
        cmocka_unit_test(an_update_is_in_place_where_nobody_reads_later),
        cmocka_unit_test(variables_that_exchange_values_are_not_both_in_place),
        cmocka_unit_test(updates_that_read_each_other_take_effect_together),
        cmocka_unit_test(a_training_step_is_five_kernels),
        cmocka_unit_test(layer_norm_with_gradients_is_one_kernel),
        cmocka_unit_test(cross_entropy_with_gradient_is_one_kernel),
        cmocka_unit_test(logistic_regression_with_gradient_is_one_kernel),
        cmocka_unit_test(a_tiny_network_is_one_function),
        cmocka_unit_test(weights_of_a_training_step_are_updated_in_place),
        cmocka_unit_test(an_update_of_any_rank_is_one_axis),
        cmocka_unit_test(a_long_chain_is_cut_into_kernels),
        cmocka_unit_test(a_sum_of_many_inputs_is_cut_into_kernels),
        cmocka_unit_test(deep_networks_have_three_kernels_a_layer),
        cmocka_unit_test(parts_are_written_where_they_lie),
        cmocka_unit_test(a_stack_of_sums_is_written_by_the_sums),
        cmocka_unit_test(concats_of_concats_have_one_place),
        cmocka_unit_test(nothing_is_stored_along_axes_that_it_lacks),
        cmocka_unit_test(gradients_of_slices_are_joined),
        cmocka_unit_test(steps_of_a_loop_have_one_text),
        cmocka_unit_test(a_graph_that_no_pass_has_seen_is_refused),
        cmocka_unit_test(comments_say_which_operand_is_transposed),
        cmocka_unit_test(comments_say_along_which_axis_a_sum_goes),
        cmocka_unit_test(comments_put_operands_into_brackets),
        cmocka_unit_test(random_graphs_keep_their_values),
    };
    cmocka_set_test_filter(getenv("GNOMON_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
