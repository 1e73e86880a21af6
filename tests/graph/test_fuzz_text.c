/* Texts of graphs, changed at random: reading one gives a graph that verifies and can be grouped, or a status and a
 * sentence.
 *
 * The seeds of the texts are every op's samples and a few programs. $GNOMON_TEST_SEED: of the first text;
 * $GNOMON_TEST_TEXTS: how many [6000]. */
#include "testlib.h"
#include <gnomon/gnomon.h>
#include "graph_text.h"
#include "make_program.h"
#include "op.h"
#include "optimize.h"
#include "program.h"
#include "samples.h"
#include <stdlib.h>
#include <string.h>

typedef struct seeds {
    gn_arena arena;
    GN_VEC(const char *) text;
} seeds;

static void add_sample(void *user, const gn_sample *s)
{
    seeds *const all = user;
    char *const text = gn_graph_print(s->graph, GN_EXPRS(s->y));
    if (!text) fail_msg("%s", gn_message());
    gn_push(&all->arena, &all->text, gn_arena_string(&all->arena, text));
    gn_text_free(text);
}

static const char *const programs[] = {
    "(graph (relax reassociate) (dims n m) (constraint n m \"add: extents of axis 0\") (input 0 x f32 (n 3)) (variable "
    "1 w f32 (3 2))\n"
    "  (constant 2 f32 () 0x1p-1) (node 3 f32 (n 2) (contract %0 %1 :a (0 1) :b (1 2) :out (0 2)))\n"
    "  (node 4 f32 (n 2) (broadcast %2 :shape (n 2) :axes ())) (node 5 f32 (n 2) (mul %3 %4)) (node 6 f32 () (sum %5 "
    ":axes (0 1)))\n"
    "  (out %6) (update %1 %1))\n",
    "(graph (dims n) (input 0 x f32 ((add (mul 2 n) 1))) (input 1 y f32 (n)) (node 2 f32 (n) (slice %0 :start (1) "
    ":step (2) :shape (n)))\n"
    "  (node 3 f32 (n) (add %1 %2)) (node 4 i64 () (dim :size (n))) (out %3 %4))\n",
    "(graph (input 0 x f32 (4)) (region r0 (params (f32 (4))) (node 0 f32 (4) (param :index 0)) (node 1 f32 (4) (sin "
    "%0)) (out %1))\n"
    "  (constant 1 f32 (20) (data "
    "\"0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f"
    "0000803f0000803f0000803f0000803f0000803f0000803f0000803f\"))\n"
    "  (node 2 tuple ((f32 (4)) (f32 (20))) (tuple %0 %1)) (node 3 f32 (20) (proj %2 :index 1)) (out %3))\n",
    "(graph (dims n) (input 0 x i32 (n)) (input 1 t f32 (7 3)) (node 2 i32 (n) (check_index %0 :extent (7)))\n"
    "  (node 3 f32 (n 3) (take %1 %2 :axis 0)) (node 4 f32 (7 3) (scatter_add %1 %2 %3 :axis 0)) (out %3 %4))\n",
};

/* ---- changes ---- */

typedef struct piece { /* a token: a parenthesis, a string, an atom */
    const char *at;
    size_t n;
} piece;
typedef struct changing {
    gn_arena *arena;
    uint64_t *random;
    GN_VEC(piece) pieces;
} changing;

static size_t below(changing *c, size_t n)
{
    return (size_t)(test_random(c->random) % n);
}

static void cut(changing *c, const char *text)
{
    for (const char *at = text; *at;) {
        size_t n = strspn(at, " \n");
        at += n;
        if (!*at) return;
        n = *at == '(' || *at == ')' ? 1 : *at == '"' ? strcspn(at + 1, "\"") + 2 : strcspn(at, " \n()\"");
        gn_push(c->arena, &c->pieces, ((piece){ at, n }));
        at += n;
    }
}

static piece odd(changing *c)
{
    static const char *const words[] = { "0",
                                         "1",
                                         "-1",
                                         "2",
                                         "3",
                                         "7",
                                         "8",
                                         "9",
                                         "41",
                                         "64",
                                         "255",
                                         "70000",
                                         "2147483647",
                                         "2147483648",
                                         "4294967296",
                                         "9223372036854775807",
                                         "-9223372036854775808",
                                         "9223372036854775808",
                                         "18446744073709551615",
                                         "n",
                                         "m",
                                         "q",
                                         "%0",
                                         "%1",
                                         "%2",
                                         "%-1",
                                         "%99999999999999999999",
                                         "r0",
                                         "r1",
                                         "f32",
                                         "f64",
                                         "f16",
                                         "bf16",
                                         "bool",
                                         "i8",
                                         "u64",
                                         "i64",
                                         "nan",
                                         "inf",
                                         "-inf",
                                         "nan:7fc00001",
                                         "0x1p+1000",
                                         "1e999",
                                         "\"\"",
                                         "\"x\"",
                                         "(",
                                         ")",
                                         "()",
                                         "(n)",
                                         "(div n 0)",
                                         "(mul n n)",
                                         "(sub n 5)",
                                         "(add)",
                                         "(let (@0 n) @0)",
                                         "@0",
                                         "(load B 3)",
                                         "tuple",
                                         ":axis",
                                         ":shape",
                                         "out",
                                         "node",
                                         "input",
                                         "constant",
                                         "variable",
                                         "region",
                                         "params",
                                         "graph",
                                         "(out %0)",
                                         "()()" };
    if (below(c, 4) == 0) {
        const char *const name = gn_ops[below(c, gn_nops)]->name;
        return (piece){ name, strlen(name) };
    }
    const char *const w = words[below(c, sizeof words / sizeof *words)];
    return (piece){ w, strlen(w) };
}

static void change_pieces(changing *c)
{
    const size_t n = c->pieces.n, i = below(c, n), k = below(c, n);
    piece *const p = c->pieces.at;
    switch (below(c, 6)) {
    case 0: p[i] = odd(c); break;
    case 1: p[i] = p[k]; break;
    case 2: p[i].n = 0; break;
    case 3: { const piece x = p[i]; p[i] = p[k], p[k] = x; } break;
    case 4: /* again: a list may grow long */
        for (size_t times = below(c, 3) ? 1 : below(c, 300); times > 0; times--)
            gn_push(c->arena, &c->pieces, c->pieces.at[i]);
        break;
    default: c->pieces.n = 1 + below(c, n); break;
    }
}

static bool same(piece a, piece b)
{
    return a.n == b.n && memcmp(a.at, b.at, a.n) == 0;
}

/* One extent, name or dtype everywhere, so that types still fit. */
static void change_everywhere(changing *c)
{
    static const char *const to[] = { "0",         "1",          "2",         "5",         "7",         "8",
                                      "1000000",   "4294967296", "(add n 1)", "(sub n 5)", "(div n 2)", "(mul n n)",
                                      "(mul 2 m)", "f32",        "f64",       "i32",       "i64",       "u8",
                                      "bool",      "f16",        "n",         "m" };
    const piece what = c->pieces.at[below(c, c->pieces.n)];
    const char *const word = to[below(c, sizeof to / sizeof *to)];
    if (*what.at == '(' || *what.at == ')' || *what.at == '%' || *what.at == ':') return;
    for (size_t i = 0; i < c->pieces.n; i++)
        if (same(c->pieces.at[i], what)) c->pieces.at[i] = (piece){ word, strlen(word) };
}

static const char *changed(gn_arena *arena, uint64_t *random, const char *text, size_t *size)
{
    changing c = { .arena = arena, .random = random };
    gn_text t = { .arena = arena };
    cut(&c, text);
    for (size_t k = 1 + below(&c, 3); k > 0; k--) change_everywhere(&c);
    for (size_t k = below(&c, 3); k > 0; k--) change_pieces(&c);
    for (size_t i = 0; i < c.pieces.n; i++) gn_text_add_n(&t, c.pieces.at[i].at, c.pieces.at[i].n), gn_text_char(&t, ' ');
    char *const out = gn_arena_string(arena, gn_text_done(&t));
    if (t.n && below(&c, 8) == 0) out[below(&c, t.n)] = (char)below(&c, 256);
    *size = t.n;
    return out;
}

/* ---- what is done with one ---- */

typedef struct attempt {
    gn_arena arena;
    gn_context *context;
    const char *text;
    size_t size;
    struct gn_core *core;
    int stage;
} attempt;

static void go(void *arg)
{
    attempt *const a = arg;
    gn_text t = { .arena = &a->arena };
    a->core = gn_core_read(&a->arena, a->context, "t.gn", a->text, a->size);
    a->stage++;
    gn_core_print_with(&t, a->core, true);
    gn_core_check(a->core);
    gn_core_verify(a->core);
    a->stage++;
    if (a->core->graph->nodes.n > 300) return;
    gn_optimize(a->core, NULL);
    gn_core_verify(a->core);
    gn_program_make(&a->arena, a->core, gn_target_find("generic"), "f");
    a->stage++;
}

static void changed_texts_are_read_or_refused_with_a_sentence(void **state)
{
    (void)state;
    seeds all = { 0 };
    const char *const wanted = getenv("GNOMON_TEST_TEXTS");
    const long count = wanted ? atol(wanted) : 6000;
    long reached[4] = { 0 };
    uint64_t seed = test_seed();
    gn_each_sample(add_sample, &all);
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        for (int k = 0; k < 40; k++) gn_push(&all.arena, &all.text, programs[i]);
    for (long i = 0; i < count; i++, seed++) {
        attempt a = { .context = gn_context_default() };
        uint64_t random = seed;
        a.text = changed(&a.arena, &random, all.text.at[test_random(&random) % all.text.n], &a.size);
        const gn_status s = gn_protect(go, &a);
        if (s == GN_EINTERNAL || s > 0 || (s && !*gn_message()) || (s == GN_OK && a.stage < 2))
            fail_msg("GNOMON_TEST_SEED=%llu: %s: %s\n%.*s", (unsigned long long)seed, gn_status_name(s), gn_message(),
                     (int)a.size, a.text);
        reached[a.stage]++;
        gn_core_free(a.core);
        gn_arena_free(&a.arena);
    }
    print_message("%ld not read, %ld refused afterwards, %ld not compiled, %ld compiled\n", reached[0], reached[1],
                  reached[2], reached[3]);
    assert_true(count < 1000 || (reached[0] > count / 4 && reached[3] > count / 50));
    gn_arena_free(&all.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(changed_texts_are_read_or_refused_with_a_sentence) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
