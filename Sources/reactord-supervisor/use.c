#define _GNU_SOURCE
#include "supervisor.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static long long value_of(const char *text, const char *name) {
    const char *line = strstr(text, name);
    return line == NULL ? 0 : atoll(line + strlen(name));
}

// Bytes that were read and written; -1 where the kernel does not count them. `size` becomes the length of the answer.
static long long transferred(const char *path, ssize_t *size) {
    char text[512];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    *size = file < 0 ? 0 : read(file, text, sizeof text - 1);
    if (file >= 0) close(file);
    if (*size <= 0) return -1;
    text[*size] = 0;
    return value_of(text, "rchar: ") + value_of(text, "wchar: ");
}

// Everything that the command has started is reaped by its parent or by this program, which then owns its figures.
struct use use_of_children(void) {
    struct use use = {0, 0};
    struct rusage sum;
    if (getrusage(RUSAGE_CHILDREN, &sum) == 0)
        use.cpu_ns = ((int64_t)sum.ru_utime.tv_sec + sum.ru_stime.tv_sec) * 1000000000
            + ((int64_t)sum.ru_utime.tv_usec + sum.ru_stime.tv_usec) * 1000;
    // This program's one thread alone, then all of it with what it has reaped: between them lies one read of ours.
    ssize_t length, ignored;
    long long own = transferred("/proc/thread-self/io", &length), all = transferred("/proc/self/io", &ignored);
    if (own >= 0 && all > own + length) use.io_bytes = all - own - length;
    return use;
}
