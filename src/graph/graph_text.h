/* The text form (docs/text-form.md) of a whole program. */
#pragma once
#include "core.h"
#include "sexpr.h"

/* With data: big constants are written out, so that the text can be read back. Without: by hash, for keys and dumps. */
void gn_core_print_with(gn_text *, const struct gn_core *, bool with_data);

/* Reads a graph into a private graph of its own. Throws GN_ESYNTAX "FILE:LINE:COLUMN: ...". Release with gn_core_free. */
struct gn_core *gn_core_read(gn_arena *, gn_context *, const char *file, const char *text, size_t length);

/* An element of a constant as the text form has it, and back. `at` points to the element. False if it is none or does
 * not fit. */
void gn_element_print(gn_text *, gn_dtype, const void *at);
bool gn_element_read(const gn_sx *, gn_dtype, void *at);

/* Checks what every pass must keep: operands before users and of this graph, types as the ops' rules give them,
 * attributes of the declared kinds, closed regions, named dims bound by inputs. Throws GN_EINTERNAL. */
void gn_graph_verify(const gn_graph *, size_t nin, gn_expr *const *in, size_t nout, gn_expr *const *out);
void gn_core_verify(const struct gn_core *);
/* What a graph may hold and no compile takes: dtypes that no target computes with (GN_EDTYPE), named dims that no input
 * has as an extent of its own, tuples as outputs (GN_EINVAL). Part of gn_graph_copy; for what was read from text. */
void gn_core_check(const struct gn_core *);
