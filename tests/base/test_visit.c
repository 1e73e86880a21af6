/* Walks over shared operands. */
#include "testlib.h"
#include "visit.h"

typedef struct node {
    const struct node *in[2];
} node;

static const void *operand_of(const void *n, size_t i) { return i < 2 ? ((const node *)n)->in[i] : NULL; }

static void a_shared_operand_is_met_once_and_before_its_users(void **state)
{
    (void)state;
    /* each uses the one before twice: 2^N ways to the first; so deep that recursion would end the stack */
    enum { N = 100000 };
    gn_arena arena = { 0 };
    node *chain = GN_NEW_ARRAY(&arena, node, N);
    for (int i = 1; i < N; i++) chain[i].in[0] = chain[i].in[1] = &chain[i - 1];
    const uint64_t before = gn_work_done.visits;
    gn_visit v = { .arena = &arena, .operand = operand_of };
    gn_visit_add(&v, &chain[N - 1]);
    int n = 0;
    for (const node *e; (e = gn_visit_next(&v));) {
        assert_ptr_equal(e, &chain[n]);
        n++;
    }
    assert_int_equal(n, N);
    assert_int_equal(gn_work_done.visits - before, N);
    gn_arena_free(&arena);
}

static void roots_may_be_added_later(void **state)
{
    (void)state;
    gn_arena arena = { 0 };
    node a = { 0 }, b = { .in = { &a } }, c = { .in = { &a, &b } };
    gn_visit v = { .arena = &arena, .operand = operand_of };
    gn_visit_add(&v, &b);
    assert_ptr_equal(gn_visit_next(&v), &a);
    assert_ptr_equal(gn_visit_next(&v), &b);
    assert_null(gn_visit_next(&v));
    gn_visit_add(&v, &c);
    gn_visit_add(&v, NULL);
    assert_ptr_equal(gn_visit_next(&v), &c);
    assert_null(gn_visit_next(&v));
    gn_arena_free(&arena);
}

static bool is_not(void *user, const void *n) { return n != user; }

static void what_is_not_entered_hides_what_only_it_uses(void **state)
{
    (void)state;
    gn_arena arena = { 0 };
    node a = { 0 }, b = { .in = { &a } }, s = { 0 }, c = { .in = { &b, &s } };
    gn_visit v = { .arena = &arena, .operand = operand_of, .enter = is_not, .user = &b };
    gn_visit_add(&v, &c);
    assert_ptr_equal(gn_visit_next(&v), &s);
    assert_ptr_equal(gn_visit_next(&v), &c);
    assert_null(gn_visit_next(&v));
    gn_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shared_operand_is_met_once_and_before_its_users),
        cmocka_unit_test(roots_may_be_added_later),
        cmocka_unit_test(what_is_not_entered_hides_what_only_it_uses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
