#include "kernel_form.h"
#include <ctype.h>
#include <string.h>
#include "op.h"
#include "text.h"

typedef struct names {
    gn_arena *arena;
    GN_VEC(const char *) at;
    GN_VEC(uint32_t) number; /* 1 + its number; 0: not met yet */
    uint32_t n;
    bool clash;
} names;

static bool is_word(const char *name)
{
    static const char *const words[] = { "kernel", "syms", "bufs", "axes",  "def",   "store",   "set",     "max",   "min",    "sum",    "prod",   "any",      "all",
                                         "load",   "if",   "inf",  "nan",   "ge",    "div",     "schedule", "split", "order",  "bind",   "part",   "lane",     "private",
                                         "unroll", "peel", "stage", "arena", "scratch", "stack", "reg",     "shared", "at",    "root",   "layout", "rfactor",  "online",
                                         "block",  "thread", "tensorize", "default" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i], name) == 0) return true;
    for (int t = 0; t < GN_NDTYPES; t++)
        if (gn_dtypes[t].name && strcmp(gn_dtypes[t].name, name) == 0) return true;
    return gn_op_find(name) || !(isalpha((unsigned char)*name) || *name == '_');
}

static void add(names *s, const char *name)
{
    s->clash |= is_word(name);
    gn_push(s->arena, &s->at, name);
    gn_push(s->arena, &s->number, 0);
}

static void print_token(names *s, gn_text *out, const char *token, size_t length)
{
    for (size_t i = 0; i < s->at.n; i++)
        if (strlen(s->at.at[i]) == length && memcmp(s->at.at[i], token, length) == 0) {
            if (!s->number.at[i]) s->number.at[i] = ++s->n;
            gn_textf(out, "%u", (unsigned)s->number.at[i] - 1);
            return;
        }
    gn_text_add_n(out, token, length);
}

static void print(names *s, gn_text *out, const char *text)
{
    while (*text) {
        const size_t length = strcspn(text, " \t\n()");
        if (length) print_token(s, out, text, length);
        else gn_text_char(out, *text);
        text += length ? length : 1;
    }
}

const char *gn_kernel_form(gn_arena *arena, const gn_kernel *k, const char *kernel_text, const char *schedule_text)
{
    names s = { .arena = arena };
    gn_text out = { .arena = arena };
    add(&s, k->name);
    for (size_t i = 0; i < k->syms.n; i++) add(&s, k->syms.at[i].name);
    for (size_t i = 0; i < k->bufs.n; i++) add(&s, k->bufs.at[i].name);
    for (size_t i = 0; i < k->axes.n; i++) add(&s, k->axes.at[i].name);
    for (size_t i = 0; i < k->defs.n; i++) add(&s, k->defs.at[i].name);
    if (s.clash) return NULL;
    print(&s, &out, kernel_text);
    print(&s, &out, schedule_text);
    return gn_text_done(&out);
}
