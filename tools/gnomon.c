/* The `gnomon` command: chooses the subcommand. */
#include <stdlib.h>
#include <string.h>
#include "commands.h"

static const struct command {
    const char *name, *gloss;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"kernel", "a logical kernel with its schedule, as text, to C or CUDA", cmd_kernel},
    {"inspect", "a graph, as text, through every stage to its generated code", cmd_inspect},
    {"cache", "list, verify, prune or clear the cache of compiled code", cmd_cache},
    {"doctor", "what this machine has, what is missing, and how to get it", cmd_doctor},
};
enum { NCOMMANDS = sizeof commands / sizeof *commands };

static int help(FILE *f)
{
    fputs("usage: gnomon COMMAND [ARGUMENT..]\n\n", f);
    for (size_t i = 0; i < NCOMMANDS; i++) fprintf(f, "  %-8s  %s\n", commands[i].name, commands[i].gloss);
    fputs("\n`gnomon COMMAND --help` says more. `gnomon --version` prints the version.\n", f);
    return f == stdout ? 0 : EXIT_USAGE;
}

int complain(const char *sentence)
{
    fprintf(stderr, "gnomon: %s\n", sentence);
    return 1;
}

const char *read_text(gn_arena *arena, const char *path, size_t *size)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (!f) gn_throw(GN_EIO, "cannot open %s", path);
    char chunk[1 << 14];
    gn_text all = { .arena = arena };
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, f)) > 0;) gn_text_add_n(&all, chunk, n);
    const bool failed = ferror(f);
    if (f != stdin) fclose(f);
    if (failed) gn_throw(GN_EIO, "cannot read %s", path);
    *size = all.n;
    return gn_text_done(&all);
}

const gn_target *target_by_name(const char *name)
{
    if (!name || strcmp(name, "c") == 0) return gn_target_host();
    if (strncmp(name, "cuda:", 5) == 0) return &gn_target_cuda;
    const gn_target *t = gn_target_find(name);
    if (!t)
        gn_throw(GN_EINVAL,
                 "no target '%s': there are amx, avx512, avx2, generic, c11, cuda and c, which is the best of this CPU",
                 name);
    return t;
}

int main(int argc, char **argv)
{
    if (argc < 2) return help(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) return help(stdout);
    if (strcmp(argv[1], "--version") == 0) return printf("gnomon %s\n", gn_version()) < 0;
    for (size_t i = 0; i < NCOMMANDS; i++)
        if (strcmp(argv[1], commands[i].name) == 0) return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "gnomon: no command '%s'\n", argv[1]);
    return help(stderr);
}
