/* The reader of code, between its files: code_read.c reads heads, nodes and scopes, code_read_value.c what is in a
 * node. */
#pragma once
#include "code.h"

typedef enum { GN_NAME_SYM, GN_NAME_PLACE, GN_NAME_VAR } gn_name_kind;
typedef struct gn_name { /* what a name stands for */
    uint8_t kind;        /* gn_name_kind */
    bool open;           /* in scope */
    gn_place *place;
} gn_name;

typedef struct gn_let { /* of the step */
    const gn_val *val;
    uint32_t step;
    bool open; /* in scope */
} gn_let;

typedef struct gn_code_reader {
    gn_code *code;
    const char *file;
    gn_map names;                 /* interned -> gn_name */
    gn_map lets;                  /* id -> gn_let */
    GN_VEC(gn_name *) open_names; /* of the regions that are open */
    GN_VEC(gn_let *) open_lets;
    uint32_t step;
    int depth;                    /* of regions */
} gn_code_reader;

/* A list that is read item by item. */
typedef struct gn_items {
    gn_code_reader *r;
    const gn_sx *x;
    size_t at;
} gn_items;

bool gn_items_left(const gn_items *);
const gn_sx *gn_next_item(gn_items *, const char *what); /* fails with "WHAT is missing" */
bool gn_next_is(gn_items *, const char *word);           /* goes past it if so */
void gn_end_items(const gn_items *);                     /* fails if something is left */
gn_items gn_items_of(gn_code_reader *, const gn_sx *, const char *form); /* of a list; fails with "FORM was expected" */

const char *gn_read_name(gn_code_reader *, const gn_sx *);            /* interned; fails where it is none */
gn_name *gn_find_name(gn_code_reader *, const gn_sx *, gn_name_kind); /* in scope; fails where none is of that kind */
int64_t gn_read_int(gn_code_reader *, const gn_sx *, int64_t least, int64_t most);
const gn_dim *gn_read_index(gn_code_reader *, const gn_sx *);             /* over what is in scope */
gn_dtype gn_read_dtype(gn_code_reader *, const gn_sx *);
gn_dtype gn_read_type(gn_code_reader *, const gn_sx *, uint16_t *lanes);
uint32_t gn_read_id(gn_code_reader *, const gn_sx *); /* %N */
const gn_place *gn_read_register(gn_code_reader *, const gn_sx *, uint32_t *number, const gn_dim **at);

/* expected, lanes: of a number, and a splat's lanes; GN_NO_DTYPE, 0: they say their own. */
const gn_val *gn_read_operand(gn_items *, int expected, uint16_t lanes);
gn_preds gn_read_preds(gn_items *); /* none or more */
uint8_t gn_read_scope(gn_items *); /* :warp, :block, ..; none: of the block */
gn_access gn_read_access(gn_items *, uint16_t lanes);
gn_access gn_read_element(gn_items *); /* NAME index */
gn_val *gn_read_value(gn_code_reader *, const gn_sx *, gn_dtype, uint16_t lanes);
gn_name *gn_open_name(gn_code_reader *, const gn_sx *, gn_name_kind); /* in scope until its region is closed */
void gn_close_names(gn_code_reader *, size_t names, size_t lets);     /* those beyond so many */
