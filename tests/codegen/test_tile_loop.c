/* Accumulators of a tile are arrays in unrolled loops, and registers all the same: the loop that multiplies touches no
 * stack, whoever compiles it with -O1. Where there may be no pragma for that, they are variables. */
#include "judge.h"
#include "unit_cc.h"

typedef struct trial {
    gn_arena arena;
    const gn_target *target;
    int rows, lanes;
    const char *body, *unit;
} trial;

static void emit(void *arg)
{
    trial *t = arg;
    gn_text body = { .arena = &t->arena }, unit = body;
    gn_words words = { .arena = &t->arena };
    const char *text =
        gn_arena_printf(&t->arena,
                        "(kernel gemm (syms (M :mul 8) (N :mul 32) K) (bufs (A f32 K M) (B f32 K N) (C f32 M N)) (axes "
                        "(i M) (j N) (k K))"
                        " (def acc (i j) (sum (k) (mul (load A k i) (load B k j)))) (store set C (i j) (acc i j)))"
                        "(schedule g (split i ip (i1 %d)) (split j j0 (j1 2) (jl %d)) (order ip j0 k i1 j1 jl) (bind "
                        "part ip) (bind private i1 j1)%s)",
                        t->rows, t->lanes, t->lanes > 1 ? " (bind lane jl)" : "(bind private jl)");
    const job j = lower_text(&t->arena, text, t->target);
    gn_emit_kernel(&body, &words, j.s->code);
    t->body = gn_text_done(&body);
    gn_target_unit(&unit, t->target, &words, t->body);
    t->unit = gn_text_done(&unit);
}

static trial emitted(const gn_target *target, int rows, int lanes)
{
    trial t = { .target = target, .rows = rows, .lanes = lanes };
    if (gn_protect(emit, &t)) fail_msg("%s", gn_message());
    return t;
}

/* What the compiler writes for it, as a list of lines. */
static char *assembly(const char *compiler, const char *source)
{
    char path[] = "/tmp/tileXXXXXX.c", command[300];
    const int fd = mkstemps(path, 2);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, source, strlen(source)), strlen(source));
    close(fd);
    snprintf(command, sizeof command, "%s -std=c11 -O1 -ffp-contract=off -w -S -o - %s", compiler, path);
    FILE *f = popen(command, "r");
    size_t n = 0, capacity = 1 << 22;
    char *text = malloc(capacity);
    assert_non_null(f);
    assert_non_null(text);
    for (size_t got; (got = fread(text + n, 1, capacity - 1 - n, f)) > 0;) n += got;
    text[n] = '\0';
    assert_int_equal(pclose(f), 0);
    unlink(path);
    return text;
}

typedef struct straight {
    int products, stack;
} straight;

/* The straight line of code that multiplies most: how often, and how often it touches the stack. */
static straight longest_product(const char *text)
{
    straight best = { 0, 0 }, now = { 0, 0 };
    const bool framed = strstr(text, "%rsp, %rbp"); /* else it is a register like any other */
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        const size_t n = strcspn(line, "\n");
        char word[200];
        snprintf(word, sizeof word, "%.*s", (int)(n < 199 ? n : 199), line);
        const bool label = word[0] != '\t' && word[0] != ' ' && strchr(word, ':'), jump = strstr(word, "\tj") != NULL;
        if (strstr(word, "vfmadd")) now.products++;
        if (strstr(word, "(%rsp") || (framed && strstr(word, "(%rbp"))) now.stack++;
        if (label || jump) {
            if (now.products > best.products) best = now;
            now = (straight){ 0, 0 };
        }
        if (!line[n]) break;
    }
    return best;
}

static void judge(const gn_target *target, int rows, int lanes)
{
    trial t = emitted(target, rows, lanes);
    const char *declared = gn_arena_printf(&t.arena, "gn_f32x%d acc[%d][2];", lanes, rows);
    assert_non_null(strstr(t.body, declared));
    assert_non_null(strstr(t.body, "GN_UNROLLED("));
    for (const char *const *c = unit_compilers(); *c; c++) {
        if (strcmp(*c, "tcc") == 0) continue;
        char *text = assembly(*c, t.unit);
        const straight loop = longest_product(text);
        print_message("%s, %s, %d x 2: %d products, %d times the stack\n", target->name, *c, rows, loop.products,
                      loop.stack);
        assert_true(loop.products >= 2 * rows);
        assert_int_equal(loop.stack, 0);
        free(text);
    }
    gn_arena_free(&t.arena);
}

static void accumulators_stay_in_registers(void **state)
{
    (void)state;
    if (!unit_compilers()[0]) skip();
    judge(&gn_target_avx512, 8, 16);
    judge(&gn_target_avx512, 4, 16);
    judge(&gn_target_avx2, 4, 8);
}

static void c11_has_variables(void **state)
{
    (void)state;
    trial t = emitted(&gn_target_c11, 4, 1);
    assert_null(strstr(t.body, "GN_UNROLLED"));
    assert_non_null(strstr(t.body, "acc_3_1"));
    gn_arena_free(&t.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(accumulators_stay_in_registers),
                                        cmocka_unit_test(c11_has_variables) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
