/* The cache's directory. It holds code that this process will execute: it must be ours and writable by nobody else, or it is not used. */
#include "cache_state.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* mkdir -p with mode 0700 for what is missing. */
static bool make_path(const char *dir)
{
    char path[PATH_MAX];
    const size_t n = strlen(dir);
    if (!n || n >= sizeof path) return !(errno = ENAMETOOLONG);
    memcpy(path, dir, n + 1);
    for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        if (mkdir(path, 0700) && errno != EEXIST) return false;
        *slash = '/';
    }
    return !mkdir(path, 0700) || errno == EEXIST;
}

static gn_status judge(int fd, const char *dir)
{
    struct stat st;
    if (fstat(fd, &st)) return gn_error(GN_EIO, "%s: %s", dir, strerror(errno));
    if (st.st_uid != geteuid()) return gn_error(GN_EIO, "%s belongs to user %u, not to user %u", dir, (unsigned)st.st_uid, (unsigned)geteuid());
    if (st.st_mode & 022) return gn_error(GN_EIO, "%s may be written by others (mode %04o)", dir, (unsigned)(st.st_mode & 07777));
    return GN_OK;
}

/* A directory inside another, made if it is missing. */
static int open_inside(int parent, const char *name)
{
    if (mkdirat(parent, name, 0700) && errno != EEXIST) return -1;
    return openat(parent, name, O_DIRECTORY | O_NOFOLLOW | O_RDONLY | O_CLOEXEC);
}

int gn_cache_root(const char *dir)
{
    if (!make_path(dir)) return gn_error(GN_EIO, "%s cannot be made: %s", dir, strerror(errno)), -1;
    const int fd = open(dir, O_DIRECTORY | O_NOFOLLOW | O_RDONLY | O_CLOEXEC);
    if (fd < 0) return gn_error(GN_EIO, "%s cannot be opened: %s", dir, strerror(errno)), -1;
    int root = -1;
    if (!judge(fd, dir)) {
        root = open_inside(fd, "v1");
        if (root < 0) gn_error(GN_EIO, "%s/v1 cannot be opened: %s", dir, strerror(errno));
    }
    close(fd);
    if (root >= 0 && judge(root, dir)) {
        close(root);
        root = -1;
    }
    return root;
}
