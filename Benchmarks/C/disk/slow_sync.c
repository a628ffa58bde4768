// A slow disk for programs that sync through the C library (LD_PRELOAD): every fsync and fdatasync first sleeps
// SYNC_DELAY_US microseconds.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static long delay = -1;

static void wait_first(void) {
    if (delay < 0) {
        const char *text = getenv("SYNC_DELAY_US");
        delay = text == NULL ? 0 : atol(text);
    }
    struct timespec rest = {.tv_sec = delay / 1000000, .tv_nsec = delay % 1000000 * 1000};
    while (delay > 0 && nanosleep(&rest, &rest) != 0) {}
}

int fsync(int file) {
    static int (*real)(int);
    if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    wait_first();
    return real(file);
}

int fdatasync(int file) {
    static int (*real)(int);
    if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    wait_first();
    return real(file);
}
