/* rulec: compiles a table of rewrite rules, rules/NAME.def, to C. Runs during the build, so that a typo in a rule is an
 * error of the build with file, line and column.
 *
 *     rulec NAME rules/NAME.def rules_NAME.c
 *
 * The file is read as C sees it: comments, names, strings, and RULE(...) or REWRITE(...) entries (rule.h has their
 * form). The comment right above an entry becomes its explanation in docs/rules.md, the first one that of the table.
 * Patterns with commutative ops are written once per order of their operands, so that matching needs no search. */
#include "rulec.h"
#include "context.h"
#include <stdio.h>

/* The runtime's, which this program comes before. */
gn_context *gn_context_default(void)
{
    return NULL;
}

const gn_allocator *gn_context_allocator(const gn_context *c)
{
    (void)c;
    return &gn_allocator_libc;
}

void gn_context_lint(const gn_context *c, gn_lint_kind kind, const char *sentence)
{
    (void)c, (void)kind, (void)sentence;
}

typedef struct job {
    const char *name, *in, *out_path;
    const char *text;
    gn_arena arena;
} job;

static void compile(void *arg)
{
    job *j = arg;
    compiler *c = GN_NEW_OBJECT(&j->arena, compiler);
    c->r = (reader){ .arena = &j->arena, .path = j->in, .at = j->text, .line_start = j->text, .line = 1 };
    c->out.arena = &j->arena;
    rulec_read(c);
    rulec_write(c, j->name);
    FILE *f = fopen(j->out_path, "w");
    if (!f || fputs(gn_text_done(&c->out), f) < 0 || fclose(f)) gn_throw(GN_EIO, "%s: cannot write", j->out_path);
}

static char *read_file(gn_arena *arena, const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f) return NULL;
    gn_text t = { .arena = arena };
    char part[4096];
    for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;) gn_text_add_n(&t, part, n);
    fclose(f);
    return (char *)gn_text_done(&t);
}

int main(int argc, char **argv)
{
    if (argc != 4) return fprintf(stderr, "usage: rulec NAME RULES.def OUT.c\n"), 2;
    job j = { .name = argv[1], .in = argv[2], .out_path = argv[3] };
    j.text = read_file(&j.arena, j.in);
    if (!j.text) return fprintf(stderr, "%s: cannot read\n", j.in), 1;
    const gn_status status = gn_protect(compile, &j);
    if (status) fprintf(stderr, "%s\n", gn_message());
    gn_arena_free(&j.arena);
    return status ? 1 : 0;
}
