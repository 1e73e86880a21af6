/* What every stage may know of a context; its whole is the runtime's (context_state.h). */
#pragma once
#include <gnomon/base.h>

/* Never NULL; the libc's for a NULL context. Lives as long as the context. */
const gn_allocator *gn_context_allocator(const gn_context *);
