/* What the parts of rulec share: a table as read. */
#pragma once
#include "rule.h"
#include "sexpr.h"
#include "text.h"
#include "vec.h"

/* A name that a rule may use, from functions.def. */
typedef struct known {
    const char *name;
    int nargs;
} known;

typedef enum { T_END, T_NAME, T_STRING, T_PUNCT } token_kind;
typedef struct token {
    token_kind kind;
    int line, column;
    const char *text;
} token;

typedef struct reader {
    gn_arena *arena;
    const char *path, *at, *line_start;
    int line;
    const char *comment; /* the last one, if nothing but a newline followed it */
    const char *opening; /* the first one of the file */
    token now;
} reader;

typedef struct bound_name {
    const char *text;
    bool is_attr;
    uint32_t slot;
} bound_name;

typedef struct node node;
typedef struct attr {
    uint8_t index;
    int kind; /* 0 slot, 1 value, 2 call */
    uint32_t slot;
    gn_attr value;
    const known *function;
    const gn_pat_arg *args;
    uint32_t nargs;
} attr;
struct node {
    int kind;
    uint32_t slot, dtype;
    bool once;
    double number;
    const gn_op_info *op;
    GN_VEC(node *) in;
    GN_VEC(attr) attrs;
    bool flipped;
    int label; /* number in the C text */
};

typedef struct call {
    const known *what;
    GN_VEC(gn_pat_arg) arg;
} call;

typedef struct rule {
    const char *name, *class, *left, *right, *condition, *why;
    int line;
    GN_VEC(bound_name) names;
    uint32_t nexpr, nattr;
    node *pattern, *result;
    GN_VEC(call) calls;
    const known *function;
    GN_VEC(const gn_op_info *) ops; /* of a REWRITE */
    int npatterns, labels[16];      /* orders of operands; their numbers in the C text */
} rule;

typedef struct compiler {
    reader r;
    rule *rule;
    bool left;
    gn_text out;
    int labels;
    const char *measure; /* NULL until MEASURE was read */
    GN_VEC(rule *) rules;
} compiler;

/* Ends the program's work with "FILE:LINE:COLUMN: error: ...". */
_Noreturn void rulec_fail(const reader *, int line, int column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Reads the whole file into c->rules. */
void rulec_read(compiler *);
/* The table as C text, in c->out. */
void rulec_write(compiler *, const char *name);
