// reactord-supervisor FOLDER: runs one command to its end, whatever happens to the daemon that ordered it.
//
// It reads an order from its standard input (see ProcessOrder.swift), starts the command in a session of its own, keeps
// its time limit and the bound of its log, ends everything it has started when it is told to, and leaves in FOLDER:
//
//   lock      locked while this program lives (fcntl, so that it ends with it)
//   control   a FIFO: a byte `c` asks for the end of the command
//   started   on disk before the command runs: pid, start_time, boot_id
//   ended     written when nothing of the command is left: how it ended; on disk before this program ends
//
// Whatever the command starts is found again, in whichever session: this program is the reaper of all of it.
#define _GNU_SOURCE
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Exit codes, for the daemon that waits at descriptor 3.
enum { BAD_ORDER = 64, NOT_READY = 74, TAKEN = 75 };
enum { REPORT = 3, TICK_MS = 200, PATIENCE_MS = 10000, RESERVED = 512 };

struct run {
    struct order order;
    int folder, control, log, signals, result;
    pid_t child;
    int status;
    int has_ended;
    const char *stop;  // why it was stopped; NULL when it was not
    int64_t begun, stop_at, kill_at;
    int is_truncated;
};

int64_t now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void leave(int code, const char *what, int problem) {
    char line[160];
    int length = snprintf(line, sizeof line, "%d %s\n", problem, what);
    if (write(REPORT, line, (size_t)length) < 0) { /* nobody is there to be told */ }
    _exit(code);
}

// Descriptors 0 to 3 are ours; whatever else was inherited by mistake is closed.
static void settle_descriptors(void) {
    close_range(4, ~0U, 0);
    fcntl(REPORT, F_SETFD, FD_CLOEXEC);
    umask(077);
}

static void take_folder(struct run *run, const char *path) {
    run->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (run->folder < 0) leave(NOT_READY, "its folder cannot be opened", errno);
    int lock = openat(run->folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0) leave(NOT_READY, "its lock cannot be made", errno);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(lock, F_SETLK, &whole) != 0) leave(TAKEN, "another one runs it", errno);
    struct stat status;
    if (fstatat(run->folder, "started", &status, AT_SYMLINK_NOFOLLOW) == 0
        || fstatat(run->folder, "ended", &status, AT_SYMLINK_NOFOLLOW) == 0)
        leave(TAKEN, "it was started before", EEXIST);
    if (mkfifoat(run->folder, "control", 0600) != 0 && errno != EEXIST)
        leave(NOT_READY, "its control cannot be made", errno);
    run->control = openat(run->folder, "control", O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    if (run->control < 0) leave(NOT_READY, "its control cannot be opened", errno);
    // The room for the result is taken now: a disk that fills up meanwhile shall not cost it.
    run->result = openat(run->folder, "ended.new", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (run->result < 0) leave(NOT_READY, "its result cannot be made", errno);
    char blank[RESERVED];
    memset(blank, '\n', sizeof blank);
    if (write(run->result, blank, sizeof blank) != sizeof blank)
        leave(NOT_READY, "there is no room for its result", errno);
}

static void open_log(struct run *run) {
    int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    run->log = open(run->order.log, flags, 0600);
    struct stat status;
    if (run->log < 0 || fstat(run->log, &status) != 0) leave(NOT_READY, "its log cannot be opened", errno);
    if (!S_ISREG(status.st_mode)) leave(NOT_READY, "its log is not a regular file", EINVAL);
}

static void watch_signals(struct run *run) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    run->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (run->signals < 0) leave(NOT_READY, "its signals cannot be watched", errno);
}

static void note_start(struct run *run) {
    char text[RESERVED];
    int length = snprintf(
        text, sizeof text, "pid %d\nstart_time %lld\nboot_id %s\n", (int)run->child,
        (long long)start_time_of(run->child), boot_id());
    int file = openat(run->folder, "started.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0 || write(file, text, (size_t)length) != length || close(file) != 0
        || renameat(run->folder, "started.new", run->folder, "started") != 0) {
        int problem = errno;
        kill(run->child, SIGKILL);
        leave(NOT_READY, "its start cannot be recorded", problem);
    }
    // That it was started has to be known after a power cut: what it says matters in this run of the machine only.
    fsync(run->folder);
}

static void cut_log(struct run *run) {
    struct stat status;
    if (fstat(run->log, &status) != 0 || status.st_size <= run->order.log_limit) return;
    run->is_truncated = ftruncate(run->log, run->order.log_limit) == 0 || run->is_truncated;
}

static void note_end(struct run *run, const char *how, int stuck) {
    cut_log(run);
    struct stat log = {0};
    fstat(run->log, &log);
    char text[RESERVED];
    memset(text, '\n', sizeof text);
    struct use use = use_of_children();
    int length = snprintf(
        text, sizeof text,
        "end %s\nmilliseconds %lld\nlog_bytes %lld\nlog_truncated %d\nstuck %d\ncpu_ns %lld\nio_bytes %lld\n", how,
        (long long)(now_ms() - run->begun), (long long)log.st_size, run->is_truncated, stuck, (long long)use.cpu_ns,
        (long long)use.io_bytes);
    text[length] = '\n';
    if (pwrite(run->result, text, sizeof text, 0) != sizeof text || fsync(run->result) != 0
        || renameat(run->folder, "ended.new", run->folder, "ended") != 0)
        leave(NOT_READY, "its end cannot be recorded", errno);
    fsync(run->folder);
}

static void stop(struct run *run, const char *why) {
    if (run->stop != NULL || run->has_ended) return;
    run->stop = why;
    run->kill_at = now_ms() + run->order.grace_ms;
    signal_tree(run->child, SIGTERM);
}

// Answers whether anything of it lives: what has lost its parent is a child of this program.
static int reap(struct run *run) {
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != run->child) continue;
        run->has_ended = 1;
        run->status = status;
        // What an orderly end leaves behind gets no grace; what was told to stop cleans up until its time is over.
        if (run->stop == NULL) run->kill_at = now_ms();
    }
    return pid == 0;
}

static void listen(struct run *run) {
    struct signalfd_siginfo signal;
    while (read(run->signals, &signal, sizeof signal) == (ssize_t)sizeof signal)
        if (signal.ssi_signo == SIGTERM || signal.ssi_signo == SIGINT) stop(run, "cancelled");
    char orders[64];
    ssize_t count;
    while ((count = read(run->control, orders, sizeof orders)) > 0)
        if (memchr(orders, 'c', (size_t)count) != NULL) stop(run, "cancelled");
}

// Answers how many processes could not be ended.
static int play(struct run *run) {
    int64_t patience = 0;
    for (;;) {
        if (!reap(run)) return 0;
        int64_t now = now_ms();
        int wait = TICK_MS;
        if (run->stop == NULL && !run->has_ended && run->stop_at > 0) {
            if (now >= run->stop_at) stop(run, "timed_out");
            else if (run->stop_at - now < wait) wait = (int)(run->stop_at - now);
        }
        if (run->stop != NULL || run->has_ended) {
            if (now >= run->kill_at) {
                if (patience == 0) patience = now + PATIENCE_MS;
                kill_cgroup(run->order.cgroup);
                int left = signal_tree(run->child, SIGKILL);
                if (now > patience) return left;
                wait = 5;
            } else if (run->kill_at - now < wait) {
                wait = (int)(run->kill_at - now);
            }
        }
        cut_log(run);
        struct pollfd sources[2] = {{run->signals, POLLIN, 0}, {run->control, POLLIN, 0}};
        poll(sources, 2, wait < 1 ? 1 : wait);
        listen(run);
    }
}

static void describe(struct run *run, char *text, size_t size) {
    int is_killed = (WIFSIGNALED(run->status) && WTERMSIG(run->status) == SIGKILL)
        || (WIFEXITED(run->status) && WEXITSTATUS(run->status) == 128 + SIGKILL);
    if (run->stop != NULL) snprintf(text, size, "%s", run->stop);
    else if (is_killed && memory_kills(run->order.cgroup) > 0) snprintf(text, size, "out_of_memory");
    else if (WIFSIGNALED(run->status)) snprintf(text, size, "signalled %d", WTERMSIG(run->status));
    else snprintf(text, size, "exited %d", WEXITSTATUS(run->status));
}

int main(int count, char **words) {
    if (count != 2) leave(BAD_ORDER, "usage: reactord-supervisor FOLDER < order", EINVAL);
    settle_descriptors();
    struct run run = {0};
    if (read_order(&run.order) != 0) leave(BAD_ORDER, "its order cannot be read", EINVAL);
    take_folder(&run, words[1]);
    open_log(&run);
    watch_signals(&run);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int go[2], failure[2];
    if (pipe2(go, O_CLOEXEC) != 0 || pipe2(failure, O_CLOEXEC) != 0) leave(NOT_READY, "no pipe", errno);
    run.begun = now_ms();
    if (run.order.timeout_ms >= 0) run.stop_at = run.begun + (run.order.timeout_ms > 0 ? run.order.timeout_ms : 1);
    run.child = fork();
    if (run.child < 0) leave(NOT_READY, "no process can be made", errno);
    if (run.child == 0) become_command(&run.order, run.log, go[0], go[1], failure[1]);
    close(go[0]);
    close(failure[1]);
    note_start(&run);
    forget_order(&run.order);
    // When nobody takes it any more the child has been killed, which is an end like another.
    if (write(go[1], "g", 1) < 0) run.stop_at = 0;
    close(go[1]);
    struct failure problem;
    ssize_t told = read(failure[0], &problem, sizeof problem);
    close(failure[0]);
    int stuck = play(&run);
    char how[64];
    if (told == (ssize_t)sizeof problem)
        snprintf(how, sizeof how, "could_not_start %s %d", problem.stage, problem.number);
    else describe(&run, how, sizeof how);
    note_end(&run, how, stuck);
    remove_cgroup(run.order.cgroup);
    return 0;
}
