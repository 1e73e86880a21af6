/* vfork, since a copy of the caller's page tables would cost milliseconds and may be refused: the child touches nothing
 * but its own stack frame, calls what is safe in a signal handler, and has all signals blocked until none has a
 * handler. */
#include "child.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "clock.h"
#include "error.h"

enum { KEPT = 64 << 10, TOO_MUCH = 64 << 20 };

static void limit(int what, rlim_t most)
{
    struct rlimit l;
    if (getrlimit(what, &l)) return;
    l.rlim_cur = l.rlim_max != RLIM_INFINITY && l.rlim_max < most ? l.rlim_max : most;
    setrlimit(what, &l);
}

/* In the child. Own limits: compilers need a stack that the caller may not have, and one whose parent died ends by
 * itself. */
static void become(const gn_child *c, int in, int out)
{
    const struct sigaction fresh = { .sa_handler = SIG_DFL };
    sigset_t none;
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    umask(077);
    for (int s = 1; s < NSIG; s++) sigaction(s, &fresh, NULL);
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0) return;
#if defined(SYS_close_range)
    syscall(SYS_close_range, 3U, ~0U, 0U);
#endif
    limit(RLIMIT_STACK, 64 << 20);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, (rlim_t)c->seconds + 60);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(c->path, (char *const *)(uintptr_t)c->argv, (char *const *)(uintptr_t)c->env);
}

/* 0 or an errno. */
static int start(const gn_child *c, int in, int out, pid_t *pid)
{
    sigset_t all, before;
    volatile int failed = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    *pid = vfork();
    if (!*pid) {
        become(c, in, out);
        failed = errno;
        _exit(127);
    }
    if (*pid < 0) failed = errno;
    else if (failed) while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR) continue;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

/* A host may have closed the first three: ours must not be one of them. */
static int moved_up(int fd)
{
    if (fd < 0 || fd > 2) return fd;
    const int up = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    close(fd);
    return up;
}

static bool make_pipe(int ends[2])
{
    if (pipe2(ends, O_CLOEXEC)) return false;
    ends[0] = moved_up(ends[0]), ends[1] = moved_up(ends[1]);
    if (ends[0] >= 0 && ends[1] >= 0 && !fcntl(ends[0], F_SETFL, O_NONBLOCK)) return true;
    const int e = errno;
    if (ends[0] >= 0) close(ends[0]);
    if (ends[1] >= 0) close(ends[1]);
    errno = e;
    return false;
}

/* What is there to read now. False: nobody will write any more. */
static bool drain(int fd, gn_bytes *words, size_t *total)
{
    char chunk[4096];
    for (;;) {
        const ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno == EAGAIN;
        if (!n) return false;
        const size_t room = words->n < KEPT ? KEPT - words->n : 0;
        gn_bytes_add(words, chunk, (size_t)n < room ? (size_t)n : room);
        if ((*total += (size_t)n) > TOO_MUCH) return true;
    }
}

/* Has it ended? It stays a zombie, so that its number is nobody else's. */
static bool has_ended(pid_t pid, bool *lost)
{
    siginfo_t info = { .si_pid = 0 };
    const int e = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);
    *lost = e < 0 && errno == ECHILD;
    return *lost || (!e && info.si_pid == pid);
}

static void wait_a_little(int fd, bool open)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    if (open) poll(&p, 1, 10);
    else nanosleep(&(struct timespec){ .tv_nsec = 500000 }, NULL);
}

static void collect(const gn_child *c, pid_t pid, int fd, gn_bytes *words, gn_child_end *end)
{
    const double deadline = gn_now_ms() + 1e3 * c->seconds;
    size_t total = 0;
    for (bool open = true; !has_ended(pid, &end->lost);) {
        wait_a_little(fd, open);
        if (open) open = drain(fd, words, &total);
        end->late = gn_now_ms() > deadline, end->chatty = total > TOO_MUCH;
        if (end->late || end->chatty) break;
    }
    if (!end->lost) kill(-pid, SIGKILL);
    if (total <= TOO_MUCH) drain(fd, words, &total);
    while (!end->lost && waitpid(pid, &end->status, 0) < 0) end->lost = errno != EINTR;
}

gn_status gn_spawn(const gn_child *c, gn_bytes *words, gn_child_end *end)
{
    int ends[2];
    pid_t pid = -1;
    *end = (gn_child_end){ 0 };
    if (!make_pipe(ends)) return gn_error(GN_EIO, "%s: no pipe: %s", c->path, strerror(errno));
    const int in = moved_up(open("/dev/null", O_RDONLY | O_CLOEXEC));
    const int e = in < 0 ? errno : start(c, in, ends[1], &pid);
    if (in >= 0) close(in);
    close(ends[1]);
    if (!e) collect(c, pid, ends[0], words, end);
    close(ends[0]);
    return e ? gn_error(GN_ECOMPILER, "%s: cannot be started: %s", c->path, strerror(e)) : GN_OK;
}
