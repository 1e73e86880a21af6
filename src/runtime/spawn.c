/* Child processes: an argument list, no shell, everything they print collected. */
#include "toolchain_state.h"
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void read_all(int fd, gn_bytes *words)
{
    char chunk[4096];
    for (;;) {
        const ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        gn_bytes_add(words, chunk, (size_t)n);
    }
}

/* stdin from /dev/null, stdout and stderr into `to`. 0 or an errno. */
static int spawn_into(const char *const *argv, int to, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    int e = posix_spawn_file_actions_init(&actions);
    if (e) return e;
    if (!(e = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)) && !(e = posix_spawn_file_actions_adddup2(&actions, to, 1)) &&
        !(e = posix_spawn_file_actions_adddup2(&actions, to, 2)))
        e = posix_spawnp(pid, argv[0], &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return e;
}

gn_status gn_spawn(const char *const *argv, gn_bytes *words, int *wait_status)
{
    int ends[2];
    pid_t pid;
    if (pipe2(ends, O_CLOEXEC)) return gn_error(GN_EIO, "%s: no pipe: %s", argv[0], strerror(errno));
    const int e = spawn_into(argv, ends[1], &pid);
    close(ends[1]);
    if (e) {
        close(ends[0]);
        return gn_error(GN_ECOMPILER, "%s: cannot be started: %s", argv[0], strerror(e));
    }
    read_all(ends[0], words);
    close(ends[0]);
    while (waitpid(pid, wait_status, 0) < 0)
        if (errno != EINTR) return gn_error(GN_EIO, "%s: lost: %s", argv[0], strerror(errno));
    return GN_OK;
}
