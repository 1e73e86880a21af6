/* Emitted C: compiled by the system's compiler for every target this CPU executes, it computes what the logical kernel
 * means. */
#include "random_schedule.h"

enum { NRANDOM = 12 };

typedef struct unit {
    gn_arena arena;
    const gn_target *target;
    job jobs[2 * NCASES + NRANDOM];
    int n;
    const char *text;
} unit;

static void add(unit *u, const kernel_case *c, int lanes, gn_text *all, gn_words *words)
{
    char head[80];
    char *text = with_lanes(&u->arena, c->text, lanes);
    snprintf(head, sizeof head, "(kernel %s_w%d", c->name, lanes); /* one unit: every kernel has its own name */
    text = gn_arena_printf(&u->arena, "%s%s", head, text + strlen("(kernel ") + strlen(c->name));
    job j = lower_text(&u->arena, text, u->target);
    j.c = c;
    gn_emit_kernel(all, words, j.s->code);
    u->jobs[u->n++] = j;
}

/* ---- random schedules, those that are legal ---- */

typedef struct trial {
    unit *u;
    const char *text;
    job job;
} trial;

static void lower_trial(void *arg)
{
    trial *t = arg;
    t->job = lower_text(&t->u->arena, t->text, t->u->target);
}

static void add_random(unit *u, gn_text *all, gn_words *words)
{
    static const kernel_case loose = {
        .name = "random", .sizes = { { 5, 7, 6 }, { 1, 1, 1 }, { 4, 0, 3 }, { -1 } }, .below = 9, .tolerance = 1e-4
    };
    uint64_t seed = test_seed() + 100;
    for (int made = 0, i = 0; made < NRANDOM && i < 1000; i++) {
        trial t = { .u = u };
        const char *name = gn_arena_printf(&u->arena, "random_%d", made);
        t.text = random_schedule(&u->arena, templates[made % NTEMPLATES], name, &seed, false, NULL);
        if (gn_protect(lower_trial, &t)) continue;
        t.job.c = &loose;
        gn_emit_kernel(all, words, t.job.s->code);
        u->jobs[u->n++] = t.job;
        made++;
    }
}

static void build(void *arg)
{
    unit *u = arg;
    const char *only = getenv("GNOMON_TEST_CASE");
    gn_text all = { .arena = &u->arena }, whole = { .arena = &u->arena };
    gn_words words = { .arena = &u->arena };
    for (int i = 0; i < NCASES; i++) {
        const kernel_case *c = &kernel_cases[i];
        if (c->cuda || (only && strcmp(only, c->name) != 0)) continue;
        if (strncmp(c->name, "attention", 9) == 0 && u->target != &gn_target_avx512)
            continue; /* seconds for a compiler without such lanes */
        add(u, c, strchr(c->text, '@') ? u->target->vector_bytes / 4 : 16, &all, &words);
        if (strcmp(c->name, "mixed_widths") == 0) add(u, c, 2, &all, &words);
    }
    if (!only) add_random(u, &all, &words);
    gn_target_unit(&whole, u->target, &words, gn_text_done(&all));
    u->text = gn_text_done(&whole);
}

static void judge_library(unit *u, void *library)
{
    uint64_t seed = test_seed();
    for (int i = 0; i < u->n; i++)
        for (int run = 0; u->jobs[i].c->sizes[run][0] >= 0; run++) {
            gn_arena scratch = { 0 };
            int64_t sym[8] = { 0 };
            sizes_of(&u->jobs[i], run, sym);
            run_data d = begin_run(&scratch, &u->jobs[i], sym, &seed);
            run_compiled(library, &u->jobs[i], &d, sym);
            compare(&u->jobs[i], "compiled", sym, d.got, d.want);
            end_run(&u->jobs[i], &d);
            gn_arena_free(&scratch);
        }
}

static void judge_target(const gn_target *t)
{
    if (!gn_target_runs_here(t) || system("cc --version > /dev/null 2>&1") != 0) {
        print_message("skipped: this machine cannot compile and run code for %s\n", t->name);
        skip();
    }
    unit u = { .target = t };
    if (gn_protect(build, &u)) fail_msg("%s", gn_message());
    void *library = compile_unit(t, u.text);
    assert_non_null(library);
    judge_library(&u, library);
    dlclose(library);
    gn_arena_free(&u.arena);
}

static void avx512_code_computes_the_kernel(void **state)
{
    (void)state;
    judge_target(&gn_target_avx512);
}

static void avx2_code_computes_the_kernel(void **state)
{
    (void)state;
    judge_target(&gn_target_avx2);
}

static void generic_code_computes_the_kernel(void **state)
{
    (void)state;
    judge_target(&gn_target_generic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(avx512_code_computes_the_kernel),
        cmocka_unit_test(avx2_code_computes_the_kernel),
        cmocka_unit_test(generic_code_computes_the_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
