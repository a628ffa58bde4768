// Starts the supervisor: what posix_spawn(3) and memfd_create(2) need C for.
#ifndef CSPAWN_H
#define CSPAWN_H

#include <stddef.h>
#include <sys/types.h>

// Starts `program folder` in a session of its own. `order` waits on its standard input; its standard output and error are
// /dev/null; descriptor 3 is a pipe whose other end is `*end`, which tells of its end and of why it could not begin.
// Answers 0, or an errno. `*end` is to be closed and `*pid` to be waited for.
int cspawn_supervisor(
    const char *program, const char *folder, const void *order, size_t length, int *end, pid_t *pid);

#endif
