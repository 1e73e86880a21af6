/* The table of routines: a new one is a row here and its code in routines.text. */
#include "routine.h"
#include <string.h>
#include "routines.text"

static const gn_routine routines[] = {
    { "cumulative_sum_f64", "gn_cumulative_sum_f64", 2, 2, { "r", "n" },
      { { GN_F64, GN_OPERAND_WRITE, "(r n)" }, { GN_F64, GN_OPERAND_READ, "(r n)" } },
      NULL, gn_cumulative_sum_f64, NULL },
    { "sort_rows_f32", "gn_sort_rows_f32", 2, 2, { "r", "n" },
      { { GN_F32, GN_OPERAND_WRITE, "(r n)" }, { GN_F32, GN_OPERAND_READ | GN_OPERAND_DESTROY, "(r n)" } },
      "(mul 4 n)", gn_sort_rows_f32, NULL },
    { "ldl_f64", "gn_ldl_f64", 1, 2, { "n" },
      { { GN_F64, GN_OPERAND_WRITE, "(n n)" }, { GN_F64, GN_OPERAND_READ, "(n n)" } },
      NULL, gn_ldl_f64, "a pivot is 0" },
};

const gn_routine *gn_routine_find(const char *name)
{
    for (size_t i = 0; i < sizeof routines / sizeof *routines; i++)
        if (!strcmp(routines[i].name, name)) return &routines[i];
    return NULL;
}
