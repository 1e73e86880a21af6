/* Names of statuses, and the version. */
#include <gnomon/base.h>
#include "version.h"

const char *gn_status_name(gn_status s)
{
    static const char *const name[] = { "GN_OK",    "GN_EINVAL",    "GN_ESHAPE",  "GN_EDTYPE",   "GN_EAXIS",
                                        "GN_EGRAD", "GN_EINDEX",    "GN_ESYNTAX", "GN_EFORMAT",  "GN_ENOMEM",
                                        "GN_EIO",   "GN_ECOMPILER", "GN_EDEVICE", "GN_EINTERNAL" };
    const int i = -(int)s;
    return i >= 0 && i < (int)(sizeof name / sizeof *name) ? name[i] : "unknown status";
}

const char *gn_version(void)
{
    return GN_VERSION;
}
