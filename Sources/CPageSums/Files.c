#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "Log.h"
#include "Sum.h"

// What is done to files as they lie there, not through SQLite.

static int64_t size_of(int file) {
    struct stat facts;
    return fstat(file, &facts) == 0 ? (int64_t)facts.st_size : -1;
}

static int read_all(int file, uint8_t *bytes, int count, int64_t offset) {
    while (count > 0) {
        ssize_t got = pread(file, bytes, (size_t)count, offset);
        if (got < 0 && errno == EINTR) continue;
        if (got == 0) errno = EIO;
        if (got <= 0) return -1;
        bytes += got;
        count -= (int)got;
        offset += got;
    }
    return 0;
}

static int write_all(int file, const uint8_t *bytes, int count, int64_t offset) {
    while (count > 0) {
        ssize_t put = pwrite(file, bytes, (size_t)count, offset);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return -1;
        bytes += put;
        count -= (int)put;
        offset += put;
    }
    return 0;
}

static int close_keeping_errno(int file, int result) {
    int reason = errno;
    close(file);
    errno = reason;
    return result;
}

page_sums_kind page_sums_kind_of(const char *path) {
    static const char magic[16] = "SQLite format 3";
    uint8_t start[2 * PAGE_SUMS_PAGE];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return PAGE_SUMS_ABSENT;
    int64_t size = size_of(file);
    int count = size < (int64_t)sizeof start ? (int)size : (int)sizeof start;
    page_sums_kind kind = PAGE_SUMS_FOREIGN;
    if (size == 0) {
        kind = PAGE_SUMS_ABSENT;
    } else if (count > 0 && read_all(file, start, count, 0) == 0) {
        if (page_sums_begin(start, count)) {
            kind = PAGE_SUMS_PRESENT;
        } else if (count >= 100 && memcmp(start, magic, sizeof magic) == 0
            && big32(start + 68) == PAGE_SUMS_OWNER) {
            kind = PAGE_SUMS_MISSING;
        }
    }
    close(file);
    return kind;
}

static int stamp(int file) {
    uint8_t page[PAGE_SUMS_PAGE];
    int64_t size = size_of(file);
    if (size < PAGE_SUMS_PAGE || size % PAGE_SUMS_PAGE != 0 || read_all(file, page, PAGE_SUMS_PAGE, 0) != 0
        || page[16] != PAGE_SUMS_PAGE >> 8 || page[17] != 0 || page[20] != PAGE_SUMS_BYTES) {
        errno = EINVAL;
        return -1;
    }
    for (int64_t number = 1; number <= size / PAGE_SUMS_PAGE; number++) {
        int64_t offset = (number - 1) * PAGE_SUMS_PAGE;
        if (read_all(file, page, PAGE_SUMS_PAGE, offset) != 0) return -1;
        page_sum_put(page, number);
        if (write_all(file, page, PAGE_SUMS_PAGE, offset) != 0) return -1;
    }
    return fsync(file);
}

int page_sums_stamp(const char *path) {
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return -1;
    return close_keeping_errno(file, stamp(file));
}

enum { ATTEMPTS = 5 };

static void wait_a_little(void) {
    struct timespec moment = {.tv_sec = 0, .tv_nsec = 20 * 1000 * 1000};
    nanosleep(&moment, NULL);
}

static int read_source(void *source, uint8_t *bytes, int count, int64_t offset) {
    return read_all(*(int *)source, bytes, count, offset);
}

int64_t page_sums_scan_log(
    const char *path, int log_unsynced, void *context, page_sums_report damaged, page_sums_report replaced) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    log_check check = {.read = read_source, .source = &file, .unsynced = log_unsynced, .context = context};
    page_damage damage;
    int found = 0;
    // Another process may be writing the log: its damage has to stay.
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (attempt > 0) wait_a_little();
        check.size = size_of(file);
        found = log_find_damage(&check, &damage);
        if (found == 0) break;
    }
    if (found > 0) damaged(context, &damage);
    if (found < 0) return close_keeping_errno(file, -1);
    check.replaced = replaced;
    log_find_damage(&check, &damage);
    uint8_t header[LOG_HEADER];
    int64_t frames = 0;
    if (check.size > LOG_HEADER && read_all(file, header, LOG_HEADER, 0) == 0) {
        uint32_t page = big32(header + 8);
        if (page >= 512 && page <= 65536) frames = (check.size - LOG_HEADER) / (FRAME_HEADER + (int64_t)page);
    }
    close(file);
    return frames;
}

/// 0 when the page is whole.
static int check_page(int file, uint8_t *page, int64_t number) {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (attempt > 0) wait_a_little();
        if (read_all(file, page, PAGE_SUMS_PAGE, (number - 1) * PAGE_SUMS_PAGE) == 0 && page_sum_holds(page, number)) {
            return 0;
        }
        // The file was made shorter meanwhile.
        if (size_of(file) < number * PAGE_SUMS_PAGE) return 0;
    }
    return -1;
}

int64_t page_sums_scan_database(
    const char *path, void *context, page_sums_report damaged, page_sums_progress progress) {
    // SQLite locks here and never writes: a hole of zeros.
    const int64_t lock_page = 0x40000000 / PAGE_SUMS_PAGE + 1;
    uint8_t page[PAGE_SUMS_PAGE];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    int64_t size = size_of(file);
    if (size < 0) return close_keeping_errno(file, -1);
    int64_t pages = (size + PAGE_SUMS_PAGE - 1) / PAGE_SUMS_PAGE;
    for (int64_t number = 1; number <= pages; number++) {
        int is_cut = number * PAGE_SUMS_PAGE > size;
        if (number != lock_page && (is_cut || check_page(file, page, number) != 0)) {
            page_damage damage = {.page = number, .frame = -1};
            damaged(context, &damage);
        }
        if (number % 256 == 0 && progress(context, number, pages) != 0) break;
    }
    close(file);
    return pages;
}
