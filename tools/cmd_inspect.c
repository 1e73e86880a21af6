/* `gnomon inspect`: a graph through every stage, each as text. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include "code_text.h"
#include "commands.h"
#include "context_state.h"
#include "emit_program.h"
#include "graph_text.h"
#include "make_program.h"
#include "nvrtc.h"
#include "optimize.h"
#include "program.h"
#include "tree.h"

typedef enum {
    SHOW_GRAPH = 1,
    SHOW_PASSES = 2,
    SHOW_RULES = 4,
    SHOW_KERNELS = 8,
    SHOW_TREE = 16,
    SHOW_CODE = 32,
    SHOW_SOURCE = 64,
    SHOW_ASSEMBLY = 128
} show;

static const struct {
    const char *name;
    show bit;
    const char *gloss;
} stages[] = {
    {"graph", SHOW_GRAPH, "the graph as it was read"},
    {"passes", SHOW_PASSES, "the graph after each pass that changed it"},
    {"rules", SHOW_RULES, "every rewrite that fired, in order, with its cost before and after"},
    {"kernels", SHOW_KERNELS, "each kernel and its schedule; `gnomon kernel` takes one of them as its text"},
    {"tree", SHOW_TREE, "each kernel's loops"},
    {"code", SHOW_CODE, "each kernel's loads, operations and stores; `gnomon kernel` takes one of them as its text"},
    {"source", SHOW_SOURCE, "the generated C or CUDA"},
    {"assembly", SHOW_ASSEMBLY, "its assembly; for CUDA its PTX"},
};
enum { NSTAGES = sizeof stages / sizeof *stages };

typedef struct inspection {
    const char *path, *target_name, *disable, *arch;
    unsigned shows;
    gn_fix fix[16];
    size_t nfix;
    gn_arena arena;
    gn_context *context;
    const gn_target *target;
    struct gn_core *core;
    const char *last; /* the graph's text after the last pass */
} inspection;

static int help(FILE *f)
{
    fputs("usage: gnomon inspect [OPTION..] FILE.gn\n\n"
          "FILE.gn is a graph as docs/text-form.md describes it, or a program of docs/program-text.md; - is stdin. Prints what\n"
          "becomes of it, stage by stage.\n\n"
          "  --target NAME     c: the best of this CPU [c], amx, avx512, avx2, generic, c11, cuda, cuda:sm_90\n"
          "  --stage NAME      this stage only; may be given several times:\n",
          f);
    for (size_t i = 0; i < NSTAGES; i++) fprintf(f, "                      %-9s %s\n", stages[i].name, stages[i].gloss);
    fputs("  --fix DIM=NUMBER  makes a named dim a constant; may be given several times\n"
          "  --disable NAMES   rules or passes to leave out, separated by commas\n"
          "  --help            print this\n",
          f);
    return f == stdout ? 0 : EXIT_USAGE;
}

static void title(const char *text)
{
    printf("\n==== %s\n", text);
}

static void print_block(const char *text)
{
    fputs(text, stdout);
    if (*text && text[strlen(text) - 1] != '\n') putchar('\n');
}

static const char *core_text(inspection *in)
{
    gn_text t = {.arena = &in->arena};
    gn_core_print(&t, in->core);
    return gn_text_done(&t);
}

static bool is_program(const char *text)
{
    text += strspn(text, " \t\r\n");
    return strncmp(text, "(program", 8) == 0;
}

static void read_graph(inspection *in, const char *text, size_t size)
{
    in->core = gn_core_read(&in->arena, in->context, in->path, text, size);
    if (in->nfix) {
        struct gn_core *c = in->core;
        const gn_exprs inputs = { c->in.n, c->in.at }, outputs = { c->out.n, c->out.at },
                       variables = { c->variable.n, c->variable.at }, values = { c->update.n, c->update.at };
        in->core = gn_graph_copy(&in->arena, c->graph, inputs, outputs, variables, values, in->nfix, in->fix);
        gn_core_free(c);
    }
    in->last = core_text(in);
    if (in->shows & SHOW_GRAPH) {
        title("graph");
        print_block(in->last);
    }
}

static void on_dump(void *user, const char *pass, const char *text)
{
    inspection *in = user;
    if (strcmp(pass, "start") == 0 || !(in->shows & SHOW_PASSES)) return;
    char line[128];
    const bool same = strcmp(text, in->last) == 0;
    snprintf(line, sizeof line, "after %s%s", pass, same ? ": unchanged" : "");
    title(line);
    if (!same) print_block(text);
    in->last = gn_arena_string(&in->arena, text);
}

static void optimize(inspection *in)
{
    gn_explain record = {.arena = &in->arena};
    gn_optimize(in->core,
                &(gn_optimize_options){
                    .dump = "all", .on_dump = on_dump, .user = in, .explain = &record, .disable = in->disable });
    if (!(in->shows & SHOW_RULES)) return;
    gn_text t = {.arena = &in->arena};
    gn_explain_print(&t, &record);
    title("rules that fired");
    print_block(record.lines.n ? gn_text_done(&t) : "none\n");
}

static void show_lowered(inspection *in, const gn_pkernel *k)
{
    if (!*k->schedule) { /* it is code, which is all of it */
        print_block(k->kernel);
        return;
    }
    const gn_sx *kernel = gn_sx_read(&in->arena, k->name, k->kernel, strlen(k->kernel)),
                *schedule = gn_sx_read(&in->arena, k->name, k->schedule, strlen(k->schedule));
    const gn_kernel *logical = gn_kernel_read(&in->arena, k->name, kernel->at[0]);
    const gn_schedule *read = gn_schedule_read(&in->arena, logical, k->name, schedule->at[0]);
    const gn_scheduled *s = gn_schedule_apply(&in->arena, logical, read, in->target);
    gn_text t = {.arena = &in->arena};
    if (in->shows & SHOW_TREE) gn_scheduled_print(&t, s);
    if (in->shows & SHOW_CODE) gn_code_print(&t, s->code);
    print_block(gn_text_done(&t));
}

static void show_kernels(inspection *in, const gn_program *p)
{
    size_t nplain = 0;
    for (size_t i = 0; i < p->kernels.n; i++) {
        const gn_pkernel *k = &p->kernels.at[i];
        char line[256];
        snprintf(line, sizeof line, "kernel %zu of %zu: %s", i + 1, p->kernels.n, k->name);
        title(line);
        if (in->shows & SHOW_KERNELS && *k->schedule) {
            if (k->plain) printf("; plain: %s\n", k->plain);
            print_block(k->kernel);
            print_block(k->schedule);
        }
        if (in->shows & (SHOW_TREE | SHOW_CODE)) show_lowered(in, k);
        nplain += k->plain != NULL;
    }
    if (nplain) printf("\n%zu of %zu kernels have the plain schedule\n", nplain, p->kernels.n);
}

static void show_assembly(inspection *in, const char *source)
{
    gn_check(gn_context_open(in->context));
    const char *args[64] = {0};
    size_t n = 0;
    if (in->target->cpu) args[n++] = "-target-cpu", args[n++] = in->target->cpu;
    for (const char *const *a = in->target->cc1_args; *a && n < 63; a++) args[n++] = *a;
    char *text = NULL;
    size_t size = 0;
    gn_check(gn_toolchain_assembly(in->context->toolchain, "inspect.c", source, args, &text, &size));
    title(gn_arena_printf(&in->arena, "assembly by %s", gn_toolchain_name(in->context->toolchain)));
    print_block(text);
    gn_release(&in->context->allocator, text, size);
}

static gn_status show_ptx_of(inspection *in, const gn_nvrtc *nvrtc, const char *source)
{
    char arch[32];
    gn_nvrtc_output ptx = {0}, cubin = {0};
    snprintf(arch, sizeof arch, "compute_%s", in->arch + 3);
    gn_status s = gn_nvrtc_compile(nvrtc, "inspect.cu", source, arch, &ptx);
    if (!s) s = gn_nvrtc_compile(nvrtc, "inspect.cu", source, in->arch, &cubin);
    if (!s) {
        title(gn_arena_printf(&in->arena, "PTX by %s", gn_nvrtc_identity(nvrtc)));
        print_block(ptx.code);
        title(gn_arena_printf(&in->arena, "registers and memory on %s", in->arch));
        print_block(cubin.log ? cubin.log : "");
    }
    gn_nvrtc_output_free(&ptx);
    gn_nvrtc_output_free(&cubin);
    return s;
}

static void show_ptx(inspection *in, const char *source)
{
    gn_nvrtc *nvrtc;
    gn_check(gn_nvrtc_open(&nvrtc, &in->context->allocator));
    const gn_status s = show_ptx_of(in, nvrtc, source);
    gn_nvrtc_close(nvrtc);
    gn_check(s);
}

static void show_program(inspection *in, const gn_program *p)
{
    if (in->shows & (SHOW_KERNELS | SHOW_TREE | SHOW_CODE)) show_kernels(in, p);
    if (in->shows & SHOW_SOURCE) {
        title(in->target->lang == GN_LANG_CUDA ? "CUDA source" : "C source");
        print_block(p->source);
    }
    if (!(in->shows & SHOW_ASSEMBLY)) return;
    if (in->target->lang == GN_LANG_CUDA)
        show_ptx(in, p->source);
    else
        show_assembly(in, p->source);
}

static void run_graph(inspection *in, const char *text, size_t size)
{
    read_graph(in, text, size);
    if (!(in->shows & ~(unsigned)SHOW_GRAPH)) return;
    gn_core_check(in->core);
    optimize(in);
    if (in->shows & (SHOW_KERNELS | SHOW_TREE | SHOW_CODE | SHOW_SOURCE | SHOW_ASSEMBLY))
        show_program(in, gn_program_make(&in->arena, in->core, in->target, "f"));
}

static void run_program(inspection *in, const char *text, size_t size)
{
    gn_program *p = gn_program_read(&in->arena, in->path, text, size);
    if (!*p->source) gn_program_emit(p, in->target, false);
    show_program(in, p);
}

static void run(void *arg)
{
    inspection *in = arg;
    in->target = target_by_name(in->target_name);
    if (in->target_name && strncmp(in->target_name, "cuda:", 5) == 0) in->arch = in->target_name + 5;
    if (strncmp(in->arch, "sm_", 3) != 0)
        gn_throw(GN_EINVAL, "'%s' is no GPU architecture: they are written sm_80, sm_90", in->arch);
    size_t size;
    const char *text = read_text(&in->arena, in->path, &size);
    if (is_program(text)) run_program(in, text, size);
    else run_graph(in, text, size);
}

static bool read_stage(const char *name, unsigned *shows)
{
    for (size_t i = 0; i < NSTAGES; i++)
        if (strcmp(stages[i].name, name) == 0) {
            *shows |= stages[i].bit;
            return true;
        }
    return false;
}

/* "batch=60" */
static bool read_fix(inspection *in, char *text)
{
    char *equals = strchr(text, '='), *end;
    if (!equals || equals == text || in->nfix == sizeof in->fix / sizeof *in->fix) return false;
    *equals = '\0';
    in->fix[in->nfix] = (gn_fix){text, strtoll(equals + 1, &end, 10)};
    return end != equals + 1 && !*end && in->fix[in->nfix++].value >= 0;
}

int cmd_inspect(int argc, char **argv)
{
    static const struct option options[] = {{"target", 1, 0, 't'},  {"stage", 1, 0, 's'}, {"fix", 1, 0, 'f'},
                                            {"disable", 1, 0, 'd'}, {"help", 0, 0, 'h'},  {0}};
    inspection in = {.arch = "sm_80"};
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (c) {
        case 't': in.target_name = optarg; break;
        case 's':
            if (!read_stage(optarg, &in.shows)) return help(stderr);
            break;
        case 'f':
            if (!read_fix(&in, optarg)) return help(stderr);
            break;
        case 'd': in.disable = optarg; break;
        case 'h': return help(stdout);
        default: return help(stderr);
        }
    }
    if (optind + 1 != argc) return help(stderr);
    in.path = argv[optind];
    if (!in.shows) in.shows = ~0u;
    if (gn_context_new(&in.context, NULL)) return complain(gn_message());
    const gn_status s = gn_protect(run, &in);
    const int status = s ? complain(gn_message()) : 0;
    gn_core_free(in.core);
    gn_arena_free(&in.arena);
    gn_context_free(in.context);
    return status;
}
