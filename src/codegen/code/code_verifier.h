/* The verifier, between its files: code_verify.c knows names, scopes and regions, code_verify_types.c values and
 * accesses, code_flow.c what registers hold. */
#pragma once
#include "code_verify.h"

typedef enum { GN_CODE_SYM, GN_CODE_PLACE, GN_CODE_VAR, GN_CODE_THREAD } gn_code_name_kind;
typedef struct gn_code_name {
    uint8_t kind;          /* gn_code_name_kind */
    bool open;             /* in scope */
    bool varies;           /* from thread to thread */
    bool unrolled;         /* VAR */
    const gn_place *place; /* of that name, also out of scope */
    const gn_dim *count;   /* THREAD, unrolled VAR */
} gn_code_name;

typedef struct gn_code_let {
    const gn_val *val;
    size_t step;
    bool open;
} gn_code_let;

typedef struct gn_verifier {
    const gn_code *code;
    gn_arena *scratch;
    size_t step;                   /* code.steps.n: the head is verified */
    const gn_code_node *node;      /* where we are; NULL: at a head */
    gn_map names;                  /* interned -> gn_code_name */
    gn_map lets;                   /* id -> gn_code_let */
    gn_map mentions;               /* dim -> the names in it */
    GN_VEC(gn_code_name *) opened; /* names and lets of the regions that are open */
    GN_VEC(gn_code_let *) made;
    const gn_code_node *apart;     /* the outermost region around that threads go through apart; NULL: none */
} gn_verifier;

/* Throws GN_EINVAL: the code, the node, the sentence. */
_Noreturn void gn_code_wrong(const gn_verifier *, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *gn_code_type_text(const gn_verifier *, gn_dtype, int lanes);
gn_code_name *gn_code_name_of(gn_verifier *, const char *name); /* of any scope; made if it is new */
void gn_code_open(gn_verifier *, const char *name, gn_code_name_kind);
void gn_code_close(gn_verifier *, size_t opened, size_t made);
void gn_code_check_place(gn_verifier *, const gn_place *); /* it is in scope */
/* The index is over what is in scope; true: it varies from thread to thread. */
bool gn_code_check_index(gn_verifier *, const gn_dim *);
bool gn_code_check_preds(gn_verifier *, gn_preds);
void gn_code_check_reached(gn_verifier *, const char *what);

/* code_verify_types.c */
void gn_code_check_type(gn_verifier *, const char *what, gn_dtype, int lanes);
void gn_code_check_operand(gn_verifier *, const gn_val *, const char *what, gn_dtype, int lanes);
void gn_code_check_register(gn_verifier *, const gn_place *, uint32_t number, const gn_dim *at);
void gn_code_check_store(gn_verifier *, const gn_access *, const gn_val *);
void gn_code_check_memory(gn_verifier *, const gn_place *, gn_dtype, bool written);
void gn_code_check_value(gn_verifier *, const gn_val *);

/* code_flow.c */
void gn_code_check_flow(gn_verifier *);
/* code_async.c */
void gn_code_check_copies(gn_verifier *);
