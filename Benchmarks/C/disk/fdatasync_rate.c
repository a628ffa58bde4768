// fdatasync calls per second after writes of 4 KiB into a file that was written before: what this disk gives at most.
//   fdatasync_rate FOLDER SECONDS
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 4096, BLOCKS = 4096 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int count, char **arguments) {
    if (count != 3) {
        fputs("usage: fdatasync_rate FOLDER SECONDS\n", stderr);
        return 2;
    }
    char path[4096];
    snprintf(path, sizeof path, "%s/fdatasync-rate.%d", arguments[1], (int)getpid());
    int file = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (file < 0) {
        perror(path);
        return 1;
    }
    unlink(path);
    static char block[BLOCK];
    memset(block, 0x5a, sizeof block);
    for (int index = 0; index < BLOCKS; index++)
        if (pwrite(file, block, BLOCK, (off_t)index * BLOCK) != BLOCK) return 1;
    if (fsync(file) != 0) return 1;
    double begin = now(), seconds = atof(arguments[2]);
    long syncs = 0;
    while (now() - begin < seconds) {
        memcpy(block, &syncs, sizeof syncs);
        if (pwrite(file, block, BLOCK, (off_t)(syncs % BLOCKS) * BLOCK) != BLOCK || fdatasync(file) != 0) return 1;
        syncs++;
    }
    printf("%.1f\n", (double)syncs / (now() - begin));
    return 0;
}
