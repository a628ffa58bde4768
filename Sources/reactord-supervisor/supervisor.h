// The parts of reactord-supervisor; main.c says what it is for.
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include <stdint.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

enum { MAX_RLIMITS = 16, MAX_BINDS = 16 };

// What is to be run. Every string lies in `memory`.
struct order {
    const char *cwd, *log, *program, *cgroup;
    int64_t log_limit, timeout_ms, grace_ms, uid, gid;  // -1: none
    struct { int resource; rlim_t value; } rlimits[MAX_RLIMITS];
    int rlimit_count;
    struct { const char *file, *place; } binds[MAX_BINDS];  // files that the command sees under other names
    int bind_count;
    char **arguments, **environment;
    char *memory;
    size_t length;
};

// Why the command could not become itself.
struct failure {
    char stage[16];
    int number;
};

// order.c
int read_order(struct order *order);
void forget_order(struct order *order);

// What the command and all that it started have used.
struct use {
    int64_t cpu_ns, io_bytes;
};

// use.c
struct use use_of_children(void);

// command.c: in the child; never returns.
void become_command(const struct order *order, int log, int go, int go_writer, int failure);

// tree.c
int64_t start_time_of(pid_t pid);
const char *boot_id(void);
// To the group of `leader` in one call that no fork escapes, then to everything else that comes from this program.
// Answers how many lived.
int signal_tree(pid_t leader, int number);

// cgroup.c: `path` may be NULL.
int join_cgroup(const char *path);
void kill_cgroup(const char *path);
long memory_kills(const char *path);
void remove_cgroup(const char *path);

#endif
