#define _GNU_SOURCE
#include "CSpawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <unistd.h>

// In memory only: the order holds what the command's environment holds, secrets among it.
static int open_order(const char *bytes, size_t length) {
    int order = memfd_create("order", MFD_CLOEXEC);
    if (order < 0) return -1;
    size_t written = 0;
    while (written < length) {
        ssize_t count = write(order, bytes + written, length - written);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        written += (size_t)count;
    }
    if (written == length && lseek(order, 0, SEEK_SET) == 0) return order;
    int problem = errno;
    close(order);
    errno = problem;
    return -1;
}

int cspawn_supervisor(
    const char *program, const char *folder, const void *order, size_t length, int *end, pid_t *pid) {
    int source = open_order(order, length);
    if (source < 0) return errno;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        int problem = errno;
        close(source);
        return problem;
    }
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    // The pipe first: descriptor 3 may be the order itself, never the other way round once 0 is taken.
    int spare = fcntl(source, F_DUPFD_CLOEXEC, 10);
    int writer = fcntl(ends[1], F_DUPFD_CLOEXEC, 10);
    int result = spare < 0 || writer < 0 ? errno : 0;
    if (result == 0) {
        posix_spawn_file_actions_adddup2(&actions, spare, 0);
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
        posix_spawn_file_actions_adddup2(&actions, writer, 3);
        char *const arguments[] = {(char *)"reactord-supervisor", (char *)folder, NULL};
        char *const environment[] = {NULL};
        result = posix_spawn(pid, program, &actions, &attributes, arguments, environment);
    }
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (spare >= 0) close(spare);
    if (writer >= 0) close(writer);
    close(source);
    close(ends[1]);
    if (result != 0) close(ends[0]);
    else *end = ends[0];
    return result;
}
