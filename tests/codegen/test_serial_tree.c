/* Loops of small kernels as one code function: each is compared with an independent loop, and bit for bit with the same
 * program run as separate steps, compiled and interpreted. */
#include <math.h>
#include "failing_alloc.h"
#include "emit_program.h"
#include "tree_run.h"

/* ---- programs without source ---- */

/* A kernel whose schedule is found, as the steps that are made of it. */
#define KERNEL(name, text) " (kernel " name " 0 1 0 0 \"(kernel " name " " text ")\" \"\")\n"
#define TURN " (sym t -2 -1 0)"
#define F64(kind, number, name, shape, bytes)                                                                          \
    " (value " kind " " #number " \"" name "\" f64 (" shape ") " bytes " -1 -1 -1)\n"
#define F32(kind, number, name, shape, bytes)                                                                          \
    " (value " kind " " #number " \"" name "\" f32 (" shape ") " bytes " -1 -1 -1)\n"
#define WHOLE(to, from) " (copy (" #to " " #from ") () () ())"

static const char *const targets[] = {"avx512", "avx2", "generic", "c11"};

typedef struct emission {
    const char *text, *target;
    bool loops_stay;
    gn_program *p;
} emission;

static void emit(void *user)
{
    emission *e = user;
    e->p = gn_program_read(&arena, "serial", e->text, strlen(e->text));
    gn_program_emit(e->p, gn_target_find(e->target), e->loops_stay);
}

static const char *text_of(int inputs, int outputs, const char *items)
{
    return gn_arena_printf(&arena, "(program \"serial\" %d %d\n%s (source \"\"))", inputs, outputs, items);
}

static gn_program *emitted(const char *text, const char *target, bool loops_stay)
{
    emission e = {text, target, loops_stay, NULL};
    must(gn_protect(emit, &e));
    return e.p;
}

static const char *printed(const gn_program *p)
{
    gn_text t = {.arena = &arena};
    gn_program_print(&t, p);
    return gn_text_done(&t);
}

static size_t loops_of(const gn_program *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->steps.n; i++) n += p->steps.at[i].kind == GN_STEP_LOOP;
    return n;
}

static const gn_program *host_program(const char *text, bool loops_stay)
{
    return emitted(text, gn_target_host()->name, loops_stay);
}

static void run(int toolchain, const char *text, gn_arrays in, gn_arrays out)
{
    gn_func *f = tree_compile(toolchain, text, NULL);
    for (int call = 0; call < 2; call++) {
        tree_clear(out);
        must(gn_call(f, in, out));
    }
    gn_func_free(f);
}

/* As steps and as one function, compiled: the same bits. The outputs of the one function are left in `out`. */
static void run_both(const char *text, gn_arrays in, gn_arrays out)
{
    const gn_arrays steps = tree_outputs(out);
    assert_int_equal(loops_of(host_program(text, false)), 0);
    assert_true(loops_of(host_program(text, true)) > 0);
    run(0, printed(host_program(text, true)), in, steps);
    run(0, text, in, out);
    tree_compare(out, steps);
}

/* What is computed exactly: these bits, compiled and interpreted, as steps, and as code for every target. */
static void check_exact(const char *text, gn_arrays in, gn_arrays want)
{
    const gn_arrays out = tree_outputs(want);
    tree_check(text, in, want, NULL);
    run(0, printed(host_program(text, true)), in, out);
    tree_compare(out, want);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        run(1, printed(emitted(text, targets[i], false)), in, out);
        tree_compare(out, want);
    }
}

static void assert_near(const float *got, const double *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabs(got[i] - want[i]) <= 1e-5)) fail_msg("element %zu is %g, expected %g", i, (double)got[i], want[i]);
}

/* ---- 60 states: h' = tanh(W h + x[t] + b), y[t] = h' ---- */

enum { STATES = 60, MOST_TURNS = 100 };
#define RECURRENCE                                                                                                     \
    " (sym n 0 0 -1)" TURN F32("input", 0, "x", "n 60", "(mul 240 n)") F32("input", 1, "W", "60 60", "14400") F32(     \
        "input", 2, "h0", "60", "240") F32("input", 3, "b", "60", "240") F32("output", 0, "y", "n 60",                 \
                                                                             "(mul 240 n)") F32("output", 1, "last",   \
                                                                                                "60", "240")           \
        F32("temp", 0, "h", "60", "240") F32("temp", 0, "next", "60", "240") KERNEL(                                   \
            "cell",                                                                                                    \
            "(syms) (bufs (H f32 60) (Y f32 60) (W f32 60 60) (G f32 60) (X f32 60) (B f32 60)) (axes (i 60) (k 60))"  \
            " (def s (i) (sum (k) (mul (load W i k) (load G k)))) (def v (i) (tanh (add (add (s i) (load X i)) (load " \
            "B i))))"                                                                                                  \
            " (store set H (i) (v i)) (store set Y (i) (v i))") " (loop t n ((6 2 7)) () (step 0 0 cell 1 (7 (4 (mul " \
                                                                "240 t)) 1 6 (0 (mul 240 t)) 3) () ()))" WHOLE(5, 6)

static void recurrence(int64_t n, const float *x, const float *w, const float *h0, const float *b, double *y)
{
    double h[STATES], next[STATES];
    for (int i = 0; i < STATES; i++) h[i] = h0[i];
    for (int64_t t = 0; t < n; t++) {
        for (int i = 0; i < STATES; i++) {
            double s = 0;
            for (int k = 0; k < STATES; k++) s += (double)w[STATES * i + k] * h[k];
            y[STATES * t + i] = next[i] = tanh(s + x[STATES * t + i] + b[i]);
        }
        memcpy(h, next, sizeof h);
    }
}

static void fill(float *a, size_t n, double low, double high, uint64_t *seed)
{
    for (size_t i = 0; i < n; i++) a[i] = (float)test_uniform(seed, low, high);
}

static void sixty_states_go_round(void **state)
{
    (void)state;
    static const int64_t turns[] = {0, 1, 2, 3, MOST_TURNS};
    static float x[MOST_TURNS * STATES], w[STATES * STATES], h0[STATES], b[STATES], y[MOST_TURNS * STATES],
        last[STATES];
    static double want[MOST_TURNS * STATES];
    uint64_t seed = test_seed();
    fill(x, MOST_TURNS * STATES, -1, 1, &seed), fill(w, STATES * STATES, -0.12, 0.12, &seed);
    fill(h0, STATES, -1, 1, &seed), fill(b, STATES, -0.5, 0.5, &seed);
    const char *text = text_of(4, 2, RECURRENCE);
    for (size_t k = 0; k < sizeof turns / sizeof *turns; k++) {
        const int64_t n = turns[k];
        run_both(text,
                 GN_ARRAYS(gn_array_of(x, GN_F32, 2, (int64_t[]){n, STATES}),
                           gn_array_of(w, GN_F32, 2, (int64_t[]){STATES, STATES}), gn_array_1d(h0, GN_F32, STATES),
                           gn_array_1d(b, GN_F32, STATES)),
                 GN_ARRAYS(gn_array_of(y, GN_F32, 2, (int64_t[]){n, STATES}), gn_array_1d(last, GN_F32, STATES)));
        recurrence(n, x, w, h0, b, want);
        assert_near(y, want, (size_t)n * STATES);
        assert_memory_equal(last, n ? y + STATES * (n - 1) : h0, sizeof last);
    }
}

/* ---- 512 cells: two carried values, sigmoids and hyperbolic tangents of them and of what comes in ---- */

enum { CELLS = 512, MOST_BATCH = 3, CELL_TURNS = 20 };
#define SIGMOID(x) "(div 1 (add 1 (exp (neg " x "))))"
static void cells(int64_t n, int64_t width, const float *x, const float *start, double *y)
{
    for (int64_t i = 0; i < width; i++) {
        double h = start[i], c = start[i];
        for (int64_t t = 0; t < n; t++) {
            const double in = x[t * width + i];
            c = c / (1 + exp(-(in + h))) + tanh(in - h);
            h = tanh(c) / (1 + exp(-in));
            y[t * width + i] = h + c;
        }
    }
}

static const char *cell_text(bool batch)
{
    static const char alone[] = " (sym n 0 0 -1)" TURN F32("input", 0, "x", "n 512", "(mul 2048 n)") F32(
        "input", 1, "start", "512", "2048") F32("output", 0, "y", "n 512",
                                                "(mul 2048 n)") F32("temp", 0, "h", "512", "2048") F32("temp", 0, "c",
                                                                                                       "512", "2048")
        F32("temp", 0, "h2", "512", "2048") F32("temp", 0, "c2", "512", "2048") KERNEL(
            "cell",
            "(syms) (bufs (C2 f32 512) (H2 f32 512) (X f32 512) (H f32 512) (C f32 512)) (axes (i 512))"
            " (def g (i) " SIGMOID(
                "(add (load X i) (load H i))") ")"
                                               " (def c (i) (add (mul (g i) (load C i)) (tanh (sub (load X i) (load H "
                                               "i)))))"
                                               " (store set C2 (i) (c i)) (store set H2 (i) (mul (tanh (c i)) " SIGMOID(
                                                   "(load X i)") "))")
            KERNEL("out",
                   "(syms) (bufs (Y f32 512) (H f32 512) (C f32 512)) (axes (i 512)) (store set Y (i) (add (load H i) "
                   "(load C i)))") " (loop t n ((3 1 5) (4 1 6)) () (step 0 0 cell 1 (6 5 (0 (mul 2048 t)) 3 4) () ())"
                                   " (step 1 0 out 1 ((2 (mul 2048 t)) 5 6) () ()))";
    static const char with[] = " (sym n 0 0 -1) (sym m 0 1 -1)" TURN F32(
        "input", 0, "x", "n m 512",
        "(mul 2048 n m)") F32("input", 1, "start", "m 512",
                              "(mul 2048 m)") F32("output", 0, "y", "n m 512",
                                                  "(mul 2048 n m)") F32("temp", 0, "h", "m 512",
                                                                        "(mul 2048 m)") F32("temp", 0, "c", "m 512",
                                                                                            "(mul 2048 m)")
        F32("temp", 0, "h2", "m 512", "(mul 2048 m)") F32("temp", 0, "c2", "m 512", "(mul 2048 m)") KERNEL(
            "cell",
            "(syms b) (bufs (C2 f32 b 512) (H2 f32 b 512) (X f32 b 512) (H f32 b 512) (C f32 b 512)) (axes (r b) (i "
            "512))"
            " (def g (r i) " SIGMOID("(add (load X r i) (load H r i))") ")"
                                                                        " (def c (r i) (add (mul (g r i) (load C r i)) "
                                                                        "(tanh (sub (load X r i) (load H r i)))))"
                                                                        " (store set C2 (r i) (c r i)) (store set H2 "
                                                                        "(r i) (mul (tanh (c r i)) " SIGMOID(
                                                                            "(load X r i)") "))")
            KERNEL("out",
                   "(syms b) (bufs (Y f32 b 512) (H f32 b 512) (C f32 b 512)) (axes (r b) (i 512))"
                   " (store set Y (r i) (add (load H r i) (load C r i)))") " (loop t n ((3 1 5) (4 1 6)) () (step 0 0 "
                                                                           "cell 1 (6 5 (0 (mul 2048 m t)) 3 4) (1) ())"
                                                                           " (step 1 0 out 1 ((2 (mul 2048 m t)) 5 6) "
                                                                           "(1) ()))";
    return text_of(2, 1, batch ? with : alone);
}

static float cell_x[CELL_TURNS * MOST_BATCH * CELLS], cell_start[MOST_BATCH * CELLS],
    cell_y[CELL_TURNS * MOST_BATCH * CELLS];
static double cell_want[CELL_TURNS * MOST_BATCH * CELLS];

static void fill_cells(void)
{
    uint64_t seed = test_seed();
    fill(cell_x, CELL_TURNS * MOST_BATCH * CELLS, -1, 1, &seed), fill(cell_start, MOST_BATCH * CELLS, -1, 1, &seed);
}

static void cells_are_parts_that_run_all_turns(void **state)
{
    (void)state;
    static const int64_t turns[] = {0, 1, 2, CELL_TURNS};
    fill_cells();
    for (size_t k = 0; k < sizeof turns / sizeof *turns; k++) {
        const int64_t n = turns[k];
        run_both(
            cell_text(false),
            GN_ARRAYS(gn_array_of(cell_x, GN_F32, 2, (int64_t[]){n, CELLS}), gn_array_1d(cell_start, GN_F32, CELLS)),
            GN_ARRAYS(gn_array_of(cell_y, GN_F32, 2, (int64_t[]){n, CELLS})));
        cells(n, CELLS, cell_x, cell_start, cell_want);
        assert_near(cell_y, cell_want, (size_t)n * CELLS);
    }
}

static void a_batch_of_cells_is_parts(void **state)
{
    (void)state;
    fill_cells();
    for (int64_t m = 1; m <= MOST_BATCH; m++) {
        run_both(cell_text(true),
                 GN_ARRAYS(gn_array_of(cell_x, GN_F32, 3, (int64_t[]){CELL_TURNS, m, CELLS}),
                           gn_array_of(cell_start, GN_F32, 2, (int64_t[]){m, CELLS})),
                 GN_ARRAYS(gn_array_of(cell_y, GN_F32, 3, (int64_t[]){CELL_TURNS, m, CELLS})));
        cells(CELL_TURNS, m * CELLS, cell_x, cell_start, cell_want);
        assert_near(cell_y, cell_want, (size_t)(CELL_TURNS * m * CELLS));
    }
}

/* Vectors of all four values stay in registers, and the parts are counted. */
static void carried_cells_are_registers(void **state)
{
    (void)state;
    const gn_program *p = emitted(cell_text(true), "avx512", false);
    const char *code = p->kernels.at[0].kernel;
    assert_int_equal(p->steps.n, 1);
    assert_null(strstr(code, "(stack"));
    assert_non_null(strstr(code, ":carry (h c"));
    assert_non_null(strstr(code, "((r_part m) (i_part 8))"));
    assert_string_equal(gn_dim_text(&arena, p->steps.at[0].parts), "8*m");
}

/* ---- loops that nest, exchange, share a batch ---- */

/* a, b, c = b, c, a + b + turn */
#define ROTATION                                                                                                       \
    " (sym n 0 0 -1)" TURN F64("input", 0, "x", "n", "(mul 8 n)") F64("output", 0, "y", "4", "32")                     \
        F64("temp", 0, "a", "4", "32") F64("temp", 0, "b", "4", "32") F64("temp", 0, "c", "4", "32")                   \
            F64("temp", 0, "next", "4",                                                                                \
                "32") " (value constant 0 \"one\" f64 (4) 32 -1 -1 -1 "                                                \
                      "\"000000000000f03f000000000000f03f000000000000f03f000000000000f03f\")"                          \
                      "\n" KERNEL("both", "(syms t) (bufs (Y f64 4) (A f64 4) (B f64 4)) (axes (i 4))"                 \
                                          " (store set Y (i) (add (add (load A i) (load B i)) (f64 "                   \
                                          "(index t))))") " (loop t n ((2 6 3) (3 6 4) (4 6 5)) () (step "             \
                                                          "0 0 both 1 (5 2 3) (1) ()))" WHOLE(1, 4)

static void three_values_move_up(void **state)
{
    (void)state;
    static const int64_t turns[] = {0, 1, 2, 3, 4, 50};
    for (size_t k = 0; k < sizeof turns / sizeof *turns; k++) {
        double x[50] = {0}, v[3] = {1, 1, 1}, want[4];
        for (int64_t t = 0; t < turns[k]; t++) {
            const double next = v[0] + v[1] + (double)t;
            v[0] = v[1], v[1] = v[2], v[2] = next;
        }
        for (int i = 0; i < 4; i++) want[i] = v[2];
        check_exact(text_of(1, 1, ROTATION), GN_ARRAYS(gn_array_1d(x, GN_F64, turns[k])), GN_ARRAYS(vec(want)));
    }
}

/* For each row: s = 2 s + x, then so often as the inner loop turns: s = s + inner turn; shown after each outer turn. */
#define NESTED(inner)                                                                                                  \
    " (sym n 0 0 -1) (sym m 1 0 -1)" TURN                                                                              \
    " (sym u -2 -1 0)" F64("input", 0, "x", "n 4", "(mul 32 n)") F64("input", 1, "z", "m", "(mul 8 m)") F64(           \
        "output", 0, "y", "n 4", "(mul 32 n)") F64("output", 1, "last", "4", "32") F64("temp", 0, "s", "4", "32")      \
        F64("temp", 0, "doubled", "4", "32") F64("temp", 0, "inner", "4", "32") F64("temp", 0, "more", "4", "32") F64( \
            "temp", 0, "next", "4",                                                                                    \
            "32") " (value constant 0 \"zero\" f64 (4) 32 -1 -1 -1 "                                                   \
                  "\"0000000000000000000000000000000000000000000000000000000000000000\")\n" KERNEL("twice",            \
                                                                                                   "(syms) (bufs (Y "  \
                                                                                                   "f64 4) (A f64 4) " \
                                                                                                   "(B f64 4)) (axes " \
                                                                                                   "(i 4)) (store "    \
                                                                                                   "set Y (i) (add "   \
                                                                                                   "(mul (load A i) "  \
                                                                                                   "2) (load B i)))")  \
                      KERNEL("plus",                                                                                   \
                             "(syms u) (bufs (Y f64 4) (A f64 4)) (axes (i 4)) (store set Y (i) (add (load A i) (f64 " \
                             "(index u))))") " (loop t n ((4 9 8)) () (step 0 0 twice 1 (5 4 (0 (mul 32 t))) () ())"   \
                                             " (loop u " inner " ((6 5 7)) () (step 1 0 plus 1 (7 6) (3) ()))"         \
                                             " (copy (8 6) () () ()) (copy ((2 (mul 32 t)) 6) (4) (1) (1)))" WHOLE(3,  \
                                                                                                                   4)

static void loops_nest_in_one_function(void **state)
{
    (void)state;
    for (int64_t n = 0; n < 4; n++)
        for (int64_t m = 0; m < 4; m++) {
            double x[16], z[4] = {0}, y[16], s[4] = {0};
            for (int k = 0; k < 16; k++) x[k] = k * k;
            for (int64_t t = 0; t < n; t++)
                for (int i = 0; i < 4; i++) y[4 * t + i] = s[i] = 2 * s[i] + x[4 * t + i] + (double)(m * (m - 1) / 2);
            check_exact(text_of(2, 2, NESTED("m")), GN_ARRAYS(rows(x, n, 4), gn_array_1d(z, GN_F64, m)),
                        GN_ARRAYS(rows(y, n, 4), vec(s)));
        }
}

/* h' = W h + x for each row of a batch, or, transposed, each column. */
enum { FEW = 12, MOST_COLUMNS = 70 };
#define BATCH(shape, wide, w, h)                                                                                       \
    " (sym n 0 0 -1) (sym m 0 " wide                                                                                   \
    " -1)" TURN F64("input", 0, "x", "n " shape, "(mul 96 n m)") F64("input", 1, "W", "12 12", "1152") F64(            \
        "output", 0, "last", shape, "(mul 96 m)") F64("output", 1, "none", "12", "96") F64("temp", 0, "h", shape,      \
                                                                                           "(mul 96 m)")               \
        F64("temp", 0, "next", shape, "(mul 96 m)") F64("temp", 0, "none", shape, "(mul 96 m)") KERNEL(                \
            "zero", "(syms m) (bufs (Y f64 " shape ")) (axes (r m) (i 12)) (store set Y (" h("r", "i") ") 0)")         \
            KERNEL("cell",                                                                                             \
                   "(syms m) (bufs (Y f64 " shape ") (W f64 12 12) (H f64 " shape ") (X f64 " shape                    \
                   ")) (axes (r m) (i 12) (k 12))"                                                                     \
                   " (def s (r i) (sum (k) (mul (load W " w ") (load H " h(                                            \
                       "r",                                                                                            \
                       "k") "))))"                                                                                     \
                            " (store set Y (" h("r", "i") ") (add (s r i) (load X " h(                                 \
                                "r",                                                                                   \
                                "i") ")))") " (step 0 0 zero 1 (6) (1) ()) (loop t n ((4 6 5)) () (step 1 0 cell 1 "   \
                                            "(5 1 4 (0 (mul 96 m t))) (1) ()))" WHOLE(2,                               \
                                                                                      4) " (copy (3 1) (12) (1) (1))"
#define ROW(r, i) r " " i
#define COLUMN(r, i) i " " r

static void check_batch(const char *text, bool transposed, int64_t m)
{
    enum { TURNS = 3 };
    static double x[TURNS * FEW * MOST_COLUMNS], w[FEW * FEW], h[FEW * MOST_COLUMNS], next[FEW * MOST_COLUMNS];
    const int64_t along = transposed ? m : 1, across = transposed ? 1 : FEW;
    memset(h, 0, sizeof h);
    for (int k = 0; k < TURNS * FEW * MOST_COLUMNS; k++) x[k] = k % 7 - 3;
    for (int k = 0; k < FEW * FEW; k++) w[k] = k % 5 - 2;
    for (int t = 0; t < TURNS; t++) {
        for (int64_t r = 0; r < m; r++)
            for (int i = 0; i < FEW; i++) {
                double s = x[t * FEW * m + across * r + along * i];
                for (int k = 0; k < FEW; k++) s += w[FEW * i + k] * h[across * r + along * k];
                next[across * r + along * i] = s;
            }
        memcpy(h, next, sizeof h);
    }
    const int64_t a = transposed ? FEW : m, b = transposed ? m : FEW;
    check_exact(text, GN_ARRAYS(gn_array_of(x, GN_F64, 3, (int64_t[]){TURNS, a, b}), rows(w, FEW, FEW)),
                GN_ARRAYS(rows(h, a, b), gn_array_1d(w, GN_F64, FEW)));
}

static void a_batch_of_recurrences_is_parts(void **state)
{
    (void)state;
    const char *by_row = text_of(2, 2, BATCH("m 12", "1", "i k", ROW)),
               *by_column = text_of(2, 2, BATCH("12 m", "2", "i k", COLUMN));
    assert_non_null(strstr(printed(host_program(by_row, false)), "(r_part m)"));
    assert_non_null(strstr(printed(emitted(by_column, "avx512", false)), "(r_part (div (add m 31) 32))"));
    for (int64_t m = 0; m <= MOST_COLUMNS; m += m < 3 ? 1 : 22)
        check_batch(by_row, false, m), check_batch(by_column, true, m);
}

/* ---- what stays a loop of steps ---- */

#define STAYS(width, axes, clause, condition)                                                                          \
    TURN " (value input 0 \"x\" f64 (" width ") (mul 8 " width ") -1 -1 -1) (value output 0 \"y\" f64 (" width         \
         ") (mul 8 " width ") -1 -1 -1)"                                                                               \
         " (value temp 0 \"now\" f64 (" width ") (mul 8 " width ") -1 -1 -1) (value temp 0 \"next\" f64 (" width       \
         ") (mul 8 " width ") -1 -1 -1)"                                                                               \
         " (value temp 0 \"goes\" i64 (1) 8 -1 -1 -1)" KERNEL(                                                         \
             "one", "(syms) (bufs (Y f64 " width ") (A f64 " width ") (G i64 1)) (axes (i " width ") (j 1))"           \
                    " (store set Y (i) (add (load A " axes                                                             \
                    ") 1)) (store set G (j) 0)") " (loop t 9 ((2 0 3)) (" condition                                    \
                                                 ") (step 0 0 one 1 (3 2 4) () ()" clause "))" WHOLE(1, 2)

static void what_is_large_or_may_end_stays_a_loop(void **state)
{
    (void)state;
    assert_int_equal(loops_of(host_program(text_of(1, 1, STAYS("40", "i", "", "")), false)), 0);
    assert_int_equal(loops_of(host_program(text_of(1, 1, STAYS("100000", "i", "", "")), false)), 1);
    assert_int_equal(loops_of(host_program(text_of(1, 1, STAYS("40", "i", "", "4")), false)), 1);
    assert_int_equal(loops_of(host_program(text_of(1, 1, STAYS("40", "i", " (status 2)", "")), false)), 1);
    double x[40], want[40];
    for (int i = 0; i < 40; i++) x[i] = i, want[i] = i + 1;
    tree_check(text_of(1, 1, STAYS("40", "i", "", "4")), GN_ARRAYS(gn_array_1d(x, GN_F64, 40)),
               GN_ARRAYS(gn_array_1d(want, GN_F64, 40)), "stays");
    for (int i = 0; i < 40; i++) want[i] = i + 9;
    tree_check(text_of(1, 1, STAYS("40", "i", "", "")), GN_ARRAYS(gn_array_1d(x, GN_F64, 40)),
               GN_ARRAYS(gn_array_1d(want, GN_F64, 40)), "whole");
}

/* A vector beyond what one part does stays a parallel step in its loop. */
static void a_large_body_has_parallel_steps(void **state)
{
    (void)state;
    enum { WIDE = 100000 };
    static double x[WIDE], want[WIDE];
    for (int i = 0; i < WIDE; i++) x[i] = i, want[i] = i + 9;
    const char *text = text_of(1, 1, STAYS("100000", "i", "", ""));
    assert_non_null(strstr(printed(host_program(text, false)), "(loop t 9"));
    tree_check(text, GN_ARRAYS(gn_array_1d(x, GN_F64, WIDE)), GN_ARRAYS(gn_array_1d(want, GN_F64, WIDE)), NULL);
}

static void a_profile_shows_one_step(void **state)
{
    (void)state;
    double x[4] = {0}, y[4];
    gn_step_info info[4];
    gn_func *f = tree_compile(0, text_of(1, 1, ROTATION), NULL);
    gn_func_profile(f, 1);
    must(gn_call(f, GN_ARRAYS(gn_array_1d(x, GN_F64, 3)), GN_ARRAYS(vec(y))));
    assert_int_equal(gn_func_steps(f, info, 4), 2);
    assert_string_equal(info[0].symbol, "loop_t_0_0");
    assert_int_equal(info[0].calls, 1);
    assert_non_null(strstr(info[0].kernel, "(code loop_t_0"));
    gn_func_free(f);
}

/* ---- memory runs out ---- */

static int live(const gn_allocator *allocator)
{
    static const char *text;
    const gn_context_options o = {.allocator = allocator, .cache_dir = "", .toolchain = "interpreter", .threads = 2};
    double x[8] = {1, 2, 3, 4}, y[4];
    gn_context *c = NULL;
    gn_func *f = NULL;
    if (!text) text = text_of(1, 1, ROTATION);
    gn_status s = gn_context_new(&c, &o);
    if (!s) s = gn_func_of_text(&f, c, text, strlen(text), NULL);
    if (!s) s = gn_call(f, GN_ARRAYS(gn_array_1d(x, GN_F64, 8)), GN_ARRAYS(vec(y)));
    gn_func_free(f);
    gn_context_free(c);
    return s;
}

static void nothing_leaks_when_memory_runs_out(void **state)
{
    (void)state;
    assert_true(survive_refusals(live, false) > 20);
    assert_true(survive_refusals(live, true) > 20);
}

/* ---- faults planted in the code: each is refused or seen ---- */

static const char *edited(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    if (!at) fail_msg("no %s in %s", from, text);
    return gn_arena_printf(&arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void planted_faults_are_seen(void **state)
{
    (void)state;
    static const char *const faults[][2] = {
        {"(for t n", "(for t (max 0 (sub n 1))"},  /* one turn short */
        {"(mod t 2)", "(mod (add t 1) 2)"},        /* the other memory */
        {"(mod n 2)", "0"},                        /* what is left behind the loop */
        {"(set $s_a[i1] %9)", "(set $s_a[0] %9)"}, /* a register that is not set */
    };
    static float x[5 * STATES], w[STATES * STATES], h0[STATES], b[STATES], y[5 * STATES], last[STATES];
    static double want[5 * STATES];
    uint64_t seed = test_seed();
    fill(x, 5 * STATES, -1, 1, &seed), fill(w, STATES * STATES, -0.12, 0.12, &seed), fill(h0, STATES, -1, 1, &seed);
    recurrence(5, x, w, h0, b, want);
    const gn_arrays in = GN_ARRAYS(gn_array_of(x, GN_F32, 2, (int64_t[]){5, STATES}),
                                   gn_array_of(w, GN_F32, 2, (int64_t[]){STATES, STATES}),
                                   gn_array_1d(h0, GN_F32, STATES), gn_array_1d(b, GN_F32, STATES)),
                    out =
                        GN_ARRAYS(gn_array_of(y, GN_F32, 2, (int64_t[]){5, STATES}), gn_array_1d(last, GN_F32, STATES));
    const char *good = printed(emitted(text_of(4, 2, RECURRENCE), "avx512", false));
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        gn_func *f = NULL;
        const char *text = edited(good, faults[i][0], faults[i][1]);
        gn_status s = gn_func_of_text(&f, tree_contexts[1], text, strlen(text), NULL);
        if (!s) s = gn_call(f, in, out);
        bool wrong = s != GN_OK;
        for (int k = 0; !s && k < 5 * STATES; k++) wrong |= !(fabs(y[k] - want[k]) <= 1e-5);
        for (int k = 0; !s && k < STATES; k++) wrong |= !(fabs(last[k] - want[4 * STATES + k]) <= 1e-5);
        if (!wrong) fail_msg("nobody sees %s", faults[i][1]);
        gn_func_free(f);
    }
    const char *less = edited(printed(emitted(cell_text(false), "avx512", false)), ":carry (h c)", ":carry (h)");
    gn_func *f = NULL;
    assert_int_equal(gn_func_of_text(&f, tree_contexts[1], less, strlen(less), NULL), GN_EINVAL);
    assert_message_contains("loop t: :carry lacks 'c'");
}

/* ---- programs with one loop, drawn by chance ---- */

enum { MOST_VALUES = 16, MOST_CARRIED = 3, MOST_MADE = 4, MOST_ROWS = 5, MOST_WIDTH = 128, RANDOM_TURNS = 4 };

typedef enum {
    MADE_ADD,
    MADE_SUB,
    MADE_MAX,
    MADE_TIMES,
    MADE_TURNED,
    MADE_SUMMED,
    MADE_HIGHEST,
    MADE_PLACE,
    MADE_RUNNING,
    MADE_COPY,
    NMADE
} made_kind;
typedef struct made {
    made_kind kind;
    int a, b; /* what it is made of: carried ones, what comes in, what was made before */
} made;
typedef struct drawn {
    gn_dtype dtype;
    int64_t turns, rows, width;
    bool fixed; /* the number of rows is no symbol */
    int ncarried, nmade, next[MOST_CARRIED], shown;
    made made[MOST_MADE];
} drawn;

static int below(uint64_t *seed, int n)
{
    return (int)(test_random(seed) % (uint64_t)n);
}

/* Values: carried ones, what comes in, then what is made. What comes next is made, or another carried one: each once.
 */
static drawn draw(uint64_t *seed)
{
    static const int widths[] = {1, 3, 16, 33, 64, 100, 128}, rows[] = {1, 2, 5};
    static const gn_dtype dtypes[] = {GN_F32, GN_F64, GN_I32, GN_U8};
    drawn d = {.dtype = dtypes[below(seed, 4)],
               .turns = below(seed, RANDOM_TURNS + 1),
               .rows = rows[below(seed, 3)],
               .width = widths[below(seed, 7)],
               .fixed = below(seed, 2),
               .ncarried = 1 + below(seed, MOST_CARRIED)};
    const int in = d.ncarried;
    bool taken[MOST_VALUES] = {false};
    d.nmade = 1 + below(seed, MOST_MADE);
    for (int i = 0; i < d.nmade; i++) {
        made_kind kind = (made_kind)below(seed, NMADE);
        if (gn_is_float(d.dtype) && (kind == MADE_SUMMED || kind == MADE_TIMES)) kind = MADE_HIGHEST; /* stays exact */
        d.made[i] = (made){kind, i ? in + i : below(seed, in), below(seed, in + 1 + i)}; /* all of it is needed */
    }
    for (int k = 0; k < d.ncarried; k++) {
        do d.next[k] = below(seed, in + 1 + d.nmade);
        while (d.next[k] == in || taken[d.next[k]]);
        taken[d.next[k]] = true;
    }
    d.shown = in + d.nmade;
    return d;
}

static const char *shape_of(const drawn *d, bool sequence)
{
    return gn_arena_printf(&arena, "%s%s %lld", sequence ? "n " : "",
                           d->fixed ? gn_arena_printf(&arena, "%lld", (long long)d->rows) : "m", (long long)d->width);
}

static const char *bytes_of(const drawn *d, bool sequence)
{
    return gn_arena_printf(&arena, "(mul %lld %s %s)", (long long)(d->width * (int64_t)gn_dtype_size(d->dtype)),
                           d->fixed ? gn_arena_printf(&arena, "%lld", (long long)d->rows) : "m", sequence ? "n" : "1");
}

static void write_value(gn_text *t, const drawn *d, const char *kind, int number, const char *name, bool sequence)
{
    gn_textf(t, " (value %s %d \"%s\" %s (%s) %s -1 -1 -1)\n", kind, number, name, gn_dtype_name(d->dtype),
             shape_of(d, sequence), bytes_of(d, sequence));
}

/* The number of a value in the program: inputs x, start; outputs y, last..; carried, made. */
static int number_of(const drawn *d, int value)
{
    return value < d->ncarried ? 3 + d->ncarried + value : 3 + d->ncarried + value - 1;
}

static const char *argument_of(const drawn *d, int value)
{
    if (value == d->ncarried) return gn_arena_printf(&arena, "(0 (mul t %s))", bytes_of(d, false));
    return gn_arena_printf(&arena, "%d", number_of(d, value));
}

static void write_kernel(gn_text *t, const drawn *d, int at)
{
    static const char *const forms[NMADE] = {
        "(store set Y (r i) (add (load A r i) (load B r i)))",
        "(store set Y (r i) (sub (load A r i) (load B r i)))",
        "(store set Y (r i) (maximum (load A r i) (load B r i)))",
        "(store set Y (r i) (add (mul (load A r i) 2) (load B r i)))",
        "(store set Y (r i) (add (load A r (mod (add i 1) %lld)) (load B r i)))",
        "(def s (r) (sum (k) (load A r k))) (store set Y (r i) (sub (s r) (load B r i)))",
        "(def s (r) (max (k) (load A r k))) (store set Y (r i) (sub (s r) (load B r i)))",
        "(def s (r) (fold (k) (at i32 2147483647) (v %s %s)"
        " (step (select (or (gt (load A r k) v) (and (eq (load A r k) v) (lt k at))) k at) (maximum v (load A r k)))"
        " (merge (select (or (gt (other v) v) (and (eq (other v) v) (lt (other at) at))) (other at) at)"
        " (maximum v (other v))))) (store set Y (r i) (add (cast %s (s.at r)) (load B r i)))",
        "(def s (r i) (max (i) (load A r i))) (store set Y (r i) (sub (s r i) (load B r i)))",
        "(store set Y (r i) (load A r i))"};
    const char *const b =
        gn_arena_printf(&arena, "%s %s %lld", gn_dtype_name(d->dtype),
                        d->fixed ? gn_arena_printf(&arena, "%lld", (long long)d->rows) : "b", (long long)d->width);
    const bool one = d->made[at].kind == MADE_COPY,
               reduces = d->made[at].kind >= MADE_SUMMED && d->made[at].kind <= MADE_PLACE;
    gn_textf(t, " (kernel k%d 0 1 0 0 \"(kernel k%d (syms%s) (bufs (Y %s) (A %s)", at, at, d->fixed ? "" : " b", b, b);
    if (!one) gn_textf(t, " (B %s)", b);
    gn_textf(t, ") (axes (r %s) (i %lld)", d->fixed ? gn_arena_printf(&arena, "%lld", (long long)d->rows) : "b",
             (long long)d->width);
    if (reduces) gn_textf(t, " (k %lld)", (long long)d->width);
    gn_text_add(t, ") ");
    if (d->made[at].kind == MADE_TURNED)
        gn_textf(t, forms[MADE_TURNED], (long long)d->width);
    else if (d->made[at].kind == MADE_PLACE)
        gn_textf(t, forms[MADE_PLACE], gn_dtype_name(d->dtype),
                 gn_is_float(d->dtype)  ? "-inf"
                 : d->dtype == GN_I32 ? "-2147483648"
                                      : "0",
                 gn_dtype_name(d->dtype));
    else
        gn_text_add(t, forms[d->made[at].kind]);
    gn_text_add(t, ")\" \"\")\n");
}

static const char *text_of_drawn(const drawn *d)
{
    gn_text t = {.arena = &arena};
    gn_textf(&t, " (sym n 0 0 -1)%s%s\n", d->fixed ? "" : " (sym m 0 1 -1)", TURN);
    write_value(&t, d, "input", 0, "x", true), write_value(&t, d, "input", 1, "start", false);
    write_value(&t, d, "output", 0, "y", true);
    for (int k = 0; k < d->ncarried; k++) write_value(&t, d, "output", 1 + k, "last", false);
    for (int k = 0; k < d->ncarried; k++) write_value(&t, d, "temp", 0, gn_arena_printf(&arena, "c%d", k), false);
    for (int k = 0; k < d->nmade; k++) write_value(&t, d, "temp", 0, gn_arena_printf(&arena, "v%d", k), false);
    for (int k = 0; k < d->nmade; k++) write_kernel(&t, d, k);
    gn_text_add(&t, " (loop t n (");
    for (int k = 0; k < d->ncarried; k++) gn_textf(&t, " (%d 1 %d)", number_of(d, k), number_of(d, d->next[k]));
    gn_text_add(&t, ") ()");
    for (int k = 0; k < d->nmade; k++) {
        gn_textf(&t, "\n  (step %d 0 k%d 1 (%d %s", k, k, number_of(d, d->ncarried + 1 + k),
                 argument_of(d, d->made[k].a));
        if (d->made[k].kind != MADE_COPY) gn_textf(&t, " %s", argument_of(d, d->made[k].b));
        gn_textf(&t, ") (%s) ())", d->fixed ? "" : "1");
    }
    gn_textf(&t, "\n  (copy ((2 (mul t %s)) %s) (%s) (%lld 1) (%lld 1)))\n", bytes_of(d, false),
             argument_of(d, d->shown), shape_of(d, false), (long long)d->width, (long long)d->width);
    for (int k = 0; k < d->ncarried; k++) gn_textf(&t, WHOLE(% d, % d), 3 + k, number_of(d, k));
    return text_of(2, 1 + d->ncarried, gn_text_done(&t));
}

typedef int64_t matrix[MOST_ROWS][MOST_WIDTH];

static int64_t one_made(const drawn *d, const made *m, matrix a, matrix b, int64_t r, int64_t i)
{
    int64_t sum = 0, highest = INT64_MIN, running = INT64_MIN, place = 0;
    for (int64_t k = 0; k < d->width; k++) {
        sum = (int64_t)((uint64_t)sum + (uint64_t)a[r][k]);
        if (a[r][k] > highest) highest = a[r][k], place = k;
        if (k == i) running = highest;
    }
    switch (m->kind) {
    case MADE_ADD: return a[r][i] + b[r][i];
    case MADE_SUB: return a[r][i] - b[r][i];
    case MADE_MAX: return a[r][i] > b[r][i] ? a[r][i] : b[r][i];
    case MADE_TIMES: return 2 * a[r][i] + b[r][i];
    case MADE_TURNED: return a[r][(i + 1) % d->width] + b[r][i];
    case MADE_SUMMED: return (int64_t)((uint64_t)sum - (uint64_t)b[r][i]);
    case MADE_HIGHEST: return highest - b[r][i];
    case MADE_PLACE: return place + b[r][i];
    case MADE_RUNNING: return running - b[r][i];
    default: return a[r][i];
    }
}

static int64_t kept_in(gn_dtype t, int64_t v)
{
    return t == GN_I32 ? (int32_t)v : t == GN_U8 ? (uint8_t)v : v;
}

static int64_t random_x[RANDOM_TURNS][MOST_ROWS][MOST_WIDTH], random_y[RANDOM_TURNS][MOST_ROWS][MOST_WIDTH];
static matrix random_start, values[MOST_VALUES], moved[MOST_CARRIED];

static void run_drawn(const drawn *d)
{
    for (int k = 0; k < d->ncarried; k++) memcpy(values[k], random_start, sizeof(matrix));
    for (int64_t t = 0; t < d->turns; t++) {
        memcpy(values[d->ncarried], random_x[t], sizeof(matrix));
        for (int m = 0; m < d->nmade; m++)
            for (int64_t r = 0; r < d->rows; r++)
                for (int64_t i = 0; i < d->width; i++)
                    values[d->ncarried + 1 + m][r][i] =
                        kept_in(d->dtype, one_made(d, &d->made[m], values[d->made[m].a], values[d->made[m].b], r, i));
        memcpy(random_y[t], values[d->shown], sizeof(matrix));
        for (int k = 0; k < d->ncarried; k++) memcpy(moved[k], values[d->next[k]], sizeof(matrix));
        for (int k = 0; k < d->ncarried; k++) memcpy(values[k], moved[k], sizeof(matrix));
    }
}

/* `turns` matrices, or one, of the program's dtype. */
static gn_array array_of(const drawn *d, const matrix *from, int64_t turns, int rank)
{
    const size_t size = gn_dtype_size(d->dtype);
    char *data = gn_arena_alloc(&arena, (size_t)(turns * d->rows * d->width) * size + 1, 64);
    for (int64_t at = 0; at < turns * d->rows * d->width; at++) {
        const int64_t v = from[at / (d->rows * d->width)][at / d->width % d->rows][at % d->width];
        const float f = (float)v;
        const double g = (double)v;
        const void *bits = d->dtype == GN_F32   ? (const void *)&f
                           : d->dtype == GN_F64 ? (const void *)&g
                                                : (const void *)&v;
        memcpy(data + (size_t)at * size, bits, size);
    }
    return gn_array_of(data, d->dtype, rank,
                       rank == 3 ? (int64_t[]){turns, d->rows, d->width} : (int64_t[]){d->rows, d->width, 0});
}

static void drawn_loops_give_the_same_as_an_independent_loop(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    int whole = 0;
    for (int n = 0; n < 30; n++) {
        const drawn d = draw(&seed);
        gn_array want[1 + MOST_CARRIED];
        for (int64_t t = 0; t < RANDOM_TURNS; t++)
            for (int k = 0; k < MOST_ROWS * MOST_WIDTH; k++)
                (&random_x[t][0][0])[k] = below(&seed, 9) - (d.dtype == GN_U8 ? 0 : 4);
        for (int k = 0; k < MOST_ROWS * MOST_WIDTH; k++)
            (&random_start[0][0])[k] = below(&seed, 9) - (d.dtype == GN_U8 ? 0 : 4);
        run_drawn(&d);
        want[0] = array_of(&d, (const matrix *)random_y, d.turns, 3);
        for (int k = 0; k < d.ncarried; k++) want[1 + k] = array_of(&d, (const matrix *)&values[k], 1, 2);
        const char *text = text_of_drawn(&d);
        if (getenv("GNOMON_TEST_SHOW")) fprintf(stderr, "%d: %s\n", n, text);
        check_exact(text,
                    GN_ARRAYS(array_of(&d, (const matrix *)random_x, d.turns, 3),
                              array_of(&d, (const matrix *)&random_start, 1, 2)),
                    (gn_arrays){1 + (size_t)d.ncarried, want});
        whole += loops_of(host_program(text, false)) == 0;
    }
    print_message("%d of 30 are one function\n", whole);
    assert_true(whole >= 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixty_states_go_round),
        cmocka_unit_test(cells_are_parts_that_run_all_turns),
        cmocka_unit_test(a_batch_of_cells_is_parts),
        cmocka_unit_test(carried_cells_are_registers),
        cmocka_unit_test(three_values_move_up),
        cmocka_unit_test(loops_nest_in_one_function),
        cmocka_unit_test(a_batch_of_recurrences_is_parts),
        cmocka_unit_test(what_is_large_or_may_end_stays_a_loop),
        cmocka_unit_test(a_large_body_has_parallel_steps),
        cmocka_unit_test(a_profile_shows_one_step),
        cmocka_unit_test(nothing_leaks_when_memory_runs_out),
        cmocka_unit_test(planted_faults_are_seen),
        cmocka_unit_test(drawn_loops_give_the_same_as_an_independent_loop),
    };
    return cmocka_run_group_tests(tests, tree_setup, tree_teardown);
}
