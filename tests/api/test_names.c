/* Any name that a graph takes is the name of nothing else: every word of C, C++ and CUDA, of headers and of generated
 * code as the name of inputs, dims and variables. The same graph with plain names says what is right, to the bit. */
#include "api.h"
#include <dlfcn.h>
#include <math.h>
#include <unistd.h>
#include "ascii.h"
#include "func_state.h"
#include "graph_text.h"
#include "random_graph.h"
#include "words.h"

enum { MANY = 40, LAYERS = 5, WIDTH = 6, ROWS = 4 };

typedef struct naming { /* NULL: plain names */
    const char *const *word;
    size_t n;
    char plain[32];
} naming;

static const char *name_at(naming *m, const char *kind, size_t i)
{
    if (m->word) return m->word[i % m->n];
    snprintf(m->plain, sizeof m->plain, "%s%zu", kind, i);
    return m->plain;
}

typedef struct case_graph {
    gn_graph *g;
    size_t nin, nout;
    gn_expr *in[MANY], *out[4];
    int64_t extent[MANY][2];
    int rank[MANY];
} case_graph;

static gn_expr *input(case_graph *c, const char *name, const char *shape, int rank, int64_t rows, int64_t columns)
{
    c->rank[c->nin] = rank, c->extent[c->nin][0] = rows, c->extent[c->nin][1] = columns;
    return c->in[c->nin++] = gn_input(c->g, name, GN_F32, "%s", shape);
}

/* One kernel that reads them all: 2 (2 (2 a + b) + c) + d .. */
static void build_map(case_graph *c, naming *m, const char *shape)
{
    gn_expr *y = NULL;
    for (size_t i = 0; i < (m->word ? m->n : MANY) && i < MANY; i++) {
        gn_expr *x = input(c, name_at(m, "p", i), shape, 1, 5, 1);
        y = y ? gn_add(gn_mul(y, 0.5), x) : x;
    }
    c->out[c->nout++] = gn_tanh(y);
}

/* The same, every second one a variable. */
static void build_arrays(case_graph *c, naming *m, size_t first)
{
    gn_expr *y = NULL;
    (void)first;
    for (size_t i = 0; i < (m->word ? m->n : MANY) && i < MANY; i++) {
        const float value[5] = { 1, -2, (float)i, 0.5f, 3 };
        gn_expr *x =
            i % 2 ? gn_shared(c->g, name_at(m, "p", i), GN_VIEW(value, 5)) : input(c, name_at(m, "p", i), "5", 1, 5, 1);
        y = y ? gn_add(gn_mul(y, 0.5), x) : x;
    }
    c->out[c->nout++] = gn_tanh(y);
}

/* Each input has two dims of its own, which are words, too. */
static void build_dims(case_graph *c, naming *m, naming *dims)
{
    gn_expr *y = NULL;
    for (size_t i = 0; i + 1 < MANY; i += 2) {
        char shape[160], first[64];
        snprintf(first, sizeof first, "%s", name_at(dims, "d", i));
        const int64_t rows = 2 + (int64_t)i % 3, columns = 1 + (int64_t)i % 5;
        snprintf(shape, sizeof shape, "%s, %s", first, name_at(dims, "d", i + 1));
        gn_expr *x = input(c, name_at(m, "p", i), shape, 2, rows, columns),
                *s = gn_sum_all(gn_mul(gn_sum(x, GN_AXES(1)), (double)(i + 1)));
        y = y ? gn_add(y, s) : s;
    }
    c->out[c->nout++] = y;
}

/* Contractions, whose kernels have names of their own: a, b, acc, i, j, k, tmp. */
static void build_layers(case_graph *c, naming *m, size_t first)
{
    float w[WIDTH * WIDTH], b[WIDTH];
    if (!m->word) first = 0; /* plain names are the same again, so that they are compiled once */
    gn_expr *h = input(c, name_at(m, "p", first), "4, 6", 2, ROWS, WIDTH);
    for (size_t l = 0; l < LAYERS; l++) {
        for (int i = 0; i < WIDTH * WIDTH; i++) w[i] = (float)((i * 7 + (int)l * 5) % 11 - 5) / 8;
        for (int i = 0; i < WIDTH; i++) b[i] = (float)(i - 2) / 4;
        gn_expr *weight =
            gn_shared(c->g, name_at(m, "p", first + 2 * l + 1), gn_array_of(w, GN_F32, 2, (int64_t[]){ WIDTH, WIDTH }));
        gn_expr *bias = gn_shared(c->g, name_at(m, "p", first + 2 * l + 2), GN_VIEW(b, WIDTH));
        h = gn_tanh(gn_add(gn_matmul(h, weight), bias));
    }
    c->out[c->nout++] = h;
    c->out[c->nout++] = gn_softmax(h, 1);
}

static gn_func *compile(case_graph *c, const char *name)
{
    gn_func *f = NULL;
    const gn_compile_options o = { .in = { c->nin, c->in }, .out = { c->nout, c->out }, .name = name };
    if (gn_compile_at(GN_HERE, &f, c->g, &o)) fail_msg("%s", gn_message());
    return f;
}

/* Runs it on numbers that depend on the place alone. Releases nothing that is returned. */
static void run(case_graph *c, gn_func *f, gn_array *out)
{
    gn_array in[MANY], list[4];
    static float data[MANY][64];
    for (size_t i = 0; i < c->nin; i++) {
        for (size_t k = 0; k < 64; k++) data[i][k] = sinf((float)(i * 31 + k * 7));
        in[i] = gn_array_of(data[i], GN_F32, c->rank[i], c->extent[i]);
    }
    for (size_t i = 0; i < c->nout; i++) list[i] = GN_NEW(&out[i]);
    if (gn_call(f, (gn_arrays){ c->nin, in }, (gn_arrays){ c->nout, list })) fail_msg("%s", gn_message());
}

static void assert_same_arrays(size_t n, gn_array *a, gn_array *b)
{
    for (size_t i = 0; i < n; i++) {
        size_t bytes = sizeof(float);
        assert_int_equal(a[i].rank, b[i].rank);
        for (int d = 0; d < a[i].rank; d++) bytes *= (size_t)a[i].shape[d], assert_int_equal(a[i].shape[d], b[i].shape[d]);
        assert_memory_equal(a[i].data, b[i].data, bytes);
        gn_array_free(&a[i]), gn_array_free(&b[i]);
    }
}

typedef void (*build)(case_graph *, naming *, size_t first);

static void build_small_map(case_graph *c, naming *m, size_t first)
{
    (void)first;
    build_map(c, m, "5");
}

static void build_large_map(case_graph *c, naming *m, size_t first)
{
    naming dims = { .word = every_word, .n = NWORDS };
    build_map(c, m, m->word ? name_at(&dims, "d", first) : "n");
}

static void build_named_dims(case_graph *c, naming *m, size_t first)
{
    naming dims = { .word = m->word ? every_word + (first < NWORDS - MANY ? first : NWORDS - MANY) : NULL, .n = MANY };
    build_dims(c, m, &dims);
}

static void check_names(gn_context *context, build make, naming names, size_t first)
{
    gn_array out[2][4] = { { { 0 } } };
    naming both[2] = { { 0 }, names };
    both[0].n = names.n;
    for (int k = 0; k < 2; k++) {
        case_graph c = { .g = gn_graph_new(context) };
        make(&c, &both[k], first);
        gn_func *f = compile(&c, "names");
        run(&c, f, out[k]);
        if (k == 1) assert_same_arrays(c.nout, out[0], out[1]);
        gn_func_free(f);
        gn_graph_free(c.g);
    }
}

static void every_word_is_an_input(void **state)
{
    for (size_t at = 0; at < NWORDS; at += MANY)
        check_names(*state, build_small_map,
                    (naming){ .word = every_word + (at < NWORDS - MANY ? at : NWORDS - MANY), .n = MANY }, at);
}

static void every_word_is_an_input_and_one_its_dim(void **state)
{
    for (size_t at = 0; at < NWORDS; at += MANY)
        check_names(*state, build_large_map,
                    (naming){ .word = every_word + (at < NWORDS - MANY ? at : NWORDS - MANY), .n = MANY }, at);
}

static void every_word_is_a_dim(void **state)
{
    for (size_t at = 0; at < NWORDS; at += MANY)
        check_names(*state, build_named_dims, (naming){ .word = every_word + NWORDS - MANY, .n = MANY }, at);
}

static void every_word_is_a_variable_of_a_contraction(void **state)
{
    for (size_t at = 0; at < NWORDS; at += 2 * LAYERS)
        check_names(*state, build_layers, (naming){ .word = every_word, .n = NWORDS }, at);
}

/* Texts that become one identifier, and texts that hardly are one. */
static char longest[3][301];
static const char *const twins[] = { "l/w",      "l.w",      "l-w",   "l_w",   "L_W",   "l__w",    "l//w",  "l_w_2",
                                     "l_w2",     "l_w_",     "_l_w",  "__",    "_",     "___",     "_1",    "a.",
                                     "a-",       "a/",       "a_",    "u_",    "u__",   "_u",      "u",     longest[0],
                                     longest[1], longest[2], "A.B.C", "A/B/C", "A_B_C", "A_B_C_u", "NULL_", "NULL.",
                                     "int.",     "int-",     "int_",  "gn_.x", "gn_/x", "v.1",     "v_1",   "v-1" };
enum { NTWINS = sizeof twins / sizeof *twins };

static void fill_longest(void)
{
    for (int k = 0; k < 3; k++) memset(longest[k], 'q', 300), longest[k][299] = (char)('A' + k);
    longest[2][0] = 'v';
}

static void names_that_become_one_identifier_stay_apart(void **state)
{
    check_names(*state, build_small_map, (naming){ .word = twins, .n = NTWINS }, 0);
    for (size_t at = 0; at < NTWINS; at += 2 * LAYERS)
        check_names(*state, build_layers, (naming){ .word = twins, .n = NTWINS }, at);
}

static void a_name_in_other_letters_is_refused(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_input(g, "\xc3\xa9t\xc3\xa9", GN_F32, "3");
    refuse(gn_graph_check(g), GN_EINVAL, "is no name: a letter or _, then letters, digits and _ . / - are possible");
    gn_graph_free(g);
}

/* ---- exports ---- */

static void shell(const char *format, ...)
{
    char command[8192];
    va_list ap;
    va_start(ap, format);
    vsnprintf(command, sizeof command, format, ap);
    va_end(ap);
    if (system(command)) fail_msg("%s", command);
}

/* A library of the export, with a function whose arguments are arrays of pointers. */
static void *library_of(const case_graph *c, const char *name)
{
    static int count;
    char path[160], library[160];
    snprintf(path, sizeof path, "%s/call_%s.c", api_dir, name);
    snprintf(library, sizeof library, "%s/names%d.so", api_dir, count++);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f,
            "#include \"%s.h\"\nint call(const float *const *in, float *const *out, void *memory);\nint call(const "
            "float *const *in, float *const *out, void *memory)\n{\n    return %s(",
            name, name);
    for (size_t i = 0; i < c->nin; i++) fprintf(f, "in[%zu], ", i);
    for (size_t i = 0; i < c->nout; i++) fprintf(f, "out[%zu], ", i);
    fprintf(f, "memory);\n}\n");
    fclose(f);
    shell("gcc -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Werror -Wno-psabi -shared -fPIC -o %s %s %s/%s.c -lm",
          library, path, api_dir, name);
    shell("! command -v g++ >/dev/null || g++ -std=c++17 -x c++ -Wall -Wextra -Wpedantic -Wconversion -Werror "
          "-fsyntax-only %s %s/%s.c",
          path, api_dir, name);
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!handle) fail_msg("%s", dlerror());
    return handle;
}

static void check_export(gn_context *context, build make, naming names, size_t first, const char *name)
{
    static _Alignas(64) unsigned char memory[1 << 16];
    static float data[MANY][64];
    const float *in[MANY];
    float *out[4];
    gn_array want[4] = { { 0 } };
    case_graph c = { .g = gn_graph_new(context) };
    make(&c, &names, first);
    gn_func *f = compile(&c, "names");
    run(&c, f, want);
    must(gn_export(f, name, api_dir));
    void *handle = library_of(&c, name);
    int (*call)(const float *const *, float *const *, void *);
    *(void **)&call = dlsym(handle, "call");
    for (size_t i = 0; i < c.nin; i++) {
        for (size_t k = 0; k < 64; k++) data[i][k] = sinf((float)(i * 31 + k * 7));
        in[i] = data[i];
    }
    for (size_t i = 0; i < c.nout; i++) out[i] = calloc(64, sizeof(float));
    assert_int_equal(call(in, out, memory), 0);
    for (size_t i = 0; i < c.nout; i++) {
        size_t bytes = sizeof(float);
        for (int d = 0; d < want[i].rank; d++) bytes *= (size_t)want[i].shape[d];
        assert_memory_equal(out[i], want[i].data, bytes);
        free(out[i]), gn_array_free(&want[i]);
    }
    dlclose(handle);
    gn_func_free(f);
    gn_graph_free(c.g);
}

static void every_word_is_a_parameter_of_an_export(void **state)
{
    for (size_t at = 0; at < NWORDS; at += MANY)
        check_export(*state, build_small_map,
                     (naming){ .word = every_word + (at < NWORDS - MANY ? at : NWORDS - MANY), .n = MANY }, at,
                     "names");
    check_export(*state, build_small_map, (naming){ .word = twins, .n = NTWINS }, 0, "names");
}

static void every_word_is_an_array_of_an_export(void **state)
{
    for (size_t at = 1; at < NWORDS; at += MANY)
        check_export(*state, build_arrays,
                     (naming){ .word = every_word + (at < NWORDS - MANY ? at : NWORDS - MANY), .n = MANY }, at,
                     "names");
    check_export(*state, build_arrays, (naming){ .word = twins, .n = NTWINS }, 0, "names");
    check_export(*state, build_layers, (naming){ .word = every_word, .n = NWORDS }, NWORDS - 2 * LAYERS - 1, "names");
}

/* Both in one program, and one beside an input of its own name. */
static void exports_that_differ_in_capitals_live_together(void **state)
{
    static const char *const own[] = {
        "predict", "Predict", "PREDICT", "PREDICT_ARENA_BYTES", "Predict_arena_bytes", "predict_initial"
    };
    static const char *const names[] = { "predict", "Predict", "PREDICT" };
    for (size_t i = 0; i < 3; i++) check_export(*state, build_small_map, (naming){ .word = own, .n = 6 }, 0, names[i]);
    char path[160];
    snprintf(path, sizeof path, "%s/both.c", api_dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "#include \"predict.h\"\n#include \"Predict.h\"\n#include \"PREDICT.h\"\n"
               "int main(void) { return sizeof predict + sizeof Predict + sizeof PREDICT + PREDICT_ARENA_BYTES + "
               "Predict_arena_bytes + PREDICT_arena_bytes < 0; }\n");
    fclose(f);
    shell("gcc -std=gnu11 -w -o %s/both %s %s/predict.c %s/Predict.c %s/PREDICT.c", api_dir, path, api_dir, api_dir,
          api_dir);
}

/* What an export may be called is what a compiler takes, in C and in C++. */
static void every_word_is_an_export_or_told(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    gn_expr *x = gn_input(g, "x", GN_F32, "3");
    must(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(gn_add(x, 1.0))));
    size_t taken = 0;
    shell("mkdir -p %s/all", api_dir);
    char dir[96];
    snprintf(dir, sizeof dir, "%s/all", api_dir);
    for (size_t i = 0; i < NWORDS; i++) {
        const gn_status s = gn_export(f, every_word[i], dir);
        if (s) refuse(s, GN_EINVAL, "is a word of C, C++ or their libraries");
        taken += !s;
    }
    assert_true(taken > NWORDS / 4 && taken < NWORDS);
    shell("cd %s && gcc -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only *.c && { ! command -v g++ >/dev/null "
          "|| g++ -x c++ -Wall -Wextra -Werror -fsyntax-only *.c; }",
          dir);
    gn_func_free(f);
    gn_graph_free(g);
}

/* ---- random graphs under random names ---- */

typedef struct renaming {
    gn_arena arena;
    uint64_t random;
    size_t ninputs;
    const char *input[RANDOM_MAX_INPUTS], *dim[2]; /* new names of x0, x1, ..; of m and n */
} renaming;

/* A word, or letters that make one, perhaps with more behind; other names than those before it. */
static const char *random_name(renaming *r, bool dim, size_t n, const char *const *before)
{
    static const char *const parts[] = { "gn",  "_", "v", "1",   "t",   "acc", "0", "i", "k", "x",
                                         "NAN", "u", "2", "tmp", "sum", "p",   "/", ".", "-" };
    for (;;) {
        const bool word = test_random(&r->random) % 2;
        const char *name = word ? every_word[test_random(&r->random) % NWORDS] : "";
        for (int i = word ? (int)(test_random(&r->random) % 2) : 4; i-- > 0;)
            name = gn_arena_printf(&r->arena, "%s%s", name,
                                   parts[test_random(&r->random) % (sizeof parts / sizeof *parts - (dim ? 3 : 0))]);
        bool fine = gn_begins_name(*name);
        for (size_t i = 0; i < n; i++) fine &= strcmp(name, before[i]) != 0;
        if (fine) return name;
    }
}

/* The text with inputs and dims of `from` under the names that r has. */
static const char *renamed_text(renaming *r, const renaming *from, const char *text)
{
    gn_text t = { .arena = &r->arena };
    for (const char *c = text; *c;) {
        const size_t n = gn_name_length(c);
        const bool inner = c > text && (gn_in_name(c[-1]) || strchr(":%\"", c[-1]));
        const char *to = NULL;
        for (size_t i = 0; i < r->ninputs + 2 && n && !inner; i++) {
            const char *const name = i < 2 ? from->dim[i] : from->input[i - 2];
            if (strlen(name) == n && !strncmp(name, c, n)) to = i < 2 ? r->dim[i] : r->input[i - 2];
        }
        if (to) gn_text_add(&t, to);
        else gn_text_add_n(&t, c, n ? n : 1);
        c += n ? n : 1;
    }
    return gn_text_done(&t);
}

/* Names that nobody else has; products are sorted by name, so that those of dims come last. */
static renaming plain_names(gn_arena *arena, size_t n, const char *input, const char *m, const char *k)
{
    renaming r = { .ninputs = n, .dim = { m, k } };
    for (size_t i = 0; i < n; i++) r.input[i] = gn_arena_printf(arena, "%s%c", input, (char)('a' + i));
    return r;
}

typedef struct reading {
    gn_arena arena;
    gn_context *context;
    const char *text;
    struct gn_core *core;
} reading;

static void read_core(void *arg)
{
    reading *r = arg;
    r->core = gn_core_read(&r->arena, r->context, "t.gn", r->text, strlen(r->text));
}

/* Does the text bind both dims that it mentions? Only inputs that outputs need are in it. No code is needed to tell. */
static bool binds_its_dims(gn_context *interpreter, const char *text)
{
    reading in = { .context = interpreter, .text = text };
    gn_func *f = NULL;
    if (gn_protect(read_core, &in)) fail_msg("%s\n%s", gn_message(), text);
    const gn_compile_options o = { .in = { in.core->in.n, in.core->in.at }, .out = { in.core->out.n, in.core->out.at } };
    const gn_status s = gn_compile_at(GN_HERE, &f, in.core->graph, &o);
    gn_func_free(f);
    gn_core_free(in.core);
    gn_arena_free(&in.arena);
    return s != GN_EINVAL;
}

/* Compiles and runs the graph of the text; returns the generated source. */
static const char *run_text(renaming *r, const random_graph *from, const size_t *which, const char *text, gn_array *out)
{
    reading in = { .context = api_context, .text = text };
    gn_array value[RANDOM_MAX_INPUTS], list[RANDOM_MAX_OUTPUTS];
    gn_func *f = NULL;
    if (gn_protect(read_core, &in)) fail_msg("%s\n%s", gn_message(), text);
    for (size_t i = 0; i < in.core->in.n; i++) value[i] = from->value[which[i]];
    for (size_t i = 0; i < in.core->out.n; i++) list[i] = GN_NEW(&out[i]);
    const gn_compile_options o = { .in = { in.core->in.n, in.core->in.at },
                                   .out = { in.core->out.n, in.core->out.at },
                                   .name = "random" };
    if (gn_compile_at(GN_HERE, &f, in.core->graph, &o)) fail_msg("%s\n%s", gn_message(), text);
    if (gn_call(f, (gn_arrays){ in.core->in.n, value }, (gn_arrays){ in.core->out.n, list }))
        fail_msg("%s\n%s", gn_message(), text);
    const char *source = gn_arena_string(&r->arena, f->program->source);
    gn_func_free(f);
    gn_core_free(in.core);
    gn_arena_free(&in.arena);
    return source;
}

/* Which inputs the text has, in its order. */
static void find_inputs(const char *text, size_t *which)
{
    for (const char *c = text; (c = strstr(c, "(input ")); c++) *which++ = strtoul(strchr(c + 7, 'x') + 1, NULL, 10);
}

static void random_names_change_no_value(void **state)
{
    (void)state;
    const uint64_t first = test_seed();
    const char *wanted = getenv("GNOMON_TEST_GRAPHS");
    const uint64_t n = wanted ? strtoull(wanted, NULL, 10) : 12;
    const gn_context_options o = { .cache_dir = "", .toolchain = "interpreter" };
    gn_context *interpreter;
    must(gn_context_new(&interpreter, &o));
    for (uint64_t seed = first; seed < first + n; seed++) {
        random_graph g;
        gn_arena names = { 0 };
        renaming r = { .random = seed }, own = { .dim = { "m", "n" } };
        size_t which[RANDOM_MAX_INPUTS] = { 0 };
        gn_array out[3][RANDOM_MAX_OUTPUTS] = { 0 };
        random_graph_make(&g, seed);
        char *text = gn_graph_print(g.g, (gn_exprs){ g.noutputs, g.output });
        find_inputs(text, which);
        if (!binds_its_dims(interpreter, text)) {
            gn_text_free(text);
            random_graph_free(&g);
            continue;
        }
        r.ninputs = g.ninputs;
        for (size_t i = 0; i < g.ninputs; i++)
            own.input[i] = gn_arena_printf(&names, "x%zu", i), r.input[i] = random_name(&r, false, i, r.input);
        for (size_t i = 0; i < 2; i++) r.dim[i] = random_name(&r, true, i, r.dim);
        renaming a = plain_names(&names, g.ninputs, "first", "zam", "zan"),
                 b = plain_names(&names, g.ninputs, "other", "zbm", "zbn");
        const char *source = run_text(&a, &g, which, renamed_text(&a, &own, text), out[0]);
        run_text(&r, &g, which, renamed_text(&r, &own, text), out[1]);
        const char *other = run_text(&b, &g, which, renamed_text(&b, &own, text), out[2]);
        for (size_t i = 0; i < g.noutputs; i++) {
            size_t bytes = gn_dtype_size(out[0][i].dtype);
            for (int d = 0; d < out[0][i].rank; d++) bytes *= (size_t)out[0][i].shape[d];
            if (memcmp(out[0][i].data, out[1][i].data, bytes) || memcmp(out[0][i].data, out[2][i].data, bytes))
                fail_msg("seed %llu: output %zu differs", (unsigned long long)seed, i);
            for (int k = 0; k < 3; k++) gn_array_free(&out[k][i]);
        }
        const char *want = renamed_text(&b, &a, source), *got = other; /* the text, too, but for the names */
        while (*want && *want == *got) want++, got++;
        if (*want || *got) fail_msg("seed %llu: from here on\n%.120s\nis\n%.120s", (unsigned long long)seed, want, got);
        gn_text_free(text);
        random_graph_free(&g);
        gn_arena_free(&r.arena), gn_arena_free(&a.arena), gn_arena_free(&b.arena), gn_arena_free(&names);
    }
    gn_context_free(interpreter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_is_an_input),
        cmocka_unit_test(every_word_is_an_input_and_one_its_dim),
        cmocka_unit_test(every_word_is_a_dim),
        cmocka_unit_test(every_word_is_a_variable_of_a_contraction),
        cmocka_unit_test(names_that_become_one_identifier_stay_apart),
        cmocka_unit_test(a_name_in_other_letters_is_refused),
        cmocka_unit_test(every_word_is_a_parameter_of_an_export),
        cmocka_unit_test(every_word_is_an_array_of_an_export),
        cmocka_unit_test(exports_that_differ_in_capitals_live_together),
        cmocka_unit_test(every_word_is_an_export_or_told),
        cmocka_unit_test(random_names_change_no_value),
    };
    fill_longest();
    cmocka_set_test_filter(getenv("GNOMON_TEST_FILTER"));
    return run_on_a_compiler(tests, sizeof tests / sizeof *tests);
}
