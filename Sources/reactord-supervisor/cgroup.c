#define _GNU_SOURCE
#include "supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int put(const char *folder, const char *name, const char *text) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t length = (ssize_t)strlen(text), count = write(file, text, (size_t)length);
    close(file);
    return count == length ? 0 : -1;
}

static ssize_t get(const char *folder, const char *name, char *text, size_t size) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t count = read(file, text, size - 1);
    close(file);
    if (count >= 0) text[count] = 0;
    return count;
}

int join_cgroup(const char *path) { return path == NULL ? 0 : put(path, "cgroup.procs", "0"); }

// Version 2 has a switch for it; in version 1 the members are named one by one.
void kill_cgroup(const char *path) {
    if (path == NULL || put(path, "cgroup.kill", "1") == 0) return;
    char text[16384];
    if (get(path, "cgroup.procs", text, sizeof text) <= 0) return;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
        if (atoi(line) > 1) kill(atoi(line), SIGKILL);
}

// `oom_kill N`: in memory.events of version 2, in memory.oom_control of version 1.
long memory_kills(const char *path) {
    if (path == NULL) return 0;
    char text[1024];
    if (get(path, "memory.events", text, sizeof text) <= 0
        && get(path, "memory.oom_control", text, sizeof text) <= 0)
        return 0;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
        if (strncmp(line, "oom_kill ", 9) == 0) return atol(line + 9);
    return 0;
}

void remove_cgroup(const char *path) {
    if (path != NULL) rmdir(path);
}
