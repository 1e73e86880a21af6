#include "files.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>
#include "error.h"

/* ---- sizes ---- */

/* SIGXFSZ is the writing thread's own. One that waits from before stays. */
static bool hold_back(sigset_t *before, sigset_t *ours)
{
    sigset_t waiting;
    sigemptyset(ours);
    sigaddset(ours, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, ours, before);
    return !sigpending(&waiting) && sigismember(&waiting, SIGXFSZ);
}

static void let_go(const sigset_t *before, const sigset_t *ours, bool waited)
{
    const int e = errno;
    while (!waited && sigtimedwait(ours, NULL, &(struct timespec){ 0, 0 }) < 0 && errno == EINTR) continue;
    pthread_sigmask(SIG_SETMASK, before, NULL);
    errno = e;
}

bool gn_write_all(int fd, const void *bytes, size_t size)
{
    sigset_t before, ours;
    const bool waited = hold_back(&before, &ours);
    size_t done = 0;
    while (done < size) {
        const ssize_t n = write(fd, (const char *)bytes + done, size - done);
        if (n < 0 && errno == EINTR) continue;
        if (n == 0) errno = ENOSPC;
        if (n <= 0) break;
        done += (size_t)n;
    }
    let_go(&before, &ours, waited);
    return done == size;
}

bool gn_set_size(int fd, long long size)
{
    sigset_t before, ours;
    const bool waited = hold_back(&before, &ours);
    const bool good = !ftruncate(fd, (off_t)size);
    let_go(&before, &ours, waited);
    return good;
}

/* ---- private directories ---- */

typedef struct walk {
    char left[PATH_MAX];         /* what is still to be walked, from `at` on */
    size_t at;
    char *path;                  /* the way so far, without links */
    int fd, links;
    bool makes;                  /* what is missing */
    const char *dir;             /* what was asked for */
} walk;

static gn_status refuse(const walk *w, const char *why)
{
    return gn_error(GN_EIO, "%s %s", *w->path ? w->path : "/", why);
}

static gn_status refuse_below(const walk *w, const char *name, const char *why)
{
    return gn_error(GN_EIO, "%s/%s %s", w->path, name, why);
}

/* The group of this name's owner alone: nobody is listed in it, and it is nobody else's own group. */
static bool is_own_group(gid_t gid)
{
    char text[4096];
    struct passwd user, *found = NULL;
    struct group group, *g = NULL;
    if (getpwuid_r(geteuid(), &user, text, sizeof text, &found) || !found || user.pw_gid != gid) return false;
    char name[256];
    if (snprintf(name, sizeof name, "%s", user.pw_name) >= (int)sizeof name) return false;
    if (getgrgid_r(gid, &group, text, sizeof text, &g) || !g || strcmp(group.gr_name, name)) return false;
    for (char **member = group.gr_mem; *member; member++)
        if (strcmp(*member, name)) return false;
    return true;
}

/* With an access list the bits of the group are those of everybody who is named in it. */
static bool has_access_list(int fd)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return getxattr(path, "system.posix_acl_access", NULL, 0) >= 0 || (errno != ENODATA && errno != ENOTSUP);
}

/* The last one is the user's own, and its being sticky is no excuse: others could put entries there. */
static gn_status judge(const walk *w, bool is_last)
{
    char why[160];
    struct stat st;
    if (fstat(w->fd, &st)) return refuse(w, "cannot be looked at");
    if (st.st_uid != geteuid() && (st.st_uid || is_last)) {
        snprintf(why, sizeof why, "belongs to user %u, not to user %u", (unsigned)st.st_uid, (unsigned)geteuid());
        return refuse(w, why);
    }
    const bool by_group = st.st_mode & 020 && !(is_own_group(st.st_gid) && !has_access_list(w->fd)),
               by_all = st.st_mode & 002;
    /* in a sticky one nobody moves what is not theirs */
    if ((!by_group && !by_all) || (!is_last && st.st_mode & S_ISVTX)) return GN_OK;
    snprintf(why, sizeof why, "may be written by others (mode %04o)", (unsigned)(st.st_mode & 07777));
    return refuse(w, why);
}

static gn_status go_to(walk *w, int fd)
{
    if (w->fd >= 0) close(w->fd);
    w->fd = fd;
    return fd < 0 ? refuse(w, "cannot be opened") : judge(w, false);
}

/* The target of a link takes the link's place. */
static gn_status follow(walk *w, int link, const struct stat *st)
{
    char target[PATH_MAX];
    if (st->st_uid && st->st_uid != geteuid()) return refuse(w, "has a symbolic link of another user in it");
    const ssize_t n = readlinkat(link, "", target, sizeof target);
    const size_t rest = strlen(w->left + w->at);
    if (n <= 0 || (size_t)n + 1 + rest >= sizeof w->left || ++w->links > 40)
        return refuse(w, "has a symbolic link in it that leads too far");
    memmove(w->left + n + 1, w->left + w->at, rest + 1);
    memcpy(w->left, target, (size_t)n);
    w->left[n] = '/';
    w->at = 0;
    if (target[0] != '/') return GN_OK;
    *w->path = '\0';
    return go_to(w, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

static gn_status extend(walk *w, const char *name)
{
    const size_t n = strlen(w->path);
    if (!strcmp(name, "..")) {
        char *slash = strrchr(w->path, '/');
        if (slash) *slash = '\0';
        return GN_OK;
    }
    if (n + 1 + strlen(name) >= PATH_MAX) return refuse(w, "has a name in it that is too long");
    sprintf(w->path + n, "/%s", name);
    return GN_OK;
}

static bool make(int parent, const char *name)
{
    return !mkdirat(parent, name, 0700) && !fchmodat(parent, name, 0700, 0); /* the umask may have taken our own rights */
}

static gn_status step(walk *w, const char *name)
{
    struct stat st;
    int fd = openat(w->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && w->makes && (make(w->fd, name) || errno == EEXIST))
        fd = openat(w->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        char why[128];
        snprintf(why, sizeof why, "cannot be %s: %s", w->makes ? "opened or made" : "opened", strerror(errno));
        return refuse_below(w, name, why);
    }
    gn_status s = fstat(fd, &st) ? refuse_below(w, name, "cannot be looked at") : GN_OK;
    if (!s && S_ISLNK(st.st_mode)) {
        s = follow(w, fd, &st);
        close(fd);
        return s;
    }
    if (!s && !S_ISDIR(st.st_mode)) s = refuse_below(w, name, "is no directory");
    if (!s) s = extend(w, name);
    if (!s) return go_to(w, fd);
    close(fd);
    return s;
}

static gn_status start(walk *w, const char *dir)
{
    char here[PATH_MAX] = "";
    if (dir[0] != '/' && !getcwd(here, sizeof here))
        return gn_error(GN_EIO, "%s: the working directory has no path: %s", dir, strerror(errno));
    const int n = snprintf(w->left, sizeof w->left, "%s/%s", here, dir);
    if (n < 0 || (size_t)n >= sizeof w->left) return gn_error(GN_EIO, "%.60s..: %s", dir, strerror(ENAMETOOLONG));
    return go_to(w, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

static gn_status walk_all(walk *w)
{
    gn_status s = start(w, w->dir);
    while (!s && w->left[w->at]) {
        char name[NAME_MAX + 1];
        const size_t n = strcspn(w->left + w->at, "/");
        if (n > NAME_MAX) return refuse(w, "has a name in it that is too long");
        memcpy(name, w->left + w->at, n);
        name[n] = '\0';
        w->at += n + (w->left[w->at + n] == '/');
        if (n && strcmp(name, ".")) s = step(w, name);
    }
    return s;
}

static int open_judged(const char *dir, char *path, bool is_own)
{
    walk w = { .path = path, .fd = -1, .dir = dir, .makes = is_own };
    *path = '\0';
    gn_status s = walk_all(&w);
    if (!s && is_own) s = judge(&w, true);
    if (w.fd < 0) return -1;
    const int fd = s ? -1 : openat(w.fd, ".", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    if (!s && fd < 0) refuse(&w, "cannot be opened");
    close(w.fd);
    return fd;
}

int gn_open_private(const char *dir, char *path)
{
    return open_judged(dir, path, true);
}

int gn_open_safe(const char *dir, char *path)
{
    return open_judged(dir, path, false);
}

void gn_remove_tree(int parent, const char *name)
{
    const int fd = openat(parent, name, O_DIRECTORY | O_NOFOLLOW | O_RDONLY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d && fd >= 0) close(fd);
    for (const struct dirent *e; d && (e = readdir(d));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        if (unlinkat(fd, e->d_name, 0) && (errno == EISDIR || errno == EPERM)) gn_remove_tree(fd, e->d_name);
    }
    if (d) closedir(d);
    unlinkat(parent, name, AT_REMOVEDIR);
}

int gn_open_inside(int parent, const char *name)
{
    if (!make(parent, name) && errno != EEXIST) return -1;
    return openat(parent, name, O_DIRECTORY | O_NOFOLLOW | O_RDONLY | O_CLOEXEC);
}
