/* Closed forms for CUDA: a block of threads walks the axis that would go to the lanes. */
#include "default_piece.h"

void gn_default_cuda(piece *p)
{
    for (uint32_t a = p->first_axis; a < p->first_axis + p->naxes; a++) gn_piece_axis(p, a);
}
