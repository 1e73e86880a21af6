/* The gnomon command as a user meets it: exit status and what it prints. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "testlib.h"

static char output[1 << 20];

/* Runs `gnomon ARGUMENTS` through the shell, both streams into `output`; the exit status. */
static int gnomon(const char *arguments)
{
    char command[2048];
    snprintf(command, sizeof command, "GNOMON_CACHE_DIR='' " GNOMON_COMMAND " %s 2>&1", arguments);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    output[fread(output, 1, sizeof output - 1, f)] = '\0';
    const int status = pclose(f);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void assert_prints(const char *part)
{
    if (!strstr(output, part)) fail_msg("'%s' is missing in:\n%.3000s", part, output);
}

static const char *write_temp(const char *text)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/gnomonXXXXXX");
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    return path;
}

static int gnomon_on(const char *arguments, const char *text)
{
    char line[256];
    const char *path = write_temp(text);
    snprintf(line, sizeof line, "%s %s", arguments, path);
    const int status = gnomon(line);
    unlink(path);
    return status;
}

static const char kernel[] = "(kernel softmax (syms R C) (bufs (X f32 R C) (Y f32 R C)) (axes (i R) (j C))\n"
                             "  (def m (i) (max (j) (load X i j)))\n"
                             "  (def e (i j) (exp (sub (load X i j) (m i))))\n"
                             "  (def s (i) (sum (j) (e i j)))\n"
                             "  (store set Y (i j) (div (e i j) (s i))))\n";
static const char schedule[] = "(schedule rows (split i ip (ii 16)) (split j j0 (ju 4) (jl 8)) (order ip ii j0 ju jl)\n"
                               "  (bind part ip) (bind private ju) (bind lane jl) (stage e scratch) (peel j0))\n";
static const char graph[] =
    "(graph (dims n) (input 0 x f32 (n))\n"
    "  (node 1 f32 (n) (neg %0)) (node 2 f32 (n) (neg %1)) (node 3 f32 (n) (tanh %2)) (node 4 f32 () (sum %3 :axes (0)))\n"
    "  (out %4))\n";

static const char *both(void)
{
    static char text[2048];
    snprintf(text, sizeof text, "%s%s", kernel, schedule);
    return text;
}

static void every_command_explains_itself(void **state)
{
    (void)state;
    assert_int_equal(gnomon("--help"), 0);
    assert_prints("usage: gnomon COMMAND");
    static const char *const commands[] = {"kernel", "inspect", "cache", "doctor"};
    for (size_t i = 0; i < 4; i++) {
        char line[64], usage[64];
        snprintf(line, sizeof line, "%s --help", commands[i]);
        snprintf(usage, sizeof usage, "usage: gnomon %s", commands[i]);
        assert_int_equal(gnomon(line), 0);
        assert_prints(usage);
    }
    assert_int_equal(gnomon("--version"), 0);
    assert_prints("gnomon 0.");
}

static void wrong_usage_is_refused_with_status_2(void **state)
{
    (void)state;
    assert_int_equal(gnomon(""), 2);
    assert_int_equal(gnomon("knit"), 2);
    assert_prints("no command 'knit'");
    assert_int_equal(gnomon("kernel"), 2);
    assert_int_equal(gnomon("inspect --stage nothing -"), 2);
    assert_int_equal(gnomon("inspect --fix batch -"), 2);
    assert_int_equal(gnomon("cache --dir /tmp/x burn"), 1 + !strstr(output, "the cache is off"));
}

static void kernel_prints_source_for_each_target(void **state)
{
    (void)state;
    assert_int_equal(gnomon_on("kernel --target avx2", both()), 0);
    assert_prints("void softmax_0(void *const *arg, const int64_t *sym, int64_t part)");
    assert_prints("gn_hmax_f32x8(");
    assert_int_equal(gnomon_on("kernel --target cuda", kernel), 0);
    assert_prints("extern \"C\" __global__ void");
    assert_int_equal(gnomon_on("kernel --tree --target avx2", both()), 0);
    assert_prints("(merge m)");
}

static void a_printed_kernel_gives_the_same_source(void **state)
{
    (void)state;
    static char first[sizeof output], text[sizeof output];
    assert_int_equal(gnomon_on("kernel --target avx2", both()), 0);
    strcpy(first, output);
    assert_int_equal(gnomon_on("kernel --kernel --schedule", both()), 0);
    strcpy(text, output);
    assert_int_equal(gnomon_on("kernel --target avx2", text), 0);
    assert_string_equal(first, output);
}

static void an_edited_schedule_changes_the_source(void **state)
{
    (void)state;
    static char first[sizeof output], text[2048];
    assert_int_equal(gnomon_on("kernel --target avx2", both()), 0);
    strcpy(first, output);
    snprintf(text, sizeof text, "%s%s", kernel, schedule);
    memcpy(strstr(text, "(ju 4)"), "(ju 2)", 6);
    assert_int_equal(gnomon_on("kernel --target avx2", text), 0);
    assert_string_not_equal(first, output);
}

static void printed_code_gives_the_same_source(void **state)
{
    (void)state;
    static char first[sizeof output], text[sizeof output];
    assert_int_equal(gnomon_on("kernel --target avx2", both()), 0);
    strcpy(first, strstr(output, "void softmax_0("));
    assert_int_equal(gnomon_on("kernel --target avx2 --code", both()), 0);
    strcpy(text, output);
    assert_int_equal(gnomon_on("kernel", text), 0);
    assert_string_equal(first, strstr(output, "void softmax_0("));
    assert_int_equal(gnomon_on("kernel --code", text), 0);
    assert_prints("; 10 of 10 accesses are proved to be inside");
    assert_int_equal(gnomon_on("kernel --target avx2 --passes", both()), 0);
    assert_prints("; as it is expanded\n");
    assert_prints("; after roll: ");
}

/* What a hand may do to code, and what is said of it. */
static void edited_code_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const struct {
        const char *find, *put, *says;
    } edits[] = {
        { "(set $m ", "(set $mm ", "no place 'mm' here" },
        { "(lanes max ", "(lanes most ", "'most' is no reduction: sum prod max min any all" },
        { "(div %", "(div $m %", "div takes 2 operands, 3 given" },
        { ":carry (m_a)", "", ":carry lacks 'm_a'" },
        { "(store Y :row", "(store X :row", "'X' is only read" },
        { "b8 (below", "f32x8 (below", "a mask is a vector of bool" },
        { "(let %1 ", "(let %2 ", "%1 is not made before" },
        { "ju 4 :unrolled", "ju 5 :unrolled", "register 4 of m_a, which has 4" },
        { "(reg s f32)", "(reg s f64)", "the value is f32, f64 was expected" },
        { "(splat $s)", "(splat $t)", "no place 't' here" },
        { "(set $s ", "(set $m ", "reads $s, which is not set on every way to it" },
        { "(splat $m)", "$m", "operand 2 is f32, f32x8 was expected" },
        { "(args (X read f32 (mul C R))", "(args (X read f32 (mul 2 C))", "of X, which has 2*C: it is outside for " },
    };
    static char text[sizeof output], edited[sizeof output + 64];
    assert_int_equal(gnomon_on("kernel --target avx2 --code", both()), 0);
    strcpy(text, output);
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        const char *at = strstr(text, edits[i].find);
        if (!at) fail_msg("no '%s' in\n%s", edits[i].find, text);
        snprintf(edited, sizeof edited, "%.*s%s%s", (int)(at - text), text, edits[i].put, at + strlen(edits[i].find));
        if (gnomon_on("kernel", edited) == 0) fail_msg("'%s' for '%s' is accepted", edits[i].put, edits[i].find);
        assert_prints(edits[i].says);
    }
}

static void mistakes_in_a_kernel_are_reported_with_their_place(void **state)
{
    (void)state;
    assert_int_equal(gnomon_on("kernel", "(kernel k (syms n)\n  (bufs (X f32 m)))"), 1);
    assert_prints(":2:");
    assert_int_equal(gnomon_on("kernel", "(schedule s)"), 1);
    assert_prints("there is no (kernel ..)");
    assert_int_equal(gnomon("kernel /nonexistent/file"), 1);
    assert_prints("cannot open /nonexistent/file");
    assert_int_equal(gnomon_on("kernel --target avx9", both()), 1);
    assert_prints("no target 'avx9': there are amx, avx512");
}

/* A kernel that no automatic schedule fits gets the plain one, and the reason is told. */
static void a_plain_schedule_is_told_with_its_reason(void **state)
{
    (void)state;
    static char text[16384];
    size_t n = (size_t)snprintf(text, sizeof text, "(kernel many (syms) (bufs");
    for (int i = 0; i < 60; i++) n += (size_t)snprintf(text + n, sizeof text - n, " (y%d f32 5)", i);
    n += (size_t)snprintf(text + n, sizeof text - n, ") (axes");
    for (int i = 0; i < 60; i++) n += (size_t)snprintf(text + n, sizeof text - n, " (i%d 5)", i);
    n += (size_t)snprintf(text + n, sizeof text - n, ")");
    for (int i = 0; i < 60; i++) n += (size_t)snprintf(text + n, sizeof text - n, " (store set y%d (i%d) 1)", i, i);
    snprintf(text + n, sizeof text - n, ")");
    assert_int_equal(gnomon_on("kernel --schedule", text), 0);
    assert_prints("; plain: kernel many: 60 axes are too many for a closed form\n(schedule plain");
}

static void inspect_shows_every_stage(void **state)
{
    (void)state;
    assert_int_equal(gnomon_on("inspect --target avx2 --stage graph --stage passes --stage rules --stage kernels "
                               "--stage tree --stage source",
                               graph),
                     0);
    static const char *const parts[] = {"==== graph",  "==== after canonicalize", "==== rules that fired",
                                        "neg_neg",     "==== kernel 1 of",        "(schedule ",
                                        "(scheduled ", "==== C source",           "input     x"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) assert_prints(parts[i]);
    assert_int_equal(gnomon_on("inspect --stage rules --disable neg_neg", graph), 0);
    assert_null(strstr(output, "neg_neg"));
    assert_int_equal(gnomon_on("inspect --stage graph --fix n=12", graph), 0);
    assert_prints("(input 0 x f32 (12))");
}

/* A loop of a program is one kernel, as code. */
static void inspect_takes_a_program(void **state)
{
    (void)state;
    static const char program[] =
        "(program \"p\" 1 1 (sym t -2 -1 0) (value input 0 \"x\" f32 (4) 16 -1 -1 -1) (value output 0 \"y\" f32 (4) 16 -1 -1 -1)"
        " (value temp 0 \"now\" f32 (4) 16 -1 -1 -1) (value temp 0 \"next\" f32 (4) 16 -1 -1 -1)"
        " (kernel twice 0 1 0 0 \"(kernel twice (syms) (bufs (Y f32 4) (A f32 4)) (axes (i 4)) (store set Y (i) (mul (load A i) 2)))\" \"\")"
        " (loop t 5 ((2 0 3)) () (step 0 0 twice 1 (3 2) () ())) (copy (1 2) () () ()) (source \"\"))";
    assert_int_equal(gnomon_on("inspect --target c11 --stage code --stage source", program), 0);
    assert_non_null(strstr(output, "kernel 1 of 1: loop_t_0"));
    assert_non_null(strstr(output, "(code loop_t_0 c11"));
    assert_non_null(strstr(output, "for (int64_t t = 0; t < 5; t++)"));
}

static void inspect_shows_cuda_source(void **state)
{
    (void)state;
    assert_int_equal(gnomon_on("inspect --target cuda:sm_90 --stage source", graph), 0);
    assert_prints("==== CUDA source");
    assert_prints("__global__");
    assert_int_equal(gnomon_on("inspect --target cuda:tesla", graph), 1);
    assert_prints("'tesla' is no GPU architecture");
}

static void inspect_says_where_a_graph_is_malformed(void **state)
{
    (void)state;
    assert_int_equal(gnomon_on("inspect", "(graph (input 0 x f32 (3))\n  (node 1 f32 (3) (nosuch %0)) (out %1))"), 1);
    assert_prints(":2:");
}

static void cache_lists_verifies_and_clears(void **state)
{
    (void)state;
    char dir[] = "/tmp/gnomoncacheXXXXXX", line[128];
    assert_non_null(mkdtemp(dir));
    static const struct {
        const char *command, *says;
    } steps[] = {
        {"list", "0 entries"},
        {"verify", "0 bad"},
        {"prune 1M", "removed 0 bytes"},
        {"clear", "removed 0 bytes"},
    };
    for (size_t i = 0; i < 4; i++) {
        snprintf(line, sizeof line, "cache --dir %s %s", dir, steps[i].command);
        assert_int_equal(gnomon(line), 0);
        assert_prints(steps[i].says);
    }
    snprintf(line, sizeof line, "cache --dir %s prune 12Q", dir);
    assert_int_equal(gnomon(line), 2);
    snprintf(line, sizeof line, "rm -rf %s", dir);
    assert_int_equal(system(line), 0);
}

static void doctor_reports_what_is_here(void **state)
{
    (void)state;
    const int status = gnomon("doctor");
    assert_true(status == 0 || strstr(output, "no compiler was found"));
    static const char *const parts[] = {"CPU\n", "generic", "toolchains\n", "compilers\n", "CUDA (optional)\n", "cache\n"};
    for (size_t i = 0; i < 6; i++) assert_prints(parts[i]);
}

static void make_program(const char *dir, const char *name, const char *says)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "#!/bin/sh\necho %s\n", says);
    fclose(f);
    assert_int_equal(chmod(path, 0755), 0);
}

/* The places where the plug-in was looked for, and what is taken and why. */
static void doctor_says_what_is_chosen_and_why(void **state)
{
    (void)state;
    char dir[] = "/tmp/gnomon-doctor-XXXXXX", line[200];
    assert_non_null(mkdtemp(dir));
    gnomon("doctor");
    assert_prints("gnomon-clang.so\n");
    assert_prints("  chosen           ");
    assert_int_equal(setenv("GNOMON_PLUGIN_DIR", dir, 1), 0);
    gnomon("doctor");
    snprintf(line, sizeof line,
             "    not there %s/gnomon-clang.so\n    (GNOMON_PLUGIN_DIR is set: it is looked for nowhere else)\n", dir);
    assert_prints(line);
    assert_prints("  clang            no: the plug-in was not found\n");
    if (strstr(output, "  cc               yes"))
        assert_prints("  chosen           cc: there is no plug-in, and a C compiler\n");
    make_program(dir, "gnomon-clang.so", "is none");
    gnomon("doctor");
    assert_prints("gnomon-clang.so cannot be opened: it is no ELF file\n");
    assert_prints("  chosen           cc, else interpreter: the plug-in is there but cannot be opened\n");
    assert_int_equal(setenv("GNOMON_TOOLCHAIN", "interpreter", 1), 0);
    gnomon("doctor");
    assert_prints("  chosen           interpreter: the environment says so (GNOMON_TOOLCHAIN)\n");
    unsetenv("GNOMON_TOOLCHAIN"), unsetenv("GNOMON_PLUGIN_DIR");
    snprintf(line, sizeof line, "rm -rf %s", dir);
    assert_int_equal(system(line), 0);
}

static void doctor_shows_the_newest_clang(void **state)
{
    (void)state;
    char dir[] = "/tmp/gnomon-doctor-XXXXXX", line[128], *old = getenv("PATH") ? strdup(getenv("PATH")) : NULL;
    assert_non_null(mkdtemp(dir));
    make_program(dir, "clang", "plain clang");
    assert_int_equal(setenv("PATH", dir, 1), 0);
    gnomon("doctor");
    assert_prints("clang            plain clang\n");
    make_program(dir, "clang-9", "clang nine");
    make_program(dir, "clang-16", "clang sixteen");
    make_program(dir, "clang-18", "clang eighteen");
    gnomon("doctor");
    assert_prints("clang-18         clang eighteen\n");
    assert_null(strstr(output, "plain"));
    assert_null(strstr(output, "sixteen"));
    if (old) setenv("PATH", old, 1);
    free(old);
    snprintf(line, sizeof line, "rm -rf %s", dir);
    assert_int_equal(system(line), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_explains_itself),
        cmocka_unit_test(wrong_usage_is_refused_with_status_2),
        cmocka_unit_test(kernel_prints_source_for_each_target),
        cmocka_unit_test(a_printed_kernel_gives_the_same_source),
        cmocka_unit_test(an_edited_schedule_changes_the_source),
        cmocka_unit_test(printed_code_gives_the_same_source),
        cmocka_unit_test(edited_code_is_refused_with_a_reason),
        cmocka_unit_test(mistakes_in_a_kernel_are_reported_with_their_place),
        cmocka_unit_test(a_plain_schedule_is_told_with_its_reason),
        cmocka_unit_test(inspect_shows_every_stage),
        cmocka_unit_test(inspect_takes_a_program),
        cmocka_unit_test(inspect_shows_cuda_source),
        cmocka_unit_test(inspect_says_where_a_graph_is_malformed),
        cmocka_unit_test(cache_lists_verifies_and_clears),
        cmocka_unit_test(doctor_reports_what_is_here),
        cmocka_unit_test(doctor_says_what_is_chosen_and_why),
        cmocka_unit_test(doctor_shows_the_newest_clang),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
