#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "Anchor.h"
#include "Damage.h"
#include "Log.h"
#include "LogSync.h"
#include "Sum.h"

// A VFS on top of another: the database file gets a sum into each page that is written and has it checked on each page
// that is read, the log has the sums checked that SQLite keeps in it but looks at only after a crash. Everything else
// is passed on. (https://www.sqlite.org/vfs.html)
//
// Damage is SQLITE_CORRUPT, not an I/O error: that would end the whole transaction, and with it the changes of others.

enum { LOG_IS_UNSYNCED = 0x52435401 };

typedef enum file_kind { DATABASE, LOG, OTHER } file_kind;

typedef struct file {
    sqlite3_file base;
    sqlite3_file *below;
    const char *path;
    file_kind kind;
    /// Of a database: its pages carry sums.
    int has_sums;
    /// Of a database: see page_sums_expect_unsynced_log.
    int is_log_unsynced;
    /// Of a log.
    struct file *database;
    /// Of a log: frames that this connection has written again within its transaction; SQLite mends their headers
    /// only when it commits.
    int64_t rewritten_from, rewritten_to, last_header;
    /// Of a log: the last header that was written ends a commit whose sync is still to come; its salts.
    int ends_commit;
    uint8_t salts[8];
    struct page_sums_log sync;
} file;

static _Atomic(sqlite3_vfs *) beneath;

sqlite3_vfs *page_sums_lower(void) { return atomic_load(&beneath); }

static int damaged(const file *file, int64_t page, int64_t frame) {
    page_sums_remember(file->path, (page_damage){.page = page, .frame = frame});
    return SQLITE_CORRUPT;
}

// The database file.

static int read_part(file *file, uint8_t *bytes, int count, sqlite3_int64 offset) {
    uint8_t page[PAGE_SUMS_PAGE];
    while (count > 0) {
        int64_t number = offset / PAGE_SUMS_PAGE + 1;
        int at = (int)(offset % PAGE_SUMS_PAGE);
        int part = PAGE_SUMS_PAGE - at < count ? PAGE_SUMS_PAGE - at : count;
        int result = file->below->pMethods->xRead(file->below, page, PAGE_SUMS_PAGE, offset - at);
        if (result != SQLITE_OK && result != SQLITE_IOERR_SHORT_READ) return result;
        if (result != SQLITE_OK || !page_sum_holds(page, number)) return damaged(file, number, -1);
        memcpy(bytes, page + at, (size_t)part);
        bytes += part;
        offset += part;
        count -= part;
    }
    return SQLITE_OK;
}

static int read_database(file *file, uint8_t *bytes, int count, sqlite3_int64 offset) {
    // SQLite looks at the header without a lock, while another connection may be writing the page; what it goes by,
    // it reads again with the whole page.
    int is_whole = count == PAGE_SUMS_PAGE && offset % PAGE_SUMS_PAGE == 0;
    int is_header = offset + count <= 100;
    if (file->has_sums && !is_whole && !is_header) return read_part(file, bytes, count, offset);
    int result = file->below->pMethods->xRead(file->below, bytes, count, offset);
    if (!file->has_sums && result == SQLITE_OK && offset == 0 && page_sums_begin(bytes, count)) file->has_sums = 1;
    if (!file->has_sums || !is_whole) return result;
    if (result != SQLITE_OK && result != SQLITE_IOERR_SHORT_READ) return result;
    int64_t number = offset / PAGE_SUMS_PAGE + 1;
    // A short page is one that was cut off: SQLite would go on with zeros.
    if (result != SQLITE_OK || !page_sum_holds(bytes, number)) return damaged(file, number, -1);
    return SQLITE_OK;
}

static int write_database(file *file, const uint8_t *bytes, int count, sqlite3_int64 offset) {
    if (!file->has_sums && offset == 0 && count == PAGE_SUMS_PAGE && page_sums_begin(bytes, count)) {
        file->has_sums = 1;
    }
    if (!file->has_sums) return file->below->pMethods->xWrite(file->below, bytes, count, offset);
    // SQLite writes whole pages; anything else would leave a page with a wrong sum.
    if (count != PAGE_SUMS_PAGE || offset % PAGE_SUMS_PAGE != 0) return SQLITE_IOERR_WRITE;
    uint8_t page[PAGE_SUMS_PAGE];
    memcpy(page, bytes, PAGE_SUMS_PAGE);
    page_sum_put(page, offset / PAGE_SUMS_PAGE + 1);
    return file->below->pMethods->xWrite(file->below, page, count, offset);
}

// The log.

static int read_below(void *source, uint8_t *bytes, int count, int64_t offset) {
    sqlite3_file *below = source;
    return below->pMethods->xRead(below, bytes, count, offset);
}

/// SQLite reads the header only when it recovers the log, and then holds all its locks.
static int check_before_recovery(file *file) {
    sqlite3_int64 size = 0;
    int result = file->below->pMethods->xFileSize(file->below, &size);
    if (result != SQLITE_OK) return result;
    log_check check = {
        .read = read_below, .source = file->below, .size = size,
        .unsynced = file->database != NULL && file->database->is_log_unsynced,
    };
    sqlite3_file *note = log_note_open(file->path, SQLITE_OPEN_READONLY);
    if (note != NULL && note->pMethods->xRead(note, check.anchor, ANCHOR, 0) != SQLITE_OK) {
        memset(check.anchor, 0, ANCHOR);
    }
    log_note_close(note);
    page_damage damage;
    int found = log_find_damage(&check, &damage);
    if (found < 0) return SQLITE_NOMEM;
    return found > 0 ? damaged(file, damage.page, damage.frame) : SQLITE_OK;
}

/// The frame whose page lies at these bytes, or 0.
static int64_t frame_of_page(int count, sqlite3_int64 offset) {
    if (count < 512 || (count & (count - 1)) != 0) return 0;
    int64_t before = offset - LOG_HEADER - FRAME_HEADER;
    int64_t length = FRAME_HEADER + (int64_t)count;
    return before >= 0 && before % length == 0 ? before / length + 1 : 0;
}

static int read_log(file *file, uint8_t *bytes, int count, sqlite3_int64 offset) {
    sqlite3_file *below = file->below;
    if (offset == 0 && count == LOG_HEADER) {
        int result = check_before_recovery(file);
        if (result != SQLITE_OK) return result;
    }
    int result = below->pMethods->xRead(below, bytes, count, offset);
    int64_t frame = frame_of_page(count, offset);
    if (result != SQLITE_OK || frame == 0) return result;
    if (file->rewritten_from > 0 && frame >= file->rewritten_from && frame <= file->rewritten_to) return SQLITE_OK;
    uint8_t header[FRAME_HEADER], before[8];
    sqlite3_int64 start = log_frame_offset(frame, count);
    sqlite3_int64 sum = frame == 1 ? LOG_SUM : log_frame_offset(frame - 1, count) + FRAME_SUM;
    result = below->pMethods->xRead(below, header, FRAME_HEADER, start);
    if (result == SQLITE_OK) result = below->pMethods->xRead(below, before, sizeof before, sum);
    if (result != SQLITE_OK) return result;
    return log_frame_holds(header, bytes, count, before) ? SQLITE_OK : damaged(file, big32(header), frame);
}

/// Follows which frames are written a second time within a transaction, and when their sums are right again.
static void follow_log(file *file, const uint8_t *bytes, int count, sqlite3_int64 offset) {
    // A log that is begun anew: what an earlier commit was to have synced is over.
    if (offset == 0) file->ends_commit = 0;
    int64_t frame = frame_of_page(count, offset);
    if (frame > 0) {
        if (frame == file->last_header) return;
        if (file->rewritten_from == 0 || frame < file->rewritten_from) file->rewritten_from = frame;
        if (frame > file->rewritten_to) file->rewritten_to = frame;
        return;
    }
    if (count != FRAME_HEADER || file->database == NULL) return;
    int64_t length = FRAME_HEADER + PAGE_SUMS_PAGE;
    if (offset < LOG_HEADER || (offset - LOG_HEADER) % length != 0) return;
    frame = (offset - LOG_HEADER) / length + 1;
    file->last_header = frame;
    file->ends_commit = big32(bytes + 4) != 0;
    memcpy(file->salts, bytes + FRAME_SALTS, sizeof file->salts);
    if (file->rewritten_from == 0) return;
    static const uint8_t none[16];
    if (memcmp(bytes + FRAME_SALTS, none, sizeof none) == 0) {
        if (frame > file->rewritten_to) file->rewritten_to = frame;
    } else if (frame == file->rewritten_from) {
        file->rewritten_from += 1;
    } else if (frame < file->rewritten_from) {
        // The transaction was rolled back, and these are the frames of another.
        file->rewritten_from = file->rewritten_to + 1;
    }
    if (file->rewritten_from > file->rewritten_to) file->rewritten_from = file->rewritten_to = 0;
}

// The methods of a file.

static sqlite3_file *below(sqlite3_file *base) { return ((file *)base)->below; }

static int shim_close(sqlite3_file *base) {
    file *self = (file *)base;
    int result = self->below->pMethods->xClose(self->below);
    sqlite3_free(self->below);
    self->below = NULL;
    if (self->kind == LOG) log_sync_end(&self->sync);
    return result;
}

static int shim_read(sqlite3_file *base, void *bytes, int count, sqlite3_int64 offset) {
    file *self = (file *)base;
    switch (self->kind) {
    case DATABASE: return read_database(self, bytes, count, offset);
    case LOG: return read_log(self, bytes, count, offset);
    default: return self->below->pMethods->xRead(self->below, bytes, count, offset);
    }
}

static int shim_write(sqlite3_file *base, const void *bytes, int count, sqlite3_int64 offset) {
    file *self = (file *)base;
    if (self->kind == DATABASE) return write_database(self, bytes, count, offset);
    if (self->kind == LOG) follow_log(self, bytes, count, offset);
    return self->below->pMethods->xWrite(self->below, bytes, count, offset);
}

static int shim_truncate(sqlite3_file *base, sqlite3_int64 size) {
    return below(base)->pMethods->xTruncate(below(base), size);
}

/// After a sync that failed, the next one says nothing of what the disk did not take: the system holds it for written.
/// The log has all of it for as long as no sync succeeds, since SQLite begins it anew only after one. So none does
/// until the database is opened again, which copies the log from its beginning.
static int sync_database(file *file, int flags) {
    if (page_sums_is_unsynced(file->path)) return SQLITE_IOERR_FSYNC;
    int result = file->below->pMethods->xSync(file->below, flags);
    if (result != SQLITE_OK) page_sums_remember_unsynced(file->path);
    return result;
}

static int shim_sync(sqlite3_file *base, int flags) {
    file *self = (file *)base;
    if (self->kind == DATABASE) return sync_database(self, flags);
    if (self->kind != LOG) return self->below->pMethods->xSync(self->below, flags);
    if (!self->ends_commit) return log_sync_all(&self->sync, flags);
    int result = log_sync_commit(&self->sync, flags, self->last_header, self->salts);
    if (result == SQLITE_OK) self->ends_commit = 0;
    return result;
}

static int shim_size(sqlite3_file *base, sqlite3_int64 *size) {
    return below(base)->pMethods->xFileSize(below(base), size);
}

static int shim_lock(sqlite3_file *base, int level) { return below(base)->pMethods->xLock(below(base), level); }

static int shim_unlock(sqlite3_file *base, int level) { return below(base)->pMethods->xUnlock(below(base), level); }

static int shim_check_lock(sqlite3_file *base, int *is_locked) {
    return below(base)->pMethods->xCheckReservedLock(below(base), is_locked);
}

static int shim_control(sqlite3_file *base, int operation, void *argument) {
    if (operation == LOG_IS_UNSYNCED) {
        ((file *)base)->is_log_unsynced = 1;
        return SQLITE_OK;
    }
    return below(base)->pMethods->xFileControl(below(base), operation, argument);
}

static int shim_sector(sqlite3_file *base) { return below(base)->pMethods->xSectorSize(below(base)); }

static int shim_traits(sqlite3_file *base) {
    enum { READS_PARTS_OF_PAGES = 0x8000 };
    return below(base)->pMethods->xDeviceCharacteristics(below(base)) & ~READS_PARTS_OF_PAGES;
}

static int shim_map(sqlite3_file *base, int region, int size, int extend, void volatile **memory) {
    return below(base)->pMethods->xShmMap(below(base), region, size, extend, memory);
}

static int shim_shm_lock(sqlite3_file *base, int offset, int count, int flags) {
    return below(base)->pMethods->xShmLock(below(base), offset, count, flags);
}

static void shim_barrier(sqlite3_file *base) { below(base)->pMethods->xShmBarrier(below(base)); }

static int shim_unmap(sqlite3_file *base, int delete) {
    return below(base)->pMethods->xShmUnmap(below(base), delete);
}

/// Version 2: without the memory mapping of version 3, by which pages would be read past the check.
static const sqlite3_io_methods methods = {
    2, shim_close, shim_read, shim_write, shim_truncate, shim_sync, shim_size, shim_lock, shim_unlock,
    shim_check_lock, shim_control, shim_sector, shim_traits, shim_map, shim_shm_lock, shim_barrier, shim_unmap,
    NULL, NULL,
};

// The methods of the VFS.

/// Whether a database that is opened carries sums, as far as can be seen without a lock.
static int has_sums(sqlite3_file *below) {
    uint8_t start[2 * PAGE_SUMS_PAGE];
    sqlite3_int64 size = 0;
    if (below->pMethods->xFileSize(below, &size) != SQLITE_OK || size < 100) return 0;
    int count = size < (sqlite3_int64)sizeof start ? (int)size : (int)sizeof start;
    return below->pMethods->xRead(below, start, count, 0) == SQLITE_OK && page_sums_begin(start, count);
}

static int shim_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags, int *flags_out) {
    (void)vfs;
    sqlite3_vfs *lower = atomic_load(&beneath);
    file *self = (file *)base;
    *self = (file){.path = path, .kind = OTHER};
    self->below = sqlite3_malloc(lower->szOsFile);
    if (self->below == NULL) return SQLITE_NOMEM;
    memset(self->below, 0, (size_t)lower->szOsFile);
    int result = lower->xOpen(lower, path, self->below, flags, flags_out);
    if (result != SQLITE_OK) {
        if (self->below->pMethods != NULL) self->below->pMethods->xClose(self->below);
        sqlite3_free(self->below);
        return result;
    }
    if (flags & SQLITE_OPEN_MAIN_DB && path != NULL) {
        self->kind = DATABASE;
        self->has_sums = has_sums(self->below);
    } else if (flags & SQLITE_OPEN_WAL) {
        self->kind = LOG;
        self->database = (file *)sqlite3_database_file_object(path);
        log_sync_begin(&self->sync, self->below, path);
    }
    base->pMethods = &methods;
    return SQLITE_OK;
}

static int shim_delete(sqlite3_vfs *vfs, const char *path, int sync) {
    (void)vfs;
    sqlite3_vfs *lower = atomic_load(&beneath);
    return lower->xDelete(lower, path, sync);
}

static int shim_access(sqlite3_vfs *vfs, const char *path, int flags, int *result) {
    (void)vfs;
    sqlite3_vfs *lower = atomic_load(&beneath);
    return lower->xAccess(lower, path, flags, result);
}

/// A copy of the lower one: what has nothing to do with files works as it does there.
static sqlite3_vfs shim;
static pthread_mutex_t installing = PTHREAD_MUTEX_INITIALIZER;

int page_sums_install(const char *below) {
    int result = sqlite3_initialize();
    if (result != SQLITE_OK) return result;
    pthread_mutex_lock(&installing);
    sqlite3_vfs *lower = sqlite3_vfs_find(below);
    int is_installed = atomic_load(&beneath) != NULL;
    if (lower == NULL) {
        result = SQLITE_NOTFOUND;
    } else if (is_installed) {
        if (below != NULL && lower != &shim) atomic_store(&beneath, lower);
    } else {
        shim = *lower;
        shim.iVersion = lower->iVersion < 2 ? lower->iVersion : 2;
        shim.szOsFile = (int)sizeof(file);
        shim.zName = "reactord-sums";
        shim.pNext = NULL;
        shim.xOpen = shim_open;
        shim.xDelete = shim_delete;
        shim.xAccess = shim_access;
        atomic_store(&beneath, lower);
        result = sqlite3_vfs_register(&shim, 1);
    }
    pthread_mutex_unlock(&installing);
    return result;
}

int page_sums_reserve(struct sqlite3 *database) {
    int bytes = PAGE_SUMS_BYTES;
    return sqlite3_file_control(database, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes);
}

int page_sums_expect_unsynced_log(struct sqlite3 *database) {
    return sqlite3_file_control(database, "main", LOG_IS_UNSYNCED, NULL);
}

struct page_sums_log *page_sums_log_of(struct sqlite3 *database) {
    sqlite3_file *base = NULL;
    int result = sqlite3_file_control(database, "main", SQLITE_FCNTL_JOURNAL_POINTER, &base);
    if (result != SQLITE_OK || base == NULL || base->pMethods != &methods) return NULL;
    return ((file *)base)->kind == LOG ? &((file *)base)->sync : NULL;
}
