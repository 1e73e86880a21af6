/* What the files of the emitter share. */
#pragma once
#include "code_build.h"
#include "emit.h"
#include "spelling.h"

typedef struct gn_spelled { /* a name of the kernel */
    const char *text;
    bool used; /* by the function at work, so that it is declared */
} gn_spelled;

typedef struct gn_register { /* to be declared; an array: all of it */
    const gn_place *place;
    uint32_t number;
    struct gn_register *next;
} gn_register;

typedef struct gn_emitter {
    gn_text *out;
    gn_code *code;
    gn_arena *arena;
    gn_spelling names;
    gn_map spelled;       /* by symbol */
    const char *function; /* the kernel's name */
    gn_words words;
    int depth;
    gn_map arrays;                 /* places of several registers that are arrays, by id */
    gn_map declared; /* registers, by place and number: the node that sets it first; before a node: its name */
    gn_map before;   /* by node: gn_register, declared before it */
    gn_map dealt;                  /* symbols of dealt loops */
    gn_map named;                  /* symbols of named indices */
    gn_code_uses uses;             /* of the step */
    gn_map awaits;                 /* by node: how many groups of copies are committed after the token's, + 1 */
    gn_map parts;                  /* emit_dim.c: names of the step's variables for large parts of sizes, by atom */
    size_t nparts;
    gn_text part_lines;            /* their declarations */
    uint32_t body, nbodies;        /* the loop body at work, numbered */
    bool one_function;             /* part loops are loops */
    bool uses_part;                /* the function at work does */
    GN_VEC(gn_math_function) math; /* functions of the unit, each after those it calls */
} gn_emitter;

/* emit_name.c */
void gn_emit_start(gn_emitter *, gn_code *);           /* spells all names */
const char *gn_emit_name(gn_emitter *, const char *name);         /* as it is spelled; the function at work uses it */
const char *gn_emit_name_of(gn_emitter *, const char *name);      /* does not use it */
bool gn_emit_take_use(gn_emitter *, const char *name);            /* is it used? The next function begins anew */
void gn_emit_register(gn_emitter *, const gn_place *, uint32_t number, const gn_dim *at);
/* emit_declare.c */
void gn_emit_plan_registers(gn_emitter *, const gn_code_body *); /* of a region, before it is written */
bool gn_emit_declares(gn_emitter *, const gn_code_node *set);
void gn_emit_registers_before(gn_emitter *, const gn_code_node *);
/* emit_dim.c: an index expression; in parentheses if it is a sum and `tight`. */
void gn_emit_dim(gn_emitter *, const gn_dim *, bool tight);
/* emit_math.c: the functions, each under a guard so that kernels of one unit may share them. */
void gn_emit_need_math(gn_emitter *, const gn_val *op);
void gn_emit_math(gn_emitter *);
/* emit_value.c */
const char *gn_emit_memory_type(gn_dtype); /* of an array's elements */
void gn_emit_type(gn_emitter *, gn_dtype, int lanes);
/* Prints a word of the prelude and asks for it. */
void gn_emit_word(gn_emitter *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void gn_emit_preds(gn_emitter *, gn_preds);
void gn_emit_operand(gn_emitter *, const gn_val *);
void gn_emit_let(gn_emitter *, const gn_val *);                                        /* a line, or three */
/* What a let computes, or an operand. */
void gn_emit_value(gn_emitter *, const gn_val *);
/* of a set or a store: `value` prints what goes there */
void gn_emit_put(gn_emitter *, const gn_code_node *, const gn_val *, void (*value)(gn_emitter *, const gn_val *));
void gn_emit_indent(gn_emitter *);
