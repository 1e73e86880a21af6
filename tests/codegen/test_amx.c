/* AMX where no CPU has it: rows of a target's table, interpreted by their reference functions, compiled with the
 * instructions emulated as Intel's manual has them, and assembled for what they are. */
#include "code_interpret.h"
#include "judge.h"
#include "unit_cc.h"

#define LINE(text) text "\n"
static const char emulation[] =
    LINE("#define GN_AMX_EMULATION")
    LINE("typedef struct { _Alignas(64) unsigned char row[16][64]; } emulated_tile;")
    LINE("static emulated_tile emulated[8];")
    LINE("static int emulated_is_on;")
    LINE("static void emulated_config(const unsigned char *c)")
    LINE("{")
    LINE("    if (emulated_is_on++ || c[0] != 1) __builtin_trap();")
    LINE("    for (int t = 0; t < 8; t++)")
    LINE("        if (c[16 + 2 * t] != 64 || c[17 + 2 * t] || c[48 + t] != 16) __builtin_trap();")
    LINE("    __builtin_memset(emulated, 0, sizeof emulated);")
    LINE("}")
    LINE("static void emulated_check(unsigned t) { if (!emulated_is_on || t > 7) __builtin_trap(); }")
    LINE("static void emulated_release(void) { if (--emulated_is_on) __builtin_trap(); }")
    LINE("static void emulated_zero(unsigned t) { emulated_check(t); __builtin_memset(&emulated[t], 0, sizeof *emulated); }")
    LINE("__attribute__((unused)) static void emulated_load(unsigned t, const void *p, long bytes)")
    LINE("{")
    LINE("    emulated_check(t);")
    LINE("    for (int i = 0; i < 16; i++) __builtin_memcpy(emulated[t].row[i], (const char *)p + i * bytes, 64);")
    LINE("}")
    LINE("static void emulated_store(unsigned t, void *p, long bytes)")
    LINE("{")
    LINE("    emulated_check(t);")
    LINE("    for (int i = 0; i < 16; i++) __builtin_memcpy((char *)p + i * bytes, emulated[t].row[i], 64);")
    LINE("}")
    LINE("static float emulated_flush(float x) { return __builtin_fabsf(x) < 0x1p-126f ? __builtin_copysignf(0, x) : x; }")
    LINE("__attribute__((unused)) static float emulated_bf16(const unsigned char *p)")
    LINE("{")
    LINE("    const unsigned bits = (unsigned)p[0] << 16 | (unsigned)p[1] << 24;")
    LINE("    float x;")
    LINE("    __builtin_memcpy(&x, &bits, 4);")
    LINE("    return emulated_flush(x);")
    LINE("}")
    LINE("__attribute__((unused)) static void emulated_dpbf16(unsigned c, unsigned a, unsigned b)")
    LINE("{")
    LINE("    emulated_check(a), emulated_check(b), emulated_check(c);")
    LINE("    for (int m = 0; m < 16; m++) {")
    LINE("        float temp[32] = { 0 }, *const out = (float *)emulated[c].row[m];")
    LINE("        for (int k = 0; k < 16; k++)")
    LINE("            for (int n = 0; n < 32; n++)")
    LINE("                temp[n] = emulated_flush(__builtin_fmaf(emulated_bf16(&emulated[a].row[m][4 * k + n % 2 * 2]),")
    LINE("                                                        emulated_bf16(&emulated[b].row[k][2 * n]), temp[n]));")
    LINE("        for (int n = 0; n < 16; n++)")
    LINE("            out[n] = emulated_flush(emulated_flush(out[n]) + emulated_flush(temp[2 * n] + temp[2 * n + 1]));")
    LINE("    }")
    LINE("}")
    LINE("__attribute__((unused)) static void emulated_dpbssd(unsigned c, unsigned a, unsigned b)")
    LINE("{")
    LINE("    emulated_check(a), emulated_check(b), emulated_check(c);")
    LINE("    for (int m = 0; m < 16; m++)")
    LINE("        for (int k = 0; k < 16; k++)")
    LINE("            for (int n = 0; n < 64; n++)")
    LINE("                ((unsigned *)emulated[c].row[m])[n / 4] += (unsigned)((signed char)emulated[a].row[m][4 * k + n % 4] *")
    LINE("                                                                      (signed char)emulated[b].row[k][n]);")
    LINE("}")
    LINE("#define GN_TILE_CONFIG(p) emulated_config(p)")
    LINE("#define GN_TILE_RELEASE() emulated_release()")
    LINE("#define GN_TILE_ZERO(t) emulated_zero(t)")
    LINE("#define GN_TILE_LOAD(t, p, bytes) emulated_load(t, p, bytes)")
    LINE("#define GN_TILE_STORE(t, p, bytes) emulated_store(t, p, bytes)")
    LINE("#define GN_TILE_BF16(c, a, b) emulated_dpbf16(c, a, b)")
    LINE("#define GN_TILE_I8(c, a, b) emulated_dpbssd(c, a, b)");

typedef struct trial {
    gn_arena arena;
    const char *text;
    const gn_target *target;
    gn_scheduled *s;
    gn_code *code;
    const char *unit; /* its C */
} trial;

static void emit(trial *t)
{
    gn_text body = {.arena = &t->arena}, unit = body;
    gn_words words = {.arena = &t->arena};
    gn_emit_kernel(&body, &words, t->code);
    gn_target_unit(&unit, &gn_target_amx, &words, gn_text_done(&body));
    t->unit = gn_text_done(&unit);
}

static void read_code(void *arg)
{
    trial *const t = arg;
    gn_code *const c = gn_code_read(&t->arena, "test", gn_sx_read(&t->arena, "test", t->text, strlen(t->text))->at[0]);
    gn_code_verify(c);
    t->code = reread(&t->arena, c);
    const gn_code_ranges r = gn_code_verify_ranges(t->code, &t->arena);
    if (r.first) gn_throw(GN_EINVAL, "%s", r.first);
    emit(t);
}

static void *load(const trial *t)
{
    gn_text all = {.arena = (gn_arena *)(uintptr_t)&t->arena};
    gn_textf(&all, "%s%s", emulation, t->unit);
    return unit_load_text(unit_compilers()[0], ".c", gn_text_done(&all));
}

static bool can_run(void)
{
    return unit_compilers()[0] && gn_target_runs_here(&gn_target_avx512);
}

/* ---- text: C += A B of packed factors, in two accumulators, one of which lives in a region of its own ---- */

#define TWO_TILES(row, ctype, type, steps)                                                                             \
    "(code tiles amx (syms n) (args (A read " type " (mul n 16 " steps ")) (B read " type " (mul n 16 " steps "))"     \
    " (C update " ctype " 512)) (step () (reg c opaque:" row ") (tile " row " zero $c)"                               \
    " (for i n :carry (c) (reg d opaque:" row " 2) (tile " row " load $d[1] C 256 16)"                                 \
    " (tile " row " multiply $d[1] A (mul i 16 " steps ") " steps " B (mul i 16 " steps ") " steps ")"                 \
    " (tile " row " multiply $c B (mul i 16 " steps ") " steps " B (mul i 16 " steps ") " steps ")"                    \
    " (tile " row " store $d[1] C 256 16)) (tile " row " store $c C 0 16)))"

enum { BLOCKS = 3, TILE = 16 * 64 };
static const struct {
    const char *text;
    bool bf16;
} programs[] = {{TWO_TILES("amx_bf16", "f32", "bf16", "32"), true}, {TWO_TILES("amx_i8", "i32", "i8", "64"), false}};

/* Numbers of all magnitudes, NaN and infinity among them. */
static void fill_factor(unsigned char *at, size_t bytes, bool bf16, uint64_t *seed)
{
    for (size_t i = 0; i < bytes; i++) at[i] = (unsigned char)test_random(seed);
    for (size_t i = 1; i < bytes && bf16; i += 2)
        if (test_random(seed) % 64) at[i] = (unsigned char)((at[i] & 0x80) | (0x3d + test_random(seed) % 4));
}

static void the_text_means_the_instructions(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    for (size_t p = 0; p < sizeof programs / sizeof *programs; p++) {
        trial t = {.text = programs[p].text};
        if (gn_protect(read_code, &t)) fail_msg("%s", gn_message());
        void *const library = can_run() ? load(&t) : NULL;
        for (int64_t n = 0; n <= BLOCKS; n++) {
            static unsigned char a[BLOCKS * TILE], b[BLOCKS * TILE];
            static uint32_t got[2][512];
            fill_factor(a, sizeof a, programs[p].bf16, &seed), fill_factor(b, sizeof b, programs[p].bf16, &seed);
            for (int i = 0; i < 512; i++) got[0][i] = got[1][i] = (uint32_t)test_random(&seed) & 0xbfffffff;
            gn_code_interpret(t.code, (void *[]){a, b, got[0]}, &n, 1, &t.arena);
            if (!library) continue;
            void (*run)(void *const *, const int64_t *, int64_t);
            void *const symbol = unit_symbol(library, "tiles_0");
            memcpy(&run, &symbol, sizeof run);
            run((void *[]){a, b, got[1]}, &n, 0);
            for (int i = 0; i < 512; i++) {
                float x, y;
                memcpy(&x, &got[0][i], sizeof x), memcpy(&y, &got[1][i], sizeof y);
                if (got[0][i] != got[1][i] && !(programs[p].bf16 && isnan(x) && isnan(y)))
                    fail_msg("%s: element %d is %x, not %x", programs[p].text, i, got[1][i], got[0][i]);
            }
        }
        if (library) dlclose(library);
        else print_message("not run: no compiler, or no AVX-512\n");
        gn_arena_free(&t.arena);
    }
}

/* ---- kernels ---- */

static const char *const kernels[] = {
    "(kernel mm (syms M N K) (bufs (A i8 M K) (B i8 K N) (C i32 M N)) (axes (i M) (j N) (k K))"
    " (def a (i k) (load A i k)) (def b (k j) (load B k j))"
    " (def s (i j) (sum (k) (mul (cast i32 (a i k)) (cast i32 (b k j))))) (store set C (i j) (add 1 (s i j))))"
    "(schedule u (split i i0 (iu 2) (i1 16)) (split j j0 (ju 2) (j1 16)) (split k k0 (kq 16) (kr 4))"
    " (order i0 j0 k0 iu ju i1 j1 kq kr) (bind part i0) (bind unroll iu ju i1 j1) (bind tile kq kr)"
    " (stage s stack) (tensorize s amx_i8 i1 j1 kq kr) (stage a stack (at k0) (layout iu i1 kq kr))"
    " (stage b stack (at k0) (layout ju kq j1 kr)))",
    "(kernel mm (syms M N K) (bufs (A i8 K M) (B i8 N K) (C i32 M N)) (axes (i M) (j N) (k K))"
    " (def a (i k) (load A k i)) (def b (k j) (load B j k))"
    " (def s (i j) (sum (k) (mul (cast i32 (b k j)) (cast i32 (a i k))))) (store set C (i j) (s i j)))"
    "(schedule u (split i i0 (i1 16)) (split j j0 (ju 4) (j1 16)) (split k k0 (kq 16) (kr 4))"
    " (order j0 i0 k0 ju i1 j1 kq kr) (bind unroll ju i1 j1) (bind tile kq kr)"
    " (stage s scratch) (tensorize s amx_i8 i1 j1 kq kr) (stage a scratch (at i0) (layout k0 i1 kq kr))"
    " (stage b arena (at root) (layout j0 k0 ju kq j1 kr)))",
};

static void lower(void *arg)
{
    trial *const t = arg;
    const job j = lower_text(&t->arena, t->text, &gn_target_amx);
    t->s = j.s, t->code = j.s->code = reread(&t->arena, j.s->code);
    emit(t);
}

static void sums_of_bytes_run_on_tiles(void **state)
{
    (void)state;
    static const int64_t extents[][3] = {{16, 16, 64}, {1, 1, 1}, {17, 5, 65}, {40, 70, 130}, {0, 3, 2}, {3, 0, 2}, {3, 2, 0}};
    for (size_t k = 0; k < sizeof kernels / sizeof *kernels; k++) {
        trial t = {.text = kernels[k]};
        if (gn_protect(lower, &t)) fail_msg("%s", gn_message());
        assert_non_null(strstr(t.unit, "GN_TILE_I8(3, 6, 7)"));
        job j = {.kernel = (gn_kernel *)(uintptr_t)t.s->kernel, .s = t.s};
        void *const library = can_run() ? load(&t) : NULL;
        for (size_t e = 0; e < sizeof extents / sizeof *extents; e++) {
            uint64_t seed = e + 1;
            run_data d = begin_run(&t.arena, &j, extents[e], &seed);
            reset(&j, &d);
            gn_code_interpret(t.code, d.args, extents[e], 1, &t.arena);
            compare(&j, "code", extents[e], d.got, d.want);
            reset(&j, &d);
            if (library) run_compiled(library, &j, &d, extents[e]), compare(&j, "emulated", extents[e], d.got, d.want);
            end_run(&j, &d);
        }
        if (library) dlclose(library);
        gn_arena_free(&t.arena);
    }
}

/* ---- what is refused ---- */

#define TILES(type, ...)                                                                                               \
    "(code k amx (syms n) (args (A read " type " n) (C update f32 n)) (step () " __VA_ARGS__ "))"
static const struct {
    const char *text, *says;
} refusals[] = {
    {TILES("bf16", "(reg c opaque:amx_bf16 7)"), "7 values at once, AMX has room for 6"},
    {TILES("bf16", "(reg c opaque:amx_bf16 4) (for i n (reg d opaque:amx_i8 3))"),
     "7 values at once, AMX has room for 6"},
    {TILES("bf16", "(reg c opaque:amx_bf16) (tile amx_bf16 store $c C 0 16)"), "reads $c, which is not set"},
    {TILES("i8", "(reg c opaque:amx_bf16) (tile amx_bf16 zero $c) (tile amx_bf16 multiply $c A 0 32 A 0 32)"),
     "'A' is i8, bf16 was expected"},
    {TILES("bf16", "(let %1 bf16 (load A 0))"), "bf16"},
    {TILES("bf16", "(reg r bf16)"), "bf16 is only kept, no target computes with it"},
};

static void wrong_tiles_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        trial t = {.text = refusals[i].text};
        const gn_status s = gn_protect(read_code, &t);
        if (!s || !strstr(gn_message(), refusals[i].says))
            fail_msg("%s\n%s\nexpected '%s'", refusals[i].text, s ? gn_message() : "accepted", refusals[i].says);
        gn_arena_free(&t.arena);
    }
}

/* ---- the instructions ---- */

static void compilers_make_the_instructions(void **state)
{
    (void)state;
    static const char *const wanted[][6] = {{"ldtilecfg", "tilezero", "tileloadd", "tdpbf16ps", "tilestored", "tilerelease"},
                                            {"ldtilecfg", "tilezero", "tileloadd", "tdpbssd", "tilestored", "tilerelease"}};
    if (!unit_compilers()[0]) skip();
    for (const char *const *cc = unit_compilers(); *cc; cc++)
        for (size_t p = 0; p < sizeof programs / sizeof *programs; p++) {
            trial t = {.text = programs[p].text};
            char path[] = "/tmp/amxXXXXXX.c", command[300];
            if (gn_protect(read_code, &t)) fail_msg("%s", gn_message());
            const int fd = mkstemps(path, 2);
            assert_int_equal(write(fd, t.unit, strlen(t.unit)), strlen(t.unit));
            close(fd);
            for (int i = 0; i < 6; i++) {
                snprintf(command, sizeof command, "%s -std=gnu11 -O1 -mamx-tile -mamx-bf16 -mamx-int8 -w -S -o - %s | grep -q %s", *cc,
                         path, wanted[p][i]);
                if (system(command) != 0) fail_msg("%s: no %s\n%s", *cc, wanted[p][i], t.unit);
            }
            snprintf(command, sizeof command, "%s -std=gnu11 -O1 -mamx-tile -mamx-bf16 -mamx-int8 -w -c -o /dev/null %s", *cc, path);
            if (system(command) != 0) fail_msg("%s does not assemble\n%s", *cc, t.unit);
            unlink(path);
            gn_arena_free(&t.arena);
        }
}

static void it_is_chosen_where_the_cpu_has_it(void **state)
{
    (void)state;
    const bool has = system("grep -q amx_tile /proc/cpuinfo && grep -q amx_bf16 /proc/cpuinfo && grep -q amx_int8 /proc/cpuinfo") == 0;
    assert_int_equal(gn_target_runs_here(&gn_target_amx), has && gn_target_is_permitted(&gn_target_amx));
    assert_int_equal(gn_target_host() == &gn_target_amx, gn_target_runs_here(&gn_target_amx));
    assert_ptr_equal(gn_target_find("amx"), &gn_target_amx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_means_the_instructions),
        cmocka_unit_test(sums_of_bytes_run_on_tiles),
        cmocka_unit_test(wrong_tiles_are_told),
        cmocka_unit_test(compilers_make_the_instructions),
        cmocka_unit_test(it_is_chosen_where_the_cpu_has_it),
    };
    return cmocka_run_group_tests_name("codegen/amx", tests, NULL, NULL);
}
