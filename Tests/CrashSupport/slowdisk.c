/* A disk of one process that is slow and may fail: preloaded (LD_PRELOAD), every sync takes a millisecond longer, and
   fails while the first byte of the file $SLOWDISK_FILE is not 0. The file may be changed while the process runs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const volatile unsigned char *fails;

__attribute__((constructor)) static void start(void) {
    const char *path = getenv("SLOWDISK_FILE");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *page = mmap(NULL, 1, PROT_READ, MAP_SHARED, file, 0);
    if (page != MAP_FAILED) fails = page;
    close(file);
}

static int synced(const char *name, int file) {
    struct timespec millisecond = {0, 1000000};
    while (nanosleep(&millisecond, &millisecond) != 0 && errno == EINTR) {}
    if (fails && *fails) {
        errno = EIO;
        return -1;
    }
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    return real(file);
}

int fdatasync(int file) { return synced("fdatasync", file); }
int fsync(int file) { return synced("fsync", file); }
