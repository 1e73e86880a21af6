/* What every stage may know of a context; its whole is the runtime's (context_state.h). */
#pragma once
#include "lint.h"

/* Never NULL; the libc's for a NULL context. Lives as long as the context. */
const gn_allocator *gn_context_allocator(const gn_context *);
/* Tells a lint to whom the context tells it, unless it was left out. */
void gn_context_lint(const gn_context *, gn_lint_kind, const char *sentence);
