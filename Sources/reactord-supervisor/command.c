#define _GNU_SOURCE
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int report;

static void fail(const char *stage) {
    struct failure failure = {.number = errno};
    snprintf(failure.stage, sizeof failure.stage, "%s", stage);
    if (write(report, &failure, sizeof failure) < 0) { /* the supervisor is gone */ }
    _exit(127);
}

static void set_limits(const struct order *order) {
    for (int i = 0; i < order->rlimit_count; i++) {
        struct rlimit limit;
        if (getrlimit(order->rlimits[i].resource, &limit) != 0) fail("rlimit");
        // Never more than this program was given itself.
        rlim_t value = order->rlimits[i].value;
        limit.rlim_max = value < limit.rlim_max ? value : limit.rlim_max;
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(order->rlimits[i].resource, &limit) != 0) fail("rlimit");
    }
}

// Something has to be there to be covered: an empty file, in a folder that is made where it is missing.
static void make_place(const char *path) {
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash != NULL && slash != folder) {
        *slash = 0;
        mkdir(folder, 0755);
    }
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0444);
    if (file >= 0) close(file);
}

// Every command has files of its own under the same names: a mount namespace, which only root may make. Where it may
// not be made the command runs without: its environment tells the real names.
static void bind_files(const struct order *order) {
    if (order->bind_count == 0) return;
    mode_t mask = umask(022);
    for (int i = 0; i < order->bind_count; i++) make_place(order->binds[i].place);
    umask(mask);
    if (unshare(CLONE_NEWNS) != 0) return;
    // Else the machine would see them too.
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return;
    for (int i = 0; i < order->bind_count; i++)
        if (mount(order->binds[i].file, order->binds[i].place, NULL, MS_BIND, NULL) != 0) continue;
}

static void become_user(const struct order *order) {
    if (order->uid < 0) return;
    gid_t group = (gid_t)(order->gid < 0 ? order->uid : order->gid);
    if (setgroups(1, &group) != 0 || setresgid(group, group, group) != 0) fail("group");
    if (setresuid((uid_t)order->uid, (uid_t)order->uid, (uid_t)order->uid) != 0) fail("user");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("privileges");
}

void become_command(const struct order *order, int log, int go, int go_writer, int failure) {
    report = failure;
    // Only the supervisor may say go: while we held the other end of the pipe too, its end would not be seen.
    close(go_writer);
    setsid();
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) fail("descriptors");
    char word;
    if (read(go, &word, 1) != 1) _exit(127);
    if (join_cgroup(order->cgroup) != 0) fail("cgroup");
    set_limits(order);
    bind_files(order);
    if (chdir(order->cwd) != 0) fail("folder");
    become_user(order);
    signal(SIGHUP, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(order->program, order->arguments, order->environment);
    fail("program");
}
