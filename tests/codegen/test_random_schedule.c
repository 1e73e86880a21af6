/* Random schedules that use every directive: what is not refused means what the kernel means, but for those that
 * tests/known_wrong.txt names. */
#include "random_schedule.h"

typedef struct trial {
    gn_arena arena;
    const char *text, *wrong;    /* wrong: what, NULL nothing */
    const gn_target *target;
    job job;
    int64_t sym[3];
    bool plain;
    gn_code_ranges ranges;
} trial;

static void lower_trial(void *arg)
{
    trial *t = arg;
    t->job = lower_text(&t->arena, t->text, t->target);
    t->ranges = gn_code_verify_ranges(t->job.s->code, &t->arena);
}

/* The schedule without its `(peel LEAF)`. */
static const char *unpeeled(gn_arena *a, const char *text)
{
    gn_text t = { .arena = a };
    for (const char *peel; (peel = strstr(text, " (peel ")); text = strchr(peel, ')') + 1)
        gn_text_add(&t, gn_arena_printf(a, "%.*s", (int)(peel - text), text));
    gn_text_add(&t, text);
    return gn_text_done(&t);
}

/* Cut loops give the bits of whole ones, which the code in d has given; NULL: nothing is wrong. */
static const char *other_bits(trial *t, run_data *d)
{
    const job whole = lower_text(&t->arena, unpeeled(&t->arena, t->text), t->target);
    const size_t n = t->job.kernel->bufs.n;
    char **was = GN_NEW_ARRAY(&t->arena, char *, n + 1);
    for (size_t b = 0; b < n; b++) was[b] = gn_arena_copy(&t->arena, d->got[b].data, d->got[b].bytes);
    reset(&t->job, d);
    gn_code_interpret(whole.s->code, d->args, t->sym, 1, &t->arena);
    for (size_t b = 0; b < n; b++)
        if (memcmp(was[b], d->got[b].data, d->got[b].bytes) != 0) return "without peel it has other bits";
    return NULL;
}

static void run_trial(void *arg)
{
    static const kernel_case loose = { .name = "random", .below = 9, .tolerance = 1e-4 };
    trial *t = arg;
    uint64_t seed = 7;
    gn_arena *scratch = &t->arena;
    t->job.c = &loose;
    run_data d = begin_run(scratch, &t->job, t->sym, &seed);
    for (uint64_t order = 1; !t->wrong && order <= 2; order++) { /* of parts and threads */
        reset(&t->job, &d);
        gn_code_interpret(order == 1 ? t->job.s->code : reread(scratch, t->job.s->code), d.args, t->sym, order, scratch);
        t->wrong = difference(scratch, &t->job, "code", t->sym, d.got, d.want);
    }
    if (!t->wrong && strstr(t->text, "(peel ")) t->wrong = other_bits(t, &d);
    end_run(&t->job, &d);
}

typedef enum { RIGHT, REFUSED, WRONG } verdict;

static verdict judge(trial *t, int seed)
{
    static const int64_t extents[][3] = { { 5, 7, 3 },   { 1, 1, 1 }, { 17, 9, 4 }, { 4, 33, 6 },
                                          { 9, 16, 16 }, { 0, 3, 2 }, { 3, 0, 2 },  { 6, 5, 0 } };
    memcpy(t->sym, extents[seed % 8], sizeof t->sym);
    uint64_t random = (uint64_t)seed;
    for (int i = 0; i < 4; i++) test_random(&random); /* small seeds are alike at first */
    const char *kernel = templates[pick(&random, NTEMPLATES)];
    t->text = random_schedule(&t->arena, kernel, "wild", &random, t->target->lang == GN_LANG_CUDA, &t->plain);
    if (gn_protect(lower_trial, t)) {
        if (!strstr(gn_message(), "schedule s: ")) fail_msg("seed %d: %s\n%s", seed, gn_message(), t->text);
        return REFUSED;
    }
    t->wrong = t->ranges.outside;
    if (!t->wrong && gn_protect(run_trial, t)) t->wrong = gn_arena_string(&t->arena, gn_message());
    return t->wrong ? WRONG : RIGHT;
}

/* Lines "TARGET SEED what is wrong". */
static bool is_known(const char *target, int seed)
{
    FILE *f = fopen(TEST_DIR "/known_wrong.txt", "r");
    char line[400], name[40];
    bool found = false;
    int number;
    assert_non_null(f);
    while (!found && fgets(line, sizeof line, f))
        found = sscanf(line, "%39s %d", name, &number) == 2 && number == seed && strcmp(name, target) == 0;
    fclose(f);
    return found;
}

static void judge_target(const gn_target *target)
{
    const char *count = getenv("GNOMON_TEST_COUNT"), *only = getenv("GNOMON_TEST_CASE");
    const char *from = getenv("GNOMON_TEST_FIRST");
    const int first = only   ? atoi(only)
                      : from ? atoi(from)
                             : 1,
              last = only ? first : first - 1 + (count ? atoi(count) : 500);
    int n[3] = { 0 }, nplain[3] = { 0 }, unexpected = 0;
    size_t asked = 0, proved = 0;
    for (int seed = first; seed <= last; seed++) {
        trial t = { .target = target };
        const verdict v = judge(&t, seed);
        if (getenv("GNOMON_TEST_SHOW"))
            print_message("%s %d: %s\n", target->name, seed,
                          v == RIGHT   ? "right"
                          : v == WRONG ? "wrong"
                                       : gn_message());
        const bool known = is_known(target->name, seed);
        n[v]++, nplain[v] += t.plain;
        asked += t.ranges.asked, proved += t.ranges.proved;
        if ((v == WRONG) != known || (v == WRONG && t.plain)) {
            unexpected++;
            print_message("%s %d%s: %s\n%s\n", target->name, seed, t.plain ? " (plain)" : "",
                          v == WRONG ? t.wrong : "is no longer wrong", t.text);
        }
        gn_arena_free(&t.arena);
    }
    print_message(
        "%s: %d right, %d refused, %d wrong; of them without at, layout, inner rfactor and online %d, %d, %d\n",
        target->name, n[RIGHT], n[REFUSED], n[WRONG], nplain[RIGHT], nplain[REFUSED], nplain[WRONG]);
    print_message("%s: %zu of %zu accesses are proved to be inside\n", target->name, proved, asked);
    assert_int_equal(0, unexpected);
    assert_true(only || proved > asked / 100 * 98);
    assert_true(only || n[RIGHT] > (last - first + 1) / 2);
}

static void schedules_for_vectors_are_right_or_refused_or_known(void **state)
{
    (void)state;
    judge_target(&gn_target_avx512);
}

static void schedules_for_blocks_and_threads_are_right_or_refused_or_known(void **state)
{
    (void)state;
    judge_target(&gn_target_cuda);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schedules_for_vectors_are_right_or_refused_or_known),
        cmocka_unit_test(schedules_for_blocks_and_threads_are_right_or_refused_or_known),
    };
    return cmocka_run_group_tests_name("codegen/random_schedule", tests, NULL, NULL);
}
