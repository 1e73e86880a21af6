/* Lints: what builders take, and is rarely what was meant. <gnomon/base.h> says what each is. */
#pragma once
#include <gnomon/base.h>

typedef enum { GN_LINT_BROADCAST_OUTER, GN_LINT_LITERAL_STEP, GN_LINT_DOUBLE_SOFTMAX, GN_NLINTS } gn_lint_kind;
extern const char *const gn_lint_names[GN_NLINTS];

/* Sets the bits of the lints that a list such as "-literal-step, -all" leaves out. GN_EINVAL for an unknown name. */
gn_status gn_lints_read(const char *list, uint32_t *out);
