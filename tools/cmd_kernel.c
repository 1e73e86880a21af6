/* `gnomon kernel`: reads a kernel and its schedule, or code, as text, and prints what they become. */
#include <getopt.h>
#include <string.h>
#include "commands.h"
#include "default_schedule.h"
#include "code_passes.h"
#include "code_text.h"
#include "code_verify.h"
#include "emit.h"
#include "lower_default.h"
#include "tree.h"

typedef struct request {
    const char *path;
    const char *target;
    bool kernel, schedule, tree, code, passes;
} request;

static int help(FILE *f)
{
    fputs("usage: gnomon kernel [OPTION..] FILE\n\n"
          "FILE holds a (kernel ..) and a (schedule ..), as docs/kernel-text.md describes them, or a (code ..), as "
          "docs/code-text.md\n"
          "does; - is stdin. Without a schedule the automatic one is taken. Prints the source that they become, or "
          "what is illegal.\n\n"
          "  --target NAME   amx, avx512, avx2, generic, c11 (any compiler), cuda, or c: the best of this CPU [c]\n"
          "  --kernel        print the kernel\n"
          "  --schedule      print the schedule\n"
          "  --tree          print the loops with their statements\n"
          "  --code          print the loops with every load, operation and store; of code from a file, and how much "
          "of it is proved\n"
          "                  to stay inside its places\n"
          "  --passes        print the code as it is expanded, and after each pass\n"
          "  --help          print this\n",
          f);
    return f == stdout ? 0 : EXIT_USAGE;
}

static const gn_sx *find_list(const char *path, const gn_sx *items, const char *head, bool required)
{
    const gn_sx *found = NULL;
    for (size_t i = 0; i < items->n; i++) {
        if (!gn_sx_head(items->at[i], head)) continue;
        if (found) gn_sx_fail(path, items->at[i], "a second %s", head);
        found = items->at[i];
    }
    if (!found && required) gn_throw(GN_ESYNTAX, "%s: there is no (%s ..)", path, head);
    return found;
}

static void print_source(gn_text *out, gn_arena *arena, gn_code *code)
{
    gn_text body = {.arena = arena};
    gn_words words = {.arena = arena};
    gn_emit_kernel(&body, &words, code);
    gn_target_unit(out, code->target, &words, gn_text_done(&body));
}

/* Code from a file is verified; it is for the target that it names. */
static void run_code(const request *r, gn_arena *arena, const gn_sx *x, gn_text *out)
{
    gn_code *code = gn_code_read(arena, r->path, x);
    gn_code_verify(code);
    const gn_code_ranges ranges = gn_code_verify_ranges(code, arena);
    if (ranges.outside) gn_throw(GN_EINVAL, "%s", ranges.outside);
    if (!r->code) {
        print_source(out, arena, code);
        return;
    }
    gn_code_print(out, code);
    gn_textf(out, "; %zu of %zu accesses are proved to be inside\n", ranges.proved, ranges.asked);
    if (ranges.first) gn_textf(out, "; the first that is not: %s\n", ranges.first);
}

static void print_pass(void *user, const gn_code *code, const gn_code_pass *p)
{
    gn_text *out = user;
    if (p) gn_textf(out, "\n; after %s: %s\n", p->name, p->why);
    else gn_text_add(out, "; as it is expanded\n");
    gn_code_print(out, code);
}

static void run_kernel(const request *r, gn_arena *arena, const gn_sx *items, gn_text *out)
{
    const gn_target *target = target_by_name(r->target);
    gn_kernel *kernel = gn_kernel_read(arena, r->path, find_list(r->path, items, "kernel", true));
    gn_kernel_verify(kernel);
    const gn_sx *given = find_list(r->path, items, "schedule", false);
    gn_schedule *schedule =
        given ? gn_schedule_read(arena, kernel, r->path, given) : gn_default_find(arena, kernel, target);
    /* what is printed is what is taken */
    const gn_scheduled *lowered = given ? NULL : gn_default_lower(arena, kernel, target, &schedule);
    if (r->kernel) gn_kernel_print(out, kernel);
    if (r->schedule && schedule->plain) gn_textf(out, "; plain: %s\n", schedule->plain);
    if (r->schedule) gn_schedule_print(out, kernel, schedule);
    if (r->passes) gn_code_run_passes(gn_schedule_lower(arena, kernel, schedule, target)->code, print_pass, out);
    const bool source = !r->kernel && !r->schedule && !r->tree && !r->code && !r->passes;
    if (!r->tree && !r->code && !source) return;
    const gn_scheduled *s = lowered ? lowered : gn_schedule_apply(arena, kernel, schedule, target);
    if (r->tree) gn_scheduled_print(out, s);
    if (r->code) gn_code_print(out, s->code);
    if (source) print_source(out, arena, s->code);
}

static void run(void *arg)
{
    const request *r = arg;
    gn_arena arena = {0};
    size_t size;
    const char *text = read_text(&arena, r->path, &size);
    const gn_sx *items = gn_sx_read(&arena, r->path, text, size);
    const gn_sx *code = find_list(r->path, items, "code", false);
    gn_text out = {.arena = &arena};
    if (code) run_code(r, &arena, code, &out);
    else run_kernel(r, &arena, items, &out);
    const char *printed = gn_text_done(&out);
    fputs(printed, stdout);
    if (*printed && printed[strlen(printed) - 1] != '\n') putchar('\n');
    gn_arena_free(&arena);
}

int cmd_kernel(int argc, char **argv)
{
    static const struct option options[] = {{"target", 1, 0, 't'},
                                            {"kernel", 0, 0, 'k'},
                                            {"schedule", 0, 0, 's'},
                                            {"tree", 0, 0, 'r'},
                                            {"code", 0, 0, 'c'},
                                            {"passes", 0, 0, 'p'},
                                            {"help", 0, 0, 'h'},
                                            {0}};
    request r = {0};
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (c) {
        case 't': r.target = optarg; break;
        case 'k': r.kernel = true; break;
        case 's': r.schedule = true; break;
        case 'r': r.tree = true; break;
        case 'c': r.code = true; break;
        case 'p': r.passes = true; break;
        case 'h': return help(stdout);
        default: return help(stderr);
        }
    }
    if (optind + 1 != argc) return help(stderr);
    r.path = argv[optind];
    return gn_protect(run, &r) ? complain(gn_message()) : 0;
}
