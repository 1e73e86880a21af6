/* `gnomon kernel`: reads a kernel and its schedule as text, prints what they become. */
#include <getopt.h>
#include <string.h>
#include "commands.h"
#include "default_schedule.h"
#include "code_text.h"
#include "emit.h"
#include "tree.h"

typedef struct request {
    const char *path;
    const char *target;
    bool kernel, schedule, tree, code;
} request;

static int help(FILE *f)
{
    fputs(
        "usage: gnomon kernel [OPTION..] FILE\n\n"
        "FILE holds a (kernel ..) and a (schedule ..), as docs/kernel-text.md describes them; - is stdin. Without a schedule the\n"
        "automatic one is taken. Prints the source that they become.\n\n"
        "  --target NAME   avx512, avx2, generic, c11 (any compiler), cuda, or c: the best of this CPU [c]\n"
        "  --kernel        print the kernel\n"
        "  --schedule      print the schedule\n"
        "  --tree          print the loops with their statements\n"
        "  --code          print the loops with every load, operation and store\n"
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

static void print_source(gn_text *out, gn_arena *arena, const gn_scheduled *s, const gn_target *target)
{
    gn_text body = {.arena = arena};
    gn_words words = {.arena = arena};
    gn_emit_kernel(&body, &words, s->code);
    gn_target_unit(out, target, &words, gn_text_done(&body));
}

static void run(void *arg)
{
    const request *r = arg;
    gn_arena arena = {0};
    size_t size;
    const gn_target *target = target_by_name(r->target);
    const char *text = read_text(&arena, r->path, &size);
    const gn_sx *items = gn_sx_read(&arena, r->path, text, size);
    gn_kernel *kernel = gn_kernel_read(&arena, r->path, find_list(r->path, items, "kernel", true));
    gn_kernel_verify(kernel);
    const gn_sx *given = find_list(r->path, items, "schedule", false);
    gn_schedule *schedule =
        given ? gn_schedule_read(&arena, kernel, r->path, given) : gn_default_find(&arena, kernel, NULL, target);
    const gn_scheduled *lowered = given ? NULL : gn_default_lower(&arena, kernel, target, &schedule); /* what is printed is what is taken */
    gn_text out = {.arena = &arena};
    if (r->kernel) gn_kernel_print(&out, kernel);
    if (r->schedule) gn_schedule_print(&out, kernel, schedule);
    const bool source = !r->kernel && !r->schedule && !r->tree && !r->code;
    if (r->tree || r->code || source) {
        const gn_scheduled *s = lowered ? lowered : gn_schedule_apply(&arena, kernel, schedule, target);
        if (r->tree) gn_scheduled_print(&out, s);
        if (r->code) gn_code_print(&out, s->code);
        if (source) print_source(&out, &arena, s, target);
    }
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
        case 'h': return help(stdout);
        default: return help(stderr);
        }
    }
    if (optind + 1 != argc) return help(stderr);
    r.path = argv[optind];
    return gn_protect(run, &r) ? complain(gn_message()) : 0;
}
