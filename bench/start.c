/* What it costs to begin: the digits training step compiled cold, and a new process that finds it in the cache, from
 * its start to the result of one step on data in memory.
 *
 * usage: start [RUNS]   warm processes to measure [21] */
#include <gnomon/gnomon.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "meter.h"

extern char **environ;

enum { PIXELS = 64, HIDDEN = 128, CLASSES = 10, BATCH = 32, MOST = 201 };

typedef struct outcome {
    gn_func_info info; /* its texts mean nothing to another process */
    float loss;
    double until;      /* the result was there, by the clock that all processes share */
} outcome;

static gn_expr *dense(gn_expr *x, const char *w, const char *b, int nin, int nout)
{
    gn_graph *g = gn_graph_of(x);
    return gn_add(gn_matmul(x, gn_param(g, w, GN_F32, GN_HE, "%d, %d", nin, nout)),
                  gn_param(g, b, GN_F32, GN_ZEROS, "%d", nout));
}

/* The step of examples/digits.c, once, on made-up images. */
static int step(outcome *o)
{
    static float image[BATCH * PIXELS];
    static int32_t label[BATCH];
    const int64_t dims[2] = { BATCH, PIXELS };
    float rate = 0.2f, score;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = gn_input(g, "x", GN_F32, "batch, %d", PIXELS), *t = gn_input(g, "t", GN_I32, "batch");
    gn_expr *z = dense(gn_relu(dense(gn_div(x, 16.0), "w1", "b1", PIXELS, HIDDEN)), "w2", "b2", HIDDEN, CLASSES);
    gn_expr *loss = gn_mean_all(gn_cross_entropy(z, t)), *hits = gn_mean_all(gn_eq(gn_argmax(z, 1), t));
    gn_expr *falling = gn_shared(g, "rate", GN_SCALAR(&rate));
    gn_func *f = NULL;
    meter_fill(image, BATCH * PIXELS, 1, 8);
    for (int i = 0; i < BATCH; i++) label[i] = i % CLASSES;
    const int bad = gn_compile(&f, g, .in = GN_EXPRS(x, t), .out = GN_EXPRS(loss, hits),
                               .update = gn_momentum(loss, gn_params(g), falling, 0.9), .name = "digits_step") ||
                    gn_call(f, GN_ARRAYS(gn_array_of(image, GN_F32, 2, dims), GN_VIEW(label, BATCH)),
                            GN_ARRAYS(GN_SCALAR(&o->loss), GN_SCALAR(&score)));
    o->until = meter_now();
    if (bad) fprintf(stderr, "%s\n", gn_message());
    else o->info = gn_func_inspect(f);
    gn_func_free(f);
    gn_graph_free(g);
    return bad;
}

static int child(void)
{
    outcome o = { .loss = 0 };
    return step(&o) || write(STDOUT_FILENO, &o, sizeof o) != (ssize_t)sizeof o;
}

/* Seconds from the start of a process to its result; negative if it failed. */
static double run(const char *self, outcome *o)
{
    int ends[2], status = 1;
    pid_t pid;
    posix_spawn_file_actions_t actions;
    if (pipe(ends)) return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    const double start = meter_now();
    const int bad = posix_spawn(&pid, self, &actions, NULL, (char *[]){ (char *)self, "--child", NULL }, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    const bool whole = !bad && read(ends[0], o, sizeof *o) == (ssize_t)sizeof *o;
    close(ends[0]);
    if (!bad) waitpid(pid, &status, 0);
    return whole && !status ? o->until - start : -1;
}

static int by_value(const void *x, const void *y)
{
    const double a = *(const double *)x, b = *(const double *)y;
    return a < b ? -1 : a > b;
}

static void remove_folder(const char *dir)
{
    char *const words[] = { "rm", "-rf", (char *)dir, NULL };
    pid_t pid;
    if (!posix_spawnp(&pid, "rm", NULL, NULL, words, environ)) waitpid(pid, NULL, 0);
}

static int cold(const char *self, int runs, outcome *o)
{
    double t[MOST];
    for (int i = 0; i < runs; i++) {
        char dir[] = "/tmp/gnomon-start-XXXXXX";
        if (!mkdtemp(dir)) return 1;
        setenv("GNOMON_CACHE_DIR", dir, 1);
        const double whole = run(self, o);
        remove_folder(dir);
        if (whole < 0) return 1;
        t[i] = o->info.build_ms + o->info.optimize_ms + o->info.codegen_ms + o->info.compile_ms + o->info.load_ms;
    }
    qsort(t, (size_t)runs, sizeof *t, by_value);
    printf("cold compile  %6.0f ms  (%.0f .. %.0f; median of %d processes; of the last: build %.1f, optimize %.1f, "
           "emit %.1f, compile %.1f, load %.1f)\n",
           t[runs / 2], t[0], t[runs - 1], runs, o->info.build_ms, o->info.optimize_ms, o->info.codegen_ms,
           o->info.compile_ms, o->info.load_ms);
    return 0;
}

static int warm(const char *self, int runs, float loss)
{
    double t[MOST];
    char dir[] = "/tmp/gnomon-start-XXXXXX";
    outcome o;
    int bad = !mkdtemp(dir);
    setenv("GNOMON_CACHE_DIR", dir, 1);
    bad = bad || run(self, &o) < 0;
    for (int i = 0; !bad && i < runs; i++) {
        t[i] = run(self, &o);
        bad = t[i] < 0 || !o.info.cache_hit || o.loss != loss; /* the same bits */
    }
    remove_folder(dir);
    if (bad) return 1;
    qsort(t, (size_t)runs, sizeof *t, by_value);
    printf("warm start    %6.2f ms  (%.2f .. %.2f; median of %d processes, begin to the result of one step)\n",
           t[runs / 2] * 1e3, t[0] * 1e3, t[runs - 1] * 1e3, runs);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "--child")) return child();
    const int given = argc > 1 ? atoi(argv[1]) : 21, runs = given < 1 ? 1 : given > MOST ? MOST : given;
    outcome o;
    if (cold("/proc/self/exe", runs < 7 ? runs : 7, &o) || warm("/proc/self/exe", runs, o.loss)) {
        fprintf(stderr, "start: a process failed\n");
        return 1;
    }
    return 0;
}
