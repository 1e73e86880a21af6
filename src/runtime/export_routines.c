/* The code of our routines in an export: of those that are called, and of what these need. */
#include "export_state.h"
#include <string.h>
#include "ascii.h"

typedef struct block { /* a function with its comment */
    const char *at, *name;
    size_t n, length; /* of its text; of the name */
    bool needed;
} block;

enum { MOST_BLOCKS = 64 };

/* Blocks end with an empty line; the function's name stands before the first parenthesis behind "static". */
static size_t find_blocks(block *out)
{
    size_t n = 0;
    for (const char *at = gn_text_of_routines; *at && n < MOST_BLOCKS; n++) {
        const char *end = strstr(at, "\n\n"), *name = strchr(strstr(at, "static "), '(');
        const size_t length = end ? (size_t)(end - at) + 2 : strlen(at);
        out[n] = (block){ .at = at, .n = length };
        for (out[n].name = name; gn_in_name(out[n].name[-1]); out[n].name--) out[n].length++;
        at += length;
    }
    return n;
}

static bool is_called(const gn_exporter *x, const block *b)
{
    for (size_t i = 0; i < x->p->steps.n; i++) {
        const gn_pstep *s = &x->p->steps.at[i];
        if (s->kind == GN_STEP_CALL && strlen(s->of.call->routine->symbol) == b->length &&
            !strncmp(s->of.call->routine->symbol, b->name, b->length))
            return true;
    }
    return false;
}

static bool mentions(const block *in, const block *b)
{
    for (const char *at = in->at; at + b->length < in->at + in->n; at++)
        if (!strncmp(at, b->name, b->length) && at[b->length] == '(') return true;
    return false;
}

/* What a function needs stands above it. */
void gn_export_routines(gn_exporter *x)
{
    block blocks[MOST_BLOCKS];
    const size_t n = find_blocks(blocks);
    for (size_t i = n; i-- > 0;) {
        blocks[i].needed = is_called(x, &blocks[i]);
        for (size_t k = i + 1; k < n; k++) blocks[i].needed |= blocks[k].needed && mentions(&blocks[k], &blocks[i]);
    }
    for (size_t i = 0; i < n; i++)
        if (blocks[i].needed) gn_text_char(&x->source, '\n'), gn_text_add_n(&x->source, blocks[i].at, blocks[i].n);
}
