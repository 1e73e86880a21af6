/* What a process must ask the system for before it may use a unit: the one place that does. Asking twice does no harm. */
#include <string.h>
#include "tile.h"

#if defined __linux__ && defined __x86_64__
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel makes room for the tiles in what it saves of a thread, from here on. */
static bool ask_for_amx(void)
{
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XTILEDATA = 18 };
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XTILEDATA) == 0;
}
#else
static bool ask_for_amx(void)
{
    return false;
}
#endif

static const struct {
    const char *name;
    bool (*ask)(void);
} permissions[] = { { "amx", ask_for_amx } };

static bool is_granted(const char *name)
{
    for (size_t i = 0; i < sizeof permissions / sizeof *permissions; i++)
        if (strcmp(permissions[i].name, name) == 0) return permissions[i].ask();
    return false;
}

bool gn_target_is_permitted(const gn_target *t)
{
    for (const gn_tile_op *row = t->tile; row->name; row++)
        if (row->unit && row->unit->permission && !is_granted(row->unit->permission)) return false;
    return true;
}
