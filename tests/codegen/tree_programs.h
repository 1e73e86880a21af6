/* Programs from text for the tests of trees: a set of kernels, as logical kernels and as C, and what is written
 * around the steps. */
#pragma once
#include <stdio.h>
#include <string.h>
#include "testlib.h"
#include "func_state.h"
#include <gnomon/gnomon.h>

/* A kernel of vectors of 4 doubles, or as it says; each has one step. */
#define MAP4(name, bufs, value) "(kernel " name " (syms) (bufs " bufs ") (axes (i 4)) (store set Y (i) " value "))"
#define C_HEAD(name) \
    "void " name "(void *const *arg, const int64_t *sym, int64_t part)\n{\n    (void)sym, (void)part;\n"
#define C_MAP4(name, value) \
    C_HEAD(name) "    double *y = (double *)arg[0];\n    const double *a = (const double *)arg[1];\n" \
                 "    for (int i = 0; i < 4; i++) y[i] = " value ";\n}\n\n"

static const struct tree_kernel {
    const char *name, *kernel, *source;
} tree_kernels[] = {
    { "add", MAP4("add", "(Y f64 4) (A f64 4) (B f64 4)", "(add (load A i) (load B i))"),
      C_MAP4("add", "a[i] + ((const double *)arg[2])[i]") },
    { "twice", MAP4("twice", "(Y f64 4) (A f64 4)", "(mul (load A i) 2)"), C_MAP4("twice", "a[i] * 2.0") },
    { "plus_turn",
      "(kernel plus_turn (syms t) (bufs (Y f64 4) (A f64 4)) (axes (i 4)) (store set Y (i) (add (load A i) (f64 (index "
      "t)))))",
      C_MAP4("plus_turn", "a[i] + (double)sym[0]") },
    { "below", "(kernel below (syms) (bufs (Y bool 1) (A f64 4)) (axes (i 1)) (store set Y (i) (lt (load A i) 100)))",
      C_HEAD("below") "    *(unsigned char *)arg[0] = *(const double *)arg[1] < 100.0;\n}\n\n" },
    { "many", "(kernel many (syms) (bufs (Y f64 64) (A f64 64)) (axes (i 64)) (store set Y (i) (add (load A i) 1)))",
      C_HEAD("many") "    for (int64_t i = 16 * part; i < 16 * part + 16; i++) ((double *)arg[0])[i] = ((const double "
                     "*)arg[1])[i] + 1.0;\n}\n\n" },
    { "check",
      "(kernel check (syms) (bufs (Y i64 1) (A f64 4)) (axes (i 1)) (store set Y (i) (mul (i64 7) (cast i64 (lt 50 "
      "(load A i))))))",
      C_HEAD("check") "    *(int64_t *)arg[0] = 7 * (50.0 < *(const double *)arg[1]);\n}\n\n" },
    { "plus_one", MAP4("plus_one", "(Y f64 4) (A f64 4)", "(add (load A i) 1)"), C_MAP4("plus_one", "a[i] + 1.0") },
    { "odd", "(kernel odd (syms t) (bufs (Y bool 1)) (axes (i 1)) (store set Y (i) (eq (mod (i64 (index t)) 2) 1)))",
      C_HEAD("odd") "    *(unsigned char *)arg[0] = sym[0] % 2 == 1;\n}\n\n" },
    { "left", "(kernel left (syms t) (bufs (Y i64 1)) (axes (i 1)) (store set Y (i) (sub 4 (i64 (index t)))))",
      C_HEAD("left") "    *(int64_t *)arg[0] = 4 - sym[0];\n}\n\n" },
};
enum { ADD, TWICE, PLUS_TURN, BELOW, MANY, CHECK, PLUS_ONE, ODD, LEFT };

/* A value of 4 doubles. */
#define V4(kind, number, name, first, last, alias) "" \
    " (value " kind " " #number " \"" name "\" f64 (4) 32 " #first " " #last " " #alias ")\n"
#define FLAG(name, first, last) " (value temp 0 \"" name "\" bool (1) 1 " #first " " #last " -1)\n"
#define COPY(to, from) " (copy (" #to " " #from ") () () ())\n"

static inline void tree_quote(gn_text *t, const char *s)
{
    gn_text_char(t, '"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\') gn_text_char(t, '\\');
        if (*s == '\n')
            gn_text_add(t, "\\n");
        else
            gn_text_char(t, *s);
    }
    gn_text_char(t, '"');
}

/* What is written between inputs and outputs, and the kernels and their source behind it. */
static inline const char *tree_text(gn_arena *a, int inputs, int outputs, const char *items)
{
    gn_text t = { .arena = a }, source = { .arena = a };
    gn_textf(&t, "(program \"tree\" %d %d\n%s", inputs, outputs, items);
    gn_text_add(&source, "typedef long int64_t;\n\n");
    for (size_t i = 0; i < sizeof tree_kernels / sizeof *tree_kernels; i++) {
        gn_textf(&t, " (kernel %s 0 1 0 0 ", tree_kernels[i].name);
        tree_quote(&t, tree_kernels[i].kernel);
        gn_text_add(&t, " \"(schedule plain)\")\n");
        gn_text_add(&source, tree_kernels[i].source);
    }
    gn_text_add(&t, " (source ");
    tree_quote(&t, gn_text_done(&source));
    gn_text_add(&t, "))\n");
    return gn_text_done(&t);
}
