/* What the files of the graph share about errors. */
#pragma once
#include "expr.h"

gn_expr *gn_static_error(void);
/* Keeps the thread's message as the graph's error (the first since the last check stays first). */
void gn_graph_keep_error(gn_graph *, gn_status);
