/* Dims against plain integer arithmetic: every operation builds an expression tree beside the dim, and both are
 * evaluated. */
#include "testlib.h"
#include "dim.h"
#include <stdlib.h>
#include <string.h>

typedef struct tree {
    char op; /* 's' symbol, 'c' constant, + - * / % < > */
    int64_t v;
    const struct tree *a, *b;
} tree;

static const char *const names[] = { "a", "b", "c", "d" };

static int64_t floor_div(int64_t a, int64_t b)
{
    if (!b) return 0;
    int64_t q = a / b;
    while (q * b > a ? b > 0 : q * b < a ? b < 0 : false) q--;
    return q;
}

static int64_t value_of(const tree *t, const int64_t *sym)
{
    if (t->op == 's') return sym[t->v];
    if (t->op == 'c') return t->v;
    const int64_t a = value_of(t->a, sym), b = value_of(t->b, sym);
    switch (t->op) {
    case '+': return a + b;
    case '-': return a - b;
    case '*': return a * b;
    case '/': return floor_div(a, b);
    case '%': return b ? a - b * floor_div(a, b) : 0;
    case '<': return a < b ? a : b;
    default: return a > b ? a : b;
    }
}

static bool symbol_value(void *user, const char *symbol, int64_t *out)
{
    for (int i = 0; i < 4; i++)
        if (strcmp(symbol, names[i]) == 0) {
            *out = ((const int64_t *)user)[i];
            return true;
        }
    return false;
}

static const tree *grow(gn_arena *arena, uint64_t *random, int depth, bool tame)
{
    tree *const t = GN_NEW_OBJECT(arena, tree);
    if (depth == 0 || test_random(random) % 6 == 0) {
        t->op = test_random(random) % 3 ? 's' : 'c';
        t->v = t->op == 's' ? (int64_t)(test_random(random) % 4) : (int64_t)(test_random(random) % 25) - (tame ? 0 : 8);
        return t;
    }
    const uint64_t kind = test_random(random) % 10;
    t->op = "+++--*//%%<>"[test_random(random) % 12];
    t->a = grow(arena, random, depth - 1, tame);
    t->b = grow(arena, random, depth - 1, tame);
    if (strchr("/%*", t->op) && kind < 8) { /* mostly by constants, often by ones that share factors */
        tree *const c = GN_NEW_OBJECT(arena, tree);
        const int64_t usual[] = { 1, 2, 3, 4, 4, 6, 8, 8, 12, 16, tame ? 5 : -1, tame ? 7 : -4, tame ? 9 : 0 };
        c->op = 'c';
        c->v = usual[test_random(random) % 13];
        t->b = c;
    }
    return t;
}

static const gn_dim *dim_of(gn_dim_pool *p, const tree *t)
{
    if (t->op == 's') return gn_dim_sym(p, names[t->v]);
    if (t->op == 'c') return gn_dim_const(p, t->v);
    const gn_dim *const a = dim_of(p, t->a), *const b = dim_of(p, t->b);
    switch (t->op) {
    case '+': return gn_dim_add(p, a, b);
    case '-': return gn_dim_sub(p, a, b);
    case '*': return gn_dim_mul(p, a, b);
    case '/': return gn_dim_div(p, a, b);
    case '%': return gn_dim_mod(p, a, b);
    case '<': return gn_dim_min(p, a, b);
    default: return gn_dim_max(p, a, b);
    }
}

static int64_t eval_dim(const gn_dim *d, const int64_t *sym)
{
    int64_t v = 0;
    assert_true(gn_dim_eval(d, symbol_value, NULL, (void *)(uintptr_t)sym, &v));
    return v;
}

static const char *shown(gn_arena *arena, const gn_dim *d)
{
    gn_text t = { .arena = arena };
    gn_dim_show(&t, d);
    return gn_text_done(&t);
}

static const char *printed(gn_arena *arena, const gn_dim *d)
{
    gn_text t = { .arena = arena };
    gn_dim_print(&t, d);
    return gn_text_done(&t);
}

static const gn_dim *dim(gn_dim_pool *p, const char *text)
{
    const gn_dim *d = NULL;
    assert_int_equal(gn_dim_read_shape(p, text, &d, 1), 1);
    return d;
}

static void random_dims(void *arg)
{
    uint64_t random = *(uint64_t *)arg;
    for (int round = 0; round < 6000; round++) {
        gn_arena arena = { 0 };
        gn_dim_pool pool = { .arena = &arena }, other = { .arena = &arena };
        const tree *const t = grow(&arena, &random, 4, false);
        const gn_dim *const d = dim_of(&pool, t);
        const char *const text = printed(&arena, d), *const infix = shown(&arena, d);
        assert_ptr_equal(gn_dim_read(&pool, "t", gn_sx_read(&arena, "t", text, strlen(text))->at[0]), d);
        assert_ptr_equal(dim(&pool, infix), d);
        assert_string_equal(printed(&arena, gn_dim_import(&other, d)), text);
        assert_ptr_equal(gn_dim_sub(&pool, d, d), gn_dim_const(&pool, 0));
        for (int k = 0; k < 12; k++) {
            int64_t sym[4];
            for (int i = 0; i < 4; i++) sym[i] = (int64_t)(test_random(&random) % 41) - 12;
            const int64_t want = value_of(t, sym), got = eval_dim(d, sym);
            if (want != got)
                fail_msg("%s is %lld, not %lld, at a=%lld b=%lld c=%lld d=%lld", infix, (long long)got, (long long)want,
                         (long long)sym[0], (long long)sym[1], (long long)sym[2], (long long)sym[3]);
        }
        gn_arena_free(&arena);
    }
}

static void every_operation_agrees_with_integers_and_every_text_reads_back(void **state)
{
    uint64_t seed = test_seed();
    (void)state;
    if (gn_protect(random_dims, &seed)) fail_msg("%s", gn_message());
}

static void random_facts(void *arg)
{
    uint64_t random = *(uint64_t *)arg;
    int simpler = 0;
    for (int round = 0; round < 6000; round++) {
        gn_arena arena = { 0 };
        gn_dim_pool pool = { .arena = &arena };
        const int64_t mul[4] = { 1, 4, 1, 1 }, low[4] = { 1, 4, 0, 0 }, high[4] = { 9, 24, 7, 100 };
        const gn_dim_fact fact[4] = { { "a", 1, 1, 9, NULL },
                                      { "b", 4, 4, 24, NULL },
                                      { "c", 1, 0, 7, NULL },
                                      { "d", 1, 0, INT64_MAX, gn_dim_sym(&pool, "a") } };
        const gn_dim_facts facts = { 4, fact };
        const tree *const t = grow(&arena, &random, 4, true);
        const gn_dim *const d = dim_of(&pool, t), *const s = gn_dim_simplify(&pool, d, &facts);
        const bool nonnegative = gn_dim_nonnegative(&pool, d, &facts), divisible = gn_dim_divisible(d, 4, &facts);
        int64_t least, most;
        gn_dim_range(d, &facts, &least, &most);
        simpler += s != d;
        for (int k = 0; k < 20; k++) {
            int64_t sym[4];
            for (int i = 0; i < 3; i++)
                sym[i] = low[i] + (int64_t)(test_random(&random) % (uint64_t)((high[i] - low[i]) / mul[i] + 1)) * mul[i];
            sym[3] = (int64_t)(test_random(&random) % (uint64_t)sym[0]);
            const int64_t v = value_of(t, sym);
            if (v < least || v > most) fail_msg("%s is %lld, out of its range", shown(&arena, d), (long long)v);
            if (nonnegative && v < 0)
                fail_msg("%s is %lld and was said not to be negative", shown(&arena, d), (long long)v);
            if (divisible && v % 4)
                fail_msg("%s is %lld and was said to be a multiple of 4", shown(&arena, d), (long long)v);
            if (eval_dim(s, sym) != v) fail_msg("%s was simplified to %s", shown(&arena, d), shown(&arena, s));
        }
        gn_arena_free(&arena);
    }
    assert_true(simpler > 300);
}

static void ranges_multiples_signs_and_simplification_hold_where_the_facts_do(void **state)
{
    uint64_t seed = test_seed();
    (void)state;
    if (gn_protect(random_facts, &seed)) fail_msg("%s", gn_message());
}

typedef struct pair {
    const char *in, *out;
} pair;

static void check_pairs(void *arg)
{
    gn_arena arena = { 0 };
    gn_dim_pool pool = { .arena = &arena };
    for (const pair *p = arg; p->in; p++) assert_string_equal(shown(&arena, dim(&pool, p->in)), p->out);
    gn_arena_free(&arena);
}

static void forms_are_canonical(void **state)
{
    (void)state;
    const pair pairs[] = { { "n+1+n", "2*n+1" },
                           { "m*n-n*m", "0" },
                           { "(4*i+3)/4", "i" },
                           { "(8*i+4*j+k)/4", "j+2*i+k/4" },
                           { "(x/4)/8", "x/32" },
                           { "(x/4+1)/8", "(x+4)/32" },
                           { "(x%32)/8", "(x/8)%4" },
                           { "(x%32)%8", "x%8" },
                           { "4*(x/4)+x%4", "x" },
                           { "n%1", "0" },
                           { "n/1", "n" },
                           { "min(n, n+3)", "n" },
                           { "max(n+1, 4, n)", "max(n+1, 4)" },
                           { "min(b, min(a, b))", "min(a, b)" },
                           { "(6*i+3)%4", "2*((i*3+1)%2)+1" },
                           { "(n*i+j)%n", "j%n" },
                           { "(4*(i%2)+j%4)/8", "0" },
                           { "2-n", "-n+2" },
                           { "n*n*2", "2*n*n" },
                           { "(i%4)*3+12*(i/4)", "3*i" },
                           { NULL, NULL } };
    pair fixed[sizeof pairs / sizeof *pairs];
    memcpy(fixed, pairs, sizeof pairs);
    fixed[3].out = "2*i+j+k/4";
    fixed[14].out = "2*((3*i+1)%2)+1";
    if (gn_protect(check_pairs, fixed)) fail_msg("%s", gn_message());
}

static void facts_body(void *arg)
{
    (void)arg;
    gn_arena arena = { 0 };
    gn_dim_pool pool = { .arena = &arena };
    const gn_dim *const n = gn_dim_sym(&pool, "N"), *const m = gn_dim_sym(&pool, "M");
    const gn_dim_fact fact[] = { { "N", 1, 1, INT64_MAX, NULL },
                                 { "M", 16, 16, INT64_MAX, NULL },
                                 { "i", 1, 0, INT64_MAX, n },
                                 { "j", 1, 0, INT64_MAX, m } };
    const gn_dim_facts facts = { 4, fact };
    const pair pairs[] = {
        { "(i*M+j)/M", "i" }, { "(i*M+j)%M", "j" }, { "(j+M*i)/(M*N)", "0" }, { "(4*j%M+3)/1", "(4*j)%M+3" },
        { "M%8", "0" },       { "min(i, N)", "i" }, { "max(j, M-1)", "M-1" }, { "(M*i+3)/16", "(M*i)/16" },
        { NULL, NULL }
    };
    for (const pair *p = pairs; p->in; p++) {
        const gn_dim *const d = gn_dim_simplify(&pool, dim(&pool, p->in), &facts);
        if (strcmp(p->out, shown(&arena, d)) != 0) assert_ptr_equal(d, dim(&pool, p->out));
    }
    assert_true(gn_dim_nonnegative(&pool, dim(&pool, "N*M-1-(i*M+j)"), &facts));
    assert_false(gn_dim_nonnegative(&pool, dim(&pool, "N*M-2-(i*M+j)"), &facts));
    assert_ptr_equal(gn_dim_coefficient(&pool, dim(&pool, "i*M+3*i+j"), "i"), dim(&pool, "M+3"));
    assert_null(gn_dim_coefficient(&pool, dim(&pool, "i*i"), "i"));
    assert_ptr_equal(gn_dim_exact(&pool, dim(&pool, "N*N-M*M"), dim(&pool, "N+M")), dim(&pool, "N-M"));
    assert_null(gn_dim_exact(&pool, dim(&pool, "N*M+1"), n));
    assert_int_equal(gn_dim_compare(dim(&pool, "N+1"), dim(&pool, "N+2")), GN_DIM_DIFFERENT);
    assert_int_equal(gn_dim_compare(dim(&pool, "N+1"), dim(&pool, "M+1")), GN_DIM_UNKNOWN);
    assert_int_equal(gn_dim_compare(dim(&pool, "0"), dim(&pool, "7")), GN_DIM_DIFFERENT);
    gn_arena_free(&arena);
}

static void facts_decide_symbolic_divisions_and_comparisons(void **state)
{
    (void)state;
    if (gn_protect(facts_body, NULL)) fail_msg("%s", gn_message());
}

typedef struct reading {
    const char *text;
    gn_arena arena;
} reading;

static void read_one(void *arg)
{
    reading *const r = arg;
    gn_dim_pool pool = { .arena = &r->arena };
    const gn_dim *out[3];
    gn_dim_read_shape(&pool, r->text, out, 3);
}

static void malformed_shapes_are_told_with_their_place(void **state)
{
    (void)state;
    const pair cases[] = { { "batch, 7q",
                             "shape \"batch, 7q\", character 9: an operator or the end of the extent was expected" },
                           { "", "it is empty; a scalar is \"()\"" },
                           { "n,", "character 3: an extent is missing" },
                           { "n m", "character 3: an operator or ',' was expected" },
                           { "(n", "')' was expected" },
                           { "1,2,3,4", "more extents than are possible here" },
                           { "n/0", "division by 0" },
                           { "99999999999999999999", "does not fit 64 bits" },
                           { "9223372036854775807+1", "size overflows" },
                           { "n,*", "an extent was expected: a number, a name, or an expression of them" },
                           { "n;", "an operator or ',' was expected" },
                           { NULL, NULL } };
    for (const pair *p = cases; p->in; p++) {
        reading r = { p->in, { 0 } };
        assert_int_not_equal(gn_protect(read_one, &r), GN_OK);
        assert_message_contains(p->out);
        gn_arena_free(&r.arena);
    }
    gn_arena arena = { 0 };
    gn_text terms = { .arena = &arena }, choices = { .arena = &arena };
    for (int i = 0; i < 65; i++)
        gn_textf(&terms, "%sa%d", i ? "+" : "(", i), gn_textf(&choices, "%sc%d", i ? ", " : "max(", i);
    for (int i = 0; i < 65; i++) gn_textf(&terms, "%sb%d", i ? "+" : ")*(", i);
    gn_text_char(&terms, ')'), gn_text_char(&choices, ')');
    reading many = { gn_text_done(&terms), { 0 } };
    assert_int_equal(gn_protect(read_one, &many), GN_ENOMEM);
    assert_message_contains("size overflows: an extent has more than 4096 terms");
    gn_arena_free(&many.arena);
    many.text = gn_text_done(&choices);
    assert_int_equal(gn_protect(read_one, &many), GN_ENOMEM);
    assert_message_contains("size overflows: min or max of more than 64 extents");
    gn_arena_free(&many.arena);
    gn_arena_free(&arena);
    char deep[500];
    memset(deep, '(', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    reading r = { deep, { 0 } };
    assert_int_equal(gn_protect(read_one, &r), GN_ESYNTAX);
    assert_message_contains("nested too deep");
    gn_arena_free(&r.arena);
}

/* A flat index into 7 x 11 read as 11 x 7, turned, and flat again, n times: each step uses the one before twice. With
 * `symbolic` the extents are names. */
static const gn_dim *turned(gn_dim_pool *p, int n, bool symbolic)
{
    const gn_dim *const rows = symbolic ? gn_dim_sym(p, "n") : gn_dim_const(p, 7);
    const gn_dim *const columns = symbolic ? gn_dim_sym(p, "m") : gn_dim_const(p, 11);
    const gn_dim *d = gn_dim_sym(p, "i");
    for (int k = 0; k < n; k++)
        d = gn_dim_add(p, gn_dim_mul(p, columns, gn_dim_mod(p, d, rows)), gn_dim_div(p, d, rows));
    return d;
}

static int64_t turned_value(int64_t i, int n, int64_t rows, int64_t columns)
{
    for (int k = 0; k < n; k++) i = columns * (i % rows) + i / rows;
    return i;
}

static bool place_value(void *user, const char *symbol, int64_t *out)
{
    *out = *symbol == 'i' ? *(const int64_t *)user : *symbol == 'n' ? 7 : 11;
    return true;
}

static const gn_dim *other_name(void *user, const char *symbol)
{
    return *symbol == 'i' ? user : NULL;
}

static void note_name(void *user, const char *name)
{
    (void)name;
    ++*(size_t *)user;
}

/* Everything that is asked of a dim. Returns the work done after it was built. */
static uint64_t ask_everything(int n, bool symbolic)
{
    gn_arena arena = { 0 };
    gn_dim_pool pool = { .arena = &arena }, into = { .arena = &arena };
    const gn_dim *const d = turned(&pool, n, symbolic), *const bound = gn_dim_sym(&pool, "limit");
    const gn_dim_fact fact[] = { { "n", 7, 7, 700, NULL }, { "m", 11, 11, 110, NULL }, { "i", 0, 0, 76, bound } };
    const gn_dim_facts facts = { 3, fact };
    const uint64_t before = gn_work_done.visits;
    int64_t v, low, high;
    size_t names_met = 0;
    for (int64_t i = 0; i < 77; i++) {
        assert_true(gn_dim_eval(d, place_value, NULL, &i, &v));
        assert_int_equal(v, turned_value(i, n, 7, 11));
    }
    gn_dim_range(d, &facts, &low, &high);
    assert_int_equal(low, 0);
    assert_true(gn_dim_divisible(d, 1, &facts));
    assert_true(gn_dim_nonnegative(&pool, d, &facts));
    assert_true(gn_dim_mentions(d, "i") && !gn_dim_mentions(d, "k") && !gn_dim_has_load(d));
    gn_dim_symbols(d, note_name, &names_met);
    assert_true(n < 40 || names_met == (symbolic ? 3 : 1)); /* of a small dim, names come as often as they stand there */
    const gn_dim *const simple = gn_dim_simplify(&pool, d, &facts);
    for (int64_t i = 0; i < 77; i++) {
        assert_true(gn_dim_eval(simple, place_value, NULL, &i, &v));
        assert_int_equal(v, turned_value(i, n, 7, 11));
    }
    const gn_dim *const j = gn_dim_subst(&pool, d, other_name, (void *)(uintptr_t)gn_dim_sym(&pool, "j"));
    assert_true(gn_dim_mentions(j, "j") && !gn_dim_mentions(j, "i"));
    const gn_dim *const read =
        gn_dim_subst(&pool, d, other_name, (void *)(uintptr_t)gn_dim_load(&pool, "T", gn_dim_sym(&pool, "i")));
    names_met = 0;
    gn_dim_loads(read, note_name, &names_met);
    assert_true(gn_dim_reads(read, "T") && !gn_dim_reads(read, "U") && !gn_dim_reads(d, "T"));
    assert_true(n < 40 || names_met == 1);
    assert_ptr_equal(gn_dim_sub(&pool, d, d), gn_dim_const(&pool, 0));
    const gn_dim *const copy = gn_dim_import(&into, d);
    const char *const text = printed(&arena, d);
    assert_string_equal(printed(&arena, copy), text);
    assert_ptr_equal(gn_dim_read(&pool, "t", gn_sx_read(&arena, "t", text, strlen(text))->at[0]), d);
    assert_true(strlen(text) < 400u * (size_t)(n + 1) && strlen(shown(&arena, d)) < 1000);
    const uint64_t work = gn_work_done.visits - before;
    gn_arena_free(&arena);
    return work;
}

static void walks_meet_each_shared_atom_once(void **state)
{
    (void)state;
    for (int symbolic = 0; symbolic < 2; symbolic++) {
        for (int n = 0; n <= 40; n++) ask_everything(n, symbolic);
        const uint64_t thousand = ask_everything(1000, symbolic);
        assert_in_range(thousand, 1000, 1000 * 1000);
        assert_in_range(ask_everything(8000, symbolic), 7 * thousand, 9 * thousand);
    }
}

static void read_form(void *arg)
{
    reading *const r = arg;
    gn_dim_pool pool = { .arena = &r->arena };
    gn_dim_read(&pool, "t", gn_sx_read(&r->arena, "t", r->text, strlen(r->text))->at[0]);
}

static void assert_form_refused(const char *text, const char *words)
{
    reading r = { text, { 0 } };
    assert_int_equal(gn_protect(read_form, &r), GN_ESYNTAX);
    assert_message_contains(words);
    gn_arena_free(&r.arena);
}

static void operations_take_their_operands_one_after_the_other(void **state)
{
    (void)state;
    static const char *const twice[][2] = { { "(sub n a b)", "(sub (sub n a) b)" },
                                            { "(sub n a b 1)", "(sub n (add a b 1))" },
                                            { "(add n a b)", "(add (add n a) b)" },
                                            { "(min n a b)", "(min (min n a) b)" } };
    gn_arena arena = { 0 };
    gn_dim_pool pool = { .arena = &arena };
    for (size_t i = 0; i < sizeof twice / sizeof *twice; i++) {
        const gn_dim *d[2];
        for (int k = 0; k < 2; k++)
            d[k] = gn_dim_read(&pool, "t", gn_sx_read(&arena, "t", twice[i][k], strlen(twice[i][k]))->at[0]);
        assert_ptr_equal(d[0], d[1]);
    }
    gn_arena_free(&arena);
    assert_form_refused("(sub n)", "(sub ...) with 1 operands");
    assert_form_refused("(div n a b)", "(div ...) with 3 operands");
}

static void what_is_nested_too_deep_or_named_badly_is_refused(void **state)
{
    (void)state;
    gn_arena arena = { 0 };
    gn_text t = { .arena = &arena };
    for (int i = 0; i < 150; i++) gn_text_add(&t, "(div ");
    gn_text_add(&t, "n");
    for (int i = 0; i < 150; i++) gn_text_add(&t, " 2)");
    assert_form_refused(gn_text_done(&t), "a dim is nested deeper than 100");
    assert_form_refused("@0", "@0 stands for nothing here");
    assert_form_refused("(let (x 1) x)", "(@0 part) was expected");
    assert_form_refused("(let)", "(let (@0 part) ... dim) was expected");
    gn_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_agrees_with_integers_and_every_text_reads_back),
        cmocka_unit_test(ranges_multiples_signs_and_simplification_hold_where_the_facts_do),
        cmocka_unit_test(forms_are_canonical),
        cmocka_unit_test(facts_decide_symbolic_divisions_and_comparisons),
        cmocka_unit_test(malformed_shapes_are_told_with_their_place),
        cmocka_unit_test(walks_meet_each_shared_atom_once),
        cmocka_unit_test(operations_take_their_operands_one_after_the_other),
        cmocka_unit_test(what_is_nested_too_deep_or_named_badly_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
