/* Where points of a statement go: which of its axes and leaves two points share that go to one place.
 *
 * An index is a sum of digits, axes or quotients and remainders, each times a coefficient that is the same for both
 * points. A digit whose coefficient exceeds all that the others can differ by is the same for both, if the sums are;
 * what is left is a sum again. A quotient and the remainder by the same number give what they are of. A load gives
 * nothing of what its index is made of. */
#pragma once
#include "lower.h"

typedef struct gn_places {
    gn_leafset axes, leaves; /* equal for any two points at one place; all leaves of such an axis are */
} gn_places;

/* Of a store's index. With `other`, of two stores: only places in the buffer's dims that both index alike count. */
gn_places gn_places_of(gn_lower *, const gn_ldef *store, const gn_ldef *other);
/* No point of a goes where one of b does. */
bool gn_places_apart(gn_lower *, const gn_ldef *a, const gn_ldef *b);
